package problem_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A memory is a store without a disk, and a mirror.
type memory struct {
	mu    sync.Mutex
	all   map[problem.Object]problem.Problem
	gone  map[backend.ItemID]bool
	fails error
}

func (m *memory) Problems(context.Context) ([]problem.Problem, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.all)), m.fails
}

func (m *memory) ChangeProblems(_ context.Context, save []problem.Problem, forget []problem.Object) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	if m.all == nil {
		m.all = make(map[problem.Object]problem.Problem)
	}
	for _, p := range save {
		m.all[p.Object] = p
	}
	for _, o := range forget {
		delete(m.all, o)
	}
	return nil
}

func (m *memory) There(_ context.Context, _ string, _ syncengine.FolderID, ids []backend.ItemID) ([]backend.ItemID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(ids), func(id backend.ItemID) bool { return m.gone[id] }), nil
}

func open(t *testing.T, m *memory) *problem.Register {
	t.Helper()
	r, err := problem.Open(t.Context(), m, m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	anns = problem.Folder{User: "ann", Backend: "dav", Collection: "/ann/", ID: 1}
	bobs = problem.Folder{User: "bob", Backend: "dav", Collection: "/bob/", ID: 2}
)

// note notes failures with a reason, and answers the names of those that are
// news.
func note(t *testing.T, r *problem.Register, f problem.Folder, reason string, ids ...backend.ItemID) []backend.ItemID {
	t.Helper()
	var failed []problem.Failure
	for _, id := range ids {
		failed = append(failed, problem.Failure{ID: id, Kind: problem.Unreadable, Reason: reason})
	}
	news, err := r.Note(t.Context(), f, failed, nil)
	if err != nil {
		t.Error(err)
	}
	var names []backend.ItemID
	for _, p := range news {
		names = append(names, p.ID)
	}
	return names
}

func fine(t *testing.T, r *problem.Register, f problem.Folder, ids ...backend.ItemID) {
	t.Helper()
	if news, err := r.Note(t.Context(), f, nil, ids); err != nil || len(news) > 0 {
		t.Fatalf("what is fine is news: %v, %v", news, err)
	}
}

// listed is the register in its order, "user/id" with its count.
func listed(t *testing.T, r *problem.Register, user string) string {
	t.Helper()
	list, err := r.List(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, p := range list {
		words = append(words, fmt.Sprintf("%s/%s×%d", p.User, p.ID, p.Count))
	}
	return strings.Join(words, " ")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: the register has %q, want %q", what, got, want)
	}
}

func TestRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(memory)
		r := open(t, m)
		began := time.Now()
		if news := note(t, r, anns, "no BEGIN", "a", "b"); len(news) != 2 {
			t.Errorf("news: %v, want both", news)
		}
		time.Sleep(time.Hour)
		if news := note(t, r, anns, "no BEGIN", "a"); len(news) != 0 {
			t.Errorf("an object that is known is news: %v\nIts line would stand in the log for each phone.", news)
		}
		time.Sleep(time.Hour)
		if news := note(t, r, bobs, "no BEGIN", "a"); len(news) != 1 {
			t.Errorf("bob's object of the same name is no news: %v", news)
		}
		expect(t, "all", listed(t, r, ""), "bob/a×1 ann/a×2 ann/b×1")
		expect(t, "of ann", listed(t, r, "ann"), "ann/a×2 ann/b×1")
		expect(t, "of nobody", listed(t, r, "carol"), "")
		list, err := r.List(t.Context(), "ann")
		if err != nil || !list[0].FirstSeen.Equal(began) || !list[0].LastSeen.Equal(began.Add(time.Hour)) || list[0].Folder != anns.ID ||
			list[0].Backend != "dav" || list[0].Collection != "/ann/" || list[0].Reason != "no BEGIN" {
			t.Errorf("a problem is %+v, %v", list[0], err)
		}
		if news := note(t, r, anns, "too many lines", "b"); len(news) != 1 {
			t.Errorf("another reason is no news: %v", news)
		}

		expect(t, "after a restart", listed(t, open(t, m), ""), "ann/b×2 bob/a×1 ann/a×2")

		fine(t, r, anns, "a", "c")
		expect(t, "after one was mended", listed(t, r, ""), "ann/b×2 bob/a×1")
		expect(t, "after a restart", listed(t, open(t, m), ""), "ann/b×2 bob/a×1")
		m.gone = map[backend.ItemID]bool{"b": true}
		expect(t, "after one was deleted", listed(t, r, ""), "bob/a×1")
		expect(t, "after a restart", listed(t, open(t, m), ""), "bob/a×1")
		if news := note(t, r, anns, "no BEGIN", "a"); len(news) != 1 {
			t.Error("one that was mended and breaks again is no news")
		}
	})
}

