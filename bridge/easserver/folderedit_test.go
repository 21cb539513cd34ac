package easserver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// folderTypes are the types that phones make, in the versions that have them.
func folderTypes(v eas.Version) map[eas.FolderType]backend.CollectionKind {
	types := map[eas.FolderType]backend.CollectionKind{
		eas.FolderUserCalendar: backend.Events, eas.FolderUserContacts: backend.Contacts, eas.FolderUserTasks: backend.Tasks,
	}
	if v >= eas.V140 {
		types[eas.FolderUserNotes] = backend.Notes
	}
	return types
}

// made finds the collections of ann's that her phones made, by name.
func made(t *testing.T, h *bridgetest.House) map[string]backend.Collection {
	t.Helper()
	s, err := h.Backend.Open(t.Context(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]backend.Collection)
	for _, c := range list {
		if c.Default {
			continue
		}
		if _, twice := byName[c.Name]; twice {
			t.Errorf("%q is there twice", c.Name)
		}
		byName[c.Name] = c
	}
	return byName
}

// look synchronizes a phone's folders and what is in them.
func look(t *testing.T, p *phone.Phone) {
	t.Helper()
	if _, err := p.FolderSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
}

// quietFolders fails if a phone is told anything of its folders.
func quietFolders(t *testing.T, p *phone.Phone) {
	t.Helper()
	events, err := p.FolderSync(t.Context())
	if err != nil || len(events) > 0 {
		t.Errorf("FolderSync afterwards: %v, %v, want nothing", events, err)
	}
}

// MS-ASCMD FolderCreate, FolderUpdate, FolderDelete: what one phone does, the
// store has, the phone is not told of, and the other phones are.
func TestFolderEdits(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: neverPoll})
		one, two := h.Phone(v, "phone1", phone.Settings{}), h.Phone(eas.V161, "phone2", phone.Settings{})
		bridgetest.Sync(t, one)
		look(t, two)
		for typ, kind := range folderTypes(v) {
			name := fmt.Sprintf("Club of %s <b>&\"a/b\\c\"", kind)
			id, err := one.CreateFolder(t.Context(), eas.RootFolder, name, typ)
			if err != nil {
				t.Fatalf("FolderCreate of type %d: %v", typ, err)
			}
			quietFolders(t, one)
			if c := made(t, h)[name]; c.Kind != kind {
				t.Errorf("the store has %+v, want a collection of %s", c, kind)
			}
			want := eas.Folder{ServerID: id, ParentID: "0", DisplayName: name, Type: typ}
			look(t, two)
			if f, ok := two.Folder(id); !ok || f.Folder != want {
				t.Errorf("the other phone has %+v, want %+v", f.Folder, want)
			}

			if err := one.RenameFolder(t.Context(), id, "", "Other "+name); err != nil {
				t.Fatalf("FolderUpdate: %v", err)
			}
			quietFolders(t, one)
			look(t, two)
			if f, _ := two.Folder(id); f.DisplayName != "Other "+name || f.ServerID != id {
				t.Errorf("the other phone calls it %q (%s) after the renaming", f.DisplayName, f.ServerID)
			}

			if err := one.DeleteFolder(t.Context(), id); err != nil {
				t.Fatalf("FolderDelete: %v", err)
			}
			quietFolders(t, one)
			if left := made(t, h); len(left) > 0 {
				t.Errorf("the store still has %v", left)
			}
			look(t, two)
			if _, ok := two.Folder(id); ok {
				t.Error("the other phone still has the folder")
			}
		}
	})
}

// A scene for the statuses: ann has a club calendar with a calendar inside, one
// that she may only read, one of carol's, and bob has folders of his own.
func folderScene(t *testing.T, v eas.Version) (*bridgetest.House, *raw, map[string]string) {
	h := bridgetest.Start(t, bridgetest.Options{})
	for _, c := range []backend.Collection{
		{ID: "club", Kind: backend.Events, Name: "Club"},
		{ID: "inner", Kind: backend.Events, Name: "Inner", Parent: "club"},
		{ID: "read", Kind: backend.Events, Name: "Read", ReadOnly: true},
		{ID: "carols", Kind: backend.Events, Name: "Carol's", Owner: "carol"},
	} {
		h.Backend.SetCollection(bridgetest.User, c)
	}
	h.Backend.AddUser(neighbour, bridgetest.Password)
	r := newRaw(t, h, v)
	other := *r.Client
	other.User, other.DeviceID = neighbour, "phone2"
	foreign := phone.New(&other, phone.Settings{})
	bridgetest.Sync(t, foreign)
	ids := map[string]string{"bob's": bridgetest.FolderOf(t, foreign, eas.ClassCalendar).ServerID}
	for _, f := range r.phone.Folders() {
		ids[f.DisplayName] = f.ServerID
	}
	return h, r, ids
}

