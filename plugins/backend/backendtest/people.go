package backendtest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var people = []promise{
	{"the identity has mail addresses", identityHasAddresses},
	{"a stranger's time is not known", strangersTime},
}

func identityHasAddresses(t *testing.T, w *world) {
	i, ok := backend.As[backend.Identifier](w.s)
	if !ok {
		t.Skip("the session is not an Identifier")
	}
	id, err := i.Identity(t.Context())
	if err != nil {
		t.Fatalf("Identity: %v", err)
	}
	for _, a := range id.Addresses {
		if strings.ContainsAny(a, ":/ <>") || !strings.Contains(a, "@") {
			t.Errorf("Identity answers the address %q\nPhones take the sender of mails from here: it has to be user@domain.", a)
		}
	}
}

func strangersTime(t *testing.T, w *world) {
	f, ok := backend.As[backend.FreeBusier](w.s)
	if !ok {
		t.Skip("the session is not a FreeBusier")
	}
	const stranger = "nobody-of-that-name@invalid.example"
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	found, err := f.FreeBusy(t.Context(), []string{stranger}, from, from.Add(24*time.Hour))
	switch {
	case backend.KindOf(err) == backend.Unsupported:
		t.Skip("this store tells of nobody")
	case err != nil:
		t.Errorf("FreeBusy of a stranger: %v", err)
	case len(found) > 0 && bytes.Contains(bytes.ToUpper(found[stranger]), []byte("FREEBUSY")):
		t.Errorf("FreeBusy tells of a stranger: %q\nPeople would be invited when they are busy.", found)
	}
}
