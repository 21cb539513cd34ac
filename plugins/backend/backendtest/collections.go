package backendtest

import (
	"cmp"
	"regexp"
	"slices"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var opening = []promise{
	{"a wrong password is Denied", wrongPasswordDenied},
	{"an unknown person is Denied", unknownPersonDenied},
	{"sessions are independent", sessionsIndependent},
	{"extras are declared", extrasDeclared},
}

func wrongPasswordDenied(t *testing.T, w *world) {
	wrong := w.Credentials
	wrong.Password += "-wrong"
	wantDenied(t, w, wrong, "Open with a wrong password")
}

func unknownPersonDenied(t *testing.T, w *world) {
	wantDenied(t, w, backend.Credentials{User: unique("nobody"), Password: "x"}, "Open for an unknown person")
}

func wantDenied(t *testing.T, w *world, c backend.Credentials, what string) {
	t.Helper()
	s, err := w.Backend.Open(t.Context(), c)
	if err == nil {
		s.Close()
	}
	wantKind(t, what, err, backend.Denied, "The phone is told to ask for the password on this kind and no other.")
}

func sessionsIndependent(t *testing.T, w *world) {
	one, err := w.Backend.Open(t.Context(), w.Credentials)
	if err != nil {
		t.Fatalf("second Open: %v", err)
	}
	if err := one.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := w.s.Collections(t.Context()); err != nil {
		t.Errorf("Collections after another session was closed: %v", err)
	}
}

func extrasDeclared(t *testing.T, w *world) {
	declared := backend.Declared(w.Backend)
	for _, e := range backend.Extras(w.s) {
		if !slices.Contains(declared, e) {
			t.Errorf("sessions offer %q, but the backend declares %v only; see backend.Declarer\n"+
				"As a plugin it would not be asked for that extra.", e, declared)
		}
	}
}

var hierarchy = []promise{
	{"every collection is sound", collectionsSound},
	{"IDs last", collectionsLast},
}

var colour = regexp.MustCompile(`^(#[0-9a-fA-F]{6})?$`)

func collectionsSound(t *testing.T, w *world) {
	list, err := w.s.Collections(t.Context())
	if err != nil {
		t.Fatalf("Collections: %v", err)
	}
	seen := make(map[backend.CollectionID]bool)
	for _, c := range list {
		switch {
		case c.ID == "" || len(c.ID) > backend.MaxIDLength:
			t.Errorf("a collection has the ID %.80q of %d bytes, want 1 to %d", c.ID, len(c.ID), backend.MaxIDLength)
		case seen[c.ID]:
			t.Errorf("two collections have the ID %q; one would hide the other", c.ID)
		case c.Kind.MediaType() == "":
			t.Errorf("collection %q has the unknown kind %q", c.ID, c.Kind)
		case c.Name == "":
			t.Errorf("collection %q has no name; phones show an empty line", c.ID)
		case !colour.MatchString(c.Colour):
			t.Errorf("collection %q has the colour %q, want #rrggbb or none", c.ID, c.Colour)
		case c.Zone != "" && c.Kind != backend.Events || len(c.Zone) > backend.MaxZone:
			t.Errorf("collection %q of kind %s has a zone of %d bytes, want one of a calendar's events, of up to %d", c.ID, c.Kind, len(c.Zone), backend.MaxZone)
		}
		seen[c.ID] = true
	}
	for _, c := range list {
		if c.Parent != "" && !seen[c.Parent] {
			t.Errorf("the parent %q of collection %q is not in the list", c.Parent, c.ID)
		}
	}
}

func collectionsLast(t *testing.T, w *world) {
	byID := func(a, b backend.Collection) int { return cmp.Compare(a.ID, b.ID) }
	one, err1 := w.s.Collections(t.Context())
	two, err2 := w.open(t).Collections(t.Context())
	if err1 != nil || err2 != nil {
		t.Fatalf("Collections: %v, %v", err1, err2)
	}
	slices.SortFunc(one, byID)
	slices.SortFunc(two, byID)
	if !slices.Equal(one, two) {
		t.Errorf("two sessions see different collections:\n%v\n%v\nA phone would be sent a new folder and lose the old one.", one, two)
	}
}
