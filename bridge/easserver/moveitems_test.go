package easserver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A clumsy backend lets some calls fail after they were carried out, and cannot
// move.
type clumsy struct {
	*memory.Backend
	immovable bool
	after     map[memory.Op]error // once
	deleting  func()              // before the next Delete; nil does nothing
	pauses    pauses
}

// pauses are how long calls take, the first ones first.
type pauses struct {
	mu  sync.Mutex
	all map[memory.Op][]time.Duration
}

func (p *pauses) next(op memory.Op) {
	p.mu.Lock()
	var d time.Duration
	if list := p.all[op]; len(list) > 0 {
		d, p.all[op] = list[0], list[1:]
	}
	p.mu.Unlock()
	time.Sleep(d)
}

type clumsySession struct {
	backend.Session
	b *clumsy
}

func (b *clumsy) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := b.Backend.Open(ctx, c)
	return clumsySession{s, b}, err
}

func (s clumsySession) Unwrap() backend.Session { return s.Session }

func (b *clumsy) slip(op memory.Op) error {
	err := b.after[op]
	delete(b.after, op)
	return err
}

func (s clumsySession) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	s.b.pauses.next(memory.OpGet)
	return s.Session.Get(ctx, c, ids, yield)
}

func (s clumsySession) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	s.b.pauses.next(memory.OpPut)
	out, err := s.Session.Put(ctx, c, it)
	return out, errors.Join(err, s.b.slip(memory.OpPut))
}

func (s clumsySession) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	if do := s.b.deleting; do != nil {
		s.b.deleting = nil
		do()
	}
	return errors.Join(s.Session.Delete(ctx, c, id, rev), s.b.slip(memory.OpDelete))
}

func (s clumsySession) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	if s.b.immovable {
		return backend.Item{}, backend.E(backend.Unsupported, "clumsy", nil)
	}
	out, err := s.Session.Move(ctx, from, id, to)
	return out, errors.Join(err, s.b.slip(memory.OpMove))
}

// moveHouse has a second address book, and a backend that is clumsy.
func moveHouse(t *testing.T, immovable bool) (*bridgetest.House, *clumsy) {
	b := &clumsy{immovable: immovable, after: make(map[memory.Op]error)}
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		b.Backend = o.Backends[0].Backend.(*memory.Backend)
		o.Backends = []account.Named{{Name: "memory", Backend: b}}
	}})
	h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Contacts, Name: "Club"})
	h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "read", Kind: backend.Contacts, Name: "Read", ReadOnly: true})
	return h, b
}

func folderNamed(t testing.TB, p *phone.Phone, name string) phone.Folder {
	t.Helper()
	for _, f := range p.Folders() {
		if f.DisplayName == name {
			return f
		}
	}
	t.Fatalf("the phone has no folder %q", name)
	return phone.Folder{}
}

// onlyOne is the id of the one item of a folder; empty if there is none.
func onlyOne(t *testing.T, p *phone.Phone, folder string) string {
	t.Helper()
	id := ""
	items := folderNamed(t, p, folder).Items
	for id = range items {
	}
	if len(items) > 1 {
		t.Errorf("%s has %d items, want one", folder, len(items))
	}
	return id
}

