package easserver_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// choose has an administrator show or hide folders, or take that back.
func (b *bubble) choose(path string, c admin.Choice) {
	b.Helper()
	var d admin.Done
	b.order(http.MethodPost, path, admin.ChoiceRequest{User: bridgetest.User, Choice: c}, &d)
}

// club gives ann a second calendar with an event in it, and the phone knows.
func (b *bubble) club() phone.Folder {
	b.Helper()
	b.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Events, Name: "Club"})
	b.Store(bridgetest.User, "club", "one", []byte(bridgetest.Event("one", "Match", time.Now().Add(time.Hour))))
	look(b.T, b.phone)
	f := folderNamed(b.T, b.phone, "Club")
	if len(f.Items) != 1 {
		b.Fatalf("the club's calendar has %d events on the phone, want 1", len(f.Items))
	}
	return f
}

// has fails unless the phone has a folder, or has it not, when it has looked.
func (b *bubble) has(want bool, f phone.Folder) {
	b.Helper()
	look(b.T, b.phone)
	got, ok := b.phone.Folder(f.ServerID)
	if ok != want || ok && (got.DisplayName != f.DisplayName || len(got.Items) != len(f.Items)) {
		b.Errorf("the folder is there: %t, as %+v; want %t", ok, got, want)
	}
}

// MS-ASCMD FolderSync "Delete" and "Add": a folder that is hidden goes from a phone
// that waits, at once, and comes back with the id that it had and all that is in
// it. Other phones and the store keep it.
func TestFoldersAreHiddenAndShownAgain(t *testing.T) {
	for _, tt := range []struct{ name, device string }{{"on all phones", ""}, {"on one phone", "phone1"}, {"on a sort of phones", "test"}} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nil, func(b *bubble) {
				f := b.club()
				hide := admin.Choice{Device: tt.device, Pattern: "events/Cl*", Hide: true}
				time.AfterFunc(5*time.Minute, func() { b.choose("/v1/choices/add", hide) })
				b.want(told{eas.PingHierarchyChanged, "[]", 5}, b.ping(anHour))
				b.has(false, f)
				if n := len(b.Items(bridgetest.User, "club")); n != 1 {
					b.Errorf("the store has %d events after that, want 1", n)
				}
				time.AfterFunc(5*time.Minute, func() { b.choose("/v1/choices/drop", hide) })
				b.want(told{eas.PingHierarchyChanged, "[]", 5}, b.ping(anHour))
				b.has(true, f)
				b.want(told{eas.PingExpired, "[]", 59}, b.ping(anHour))
			})
		})
	}
}

func TestFoldersHiddenOnAnotherPhone(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		f := b.club()
		time.AfterFunc(5*time.Minute, func() {
			b.choose("/v1/choices/add", admin.Choice{Device: "phone2", Pattern: "*", Hide: true})
		})
		b.want(told{eas.PingExpired, "[]", 59}, b.ping(anHour))
		b.has(true, f)
	})
}

// What the configuration hides, an administrator shows.
func TestFoldersHiddenByTheConfiguration(t *testing.T) {
	inBubble(t, func(f *config.File) { f.Folders.Hide = []string{"Club"} }, func(b *bubble) {
		b.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Events, Name: "Club"})
		look(b.T, b.phone)
		for _, f := range b.phone.Folders() {
			if f.DisplayName == "Club" {
				b.Fatal("the phone has the folder that the configuration hides")
			}
		}
		time.AfterFunc(5*time.Minute, func() { b.choose("/v1/choices/add", admin.Choice{Pattern: "Club"}) })
		b.want(told{eas.PingHierarchyChanged, "[]", 5}, b.ping(anHour))
		b.has(true, b.club())
	})
}

// [folders] main says which one of several calendars is "the" calendar of phones,
// and the one that was is a calendar like others.
func TestTheMainFolderIsChosen(t *testing.T) {
	inBubble(t, func(f *config.File) { f.Folders.Main = []string{bridgetest.User + ": events/Club"} }, func(b *bubble) {
		if c := bridgetest.FolderOf(b.T, b.phone, eas.ClassCalendar); c.Type != eas.FolderCalendar {
			b.Errorf("the only calendar has type %d, want %d", c.Type, eas.FolderCalendar)
		}
		f := b.club()
		mains := 0
		for _, other := range b.phone.Folders() {
			if other.Type == eas.FolderCalendar {
				mains++
			}
		}
		if f.Type != eas.FolderCalendar || mains != 1 {
			b.Errorf("the chosen calendar has type %d and is one of %d main ones, want %d and 1", f.Type, mains, eas.FolderCalendar)
		}
		if err := b.phone.DeleteFolder(b.Context(), f.ServerID); err == nil {
			b.Error("the main calendar can be deleted")
		}
		if err := b.phone.RenameFolder(b.Context(), f.ServerID, "", "Mine"); err == nil {
			b.Error("the main calendar can be renamed")
		}
	})
}

