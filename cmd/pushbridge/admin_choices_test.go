package main

import (
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// idOf is under which id a phone has a folder; empty if it has none of that name.
func (o *office) idOf(p *phone.Phone, name string) string {
	o.t.Helper()
	if _, err := p.FolderSync(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	i := slices.IndexFunc(p.Folders(), func(f phone.Folder) bool { return f.DisplayName == name })
	if i < 0 {
		return ""
	}
	return p.Folders()[i].ServerID
}

// hidden has folders hidden from one phone, from all, and shown again, while a
// phone waits; what was chosen lasts.
func (o *office) hidden() {
	a, b := o.phone(eas.V161, "PHONEA6"), o.phone(eas.V121, "PHONEB6")
	bridgetest.Sync(o.t, a)
	if _, err := a.CreateFolder(o.t.Context(), eas.RootFolder, "Club", eas.FolderUserContacts); err != nil {
		o.t.Fatal(err)
	}
	id, other := o.idOf(a, "Club"), o.idOf(b, "Club")
	if id == "" || other == "" {
		o.t.Fatalf("the phones have the folder as %q and %q", id, other)
	}
	bridgetest.Sync(o.t, a)
	bridgetest.Sync(o.t, b)
	o.says("choices ann", "Nothing was chosen")
	for _, step := range []struct {
		args         string
		says         string
		onA, onB     string
		told         bool // the first phone, which waits
		choices      []admin.Choice
		printedOfAll string
	}{
		{"hide ann PHONEA6 contacts/Club", "are hidden from", "", other, true,
			[]admin.Choice{{Device: "PHONEA6", Pattern: "contacts/Club", Hide: true}}, "hide"},
		{"hide ann Cl?b", "are hidden from", "", "", false,
			[]admin.Choice{{Device: "PHONEA6", Pattern: "contacts/Club", Hide: true}, {Pattern: "Cl?b", Hide: true}}, "all"},
		{"show ann PHONEA6 Club", "are shown on", id, "", true,
			[]admin.Choice{{Device: "PHONEA6", Pattern: "contacts/Club", Hide: true}, {Pattern: "Cl?b", Hide: true}, {Device: "PHONEA6", Pattern: "Club"}}, "show"},
		{"hide ann Cl?b --undo", "is taken back", id, other, false,
			[]admin.Choice{{Device: "PHONEA6", Pattern: "contacts/Club", Hide: true}, {Device: "PHONEA6", Pattern: "Club"}}, "PHONEA6"},
		{"show ann PHONEA6 Club --undo", "is taken back", "", other, true, []admin.Choice{{Device: "PHONEA6", Pattern: "contacts/Club", Hide: true}}, "contacts/Club"},
	} {
		if step.told {
			if status := o.waiting(a, "PHONEA6", func() { o.says(step.args, step.says) }); status != eas.PingHierarchyChanged {
				o.t.Errorf("admin %s: the wait ended with status %d, want %d", step.args, status, eas.PingHierarchyChanged)
			}
		} else {
			o.says(step.args, step.says)
		}
		if onA, onB := o.idOf(a, "Club"), o.idOf(b, "Club"); onA != step.onA || onB != step.onB {
			o.t.Errorf("after admin %s the phones have the folder as %q and %q, want %q and %q", step.args, onA, onB, step.onA, step.onB)
		}
		bridgetest.Sync(o.t, a)
		if got := asked[[]admin.Choice](o, "choices ann"); !slices.Equal(got, step.choices) {
			o.t.Errorf("after admin %s the choices are %+v, want %+v", step.args, got, step.choices)
		}
		o.says("choices ann", step.printedOfAll)
	}
	o.stop()
	o.start()
	o.says("choices ann", "contacts/Club")
	o.says("hide ann PHONEA6 contacts/Club --undo", "is taken back")
	a = o.phone(eas.V161, "PHONEA6")
	if o.idOf(a, "Club") != id {
		o.t.Error("after all is taken back, and a restart, the folder has another id, or none")
	}
	if err := a.DeleteFolder(o.t.Context(), id); err != nil {
		o.t.Error(err)
	}
	for _, tt := range []struct {
		args   string
		status int
		says   string
	}{
		{"hide ann", exitUsage, "USER [DEVICE] FOLDER"},
		{"hide nobody Club", exitFailure, `"nobody"`},
		{"hide ann " + strings.Repeat("x", choice.MaxRule), exitUsage, "pattern"},
		{"show ann Club --undo", exitFailure, "no choice"},
		{"choices", exitUsage, "choices USER"},
	} {
		if status, out := o.admin(strings.Fields(tt.args)...); status != tt.status || !strings.Contains(out, tt.says) {
			o.t.Errorf("admin %s: status %d, it says\n%s\nwant %d and %q", tt.args, status, out, tt.status, tt.says)
		}
	}
}