// MS-ASCMD MoveItems status 3: the item is in the other folder under the id that
// the answer names, and no longer where it was, for all phones; and it is the
// same item, byte for byte.
func TestMoveItems(t *testing.T) {
	for _, immovable := range []bool{false, true} {
		t.Run(fmt.Sprintf("copied=%t", immovable), func(t *testing.T) {
			inEachVersion(t, func(t *testing.T, v eas.Version) {
				h, _ := moveHouse(t, immovable)
				h.Store("contacts", "c.vcf", bridgetest.Card("c", "Carol"))
				one, two := h.Phone(v, "phone1", phone.Settings{}), h.Phone(eas.V161, "phone2", phone.Settings{})
				look(t, one)
				look(t, two)
				from, to := folderNamed(t, one, "Contacts"), folderNamed(t, one, "Club")
				for i := range 3 { // there, back, and there again
					id := onlyOne(t, one, from.DisplayName)
					out, err := one.Move(t.Context(), from.ServerID, to.ServerID, id)
					if err != nil || out[0].Status != eas.MoveOK {
						t.Fatalf("moved %d times: %+v, %v", i, out, err)
					}
					for _, p := range []*phone.Phone{one, two} {
						bridgetest.Sync(t, p)
						if got := onlyOne(t, p, from.DisplayName); got != "" {
							t.Errorf("%s still has %s", from.DisplayName, got)
						}
						if got := onlyOne(t, p, to.DisplayName); got != out[0].DstMsgID {
							t.Errorf("%s has %s, and the answer says %s", to.DisplayName, got, out[0].DstMsgID)
						}
					}
					from, to = to, from
				}
				in := h.Backend.Items(bridgetest.User, "club")
				for _, body := range in {
					if string(body) != bridgetest.Card("c", "Carol") {
						t.Errorf("the item is\n%s", body)
					}
				}
				if len(in) != 1 || len(h.Backend.Items(bridgetest.User, "contacts")) != 0 {
					t.Errorf("there are %d items in the club, want one", len(in))
				}
			})
		})
	}
}

func TestMoveStatuses(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h, _ := moveHouse(t, false)
		h.Store("contacts", "c.vcf", bridgetest.Card("c", "Carol"))
		h.Store("read", "r.vcf", bridgetest.Card("r", "Rita"))
		h.Backend.AddUser(neighbour, bridgetest.Password)
		h.Backend.Store(neighbour, "contacts", "b", []byte(bridgetest.Card("b", secret)))
		p := h.Phone(v, "phone1", phone.Settings{})
		look(t, p)
		client := h.Client(v, "phone2")
		client.User = neighbour
		foreign := phone.New(client, phone.Settings{})
		look(t, foreign)
		theirs, bobs := named(t, foreign, eas.ClassContacts, secret)
		contacts, club, read := folderNamed(t, p, "Contacts"), folderNamed(t, p, "Club"), folderNamed(t, p, "Read")
		calendar := bridgetest.FolderOf(t, p, eas.ClassCalendar)
		c, r := onlyOne(t, p, "Contacts"), onlyOne(t, p, "Read")
		for _, tt := range []struct {
			requirement       string
			item, source, dst string
			want              eas.MoveStatus
		}{
			{"MS-ASCMD MoveItems status 1 for an item that there is not", contacts.ServerID + ":4711", contacts.ServerID, club.ServerID, eas.MoveBadSource},
			{"MS-ASCMD MoveItems status 1 for what is no id", "x", contacts.ServerID, club.ServerID, eas.MoveBadSource},
			{"MS-ASCMD MoveItems status 1 for an item of another folder", c, club.ServerID, contacts.ServerID, eas.MoveBadSource},
			{"MS-ASCMD MoveItems status 1 for a folder that there is not", "4711:1", "4711", club.ServerID, eas.MoveBadSource},
			{"MS-ASCMD MoveItems status 1 for another person's item", bobs, theirs.ServerID, club.ServerID, eas.MoveBadSource},
			{"MS-ASCMD MoveItems status 2 for a folder that there is not", c, contacts.ServerID, "4711", eas.MoveBadDestination},
			{"MS-ASCMD MoveItems status 2 for another person's folder", c, contacts.ServerID, theirs.ServerID, eas.MoveBadDestination},
			{"MS-ASCMD MoveItems status 4 for the same folder", c, contacts.ServerID, contacts.ServerID, eas.MoveSameFolder},
			{"MS-ASCMD MoveItems status 5 for a folder of another class", c, contacts.ServerID, calendar.ServerID, eas.MoveFailed},
			{"MS-ASCMD MoveItems status 5 into a read-only folder", c, contacts.ServerID, read.ServerID, eas.MoveFailed},
			{"MS-ASCMD MoveItems status 5 out of a read-only folder", r, read.ServerID, club.ServerID, eas.MoveFailed},
		} {
			out, err := p.Move(t.Context(), tt.source, tt.dst, tt.item)
			if err != nil || out[0].Status != tt.want || out[0].SrcMsgID != tt.item || out[0].DstMsgID != "" {
				t.Errorf("%s: %+v, %v, want status %d", tt.requirement, out, err, tt.want)
			}
		}
		out, err := p.Move(t.Context(), contacts.ServerID, club.ServerID, c, c)
		if err != nil || out[0].Status != eas.MoveOK || out[1].Status != eas.MoveFailed {
			t.Errorf("MS-ASCMD MoveItems status 5 for an item that stands twice: %+v, %v", out, err)
		}
		if n := len(h.Backend.Items(neighbour, "contacts")); n != 1 {
			t.Errorf("the neighbour has %d contacts, want one", n)
		}
	})
}