// status sends a folder command with the phone's key unless there is one, and
// answers its status.
func (r *raw) status(message any) eas.FolderStatus {
	r.t.Helper()
	var s eas.FolderStatus
	var key string
	var err error
	present := r.phone.FolderKey()
	or := func(k string) string {
		if k == "present" {
			return present
		}
		return k
	}
	switch m := message.(type) {
	case eas.FolderCreateRequest:
		m.SyncKey = or(m.SyncKey)
		var a eas.FolderCreateResponse
		a, err = r.FolderCreate(r.t.Context(), m)
		s, key = a.Status, a.SyncKey+a.ServerID
	case eas.FolderUpdateRequest:
		m.SyncKey = or(m.SyncKey)
		var a eas.FolderUpdateResponse
		a, err = r.FolderUpdate(r.t.Context(), m)
		s, key = a.Status, a.SyncKey
	case eas.FolderDeleteRequest:
		m.SyncKey = or(m.SyncKey)
		var a eas.FolderDeleteResponse
		a, err = r.FolderDelete(r.t.Context(), m)
		s, key = a.Status, a.SyncKey
	}
	if err != nil {
		r.t.Fatalf("%+v: %v", message, err)
	}
	if (s == eas.FolderOK) != (key != "") {
		r.t.Errorf("%+v: status %d with %q", message, s, key)
	}
	return s
}

