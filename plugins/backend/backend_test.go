package backend_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

func TestKindOf(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want backend.Kind
	}{
		{"nil", nil, backend.Other},
		{"plain", errors.New("oops"), backend.Other},
		{"typed", backend.E(backend.Expired, "op", nil), backend.Expired},
		{"wrapped", fmt.Errorf("x: %w", backend.E(backend.Denied, "op", nil)), backend.Denied},
		{"cancelled", fmt.Errorf("x: %w", context.Canceled), backend.Transient},
		{"late", context.DeadlineExceeded, backend.Transient},
		{"typed before context", backend.E(backend.Denied, "op", context.Canceled), backend.Denied},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := backend.KindOf(test.err); got != test.want {
				t.Errorf("KindOf(%v) = %v, want %v", test.err, got, test.want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	err := backend.Errorf(backend.NotFound, "dav: GET /x", "no %s", "card")
	if want := "dav: GET /x: not found: no card"; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err.Error(), want)
	}
	wait := &backend.Error{Kind: backend.Transient, RetryAfter: time.Minute}
	if got := backend.RetryAfter(fmt.Errorf("x: %w", wait)); got != time.Minute {
		t.Errorf("RetryAfter = %v, want %v", got, time.Minute)
	}
	if got := backend.Kind(77).String(); got != "kind 77" {
		t.Errorf("an unknown kind calls itself %q", got)
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	c := backend.Credentials{User: "ann", Password: "hunter2"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "who", c)
	for _, shown := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s %q", c, c, c, c, c), fmt.Sprintf("%v", &c), log.String()} {
		if strings.Contains(shown, "hunter2") || !strings.Contains(shown, "ann") {
			t.Errorf("credentials are shown as %s, want the user without the password", shown)
		}
	}
}

// A wrapper adds nothing and hides nothing.
type wrapper struct{ backend.Session }

func (w wrapper) Unwrap() backend.Session { return w.Session }

// full has the methods of both extras, and says which of them count.
type full struct {
	backend.Session
	list []backend.Extra
}

func (f full) Extras() []backend.Extra { return f.list }

func (f full) Watch(context.Context, []backend.CollectionID, func(), func(backend.CollectionID)) error {
	return nil
}

func (f full) Probe(context.Context, []backend.CollectionID) (map[backend.CollectionID]string, error) {
	return nil, nil
}

func TestExtras(t *testing.T) {
	tests := []struct {
		name string
		s    backend.Session
		want []backend.Extra
	}{
		{"none", wrapper{}, nil},
		{"listed", full{list: []backend.Extra{backend.ExtraProbe}}, []backend.Extra{backend.ExtraProbe}},
		{"wrapped", wrapper{wrapper{full{list: []backend.Extra{backend.ExtraWatch}}}}, []backend.Extra{backend.ExtraWatch}},
		{"nothing listed", full{}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := backend.Extras(test.s); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("Extras = %v, want %v", got, test.want)
			}
		})
	}
}
