package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/internal/wire"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
)

// A fake is a backend and session with only those methods that a test sets.
type fake struct {
	backend.Session
	changes func(ctx context.Context, yield func([]backend.Change) error) (backend.Cursor, error)
	get     func(ctx context.Context, ids []backend.ItemID, yield func(backend.Fetched) error) error
}

func (f *fake) Open(context.Context, backend.Credentials) (backend.Session, error) { return f, nil }
func (f *fake) Close() error                                                       { return nil }

func (f *fake) Changes(ctx context.Context, _ backend.CollectionID, _ backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	return f.changes(ctx, yield)
}

func (f *fake) Get(ctx context.Context, _ backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	return f.get(ctx, ids, yield)
}

func (f *fake) session(t testing.TB) backend.Session {
	t.Helper()
	s, err := wiretest.OverWire(t, f).Open(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBodiesOfEverySizeSurvive(t *testing.T) {
	sizes := []int{0, 1, 256<<10 - 1, 256 << 10, 512<<10 - 1, 512 << 10, 512<<10 + 1, 1 << 20, 3<<20 + 7, 10, 20}
	bodies := make(map[backend.ItemID][]byte)
	var ids []backend.ItemID
	for n, size := range sizes {
		id := backend.ItemID(fmt.Sprint("item", n))
		ids = append(ids, id)
		bodies[id] = bytes.Repeat([]byte{byte('a' + n)}, size)
	}
	f := &fake{get: func(_ context.Context, ids []backend.ItemID, yield func(backend.Fetched) error) error {
		for _, id := range ids {
			it := backend.Item{ID: id, Revision: backend.Revision("r" + id), MediaType: "text/vcard", Body: bodies[id]}
			if err := yield(backend.Fetched{Item: it}); err != nil {
				return err
			}
		}
		return nil
	}}
	var got []backend.ItemID
	err := f.session(t).Get(t.Context(), "c", ids, func(f backend.Fetched) error {
		got = append(got, f.ID)
		if !bytes.Equal(f.Body, bodies[f.ID]) || f.Revision != backend.Revision("r"+f.ID) || f.MediaType != "text/vcard" || f.Err != nil {
			t.Errorf("%s: %d bytes, revision %q, type %q, error %v; want %d bytes", f.ID, len(f.Body), f.Revision, f.MediaType, f.Err, len(bodies[f.ID]))
		}
		return nil
	})
	if err != nil || fmt.Sprint(got) != fmt.Sprint(ids) {
		t.Errorf("Get answers %v, error %v; want %v", got, err, ids)
	}
}

func TestPutOfEverySizeSurvives(t *testing.T) {
	b, s := open(t)
	for _, size := range []int{1, 512 << 10, 512<<10 + 1, 3<<20 + 7, backend.MaxItemSize} {
		body := bytes.Repeat([]byte("x"), size)
		it, err := s.Put(t.Context(), "contacts", backend.Item{ID: backend.ItemID(fmt.Sprint("size", size)), Body: body})
		if err != nil {
			t.Errorf("Put of %d bytes: %v", size, err)
			continue
		}
		if got := b.Items(ann.User, "contacts")[it.ID]; !bytes.Equal(got, body) {
			t.Errorf("%d bytes are stored, want %d", len(got), size)
		}
	}
	_, err := s.Put(t.Context(), "contacts", backend.Item{ID: "size", Body: make([]byte, backend.MaxItemSize+1)})
	if backend.KindOf(err) != backend.TooLarge {
		t.Errorf("Put over the limit: error = %v, want kind TooLarge", err)
	}
}

func TestLimitsOfAnswers(t *testing.T) {
	long := strings.Repeat("x", backend.MaxIDLength+1)
	f := &fake{
		get: func(_ context.Context, ids []backend.ItemID, yield func(backend.Fetched) error) error {
			yield(backend.Fetched{Item: backend.Item{ID: "big", Body: make([]byte, backend.MaxItemSize+1)}})
			return yield(backend.Fetched{Item: backend.Item{ID: "small", Body: []byte("x")}})
		},
		changes: func(_ context.Context, yield func([]backend.Change) error) (backend.Cursor, error) {
			return "c", yield([]backend.Change{{ID: backend.ItemID(long)}})
		},
	}
	s := f.session(t)
	kinds := make(map[backend.ItemID]error)
	err := s.Get(t.Context(), "c", []backend.ItemID{"big", "small"}, func(f backend.Fetched) error { kinds[f.ID] = f.Err; return nil })
	if err != nil || backend.KindOf(kinds["big"]) != backend.TooLarge || kinds["small"] != nil {
		t.Errorf("Get of a body over the limit: %v, errors %v; want TooLarge for just that one", err, kinds)
	}
	if _, err := s.Changes(t.Context(), "c", "", func([]backend.Change) error { return nil }); err == nil {
		t.Error("Changes with an ID over the limit succeeds, want an error")
	}
}

func TestBatchesAreCut(t *testing.T) {
	const n = 5*backend.MaxBatch + 1
	f := &fake{changes: func(_ context.Context, yield func([]backend.Change) error) (backend.Cursor, error) {
		all := make([]backend.Change, n)
		for k := range all {
			all[k] = backend.Change{ID: backend.ItemID(fmt.Sprintf("%d-%s", k, strings.Repeat("x", 2000))), Revision: "r"}
		}
		return "cursor", yield(all) // more than a backend should
	}}
	seen := 0
	cursor, err := f.session(t).Changes(t.Context(), "c", "", func(batch []backend.Change) error {
		if len(batch) > backend.MaxBatch {
			t.Errorf("a batch has %d changes, want at most %d", len(batch), backend.MaxBatch)
		}
		for _, ch := range batch {
			if !strings.HasPrefix(string(ch.ID), fmt.Sprintf("%d-", seen)) {
				t.Fatalf("change %d has the ID %.10s", seen, ch.ID)
			}
			seen++
		}
		return nil
	})
	if seen != n || cursor != "cursor" || err != nil {
		t.Errorf("Changes tells %d changes, cursor %q, error %v; want %d and no error", seen, cursor, err, n)
	}
}

func TestNoCursorIsAnError(t *testing.T) {
	f := &fake{changes: func(context.Context, func([]backend.Change) error) (backend.Cursor, error) { return "", nil }}
	if _, err := f.session(t).Changes(t.Context(), "c", "", func([]backend.Change) error { return nil }); err == nil {
		t.Error("a listing without a cursor succeeds, want an error")
	}
}

func TestCancellationCrossesTheWire(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	wait := func(ctx context.Context) error {
		close(began)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}
	f := &fake{changes: func(ctx context.Context, _ func([]backend.Change) error) (backend.Cursor, error) {
		return "", wait(ctx)
	}}
	s := f.session(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the phone hung up")
	go func() {
		<-began
		cancel(cause)
	}()
	_, err := s.Changes(ctx, "c", "", func([]backend.Change) error { return nil })
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || backend.KindOf(err) != backend.Transient {
		t.Errorf("Changes that is cancelled: error = %v, want kind Transient with the context's error and its cause", err)
	}
	if err := <-ended; err != context.Canceled {
		t.Errorf("the backend's context ended with %v, want %v", err, context.Canceled)
	}
}

func TestYieldErrorEndsTheBackendsListing(t *testing.T) {
	ended := make(chan error, 1)
	f := &fake{changes: func(ctx context.Context, yield func([]backend.Change) error) (backend.Cursor, error) {
		for n := 0; ; n++ {
			if err := yield([]backend.Change{{ID: backend.ItemID(fmt.Sprint(n)), Revision: "r"}}); err != nil {
				ended <- err
				return "", err
			}
		}
	}}
	stop := errors.New("enough")
	if _, err := f.session(t).Changes(t.Context(), "c", "", func([]backend.Change) error { return stop }); err != stop {
		t.Errorf("Changes: error = %v, want yield's own", err)
	}
	if err := <-ended; err == nil {
		t.Error("the backend lists on after the host had enough")
	}
}

func TestPanicIsAnErrorOfThatCall(t *testing.T) {
	f := &fake{
		changes: func(context.Context, func([]backend.Change) error) (backend.Cursor, error) { panic("boom") },
		get:     func(context.Context, []backend.ItemID, func(backend.Fetched) error) error { return nil },
	}
	s := f.session(t)
	_, err := s.Changes(t.Context(), "c", "", func([]backend.Change) error { return nil })
	if err == nil || backend.KindOf(err) != backend.Other || !strings.Contains(err.Error(), "panic: boom") {
		t.Errorf("Changes that panics: error = %v, want kind Other with the panic", err)
	}
	if _, err := s.Collections(t.Context()); err == nil { // the embedded nil interface panics as well
		t.Error("Collections of nil succeeds")
	}
	if err := s.Get(t.Context(), "c", nil, func(backend.Fetched) error { return nil }); err != nil {
		t.Errorf("Get after panics: %v", err)
	}
}

func TestConfigure(t *testing.T) {
	open := func(_ context.Context, s backend.Settings) (backend.Backend, error) {
		if s["down"] == true {
			return nil, backend.E(backend.Transient, "shelf", nil)
		}
		return memory.Open(t.Context(), s)
	}
	client := wiretest.Connect(t, wire.NewServer("shelf", open))
	if _, err := client.Open(t.Context(), ann); backend.KindOf(err) != backend.Transient {
		t.Errorf("Open before Configure: error = %v, want kind Transient", err)
	}
	_, err := client.Configure(t.Context(), backend.Settings{"user": 1})
	if c, ok := err.(*wire.Complaint); !ok || c.Text != `user is not known; did you mean "users"?; users must be set` {
		t.Errorf("Configure with a wrong key: error = %v (%T)", err, err)
	}
	if _, err := client.Configure(t.Context(), backend.Settings{"down": true}); backend.KindOf(err) != backend.Transient {
		t.Errorf("Configure of a store that is down: error = %v, want kind Transient", err)
	}
	info, err := client.Configure(t.Context(), backend.Settings{"users": map[string]any{"ann": "secret"}})
	if err != nil || info.Name != "shelf" || len(info.Extras) != 10 {
		t.Errorf("Configure: %+v, error %v; want the name and what it declares", info, err)
	}
	if _, err := client.Configure(t.Context(), nil); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("a second Configure: error = %v, want kind Unsupported", err)
	}
}

func TestPasswordChangeIsDenied(t *testing.T) {
	b, s := open(t)
	b.SetPassword(ann.User, "another")
	if _, err := s.Collections(t.Context()); backend.KindOf(err) != backend.Denied {
		t.Errorf("a call with the old password: error = %v, want kind Denied", err)
	}
	before := b.Calls(memory.OpOpen)
	b.SetPassword(ann.User, ann.Password)
	if _, err := s.Collections(t.Context()); err != nil {
		t.Errorf("a call with the right password again: %v", err)
	}
	if b.Calls(memory.OpOpen) != before+1 {
		t.Error("the denied session is still in use")
	}
}

func TestUndeclaredExtrasAreNotOffered(t *testing.T) {
	s := (&fake{}).session(t)
	if got := backend.Extras(s); len(got) > 0 {
		t.Errorf("a plain session offers %v behind the wire", got)
	}
	if err := s.(backend.Watcher).Watch(t.Context(), nil, func() {}, func(backend.CollectionID) {}); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("Watch of a session that cannot: error = %v, want kind Unsupported", err)
	}
	if _, err := s.(backend.Scheduler).Schedules(t.Context(), "x"); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("Schedules of a session that cannot: error = %v, want kind Unsupported", err)
	}
	if err := s.(backend.FolderEditor).DeleteCollection(t.Context(), "x"); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("DeleteCollection of a session that cannot: error = %v, want kind Unsupported", err)
	}
	if _, err := s.(backend.Prober).Probe(t.Context(), nil); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("Probe of a session that cannot: error = %v, want kind Unsupported", err)
	}
}

