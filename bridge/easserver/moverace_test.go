package easserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// addressBooks are those of a test that moves a card beside somebody else.
var addressBooks = []backend.CollectionID{"contacts", "club", "third"}

// where lists what the address books hold, as "contacts Carol".
func where(h *bridgetest.House) []string {
	var all []string
	for _, c := range addressBooks {
		for _, body := range h.Backend.Items(bridgetest.User, c) {
			name := "changed"
			for _, known := range []string{"Carol", "Dora"} {
				if string(body) == bridgetest.Card("c", known) {
					name = known
				}
			}
			all = append(all, fmt.Sprint(c, " ", name))
		}
	}
	return all
}

// A phone's move is about to remove the card whose copy is there when somebody
// else, who sees both, does something to one of them; and the removal fails or
// says that it failed, or the copying said so, whereupon the phone sends the move
// again, at once or after everybody looked. The card is in one place then, as it was edited. Seed 32175.
func TestMoveBesideSomebodyElse(t *testing.T) {
	down := backend.Errorf(backend.Transient, "clumsy", "pulled the plug")
	take := func(h *bridgetest.House, from, to backend.CollectionID) {
		for id, body := range h.Backend.Items(bridgetest.User, from) {
			h.Store(to, id, string(body))
			h.Backend.Remove(bridgetest.User, from, id)
		}
	}
	edit := func(h *bridgetest.House, in backend.CollectionID) {
		for id := range h.Backend.Items(bridgetest.User, in) {
			h.Store(in, id, bridgetest.Card("c", "Dora"))
		}
	}
	for _, tt := range []struct {
		name string
		do   func(h *bridgetest.House)
		want string
	}{
		{"does nothing", func(*bridgetest.House) {}, "club Carol"},
		{"takes the copy elsewhere and edits it", func(h *bridgetest.House) {
			take(h, "club", "third")
			edit(h, "third")
		}, "third Dora"},
		{"takes the copy back", func(h *bridgetest.House) {
			for id, body := range h.Backend.Items(bridgetest.User, "club") {
				h.Store("contacts", id, string(body))
				h.Backend.Remove(bridgetest.User, "club", id)
			}
		}, "contacts Carol"},
		{"takes the copy elsewhere", func(h *bridgetest.House) { take(h, "club", "third") }, "third Carol"},
		{"takes the card elsewhere", func(h *bridgetest.House) { take(h, "contacts", "third") }, "third Carol"},
		{"takes the card to where it goes", func(h *bridgetest.House) { take(h, "contacts", "club") }, "club Carol"},
		{"edits the copy", func(h *bridgetest.House) { edit(h, "club") }, "club Dora"},
		{"edits the card", func(h *bridgetest.House) { edit(h, "contacts") }, "club Dora"},
		{"takes the copy elsewhere and edits the card", func(h *bridgetest.House) {
			take(h, "club", "third")
			edit(h, "contacts")
		}, "third Dora"},
		{"deletes the card", func(h *bridgetest.House) { h.Backend.Remove(bridgetest.User, "contacts", "c.vcf") }, "club Carol"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, b := moveHouse(t, true)
			h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "third", Kind: backend.Contacts, Name: "Third"})
			books := phone.Settings{Classes: []string{eas.ClassContacts}}
			p, other := h.Phone(eas.V161, "phone1", books), h.Phone(eas.V141, "phone2", books)
			for _, fault := range []string{"nothing", "the removal", "the removal, and everybody looks", "its answer", "its answer, and everybody looks", "the copy's answer"} {
				h.Store("contacts", "c.vcf", bridgetest.Card("c", "Carol"))
				look(t, p)
				look(t, other)
				from, to, id := folderNamed(t, p, "Contacts"), folderNamed(t, p, "Club"), onlyOne(t, p, "Contacts")
				b.deleting = func() {
					tt.do(h)
					switch {
					case strings.HasPrefix(fault, "the removal"):
						h.Backend.Fail(memory.Failure{Op: memory.OpDelete, Err: down, Times: 1})
					case strings.HasPrefix(fault, "its answer"):
						b.after[memory.OpDelete] = down
					}
				}
				if fault == "the copy's answer" {
					b.deleting, b.after[memory.OpPut] = nil, down
				}
				out, err := p.Move(t.Context(), from.ServerID, to.ServerID, id)
				if fault == "the copy's answer" {
					tt.do(h)
				}
				if strings.HasSuffix(fault, "looks") {
					look(t, other)
				}
				if err != nil && fault != "nothing" {
					out, err = p.Move(t.Context(), from.ServerID, to.ServerID, id)
				}
				if err != nil {
					t.Fatalf("%s is lost: %v", fault, err)
				}
				got := where(h)
				if len(got) != 1 || got[0] != tt.want {
					t.Errorf("%s is lost: told %+v, and there is %q, want only %q", fault, out, got, tt.want)
				}
				for _, who := range []*phone.Phone{p, other} {
					look(t, who)
					n := 0
					for _, f := range who.Folders() {
						n += len(f.Items)
					}
					if n != len(got) {
						t.Errorf("%s is lost: a phone has %d items, want %d", fault, n, len(got))
					}
				}
				clear(b.after)
				h.Backend.Mend()
				for _, c := range addressBooks {
					for id := range h.Backend.Items(bridgetest.User, c) {
						h.Backend.Remove(bridgetest.User, c, id)
					}
				}
			}
		})
	}
}
