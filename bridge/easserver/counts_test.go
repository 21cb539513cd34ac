package easserver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/easserver"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

func TestCauses(t *testing.T) {
	news := []hub.Topic{{User: "ann", Folder: 1}}
	seen := map[string]bool{}
	for _, tc := range []struct {
		name string
		news []hub.Topic
		err  error
		want string
	}{
		{"news", news, nil, easserver.CauseChange},
		{"nothing until the end", nil, nil, easserver.CauseHeartbeat},
		{"another request of the phone", nil, hub.ErrReplaced, easserver.CauseNewer},
		{"a watch that has to begin anew", nil, hub.ErrRecalled, easserver.CauseRecalled},
		{"an administrator who wants it to come again", nil, fmt.Errorf("come again: %w", hub.ErrReplaced), easserver.CauseOrder},
		{"an administrator who erases it", nil, device.ErrWipe, easserver.CauseOrder},
		{"a new policy", nil, device.ErrStale, easserver.CauseOrder},
		{"a closed connection", nil, fcgi.ErrHungUp, easserver.CauseHangUp},
		{"a web server that aborts", nil, fcgi.ErrAborted, easserver.CauseHangUp},
		{"a closed connection without a web server", nil, context.Canceled, easserver.CauseHangUp},
		{"the end of the worker", nil, hub.ErrShutdown, easserver.CauseShutdown},
		{"a password that is no longer right", nil, backend.Errorf(backend.Denied, "test", "wrong"), easserver.CauseError},
		{"a database that fails", nil, errors.New("disk full"), easserver.CauseError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := easserver.CauseOf(tc.news, tc.err); got != tc.want {
				t.Errorf("the cause is %q, want %q", got, tc.want)
			}
		})
		seen[tc.want] = true
	}
	for _, cause := range easserver.Causes() {
		if !seen[cause] {
			t.Errorf("nothing here has the cause %q", cause)
		}
	}
}

func TestCountedCommands(t *testing.T) {
	all := easserver.Commands()
	if !slices.IsSorted(all) || !slices.Contains(all, "OPTIONS") {
		t.Errorf("the commands are %q, want them sorted, and OPTIONS among them", all)
	}
	for _, c := range easserver.WaitCommands() {
		if !slices.Contains(all, c) {
			t.Errorf("%s waits, but is no command", c)
		}
	}
}

// requests are Counts that remember the last request.
type requests struct {
	easserver.Counts
	last string
}

// Request implements easserver.Counts.
func (r *requests) Request(command string, status int, took time.Duration) {
	r.last = fmt.Sprint(command, " ", status, " ", took)
}

// TestWaitingIsNotCounted leaves out of a request's time that in which the phone
// waited.
func TestWaitingIsNotCounted(t *testing.T) {
	r := new(requests)
	easserver.Answered(r, &telemetry.Event{Command: "Ping", HTTP: 200, Took: time.Hour + time.Second, Parked: time.Hour})
	if r.last != "Ping 200 1s" {
		t.Errorf("counted is %q", r.last)
	}
}