// A phone whose answer got lost sends the same again, and is answered the same;
// whatever the backend had carried out when it could not say so, the item is
// there once.
func TestMoveItemsAgain(t *testing.T) {
	down := backend.Errorf(backend.Transient, "clumsy", "pulled the plug")
	for _, tt := range []struct {
		name      string
		immovable bool
		slips     memory.Op // empty: only the answer is lost
	}{
		{"moved, and the answer lost", false, ""},
		{"copied, and the answer lost", true, ""},
		{"the store moved it and could not say so", false, memory.OpMove},
		{"the copy was made and it could not say so", true, memory.OpPut},
		{"the item was removed and it could not say so", true, memory.OpDelete},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, b := moveHouse(t, tt.immovable)
			h.Store("contacts", "c.vcf", bridgetest.Card("c", "Carol"))
			c := h.Client(eas.V141, "phone1")
			net := &lossy{next: c.HTTP.Transport}
			c.HTTP = &http.Client{Transport: net}
			p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
			other := h.Phone(eas.V161, "phone2", phone.Settings{})
			look(t, p)
			look(t, other)
			from, to, id := folderNamed(t, p, "Contacts"), folderNamed(t, p, "Club"), onlyOne(t, p, "Contacts")
			if tt.slips != "" {
				b.after[tt.slips] = down
			} else {
				net.lose = true
			}
			if _, err := p.Move(t.Context(), from.ServerID, to.ServerID, id); err == nil {
				t.Fatal("nothing went wrong")
			}
			look(t, other)
			out, err := p.Move(t.Context(), from.ServerID, to.ServerID, id)
			if err != nil || out[0].Status != eas.MoveOK {
				t.Fatalf("again: %+v, %v", out, err)
			}
			more, err := p.Move(t.Context(), from.ServerID, to.ServerID, id)
			if err != nil || more[0] != out[0] {
				t.Errorf("once more: %+v, %v, want %+v", more, err, out)
			}
			for _, who := range []*phone.Phone{p, other} {
				look(t, who)
				if onlyOne(t, who, "Contacts") != "" || onlyOne(t, who, "Club") != out[0].DstMsgID {
					t.Errorf("a phone has %q here and %q there, want nothing and %q", onlyOne(t, who, "Contacts"), onlyOne(t, who, "Club"), out[0].DstMsgID)
				}
			}
			if here, there := len(h.Backend.Items(bridgetest.User, "contacts")), len(h.Backend.Items(bridgetest.User, "club")); here != 0 || there != 1 {
				t.Errorf("the store has %d and %d items, want none and one", here, there)
			}
		})
	}
}

