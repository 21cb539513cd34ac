package syncengine_test

import (
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// mailRound does one round of a phone in a folder: what is to be done first, then
// all news, which it answers.
func mailRound(t *testing.T, w *world, f syncengine.Folder, p syncengine.Phone, key *syncengine.Key, filter syncengine.Filter, do func(*syncengine.Round)) []syncengine.News {
	t.Helper()
	r, err := w.engine.Begin(t.Context(), p, f, *key, w.session)
	if err != nil {
		t.Fatal(err)
	}
	r.SetFilter(filter)
	if do != nil {
		do(r)
	}
	news, err := r.Peek(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range news {
		r.Told(n, n.Revision)
	}
	if err := w.engine.Commit(t.Context(), p, nil, nil, r); err != nil {
		t.Fatal(err)
	}
	*key = r.Key()
	return news
}

// A draft that was edited is another message under the same number: no news to the
// phone that did it, and a change to the others, whatever the store lists then. One
// that was sent is told as gone to all.
func TestADraftHasASuccessor(t *testing.T) {
	w := newWorld(t)
	f := w.folder("inbox")
	w.backend.StoreMessage(user, "inbox", "old", []byte("Subject: x\r\n\r\nOne"), time.Now(), backend.FlagDraft)
	w.refresh(f)
	one, two := syncengine.Phone{User: user, Device: "one"}, syncengine.Phone{User: user, Device: "two"}
	keys := map[syncengine.Phone]*syncengine.Key{}
	round := func(p syncengine.Phone, do func(*syncengine.Round)) []syncengine.News {
		t.Helper()
		return mailRound(t, w, f, p, keys[p], syncengine.Filter{}, do)
	}
	var n syncengine.Number
	for _, p := range []syncengine.Phone{one, two} {
		key := syncengine.NoKey
		keys[p] = &key
		round(p, nil)
		n = round(p, nil)[0].Number
	}
	rev := w.backend.StoreMessage(user, "inbox", "new", []byte("Subject: x\r\n\r\nTwo"), time.Now(), backend.FlagDraft)
	if news := round(one, func(r *syncengine.Round) {
		if kept, err := r.Replaced(t.Context(), n, backend.Item{ID: "new", Revision: rev}); err != nil || !kept {
			t.Fatalf("replaced: %t, %v", kept, err)
		}
	}); len(news) != 0 {
		t.Errorf("the phone is told of its own edit: %v", news)
	}
	w.backend.Remove(user, "inbox", "old")
	w.refresh(f)
	if news := round(one, nil); len(news) != 0 {
		t.Errorf("when the old one is gone, the phone is told %v", news)
	}
	if news := round(two, nil); len(news) != 1 || news[0].Op != syncengine.Change || news[0].Number != n || news[0].ID != "new" {
		t.Errorf("the other phone is told %v", news)
	}
	gone := func(news []syncengine.News) bool {
		return len(news) == 1 && news[0].Op == syncengine.Delete && news[0].Number == n
	}
	if news := round(one, func(r *syncengine.Round) {
		if err := r.Went(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}); !gone(news) {
		t.Errorf("of the draft that it sent the phone is told %v", news)
	}
	if news := round(two, nil); !gone(news) {
		t.Errorf("of the draft that was sent the other phone is told %v", news)
	}
}

// A successor that was listed before it was noted is news under a number of its own.
func TestASuccessorThatWasListedBefore(t *testing.T) {
	w := newWorld(t)
	f := w.folder("inbox")
	w.backend.StoreMessage(user, "inbox", "old", []byte("Subject: x\r\n\r\nOne"), time.Now(), backend.FlagDraft)
	w.refresh(f)
	p, key := syncengine.Phone{User: user, Device: "one"}, syncengine.NoKey
	mailRound(t, w, f, p, &key, syncengine.Filter{}, nil)
	n := mailRound(t, w, f, p, &key, syncengine.Filter{}, nil)[0].Number
	rev := w.backend.StoreMessage(user, "inbox", "new", []byte("Subject: x\r\n\r\nTwo"), time.Now(), backend.FlagDraft)
	w.refresh(f)
	news := mailRound(t, w, f, p, &key, syncengine.Filter{}, func(r *syncengine.Round) {
		if kept, err := r.Replaced(t.Context(), n, backend.Item{ID: "new", Revision: rev}); err != nil || kept {
			t.Fatalf("replaced: %t, %v", kept, err)
		}
	})
	ops := map[syncengine.Op]int{}
	for _, x := range news {
		ops[x.Op]++
	}
	if len(news) != 2 || ops[syncengine.Add] != 1 || ops[syncengine.Delete] != 1 {
		t.Errorf("the phone is told %v, want the old one gone and the new one", news)
	}
}

// When a message was received is known from the listing, and stays known when its
// flags change: no filter reads a message for it.
func TestMessagesAreFilteredWithoutBeingRead(t *testing.T) {
	w := newWorld(t)
	f := w.folder("inbox")
	w.backend.StoreMessage(user, "inbox", "old", []byte("Subject: x\r\n\r\n"), time.Now().AddDate(0, -1, 0))
	w.backend.StoreMessage(user, "inbox", "new", []byte("Subject: x\r\n\r\n"), time.Now())
	w.refresh(f)
	if _, err := w.session.(backend.Mailbox).SetFlags(t.Context(), "inbox", "old", []string{backend.FlagSeen}, nil); err != nil {
		t.Fatal(err)
	}
	w.refresh(f)
	p, key := syncengine.Phone{User: user, Device: "one"}, syncengine.NoKey
	week := syncengine.Filter{Since: time.Now().AddDate(0, 0, -7)}
	mailRound(t, w, f, p, &key, week, nil)
	if news := mailRound(t, w, f, p, &key, week, nil); len(news) != 1 || news[0].ID != "new" {
		t.Errorf("of a week the phone is told %v", news)
	}
	if n := w.backend.Calls(memory.OpGet) + w.backend.Calls(memory.OpMessages); n != 0 {
		t.Errorf("messages were read %d times", n)
	}
	if news := mailRound(t, w, f, p, &key, syncengine.Filter{Since: time.Now().Add(48 * time.Hour)}, nil); len(news) != 1 || news[0].Op != syncengine.SoftDelete {
		t.Errorf("when its time is over the phone is told %v", news)
	}
}

// The main mailbox has the folders of each role; those of another one are folders
// beside it.
func TestRoles(t *testing.T) {
	w := newWorld(t)
	other := memory.MailCollections()
	mine := memory.MailCollections()
	if _, err := w.engine.SetFolders(t.Context(), user, []syncengine.Listing{{Backend: "dav"}, {Backend: "mail", Collections: mine}, {Backend: "other", Collections: other}}); err != nil {
		t.Fatal(err)
	}
	all, err := w.engine.Folders(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	main := map[backend.Role]string{}
	for _, f := range all {
		if f.Default && f.Kind == backend.Mail {
			main[f.Role] += f.Backend
		}
	}
	for _, role := range []backend.Role{backend.RoleInbox, backend.RoleDrafts, backend.RoleSent, backend.RoleTrash} {
		if main[role] != main[backend.RoleInbox] || main[role] != "mail" && main[role] != "other" {
			t.Errorf("the main folder for %q is at %q; the inbox's is at %q", role, main[role], main[backend.RoleInbox])
		}
	}
	if len(main) != 4 {
		t.Errorf("main folders are %v, want four", main)
	}
}