// In quiet hours a phone is not woken for its folders either, however it waits;
// when they are over, it is.
func TestFoldersChangeInQuietHours(t *testing.T) {
	hide := admin.Choice{Pattern: "Club", Hide: true}
	t.Run("a Ping", func(t *testing.T) {
		inBubble(t, nil, func(b *bubble) {
			f := b.club()
			b.setPush(admin.PushRequest{SetQuiet: true, Quiet: "22:00-01:30"})
			time.AfterFunc(5*time.Minute, func() { b.choose("/v1/choices/add", hide) })
			b.want(told{eas.PingExpired, "[]", 59}, b.ping(anHour))
			b.want(told{eas.PingHierarchyChanged, "[]", 31}, b.ping(anHour))
			b.has(false, f)
		})
	})
	for _, when := range []struct {
		name  string
		after time.Duration
	}{{"a Sync that waits", 5 * time.Minute}, {"a Sync that begins to wait", 0}} {
		t.Run(when.name, func(t *testing.T) {
			inBubble(t, nil, func(b *bubble) {
				f := b.club()
				b.setPush(admin.PushRequest{SetQuiet: true, Quiet: "22:00-01:30"})
				time.AfterFunc(when.after, func() { b.choose("/v1/choices/add", hide) })
				if when.after == 0 {
					synctest.Wait()
				}
				r := &raw{b.T, b.client, b.phone}
				begin := time.Now()
				m := &eas.SyncRequest{HeartbeatInterval: ptr(3540), Collections: []eas.SyncCollection{r.collection("Contacts")}}
				if res, err := b.client.Sync(b.Context(), m); err != nil || res != nil {
					b.Errorf("answered %+v, %v after %v, want nothing in quiet hours", res, err, time.Since(begin))
				}
				m.HeartbeatInterval = ptr(3539)
				res, err := b.client.Sync(b.Context(), m)
				if err != nil || res == nil || res.Status != eas.SyncHierarchyChanged {
					b.Errorf("answered %+v, %v, want status %d", res, err, eas.SyncHierarchyChanged)
				}
				if after := time.Since(begin).Round(time.Minute); after != 90*time.Minute {
					b.Errorf("answered after %v, want at the end of the quiet hours", after)
				}
				b.has(false, f)
			})
		})
	}
}

// Which kinds may wake a phone says nothing of its folders: one that is gone
// would be asked for, and refused.
func TestFoldersThatDoNotWakeAreHidden(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		f := b.club()
		b.setPush(admin.PushRequest{SetFolders: true, Kinds: []string{"contacts"}})
		time.AfterFunc(5*time.Minute, func() { b.choose("/v1/choices/add", admin.Choice{Pattern: "Club", Hide: true}) })
		b.want(told{eas.PingHierarchyChanged, "[]", 5}, b.ping(anHour))
		b.has(false, f)
	})
}

// A phone that waits for a folder is told when that folder goes, also with news in
// it that the phone was not told, and not only when its heartbeat ends.
func TestAFolderGoesWhileAPhoneWaits(t *testing.T) {
	for _, sync := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync=%t", sync), func(t *testing.T) {
			inBubble(t, nil, func(b *bubble) {
				f := b.club()
				b.setPush(admin.PushRequest{SetQuiet: true, Quiet: "22:00-00:30"})
				time.AfterFunc(time.Minute, func() {
					b.Store(bridgetest.User, "club", "two", []byte(bridgetest.Event("two", "Rematch", time.Now())))
				})
				time.AfterFunc(10*time.Minute, func() { b.RemoveCollection(bridgetest.User, "club") })
				begin := time.Now()
				if sync {
					r := &raw{b.T, b.client, b.phone}
					events := []eas.SyncCollection{r.collection("Contacts"), {CollectionID: f.ServerID, SyncKey: f.SyncKey}}
					res, err := b.client.Sync(b.Context(), &eas.SyncRequest{HeartbeatInterval: ptr(3540), Collections: events})
					if err != nil || res == nil || res.Status != eas.SyncHierarchyChanged {
						b.Errorf("Sync answers %+v, %v, want status %d", res, err, eas.SyncHierarchyChanged)
					}
				} else if got := b.ping(anHour); got.status != eas.PingHierarchyChanged {
					b.Errorf("Ping answers %v, want status %d", got, eas.PingHierarchyChanged)
				}
				if after := time.Since(begin); after > 31*time.Minute {
					b.Errorf("the phone was told after %v", after)
				}
				b.has(false, f)
			})
		})
	}
}