func TestFolderStatuses(t *testing.T) {
	const p = "present"
	create := func(key, parent, name string, typ eas.FolderType) any {
		return eas.FolderCreateRequest{SyncKey: key, ParentID: parent, DisplayName: name, Type: typ}
	}
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h, r, id := folderScene(t, v)
		update := func(folder, parent, name string) any {
			return eas.FolderUpdateRequest{SyncKey: p, ServerID: id[folder], ParentID: parent, DisplayName: name}
		}
		remove := func(key, folder string) any { return eas.FolderDeleteRequest{SyncKey: key, ServerID: folder} }
		before := made(t, h)
		for _, tt := range []struct {
			requirement string
			message     any
			want        eas.FolderStatus
		}{
			{"MS-ASCMD FolderCreate status 2 for a name that exists", create(p, "0", "Club", eas.FolderUserCalendar), eas.FolderExists},
			{"MS-ASCMD FolderCreate status 2 whatever the capital letters", create(p, "0", "CLUB", eas.FolderUserCalendar), eas.FolderExists},
			{"MS-ASCMD FolderCreate status 2 for a name that a folder of another class has", create(p, "0", "Club", eas.FolderUserTasks), eas.FolderExists},
			{"MS-ASCMD FolderCreate status 2 under the same parent", create(p, id["Club"], "Inner", eas.FolderUserCalendar), eas.FolderExists},
			{"MS-ASCMD FolderCreate status 5 for a parent that there is not", create(p, "4711", "New", eas.FolderUserCalendar), eas.FolderNoParent},
			{"MS-ASCMD FolderCreate status 5 for another person's parent", create(p, id["bob's"], "New", eas.FolderUserCalendar), eas.FolderNoParent},
			{"MS-ASCMD FolderCreate status 9 for the first key", create("0", "0", "New", eas.FolderUserCalendar), eas.FolderBadKey},
			{"MS-ASCMD FolderCreate status 9 for a key of nobody", create("AAAAAAAAAAAAAAAAAAAAAAAAAA-1", "0", "New", eas.FolderUserCalendar), eas.FolderBadKey},
			{"MS-ASCMD FolderCreate status 10 without a key", create("", "0", "New", eas.FolderUserCalendar), eas.FolderMalformed},
			{"MS-ASCMD FolderCreate status 10 without a name", create(p, "0", "", eas.FolderUserCalendar), eas.FolderMalformed},
			{"MS-ASCMD FolderCreate status 10 for a name of blanks", create(p, "0", " \t\n ", eas.FolderUserCalendar), eas.FolderMalformed},
			{"MS-ASCMD FolderCreate status 10 for a name of 1,000 characters", create(p, "0", strings.Repeat("ä", 1000), eas.FolderUserCalendar), eas.FolderMalformed},
			{"MS-ASCMD FolderCreate status 10 for a default type", create(p, "0", "New", eas.FolderCalendar), eas.FolderMalformed},
			{"MS-ASCMD FolderCreate status 10 for a type that there is not", create(p, "0", "New", 99), eas.FolderMalformed},
			{"MS-ASCMD FolderCreate status 12 for mail, which nobody serves", create(p, "0", "New", eas.FolderUserMail), eas.FolderCodeUnknown},
			{"MS-ASCMD FolderCreate status 12 for a journal", create(p, "0", "New", eas.FolderUserJournal), eas.FolderCodeUnknown},

			{"MS-ASCMD FolderUpdate status 2 for a name that exists", update("Club", "0", "Calendar"), eas.FolderExists},
			{"MS-ASCMD FolderUpdate status 2 for a default folder", update("Calendar", "0", "Mine"), eas.FolderExists},
			{"MS-ASCMD FolderUpdate status 3 for a read-only folder", update("Read", "0", "Mine"), eas.FolderSystem},
			{"MS-ASCMD FolderUpdate status 3 for a folder that somebody else shares", update("Carol's", "0", "Mine"), eas.FolderSystem},
			{"MS-ASCMD FolderUpdate status 4 for a folder that there is not", update("none", "0", "Mine"), eas.FolderMissing},
			{"MS-ASCMD FolderUpdate status 4 for another person's folder", update("bob's", "0", "Mine"), eas.FolderMissing},
			{"MS-ASCMD FolderUpdate status 5 for a parent that there is not", update("Club", "4711", "Club"), eas.FolderNoParent},
			{"MS-ASCMD FolderUpdate status 5 for a folder inside of itself", update("Club", id["Inner"], "Club"), eas.FolderNoParent},
			{"MS-ASCMD FolderUpdate status 9 for the first key", eas.FolderUpdateRequest{SyncKey: "0", ServerID: id["Club"], ParentID: "0", DisplayName: "Mine"}, eas.FolderBadKey},
			{"MS-ASCMD FolderUpdate status 10 without a name", update("Club", "0", ""), eas.FolderMalformed},

			{"MS-ASCMD FolderDelete status 3 for a default folder", remove(p, id["Calendar"]), eas.FolderSystem},
			{"MS-ASCMD FolderDelete status 3 for a read-only folder", remove(p, id["Read"]), eas.FolderSystem},
			{"MS-ASCMD FolderDelete status 3 for a folder that somebody else shares", remove(p, id["Carol's"]), eas.FolderSystem},
			{"MS-ASCMD FolderDelete status 3 where others' things would go, too", remove(p, id["Club"]), eas.FolderSystem},
			{"MS-ASCMD FolderDelete status 4 for a folder that there is not", remove(p, "4711"), eas.FolderMissing},
			{"MS-ASCMD FolderDelete status 4 for another person's folder", remove(p, id["bob's"]), eas.FolderMissing},
			{"MS-ASCMD FolderDelete status 4 for what is no id", remove(p, "../../b"), eas.FolderMissing},
			{"MS-ASCMD FolderDelete status 9 for the first key", remove("0", id["Inner"]), eas.FolderBadKey},
			{"MS-ASCMD FolderDelete status 10 without a key", remove("", id["Inner"]), eas.FolderMalformed},
		} {
			t.Run(tt.requirement, func(t *testing.T) {
				r := *r
				r.t = t
				if got := r.status(tt.message); got != tt.want {
					t.Errorf("status %d, want %d", got, tt.want)
				}
			})
		}
		if after := made(t, h); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("the store has %v, and had %v", after, before)
		}
		quietFolders(t, r.phone)
		if v < eas.V140 {
			if got := r.status(create(p, "0", "Notes too", eas.FolderUserNotes)); got != eas.FolderCodeUnknown {
				t.Errorf("MS-ASCMD FolderCreate of notes before 14.0: status %d, want 12", got)
			}
		}
		h.Backend.Fail(memory.Failure{Op: memory.OpCreate, Err: backend.E(backend.Other, "memory", errors.New("a mistake"))})
		if got := r.status(create(p, "0", "New", eas.FolderUserCalendar)); got != eas.FolderServerError {
			t.Errorf("MS-ASCMD FolderCreate status 6 for an error of the server: status %d", got)
		}
		if got := r.status(create(p, id["Club"], "Deep", eas.FolderUserCalendar)); got != eas.FolderOK {
			t.Errorf("a folder inside of another one: status %d", got)
		}
		if c := made(t, h)["Deep"]; c.Parent != "club" {
			t.Errorf("the folder is in %q, want club", c.Parent)
		}
	})
}