// A phone whose answer got lost, and that asks again after somebody took the item back,
// does not hear that it is where it is not. Where it came back under its old name it is
// moved once more, elsewhere it is another one, which the phone does not know yet.
func TestMoveAgainOfWhatWasTakenBack(t *testing.T) {
	for _, immovable := range []bool{false, true} {
		t.Run(fmt.Sprintf("by copies: %t", immovable), func(t *testing.T) {
			h, _ := moveHouse(t, immovable)
			h.Store("contacts", "c.vcf", bridgetest.Card("c", "Carol"))
			c := h.Client(eas.V141, "phone1")
			net := &lossy{next: c.HTTP.Transport, lose: true}
			p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
			other := h.Phone(eas.V161, "phone2", phone.Settings{})
			look(t, p)
			from, to, id := folderNamed(t, p, "Contacts"), folderNamed(t, p, "Club"), onlyOne(t, p, "Contacts")
			c.HTTP = &http.Client{Transport: net}
			if _, err := p.Move(t.Context(), from.ServerID, to.ServerID, id); err == nil {
				t.Fatal("nothing went wrong")
			}
			look(t, other)
			back, err := other.Move(t.Context(), to.ServerID, from.ServerID, onlyOne(t, other, "Club"))
			if err != nil || back[0].Status != eas.MoveOK {
				t.Fatalf("back: %+v, %v", back, err)
			}
			out, err := p.Move(t.Context(), from.ServerID, to.ServerID, id)
			status, here, there := eas.MoveOK, "", out[0].DstMsgID
			if back[0].DstMsgID != id {
				status, here, there = eas.MoveBadSource, back[0].DstMsgID, ""
			}
			if err != nil || out[0].Status != status || immovable != (status == eas.MoveBadSource) {
				t.Errorf("again: %+v, %v, want status %d", out, err, status)
			}
			look(t, p)
			if h, th := onlyOne(t, p, "Contacts"), onlyOne(t, p, "Club"); h != here || th != there {
				t.Errorf("the phone has %q here and %q there, want %q and %q", h, th, here, there)
			}
		})
	}
}

// MS-ASCMD EmptyFolderContents: a folder of one's own is emptied, and what is
// inside of it goes where the phone says so; the main folders stay.
func TestEmptyFolderContents(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		t.Run(v.String(), func(t *testing.T) {
			h, _ := moveHouse(t, false)
			h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "inner", Kind: backend.Contacts, Name: "Inner", Parent: "club"})
			for _, c := range []backend.CollectionID{"contacts", "club", "read", "inner"} {
				for i := range 3 {
					h.Store(c, backend.ItemID(fmt.Sprint(i, ".vcf")), bridgetest.Card(fmt.Sprint(c, i), "Carol"))
				}
			}
			r := newRaw(t, h, v)
			empty := func(id string, inside bool) eas.ItemOperationsStatus {
				t.Helper()
				e := eas.EmptyFolder{CollectionID: id}
				if inside {
					e.Options = &eas.EmptyFolderOptions{DeleteSubFolders: true}
				}
				a, err := r.ItemOperations(t.Context(), eas.ItemOperationsRequest{Empties: []eas.EmptyFolder{e}})
				if err != nil || a.Response == nil || len(a.Response.Empties) != 1 {
					t.Fatalf("%+v, %v", a, err)
				}
				return a.Response.Empties[0].Status
			}
			forbidden := eas.ItemOperationsActionForbidden
			if v < eas.V140 {
				forbidden = eas.ItemOperationsDenied
			}
			for _, tt := range []struct {
				requirement, folder string
				inside              bool
				want                eas.ItemOperationsStatus
			}{
				{"MS-ASCMD EmptyFolderContents status 156 for a default folder", folderNamed(t, r.phone, "Contacts").ServerID, true, forbidden},
				{"MS-ASCMD EmptyFolderContents status 156 for a read-only folder", folderNamed(t, r.phone, "Read").ServerID, false, forbidden},
				{"MS-ASCMD EmptyFolderContents status 6 for a folder that there is not", "4711", false, eas.ItemOperationsNotFound},
				{"MS-ASCMD EmptyFolderContents status 1 without the folders inside", folderNamed(t, r.phone, "Club").ServerID, false, eas.ItemOperationsOK},
			} {
				if got := empty(tt.folder, tt.inside); got != tt.want {
					t.Errorf("%s: status %d, want %d", tt.requirement, got, tt.want)
				}
			}
			for c, want := range map[backend.CollectionID]int{"contacts": 3, "read": 3, "club": 0, "inner": 3} {
				if got := len(h.Backend.Items(bridgetest.User, c)); got != want {
					t.Errorf("%s has %d items, want %d", c, got, want)
				}
			}
			if got := empty(folderNamed(t, r.phone, "Club").ServerID, true); got != eas.ItemOperationsOK {
				t.Errorf("MS-ASCMD DeleteSubFolders: status %d", got)
			}
			look(t, r.phone)
			for _, f := range r.phone.Folders() {
				if f.DisplayName == "Inner" || f.DisplayName == "Club" && len(f.Items) > 0 {
					t.Errorf("the phone still has %s with %d items", f.DisplayName, len(f.Items))
				}
			}
		})
	}
}

