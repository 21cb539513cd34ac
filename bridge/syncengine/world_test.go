package syncengine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/store/sqlite"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

const user = "ann"

// A world is a store, a backend with one person, and an engine between them.
type world struct {
	t       testing.TB
	store   syncengine.Store
	backend *memory.Backend
	session backend.Session
	source  syncengine.Source // the session, or something around it, for listings
	engine  *syncengine.Engine
	gone    sync.Map // IDs of what was deleted some time, by whomever
	steady  bool     // the server never dies
	ageless bool     // the engine is of a time when nothing aged
	home    string   // the zone of folders that have none of their own; empty if the engine knows of no zones
	brake   syncengine.Brake

	mu     sync.Mutex
	woken  []syncengine.FolderID
	braked []syncengine.HoldEvent
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, backend: memory.New()}
	db, err := sqlite.Open(t.Context(), sqlite.Memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.store = db.Sync()
	w.backend.AddUser(user, "secret")
	w.session, err = w.backend.Open(t.Context(), backend.Credentials{User: user, Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	w.source = w.session
	w.restart()
	w.list()
	return w
}

// restart forgets all that is not in the store.
func (w *world) restart() {
	w.engine = syncengine.New(syncengine.Options{
		Store:    w.store,
		Ages:     func(backend.CollectionKind) bool { return !w.ageless },
		Describe: func(_ syncengine.Folder, it backend.Item) (syncengine.Facts, error) { return factsOf(it.Body) },
		Zone: func(f syncengine.Folder) string {
			if w.home == "" {
				return ""
			}
			return cmp.Or(f.Zone, w.home)
		},
		Floats: func(it backend.Item) bool { return strings.Contains(string(it.Body), "floats") },
		Changed: func(_ string, f syncengine.FolderID) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.woken = append(w.woken, f)
		},
		Brake: w.brake,
		Braked: func(_ syncengine.Hold, what syncengine.HoldEvent) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.braked = append(w.braked, what)
		},
	})
}

// list tells the engine of the backend's collections.
func (w *world) list() bool {
	w.t.Helper()
	collections, err := w.session.Collections(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	changed, err := w.engine.SetFolders(w.t.Context(), user, []syncengine.Listing{{Backend: "dav", Collections: collections}})
	if err != nil {
		w.t.Fatal(err)
	}
	return changed
}

// folder finds the folder of a collection.
func (w *world) folder(c backend.CollectionID) syncengine.Folder {
	w.t.Helper()
	list, err := w.engine.Folders(w.t.Context(), user)
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(f syncengine.Folder) bool { return f.Collection == c })
	if i < 0 {
		w.t.Fatalf("no folder of %q in %+v", c, list)
	}
	return list[i]
}

func (w *world) refresh(f syncengine.Folder) bool {
	w.t.Helper()
	changed, err := w.engine.Refresh(w.t.Context(), f, w.session)
	if err != nil {
		w.t.Fatal(err)
	}
	return changed
}

// body writes an item's content: "ends done text".
func body(ends int64, done bool, text string) []byte {
	return fmt.Appendf(nil, "%d %t %s", ends, done, text)
}

func factsOf(b []byte) (syncengine.Facts, error) {
	f := strings.SplitN(string(b), " ", 3)
	if len(f) < 3 {
		return syncengine.Facts{}, errors.New("no facts in it")
	}
	ends, err := strconv.ParseInt(f[0], 10, 64)
	facts := syncengine.Facts{Ends: ends, Done: f[1] == "true"}
	if step := stepOf(b); step > 0 {
		facts.Due = time.Now().Unix()/step*step + step
	}
	return facts, err
}

// stepOf is the number of seconds after which phones are shown something else of
// an item: its text says "every 600" and so on. 0 means never.
func stepOf(b []byte) (step int64) {
	if _, text, ok := strings.Cut(string(b), "every "); ok {
		fmt.Sscan(text, &step)
	}
	return step
}

// shown is what phones are shown of an item now.
func shown(b []byte) string {
	if step := stepOf(b); step > 0 {
		return fmt.Sprintf("%s at %d", b, time.Now().Unix()/step*step)
	}
	return string(b)
}

// A command is what a phone wants to have done.
type command struct {
	op       syncengine.Op // Add, Change or Delete
	clientID string
	number   syncengine.Number
	body     string
}