// MS-ASCMD FolderCreate: a name is stored on one line and without what is no
// text, and the phone is told what the folder is called.
func TestFolderNamesAreMadeSafe(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	p := h.Phone(eas.V141, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	id, err := p.CreateFolder(t.Context(), "0", " Two\nlines\u202e\x07 ", eas.FolderUserTasks)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := made(t, h)["Two lines"]; !ok {
		t.Errorf("the store has %v", made(t, h))
	}
	if events, err := p.FolderSync(t.Context()); err != nil || len(events) != 1 || events[0].Kind != phone.FolderChanged {
		t.Errorf("FolderSync: %v, %v, want that the folder is called otherwise", events, err)
	}
	if f, _ := p.Folder(id); f.DisplayName != "Two lines" {
		t.Errorf("the phone calls it %q", f.DisplayName)
	}
}

// lossy loses answers: the request arrives.
type lossy struct {
	next http.RoundTripper
	lose bool
}

var errLossy = errors.New("the answer was lost")

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil && l.lose {
		l.lose = false
		resp.Body.Close()
		return nil, errLossy
	}
	return resp, err
}

// A phone whose answer got lost sends the same again, and has the folder once.
// So has one whose request arrived in the middle of a mishap.
func TestFolderEditsAgain(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		c := h.Client(v, "phone1")
		net := &lossy{next: c.HTTP.Transport}
		c.HTTP = &http.Client{Transport: net}
		p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
		other := h.Phone(v, "phone2", phone.Settings{})
		bridgetest.Sync(t, p)
		look(t, other)
		down := backend.Errorf(backend.Transient, "memory", "pulled the plug")
		again := func(what string, do func() error) {
			t.Helper()
			net.lose = true
			if err := do(); !errors.Is(err, errLossy) {
				t.Fatalf("%s with a lost answer: %v", what, err)
			}
			look(t, other) // knows it before the phone does
			if err := do(); err != nil {
				t.Fatalf("%s again: %v", what, err)
			}
			quietFolders(t, p)
		}
		var first string
		again("FolderCreate", func() (err error) {
			first, err = p.CreateFolder(t.Context(), "0", "Club", eas.FolderUserContacts)
			return err
		})
		if got := made(t, h); len(got) != 1 || got["Club"].Kind != backend.Contacts {
			t.Errorf("the store has %v", got)
		}
		again("FolderUpdate", func() error { return p.RenameFolder(t.Context(), first, "", "Other") })
		if _, ok := made(t, h)["Other"]; !ok {
			t.Errorf("the store has %v", made(t, h))
		}
		again("FolderDelete", func() error { return p.DeleteFolder(t.Context(), first) })
		if got := made(t, h); len(got) != 0 {
			t.Errorf("the store has %v", got)
		}

		// The backend is down for a moment.
		h.Backend.Fail(memory.Failure{Op: memory.OpCreate, Err: down})
		_, err := p.CreateFolder(t.Context(), "0", "Late", eas.FolderUserTasks)
		var he *easclient.HTTPError
		if !errors.As(err, &he) || he.Status != http.StatusServiceUnavailable {
			t.Fatalf("FolderCreate while the backend is down: %v, want HTTP status 503", err)
		}
		h.Backend.Mend()
		id, err := p.CreateFolder(t.Context(), "0", "Late", eas.FolderUserTasks)
		if err != nil {
			t.Fatal(err)
		}
		if got := made(t, h); len(got) != 1 {
			t.Errorf("the store has %v", got)
		}
		look(t, other)
		if f, ok := other.Folder(id); !ok || f.DisplayName != "Late" {
			t.Errorf("the other phone has %+v under %s", f.Folder, id)
		}
	})
}

// The same request, twice at once: both get the same answer.
func TestFolderCreateTwiceAtOnce(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V161)
	request := mustMarshal(t, eas.FolderCreateRequest{SyncKey: r.phone.FolderKey(), ParentID: "0", DisplayName: "Twin", Type: eas.FolderUserContacts}, r.Version)
	answers := make(chan string, 4)
	for range cap(answers) {
		go func() {
			answer, _, err := r.Do(context.WithoutCancel(t.Context()), easclient.Call{Query: eas.Query{Command: eas.CmdFolderCreate}, Body: request})
			answers <- fmt.Sprintf("%x %v", answer, err)
		}()
	}
	first := <-answers
	for range cap(answers) - 1 {
		if next := <-answers; next != first {
			t.Errorf("answered %s and %s", first, next)
		}
	}
	if got := made(t, h); len(got) != 1 {
		t.Errorf("the store has %v", got)
	}
}

