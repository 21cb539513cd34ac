package admin

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// MaxCalled bounds the name that people give to a phone, in characters.
const MaxCalled = 64

// A RenameRequest gives a name to a phone, in place of what it says of itself; an
// empty one takes it back.
type RenameRequest struct {
	User   string `json:"user"`
	Device string `json:"device"`
	Name   string `json:"name"`
}

func (r RenameRequest) whose() (string, string, int64) { return r.User, r.Device, 0 }

// A Service is a backend as people know it: whether it answers.
type Service struct {
	Name string `json:"name"`
	Well bool   `json:"well"`
}

func (s *Server) rename(ctx context.Context, v *visit, r RenameRequest) (done Done, err error) {
	id, p, err := s.phoneNow(ctx, r.User, r.Device)
	if err != nil {
		return done, err
	}
	name := strings.Join(strings.Fields(r.Name), " ")
	if n := len([]rune(name)); n > MaxCalled || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return done, invalid("a phone's name has at most %d characters, and all of them can be seen", MaxCalled)
	}
	if err := s.Security.Call(ctx, id, name); err != nil {
		return done, err
	}
	v.changed(p.Called, name)
	if name == "" {
		return Done{"The phone is called again what it says of itself."}, nil
	}
	return Done{"The phone is called " + name + " now."}, nil
}

// servicesFor is how long it is believed whether backends answer: many people may
// look at the same time, and asking takes seconds where one does not.
const servicesFor = 20 * time.Second

// services remembers whether backends answer.
type services struct {
	mu   sync.Mutex
	list []Service
	when time.Time
}

func (s *Server) servicesNow(ctx context.Context, _ *visit, _ UserRequest) ([]Service, error) {
	known := &s.services
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.list != nil && time.Since(known.when) < servicesFor {
		return known.list, nil
	}
	list := []Service{}
	if s.Backends != nil {
		for _, b := range s.Backends(ctx) {
			list = append(list, Service{b.Name, b.Well})
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx) // who asked left, which says nothing of the backends
	}
	known.list, known.when = list, time.Now()
	return list, nil
}

// shows tells which folders a phone is shown.
func (s *Server) shows(ctx context.Context, p device.Phone) (func(syncengine.Folder) bool, error) {
	if s.Options.Choices == nil {
		return func(syncengine.Folder) bool { return true }, nil
	}
	return s.Options.Choices.For(ctx, choice.Phone{User: p.User, Device: p.Device, Type: p.Type})
}