// A phone remembers what it was told, as the protocol has it.
type phone struct {
	w      *world
	id     syncengine.Phone
	folder syncengine.Folder
	key    syncengine.Key
	filter syncengine.Filter
	items  map[syncengine.Number]string // contents
	todo   []command                    // not answered yet
	next   int                          // ClientId
	exact  bool                         // all that it does goes through serve; see compare

	log []string // what happened, for the reader of a failure
}

func (w *world) phone(device string, f syncengine.Folder) *phone {
	return &phone{
		w: w, id: syncengine.Phone{User: user, Device: device}, folder: f,
		key: syncengine.NoKey, items: map[syncengine.Number]string{},
	}
}

// A told is one entry of an answer.
type told struct {
	syncengine.News
	body string
}

func (n told) String() string {
	ops := map[syncengine.Op]string{
		syncengine.Add: "add", syncengine.Change: "change", syncengine.Delete: "delete", syncengine.SoftDelete: "soft-delete",
	}
	return fmt.Sprintf("%s %d %s %s %q", ops[n.Op], n.Number, n.ID, n.Revision, n.body)
}

// An answer is what the server sends.
type answer struct {
	initial bool
	key     syncengine.Key
	added   map[string]syncengine.Number // by ClientId
	refused map[syncengine.Number]bool   // changes that lost, or met nothing
	told    []told
	more    bool
}

// How a request goes.
type fate int

const (
	good        fate = iota
	answerLost       // all is done, and the phone never hears of it
	crashBefore      // the server dies before it commits
)

// errFate is what comes of crashBefore.
var errFate = errors.New("the server died")

// serve does what the command Sync does on the server.
func (p *phone) serve(ctx context.Context, window int, how fate) (answer, error) {
	e := p.w.engine
	if _, err := e.Refresh(ctx, p.folder, p.w.source); err != nil {
		return answer{}, err
	}
	r, err := e.Begin(ctx, p.id, p.folder, p.key, p.w.session)
	if err != nil {
		return answer{}, err
	}
	a := answer{initial: r.Initial, added: map[string]syncengine.Number{}, refused: map[syncengine.Number]bool{}}
	if err := p.compare(ctx, r); err != nil {
		return answer{}, err
	}
	for _, c := range p.todo {
		if err := p.execute(ctx, r, c, &a); err != nil {
			return answer{}, err
		}
		if n := max(c.number, a.added[c.clientID]); n != 0 && c.op != syncengine.Delete {
			r.Hold(n, []byte(c.body)) // also if it was refused: it holds that until it is told
		}
	}
	r.SetFilter(p.filter)
	for len(a.told) < window {
		news, err := r.Peek(ctx, min(window-len(a.told), 5))
		if err != nil {
			return answer{}, err
		}
		if len(news) == 0 {
			break
		}
		if err := p.tell(ctx, r, news, &a); err != nil {
			return answer{}, err
		}
	}
	if a.more, err = r.More(ctx); err != nil {
		return answer{}, err
	}
	a.key = r.Key()
	if how == crashBefore {
		if !p.w.steady {
			p.w.restart()
		}
		return answer{}, errFate
	}
	return a, e.Commit(ctx, p.id, []byte(fmt.Sprint(p.key, p.todo, p.filter, window)), fmt.Append(nil, a), r)
}

// compare looks whether the engine knows what the phone holds, as far as it did
// not edit that since.
func (p *phone) compare(ctx context.Context, r *syncengine.Round) error {
	if r.Initial || !p.exact {
		return nil
	}
	for n, body := range p.items {
		if slices.ContainsFunc(p.todo, func(c command) bool { return c.number == n }) {
			continue
		}
		held, err := r.Holds(ctx, n)
		if err != nil {
			return err
		}
		if string(held) != body {
			p.fail("at key %v it holds %q of %d, and the engine thinks %q", p.key, body, n, held)
		}
	}
	return nil
}