func TestSchedulesCrosses(t *testing.T) {
	b, s := open(t)
	sch, ok := backend.As[backend.Scheduler](s)
	if !ok {
		t.Fatal("the session is no Scheduler behind the wire")
	}
	b.SetCollection(ann.User, backend.Collection{ID: "work", Kind: backend.Events, Name: "Work"})
	for _, want := range []bool{false, true} {
		b.Schedule(want)
		if got, err := sch.Schedules(t.Context(), "work"); got != want || err != nil {
			t.Errorf("Schedules = %v, %v, want %v", got, err, want)
		}
	}
	if _, err := sch.Schedules(t.Context(), "none"); backend.KindOf(err) != backend.NotFound {
		t.Errorf("Schedules of a missing collection: error = %v, want kind NotFound", err)
	}
}

func TestPeopleCross(t *testing.T) {
	b, s := open(t)
	i, ok := backend.As[backend.Identifier](s)
	if !ok {
		t.Fatal("the session is no Identifier behind the wire")
	}
	want := backend.Identity{Name: "Ann Lee", Addresses: []string{"ann@example.org", "lee@example.org"}}
	b.SetIdentity(ann.User, want)
	if got, err := i.Identity(t.Context()); !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("Identity = %+v, %v, want %+v", got, err, want)
	}
	f, ok := backend.As[backend.FreeBusier](s)
	if !ok {
		t.Fatal("the session is no FreeBusier behind the wire")
	}
	b.SetFreeBusy("bob@example.org", []byte("BEGIN:VCALENDAR"))
	b.SetFreeBusy("eve@example.org", make([]byte, backend.MaxFreeBusy+1))
	got, err := f.FreeBusy(t.Context(), []string{"bob@example.org", "eve@example.org", "nobody@example.org"}, time.Unix(0, 0), time.Unix(3600, 0))
	if len(got) != 1 || string(got["bob@example.org"]) != "BEGIN:VCALENDAR" || err != nil {
		t.Errorf("FreeBusy = %v, %v; want what is known of bob alone, for more than the limit is nothing", got, err)
	}
	if _, err := f.FreeBusy(t.Context(), make([]string, backend.MaxBatch+1), time.Unix(0, 0), time.Unix(3600, 0)); backend.KindOf(err) != backend.Invalid {
		t.Errorf("FreeBusy of too many people: error = %v, want kind Invalid", err)
	}
	plain := (&fake{}).session(t)
	if _, err := plain.(backend.Identifier).Identity(t.Context()); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("Identity of a session that cannot: error = %v, want kind Unsupported", err)
	}
	if _, err := plain.(backend.FreeBusier).FreeBusy(t.Context(), nil, time.Unix(0, 0), time.Unix(1, 0)); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("FreeBusy of a session that cannot: error = %v, want kind Unsupported", err)
	}
}

func TestNamesNeedNotBeUTF8(t *testing.T) {
	b, s := open(t)
	const odd = "caf\xe9\x00.vcf"
	b.Store(ann.User, "contacts", odd, []byte("body\xff"))
	got := ""
	err := s.Get(t.Context(), "contacts", []backend.ItemID{odd}, func(f backend.Fetched) error { got = string(f.ID) + string(f.Body); return f.Err })
	if err != nil || got != odd+"body\xff" {
		t.Errorf("Get of %q: %q, error %v", odd, got, err)
	}
	b.AddUser("zo\xeb", "p\xe4ss")
	if _, err := wiretest.OverWire(t, b).Open(t.Context(), backend.Credentials{User: "zo\xeb", Password: "p\xe4ss"}); err != nil {
		t.Errorf("Open with a password that is not UTF-8: %v", err)
	}
}
