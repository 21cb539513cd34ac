package caldav_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// At a server that schedules, people have addresses, invitations are the
// server's to send, and others' busy times are told without what they do.
func TestSchedulingAtCyrus(t *testing.T) {
	t.Parallel()
	server := davtest.Cyrus(t)
	s := login(t, open(t, server))
	i, _ := backend.As[backend.Identifier](s)
	if id, err := i.Identity(t.Context()); err != nil || !slices.Contains(id.Addresses, "ann@"+davtest.CyrusDomain) {
		t.Errorf("Identity = %+v, %v", id, err)
	}
	f, _ := backend.As[backend.FreeBusier](s)
	got, err := f.FreeBusy(t.Context(), []string{"bob@" + davtest.CyrusDomain, "nobody@elsewhere.example.net"}, time.Unix(1800000000, 0), time.Unix(1800086400, 0))
	if err != nil || len(got) != 1 || len(got["bob@"+davtest.CyrusDomain]) == 0 {
		t.Errorf("FreeBusy = %q, %v; want Bob's alone", got, err)
	}
	sch, _ := backend.As[backend.Scheduler](s)
	if mails, err := sch.Schedules(t.Context(), backend.CollectionID(server.Calendar+"#VEVENT")); err != nil || !mails {
		t.Errorf("Schedules = %t, %v; want the server to send invitations", mails, err)
	}
}