// tell puts news into the answer.
func (p *phone) tell(ctx context.Context, r *syncengine.Round, news []syncengine.News, a *answer) error {
	var ids []backend.ItemID
	for _, n := range news {
		if n.Op == syncengine.Add || n.Op == syncengine.Change {
			ids = append(ids, n.ID)
		}
	}
	got := map[backend.ItemID]backend.Fetched{}
	err := p.w.session.Get(ctx, p.folder.Collection, ids, func(f backend.Fetched) error { got[f.ID] = f; return nil })
	if err != nil {
		return err
	}
	for _, n := range news {
		f, ok := got[n.ID]
		switch {
		case n.Op == syncengine.Delete || n.Op == syncengine.SoftDelete:
			r.Told(n, "")
		case !ok:
			r.Missed(n)
			continue
		case f.Err != nil:
			r.Skip(n)
			continue
		default:
			r.Told(n, f.Revision)
			r.Hold(n.Number, []byte(shown(f.Body)))
		}
		a.told = append(a.told, told{n, shown(f.Body)})
	}
	return nil
}

// execute carries out one command of the phone.
func (p *phone) execute(ctx context.Context, r *syncengine.Round, c command, a *answer) error {
	s, folder := p.w.session, p.folder.Collection
	if c.op == syncengine.Add {
		return p.add(ctx, r, c, a)
	}
	row, conflict, err := r.Lookup(ctx, c.number)
	switch {
	case errors.Is(err, syncengine.ErrNoItem) && c.op == syncengine.Delete:
		return r.Deleted(ctx, c.number)
	case errors.Is(err, syncengine.ErrNoItem):
		a.refused[c.number] = true // the news says that it is gone
		return nil
	case err != nil:
		return err
	}
	if c.op == syncengine.Delete {
		p.w.gone.Store(row.ID, true)
		if err := s.Delete(ctx, folder, row.ID, ""); err != nil && backend.KindOf(err) != backend.NotFound {
			return err
		}
		return r.Deleted(ctx, c.number)
	}
	var now backend.Fetched
	err = s.Get(ctx, folder, []backend.ItemID{row.ID}, func(f backend.Fetched) error { now = f; return f.Err })
	switch {
	case err != nil:
		return err
	case now.ID != "" && string(now.Body) == c.body:
		return r.Changed(ctx, c.number, now.Revision) // done before
	case now.ID == "" || conflict || now.Revision != row.Told:
		a.refused[c.number] = true
		return r.Again(ctx, c.number, true) // it may know the server's already
	}
	it, err := s.Put(ctx, folder, backend.Item{ID: row.ID, Revision: now.Revision, Body: []byte(c.body)})
	if err != nil {
		return err
	}
	return r.Changed(ctx, c.number, it.Revision)
}

func (p *phone) add(ctx context.Context, r *syncengine.Round, c command, a *answer) error {
	if res, ok := r.Earlier(c.clientID); ok {
		a.added[c.clientID] = res.Number
		return nil
	}
	it, err := p.w.session.Put(ctx, p.folder.Collection,
		backend.Item{ID: backend.ItemID(r.NextName(c.clientID)), Body: []byte(c.body)})
	met := backend.KindOf(err) == backend.Conflict
	if err != nil && !met {
		return err
	}
	if !met {
		it.Body = []byte(c.body)
	}
	n, err := r.Added(ctx, c.clientID, it)
	if err != nil {
		return err
	}
	if met {
		var now backend.Fetched
		err := p.w.session.Get(ctx, p.folder.Collection, []backend.ItemID{it.ID}, func(f backend.Fetched) error {
			now = f
			return f.Err
		})
		if err == nil && string(now.Body) != c.body {
			err = r.Again(ctx, n, true)
		}
		if err != nil {
			return err
		}
	}
	a.added[c.clientID] = n
	return nil
}

// sync asks and takes what comes. It tells whether there is more.
func (p *phone) sync(window int, how fate) (more bool, err error) {
	p.w.t.Helper()
	a, err := p.serve(p.w.t.Context(), window, how)
	if errors.Is(err, syncengine.ErrInvalidKey) {
		p.key = syncengine.NoKey
		p.items, p.todo = map[syncengine.Number]string{}, nil
		return true, nil
	}
	if err != nil || how == answerLost {
		p.note("%v fate %d, %v: %v: %v", p.key, how, err, p.todo, a)
		return true, err
	}
	p.note("%v -> %v: %v: %v", p.key, a.key, p.todo, a)
	for _, c := range p.todo {
		if n, ok := a.added[c.clientID]; ok && c.op == syncengine.Add {
			if old, ok := p.items[n]; ok {
				p.fail("%d was added twice, it was %q before", n, old)
			}
			p.items[n] = c.body
		}
	}
	p.key, p.todo = a.key, nil
	for _, n := range a.told {
		p.take(n)
	}
	return a.more || a.initial, nil
}