// MS-ASCMD Ping status 7, and Sync status 12: a phone that waits is told at once
// that its folders changed, whoever changed them.
func TestFoldersChangeWhileAPhoneWaits(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V161} {
		for _, sync := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s sync=%t", v, sync), func(t *testing.T) {
				h := bridgetest.Start(t, bridgetest.Options{Edit: neverPoll})
				r := newRaw(t, h, v)
				other := h.Phone(v, "phone2", phone.Settings{})
				look(t, other)
				id, err := other.CreateFolder(t.Context(), "0", "Club", eas.FolderUserCalendar)
				if err != nil {
					t.Fatal(err)
				}
				look(t, r.phone)
				wait := func() int {
					if sync {
						res, err := r.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{r.collection("Contacts")}, Wait: ptr(5)})
						if err != nil || res == nil {
							t.Errorf("Sync: %v, %v", res, err)
							return 0
						}
						return int(res.Status)
					}
					res, err := r.phone.Ping(t.Context(), 300*time.Second)
					if err != nil {
						t.Error(err)
					}
					return int(res.Status)
				}
				want := int(eas.PingHierarchyChanged)
				if sync {
					want = int(eas.SyncHierarchyChanged)
				}
				for what, change := range map[string]func() error{
					"renames": func() error { return other.RenameFolder(t.Context(), id, "", "Clubs") },
					"makes":   func() error { _, err := other.CreateFolder(t.Context(), "0", "More", eas.FolderUserTasks); return err },
				} {
					status := make(chan int, 1)
					go func() { status <- wait() }()
					await(t, "the phone waits", func() bool { return h.Bridge.Waiting() == 1 })
					if err := change(); err != nil {
						t.Fatal(err)
					}
					if got := <-status; got != want {
						t.Errorf("the other phone %s a folder: status %d, want %d", what, got, want)
					}
					if sync { // told before it waits, but not for ever
						if err := other.RenameFolder(t.Context(), id, "", "Again after "+what); err != nil {
							t.Fatal(err)
						}
						if got := wait(); got != want {
							t.Errorf("a phone that did not look at its folders: status %d, want %d", got, want)
						}
					}
					look(t, r.phone)
				}
			})
		}
	}
}

// More than a thousand folders are told, in one answer, and each once.
func TestAThousandFolders(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	const n = 1200
	var want []string
	for i := range n {
		name := fmt.Sprintf("Calendar %04d", i)
		parent := backend.CollectionID("")
		if i%3 == 1 {
			parent = backend.CollectionID(fmt.Sprint("c", i-1))
		}
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: backend.CollectionID(fmt.Sprint("c", i)), Kind: backend.Events, Name: name, Parent: parent})
		want = append(want, name)
	}
	p := h.Phone(eas.V161, "phone1", phone.Settings{})
	if _, err := p.FolderSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range p.Folders() {
		if strings.HasPrefix(f.DisplayName, "Calendar ") {
			got = append(got, f.DisplayName)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the phone has %d of %d folders", len(got), n)
	}
	quietFolders(t, p)
}

// A list of collections that was read before a folder was made and comes after
// it does not take the folder away again.
func TestFolderCreateBesideASlowList(t *testing.T) {
	t.Parallel()
	h := bridgetest.Start(t, bridgetest.Options{})
	p, other := h.Phone(eas.V161, "phone1", phone.Settings{}), h.Phone(eas.V161, "phone2", phone.Settings{})
	look(t, p)
	read, release := h.Backend.HoldCollections()
	looked := make(chan error, 1)
	go func() {
		_, err := other.FolderSync(context.WithoutCancel(t.Context()))
		looked <- err
	}()
	<-read
	id, err := p.CreateFolder(t.Context(), eas.RootFolder, "New", eas.FolderUserContacts)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if err := <-looked; err != nil {
		t.Fatal(err)
	}
	for _, phone := range []*phone.Phone{p, other} {
		if f, ok := phone.Folder(id); !ok || f.DisplayName != "New" {
			t.Errorf("the phone has %+v under %s", f.Folder, id)
		}
	}
	bridgetest.Sync(t, p)
}