func TestFailingStoreChangesNothing(t *testing.T) {
	m := new(memory)
	r := open(t, m)
	note(t, r, anns, "no BEGIN", "a")
	m.fails = errors.New("disk full")
	failed := []problem.Failure{{ID: "b"}}
	if _, err := r.Note(t.Context(), anns, failed, []backend.ItemID{"a"}); !errors.Is(err, m.fails) {
		t.Errorf("error = %v, want the store's", err)
	}
	m.fails = nil
	expect(t, "afterwards", listed(t, r, ""), "ann/a×1")
	if news := note(t, r, anns, "no BEGIN", "b"); len(news) != 1 {
		t.Error("what could not be stored is no news the next time")
	}
}

func TestRegisterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(memory)
		r := open(t, m)
		name := func(i int) backend.ItemID { return backend.ItemID(fmt.Sprint("item", i)) }
		const batch = problem.MaxPerUser / 2
		ids := make([]backend.ItemID, batch)
		fill := func(f problem.Folder, n int) {
			for i := 0; i < n; i += batch {
				for j := range ids {
					ids[j] = name(i + j)
				}
				time.Sleep(time.Second)
				note(t, r, f, "no BEGIN", ids...)
			}
		}
		fill(anns, problem.MaxPerUser+batch)
		list, err := r.List(t.Context(), "ann")
		if err != nil || len(list) != problem.MaxPerUser || len(m.all) != problem.MaxPerUser {
			t.Errorf("ann has %d problems, %d in the store, %v; want %d", len(list), len(m.all), err, problem.MaxPerUser)
		}
		for _, p := range list {
			if slices.Contains([]backend.ItemID{name(0), name(batch - 1)}, p.ID) {
				t.Errorf("%s was seen longest ago and is not forgotten", p.ID)
			}
		}
		for i := range problem.MaxAll / problem.MaxPerUser {
			fill(problem.Folder{User: fmt.Sprint("user", i), ID: 3}, problem.MaxPerUser)
		}
		if list, err = r.List(t.Context(), ""); err != nil || len(list) != problem.MaxAll || len(m.all) != problem.MaxAll {
			t.Errorf("there are %d problems, %d in the store, %v; want %d", len(list), len(m.all), err, problem.MaxAll)
		}
		expect(t, "of ann, whose were seen longest ago", listed(t, r, "ann"), "")
	})
}

func TestManyPhonesAtOnce(t *testing.T) {
	m := new(memory)
	r := open(t, m)
	const phones, rounds = 4, 20
	var news sync.Map
	var all sync.WaitGroup
	for range phones {
		all.Go(func() {
			for i := range rounds {
				for _, id := range note(t, r, anns, "no BEGIN", backend.ItemID(fmt.Sprint(i))) {
					if _, twice := news.LoadOrStore(id, true); twice {
						t.Errorf("%s is news twice", id)
					}
				}
				if _, err := r.List(t.Context(), ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	list, err := r.List(t.Context(), "ann")
	if err != nil || len(list) != rounds {
		t.Errorf("%d problems, %v, want %d", len(list), err, rounds)
	}
	for _, p := range list {
		if p.Count != phones {
			t.Errorf("%s was counted %d times, want %d", p.ID, p.Count, phones)
		}
	}
}

func TestFailed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		err    error
		kind   problem.Kind
		reason string
	}{
		{"a translator's", fmt.Errorf("contact: %w: %w", translate.ErrUnreadable, errors.New("contentline: there is no BEGIN line")),
			problem.Unreadable, "contentline: there is no BEGIN line"},
		{"a translator's without particulars", translate.ErrUnreadable, problem.Unreadable, translate.ErrUnreadable.Error()},
		{"something else of a translator", errors.New("odd"), problem.Unreadable, "odd"},
		{"too large for the backend", backend.Errorf(backend.TooLarge, "caldav: GET /a", "33554433 bytes"), problem.TooLarge, "caldav: GET /a: too large: 33554433 bytes"},
		{"not given out", fmt.Errorf("x: %w", backend.Errorf(backend.Denied, "caldav: GET /a", "403 Forbidden")), problem.Refused, "x: caldav: GET /a: access denied: 403 Forbidden"},
		{"with line breaks and control characters", errors.New("a\nb\x1b[31mc\xff"), problem.Unreadable, "a b [31mc?"},
		{"without end", errors.New(strings.Repeat("ä", problem.MaxReason)), problem.Unreadable, strings.Repeat("ä", problem.MaxReason/2-2) + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := problem.Failed("id", tc.err)
			if got.ID != "id" || got.Kind != tc.kind || got.Reason != tc.reason {
				t.Errorf("%+v, want %s: %q", got, tc.kind, tc.reason)
			}
			if len(got.Reason) > problem.MaxReason {
				t.Errorf("the reason has %d bytes, the limit is %d", len(got.Reason), problem.MaxReason)
			}
		})
	}
}