// take does to the phone's items what the answer says, as a strict phone.
func (p *phone) take(n told) {
	p.w.t.Helper()
	_, held := p.items[n.Number]
	_, gone := p.w.gone.Load(n.ID)
	switch {
	case n.Op == syncengine.Add && held:
		p.fail("%d (%s) comes twice", n.Number, n.ID)
	case n.Op != syncengine.Add && !held:
		p.fail("%d (%s) is not there: operation %d", n.Number, n.ID, n.Op)
	case n.Op == syncengine.Delete && !gone:
		p.fail("%d (%s) is said to be deleted, and nobody did that", n.Number, n.ID)
	case n.Op == syncengine.Add || n.Op == syncengine.Change:
		p.items[n.Number] = n.body
	default:
		delete(p.items, n.Number)
	}
}

func (p *phone) note(format string, args ...any) {
	p.log = append(p.log, fmt.Sprintf(format, args...))
}

func (p *phone) fail(format string, args ...any) {
	p.w.t.Helper()
	p.w.t.Fatalf("phone %s: %s\n%s", p.id.Device, fmt.Sprintf(format, args...), strings.Join(p.log, "\n"))
}

// all syncs until nothing is left.
func (p *phone) all() {
	p.w.t.Helper()
	for range 1000 {
		more, err := p.sync(100, good)
		if err != nil {
			p.fail("%v", err)
		}
		if !more {
			return
		}
	}
	p.fail("it never ends")
}

// check compares what the phone has with what it is to see.
func (p *phone) check() {
	p.w.t.Helper()
	var want []string
	for _, b := range p.w.backend.Items(user, p.folder.Collection) {
		f, err := factsOf(b)
		if err == nil && (f.Ends < p.filter.Since.Unix() && !p.filter.Since.IsZero() || f.Done && p.filter.Open) {
			continue
		}
		want = append(want, shown(b))
	}
	got := slices.Sorted(maps.Values(p.items))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		p.fail("it has %q, the server %q", got, want)
	}
}

// quiet checks that nothing wakes the phone.
func (p *phone) quiet() {
	p.w.t.Helper()
	if pending, err := p.w.engine.Pending(p.w.t.Context(), p.id, p.folder.ID); err != nil || pending {
		p.fail("there is something pending after everything was told: %v, %v", pending, err)
	}
	p.looks()
}

// looks checks that one look at all of the person's folders finds what the engine
// answers about each.
func (p *phone) looks() {
	p.w.t.Helper()
	ctx, e := p.w.t.Context(), p.w.engine
	all, err := e.Folders(ctx, user)
	if err != nil {
		p.w.t.Fatal(err)
	}
	ids := []syncengine.FolderID{0, syncengine.Merged(backend.Events), 1 << 40} // the last of them is nobody's
	for _, f := range all {
		ids = append(ids, f.ID)
	}
	about, bare := e.Look(p.id, ids...), e.Look(p.id)
	for _, l := range []*syncengine.Look{about, bare} {
		for _, id := range ids[1:] {
			f, err := l.Folder(ctx, id)
			if want, why := e.Folder(ctx, user, id); f != want || fmt.Sprint(err) != fmt.Sprint(why) {
				p.fail("a look finds folder %+v, %v; the engine %+v, %v", f, err, want, why)
			}
			news, err := l.Pending(ctx, id)
			if want, why := e.Pending(ctx, p.id, id); news != want || fmt.Sprint(err) != fmt.Sprint(why) {
				p.fail("a look finds news in folder %v: %v, %v; the engine %v, %v", id, news, err, want, why)
			}
		}
		news, err := l.HierarchyPending(ctx)
		if want, why := e.HierarchyPending(ctx, p.id); news != want || fmt.Sprint(err) != fmt.Sprint(why) {
			p.fail("a look finds news of folders: %v, %v; the engine %v, %v", news, err, want, why)
		}
		parts, err := l.Parts(ctx, backend.Events, nil)
		if want, why := e.Parts(ctx, user, backend.Events, nil); !slices.Equal(parts, want) || fmt.Sprint(err) != fmt.Sprint(why) {
			p.fail("a look finds parts %+v, %v; the engine %+v, %v", parts, err, want, why)
		}
	}
}

// hour is a moment on WindowStep.
func hour(n int64) time.Time { return time.Unix(1_700_000_000-1_700_000_000%3600+n*3600, 0) }
