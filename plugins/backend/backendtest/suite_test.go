package backendtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

var ann = backend.Credentials{User: "ann", Password: "secret"}

// A liar is a good backend with one promise broken.
type liar struct {
	*memory.Backend
	lie func(*memory.Session) backend.Session
}

func (l *liar) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := l.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return l.lie(s.(*memory.Session)), nil
}

// A session breaks the promises whose functions are set.
type session struct {
	*memory.Session
	changes func(ctx context.Context, s *memory.Session, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error)
	get     func(ctx context.Context, s *memory.Session, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error
	put     func(ctx context.Context, s *memory.Session, c backend.CollectionID, it backend.Item) (backend.Item, error)
	remove  func(ctx context.Context, s *memory.Session, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error
	watch   func(ctx context.Context, s *memory.Session, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error
	probe   func(ctx context.Context, s *memory.Session, cs []backend.CollectionID) (map[backend.CollectionID]string, error)
}

func (s *session) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	if s.changes != nil {
		return s.changes(ctx, s.Session, c, since, yield)
	}
	return s.Session.Changes(ctx, c, since, yield)
}

func (s *session) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	if s.get != nil {
		return s.get(ctx, s.Session, c, ids, yield)
	}
	return s.Session.Get(ctx, c, ids, yield)
}

func (s *session) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	if s.put != nil {
		return s.put(ctx, s.Session, c, it)
	}
	return s.Session.Put(ctx, c, it)
}

func (s *session) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	if s.remove != nil {
		return s.remove(ctx, s.Session, c, id, rev)
	}
	return s.Session.Delete(ctx, c, id, rev)
}

func (s *session) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	if s.watch != nil {
		return s.watch(ctx, s.Session, cs, ready, changed)
	}
	return s.Session.Watch(ctx, cs, ready, changed)
}

func (s *session) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	if s.probe != nil {
		return s.probe(ctx, s.Session, cs)
	}
	return s.Session.Probe(ctx, cs)
}

// current answers the revision an item is at.
func current(ctx context.Context, s *memory.Session, c backend.CollectionID, id backend.ItemID) (rev backend.Revision) {
	s.Get(ctx, c, []backend.ItemID{id}, func(f backend.Fetched) error { rev = f.Revision; return nil })
	return rev
}