// MS-ASCMD MoveItems status 7: what somebody edits faster than it can be copied is
// not moved, and stays whole where it is; a later move takes it.
func TestMoveOfWhatIsEditedAgainAndAgain(t *testing.T) {
	h, _ := moveHouse(t, true)
	h.Store("contacts", "c.vcf", bridgetest.Card("c", "Carol"))
	p := h.Phone(eas.V161, "phone1", phone.Settings{})
	look(t, p)
	from, to, id := folderNamed(t, p, "Contacts"), folderNamed(t, p, "Club"), onlyOne(t, p, "Contacts")
	h.Backend.Fail(memory.Failure{Op: memory.OpDelete, Err: &backend.Error{Kind: backend.Conflict, Err: errors.New("edited meanwhile")}, Times: -1})
	out, err := p.Move(t.Context(), from.ServerID, to.ServerID, id)
	if err != nil || len(out) != 1 || out[0].Status != eas.MoveLocked {
		t.Fatalf("%+v, %v, want status 7", out, err)
	}
	if items := h.Backend.Items(bridgetest.User, "contacts"); len(items) != 1 {
		t.Errorf("the folder has %d items, want the one", len(items))
	}
	h.Backend.Mend()
	if out, err = p.Move(t.Context(), from.ServerID, to.ServerID, id); err != nil || out[0].Status != eas.MoveOK {
		t.Fatalf("later: %+v, %v", out, err)
	}
	if here, there := len(h.Backend.Items(bridgetest.User, "contacts")), len(h.Backend.Items(bridgetest.User, "club")); here != 0 || there != 1 {
		t.Errorf("the store has %d and %d items, want none and one", here, there)
	}
}

// Somebody takes an item to a third folder while the phone's move copies it: it
// is there, and nowhere else. Where somebody deletes it, the copy stays, and so it
// does where one of the same name was in a third folder before. Seed 21348.
func TestMoveOfWhatSomebodyElseMoves(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, moved bool // whether it is in the third folder
		status        eas.MoveStatus
		there         int // how many are in the phone's folder in the end
	}{
		{"moved", false, true, eas.MoveBadSource, 0},
		{"deleted", false, false, eas.MoveOK, 1},
		{"deleted, and another like it elsewhere", true, false, eas.MoveOK, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, b := moveHouse(t, true)
			h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "third", Kind: backend.Contacts, Name: "Third"})
			card := bridgetest.Card("c", "Carol")
			h.Store("contacts", "c.vcf", card)
			if tt.before {
				h.Store("third", "c.vcf", card)
			}
			p := h.Phone(eas.V161, "phone1", phone.Settings{})
			look(t, p)
			b.deleting = func() {
				if tt.moved {
					h.Store("third", "c.vcf", card)
				}
				h.Backend.Remove(bridgetest.User, "contacts", "c.vcf")
			}
			out, err := p.Move(t.Context(), folderNamed(t, p, "Contacts").ServerID, folderNamed(t, p, "Club").ServerID, onlyOne(t, p, "Contacts"))
			if err != nil || len(out) != 1 || out[0].Status != tt.status {
				t.Fatalf("%+v, %v, want status %d", out, err, tt.status)
			}
			if n := len(h.Backend.Items(bridgetest.User, "club")); n != tt.there {
				t.Errorf("the phone's folder has %d, want %d", n, tt.there)
			}
			if third := len(h.Backend.Items(bridgetest.User, "third")); (third == 1) != (tt.before || tt.moved) {
				t.Errorf("the third folder has %d", third)
			}
		})
	}
}
