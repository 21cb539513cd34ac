package bridge

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/host"
)

// The socket of the control door inside the state directory, unless the
// configuration names another one or none.
const (
	adminSocket = "admin.sock"
	adminOff    = "off"
)

// AdminListen says where a configuration wants the control door, as
// fcgi.Listen takes it; empty means nowhere. Whoever may open the door can do
// everything, so that only its owner may, or a group if one is named.
func AdminListen(f config.File) string {
	switch {
	case f.Admin == adminOff, f.Admin == "" && f.State == Memory:
		return ""
	case f.Admin == "":
		return "unix:" + filepath.Join(f.State, adminSocket) + "?mode=0600"
	case strings.Contains(f.Admin, "mode="):
		return f.Admin
	case strings.Contains(f.Admin, "?"):
		return f.Admin + "&mode=0660"
	}
	return f.Admin + "?mode=0600"
}

// AdminSocket is the path of the control door, or empty if there is none.
func AdminSocket(f config.File) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(AdminListen(f), "unix:"), "?")
	return path
}

// listenAdmin opens the control door. One that nobody asked for by name and
// that cannot be opened is done without: phones matter more.
func (b *Bridge) listenAdmin() (net.Listener, error) {
	spec := AdminListen(b.config)
	if spec == "" {
		return nil, nil
	}
	l, err := fcgi.Listen(spec)
	if err != nil && b.config.Admin == "" {
		b.logger.Warn(`there is no control door, so that "pushbridge admin" does not work; say where it may be: admin = "unix:/run/pushbridge/admin.sock", or admin = "off"`, "error", err)
		return nil, nil
	}
	return l, err
}

// newDoor builds what answers at the control door.
func (b *Bridge) newDoor(version string) *admin.Server {
	return admin.New(admin.Options{
		Engine: b.engine, Devices: b.store.Phones(), Security: b.devices, Problems: b.problems, Waiting: waiting{b.hub},
		Activity: b.activity, Tell: b.tell, Heartbeat: b.bounds(), Rules: b.rules, Roster: b.roster, OwnersWipe: b.config.Policy.OwnersWipe, Audit: audit.New(b.store.Audit()), Transact: b.store.Transact,
		Backends: b.states, Tracer: b.tracer, Choices: b.choices, Version: version, Logger: b.logger,
	})
}

// waiting is the hub as the administration sees it.
type waiting struct{ *hub.Hub }

// Wake implements admin.Waiting.
func (w waiting) Wake(user string, folders ...syncengine.FolderID) {
	topics := []hub.Topic{{User: user}}
	for _, f := range folders {
		topics = append(topics, hub.Topic{User: user, Folder: int64(f)})
	}
	w.Publish(topics...)
}

// errAgain ends a wait as if its heartbeat were over.
var errAgain = fmt.Errorf("bridge: an administrator wants the phone to come again: %w", hub.ErrReplaced)

// Again implements admin.Waiting.
func (w waiting) Again(user, device string) bool { return w.Order(user, device, errAgain) }

// bounds are those of the heartbeat.
func (b *Bridge) bounds() device.Bounds {
	h := b.config.Heartbeat
	return device.Bounds{Min: h.Min, Default: h.Default, Max: h.Max, Learn: h.Learn}
}

// stateTime bounds how long a person who asks how the backends are waits for
// one that does not answer.
const stateTime = 5 * time.Second

// states asks every backend whether it is there, as Check does.
func (b *Bridge) states(ctx context.Context) []admin.Backend {
	ctx, cancel := context.WithTimeout(ctx, stateTime)
	defer cancel()
	list := make([]admin.Backend, len(b.backends))
	var asking sync.WaitGroup
	for i, named := range b.backends {
		s := &list[i]
		s.Name, s.Sources = named.Name, b.sourcesOf(named)
		for _, c := range b.config.Backends {
			if c.Name == named.Name {
				s.Plugin = c.Plugin
			}
		}
		if p, ok := named.Backend.(*host.Plugin); ok {
			s.Restarts = p.Restarts()
		}
		asking.Go(func() {
			open, err := letsIn(ctx, named.Backend, backend.Credentials{})
			switch s.Well = err == nil; {
			case err != nil:
				s.Detail = err.Error()
			case open:
				s.Detail = "asks nobody for a password"
			}
		})
	}
	asking.Wait()
	return list
}