// lies are the mistakes that implementations make, with the promise whose
// subtest has to notice.
var lies = []struct {
	name    string
	promise string
	lie     session
}{
	{"a shorter list", "Listing/everything_is_listed_once", session{
		changes: func(ctx context.Context, s *memory.Session, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
			return s.Changes(ctx, c, since, func(batch []backend.Change) error { return yield(batch[:len(batch)-1]) })
		},
	}},
	{"a cursor for every occasion", "History/a_cursor_of_nobody's_is_Expired", session{
		changes: func(ctx context.Context, s *memory.Session, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
			next, err := s.Changes(ctx, c, since, yield)
			if backend.KindOf(err) == backend.Expired {
				return s.Changes(ctx, c, "", yield)
			}
			return next, err
		},
	}},
	{"removals kept secret", "History/a_chain_of_cursors_tells_each_change", session{
		changes: func(ctx context.Context, s *memory.Session, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
			return s.Changes(ctx, c, since, func(batch []backend.Change) error {
				var kept []backend.Change
				for _, ch := range batch {
					if !ch.Removed {
						kept = append(kept, ch)
					}
				}
				return yield(kept)
			})
		},
	}},
	{"one vanished item fails all", "Get/vanished_items_are_absent", session{
		get: func(ctx context.Context, s *memory.Session, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
			for _, id := range ids {
				if current(ctx, s, c, id) == "" {
					return backend.E(backend.NotFound, "liar", nil)
				}
			}
			return s.Get(ctx, c, ids, yield)
		},
	}},
	{"a missing collection is empty", "Get/a_missing_collection_is_NotFound", session{
		get: func(ctx context.Context, s *memory.Session, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
			err := s.Get(ctx, c, ids, yield)
			if backend.KindOf(err) == backend.NotFound {
				return nil
			}
			return err
		},
	}},
	{"a create that overwrites", "Put/create_twice_is_Conflict", session{
		put: func(ctx context.Context, s *memory.Session, c backend.CollectionID, it backend.Item) (backend.Item, error) {
			out, err := s.Put(ctx, c, it)
			if it.Revision == "" && backend.KindOf(err) == backend.Conflict {
				it.ID, it.Revision = out.ID, out.Revision
				return s.Put(ctx, c, it)
			}
			return out, err
		},
	}},
	{"the last writer wins", "Put/a_stale_revision_is_Conflict", session{
		put: func(ctx context.Context, s *memory.Session, c backend.CollectionID, it backend.Item) (backend.Item, error) {
			if it.Revision != "" {
				it.Revision = current(ctx, s, c, it.ID)
			}
			return s.Put(ctx, c, it)
		},
	}},
	{"bytes tidied up", "Body/an_odd_body_comes_back_byte_for_byte", session{
		put: tidyPut,
	}},
	{"a revision of its own", "Put/the_answer_is_the_state_that_is_stored", session{
		put: func(ctx context.Context, s *memory.Session, c backend.CollectionID, it backend.Item) (backend.Item, error) {
			out, err := s.Put(ctx, c, it)
			out.Revision = "W/" + out.Revision
			return out, err
		},
	}},
	{"deleting blindly", "Delete/a_stale_revision_is_Conflict", session{
		remove: func(ctx context.Context, s *memory.Session, c backend.CollectionID, id backend.ItemID, _ backend.Revision) error {
			return s.Delete(ctx, c, id, "")
		},
	}},
	{"plain errors", "Delete/what_is_gone_is_NotFound", session{
		remove: func(ctx context.Context, s *memory.Session, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
			if s.Delete(ctx, c, id, rev) != nil {
				return errors.New("404")
			}
			return nil
		},
	}},
	{"a tag that never changes", "Probe/the_tag_changes_with_every_change", session{
		probe: func(_ context.Context, _ *memory.Session, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
			return map[backend.CollectionID]string{cs[0]: "tag"}, nil
		},
	}},
	{"watching that ends alone", "Watch/the_end_of_the_context_ends_it", session{
		watch: func(ctx context.Context, _ *memory.Session, _ []backend.CollectionID, ready func(), _ func(backend.CollectionID)) error {
			ready()
			<-ctx.Done()
			return nil
		},
	}},
}

func tidyPut(ctx context.Context, s *memory.Session, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	it.Body = []byte(strings.ReplaceAll(string(it.Body), "\r\n ", ""))
	return s.Put(ctx, c, it)
}

const lieKey = "PUSHBRIDGE_TEST_LIE"

// TestLiar is the suite with one of the lies; it is meant to fail.
func TestLiar(t *testing.T) {
	name := os.Getenv(lieKey)
	if name == "" {
		t.Skip("runs in a process of its own, from TestSuiteNoticesLies")
	}
	for _, l := range lies {
		if l.name != name {
			continue
		}
		b := memory.New()
		b.AddUser(ann.User, ann.Password)
		backendtest.Run(t, backendtest.Suite{Credentials: ann, Items: 20, Kinds: []backend.CollectionKind{backend.Contacts}, Backend: &liar{b, func(s *memory.Session) backend.Session {
			lie := l.lie
			lie.Session = s
			return &lie
		}}})
	}
}

func TestSuiteNoticesLies(t *testing.T) {
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			theme, promise, _ := strings.Cut(l.promise, "/")
			cmd := exec.Command(os.Args[0], "-test.run=^TestLiar$/^contacts$/^"+theme+"$/^"+regexp.QuoteMeta(promise)+"$", "-test.v")
			cmd.Env = append(os.Environ(), lieKey+"="+l.name)
			out, err := cmd.CombinedOutput()
			if want := "--- FAIL: TestLiar/contacts/" + l.promise; err == nil || !strings.Contains(string(out), want) {
				t.Errorf("the suite ends with %v and lacks %q:\n%s", err, want, out)
			}
		})
	}
}

func TestExcuses(t *testing.T) {
	b := memory.New()
	b.AddUser(ann.User, ann.Password)
	backendtest.Run(t, backendtest.Suite{
		Credentials: ann, Kinds: []backend.CollectionKind{backend.Contacts}, Items: 20,
		Backend: &liar{b, func(s *memory.Session) backend.Session { return &session{Session: s, put: tidyPut} }},
		Excuses: []backendtest.Excuse{{
			Promise: "Body/an odd body comes back byte for byte", Kind: backend.Contacts, Reason: "this liar unfolds lines",
		}},
	})
}
