package easserver_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
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

// A move that comes twice at once is answered twice the same, wherever the two meet.
// Seeds 42600 and 44184.
func TestMoveTwiceAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		pauses map[memory.Op][]time.Duration
	}{
		{"the first one copies slowly", map[memory.Op][]time.Duration{memory.OpPut: {2 * time.Second}}},
		{"both read slowly", map[memory.Op][]time.Duration{memory.OpGet: {time.Second, 2 * time.Second}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &clumsy{Backend: memory.New(), immovable: true, after: make(map[memory.Op]error)}
				b.AddUser(bridgetest.User, bridgetest.Password)
				b.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Contacts, Name: "Club"})
				b.Store(bridgetest.User, "contacts", "c.vcf", []byte(bridgetest.Card("c", "Carol")))
				file := config.Default()
				file.State = t.TempDir()
				house, err := bridge.New(t.Context(), bridge.Options{
					Config: file, Logger: slog.New(slog.NewTextHandler(new(bridgetest.Log), nil)),
					Backends: []account.Named{{Name: "memory", Backend: b}},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer house.Close()
				client := &easclient.Client{
					URL: "http://bridge.example", User: bridgetest.User, Password: bridgetest.Password, Version: eas.V141,
					DeviceID: "phone1", DeviceType: "test", HTTP: &http.Client{Transport: inside{house.Handler()}},
				}
				p := phone.New(client, phone.Settings{})
				look(t, p)
				move := eas.MoveItemsRequest{Moves: []eas.ItemMove{{SrcMsgID: onlyOne(t, p, "Contacts"),
					SrcFldID: folderNamed(t, p, "Contacts").ServerID, DstFldID: folderNamed(t, p, "Club").ServerID}}}
				b.pauses.all = tt.pauses
				var answers [2]eas.MoveItemsResponse
				for i := range answers {
					go func() {
						time.Sleep(time.Duration(i) * time.Millisecond)
						var err error
						if answers[i], err = client.MoveItems(t.Context(), move); err != nil {
							t.Error(err)
						}
					}()
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				one, two := answers[0].Responses, answers[1].Responses
				if len(one) != 1 || len(two) != 1 || one[0].Status != eas.MoveOK || one[0] != two[0] {
					t.Errorf("told %+v and %+v", one, two)
				}
				if here, there := len(b.Items(bridgetest.User, "contacts")), len(b.Items(bridgetest.User, "club")); here != 0 || there != 1 {
					t.Errorf("there are %d and %d items, want none and one", here, there)
				}
			})
		})
	}
}
