package easserver

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/fcgi"
)

const (
	// prompt is how soon a phone comes back that got its answer. One that got
	// none waits at least five seconds longer than its heartbeat.
	prompt = 4 * time.Second

	// patient is how long a phone at most waits for an answer that got lost.
	// One that comes still later was asleep, or away.
	patient = 90 * time.Second

	// shortest is the shortest wait from which anything is learnt: no network
	// cuts off sooner what is idle, but many phones lose it sooner.
	shortest = time.Minute

	// maxEndings bounds the waits that ended a moment ago: more phones than one
	// worker has.
	maxEndings = 1 << 18

	// crowd is how many phones hang up within a second when it is not they who
	// do, but the web server in front that is restarted.
	crowd = 50
)

// The ways in which a wait ends.
const (
	answered  = iota // its heartbeat was over, or there was news
	hungUp           // the phone did, or the network
	replaced         // by a newer request, while the connection seemed to be there
	replacing        // that newer request, which has just come
)

// An ending is how a phone's last wait ended. What it means shows when the phone
// comes back.
type ending struct {
	how    int8
	from   netip.AddrPort
	at     time.Time
	length time.Duration
}

// endings are those of the last minutes. The zero value is ready.
type endings struct {
	mu     sync.Mutex
	by     map[device.ID]ending
	swept  time.Time
	second time.Time // in which phones hang up
	hangs  int
}

// put notes an ending.
func (e *endings) put(id device.ID, end ending) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if end.how == hungUp && e.crowded(end.at) {
		return
	}
	if e.by == nil {
		e.by = make(map[device.ID]ending)
	}
	if end.at.Sub(e.swept) > patient || len(e.by) >= maxEndings {
		e.swept = end.at
		for id, old := range e.by {
			if end.at.Sub(old.at) > patient {
				delete(e.by, id)
			}
		}
	}
	if len(e.by) < maxEndings {
		e.by[id] = end
	}
}

// crowded counts one more that hangs up, and tells whether too many do.
func (e *endings) crowded(now time.Time) bool {
	if now.Sub(e.second) > time.Second {
		e.second, e.hangs = now, 0
	}
	e.hangs++
	return e.hangs > crowd
}

// take answers an ending that nobody took.
func (e *endings) take(id device.ID) (ending, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end, ok := e.by[id]
	if ok {
		delete(e.by, id)
	}
	return end, ok
}

// ended notes how a wait ended. What ends it from our side before its time says
// nothing of the network.
func (s *Server) ended(ctx context.Context, c *call, since time.Time, err error) {
	end := ending{from: c.from, at: time.Now(), length: time.Since(since)}
	switch {
	case errors.Is(err, fcgi.ErrHungUp), errors.Is(err, context.Canceled):
		end.how = hungUp
	case err == hub.ErrReplaced: //nolint:errorlint // wrapped it is not another request that took over
		end.how = replaced
	case err != nil:
		return
	}
	switch newer, ok := s.endings.take(c.deviceID()); {
	case ok && newer.how == replacing && end.how == replaced:
		s.judge(ctx, c, end, newer.from, newer.at, true)
	case end.length >= shortest && end.how != replaced:
		s.endings.put(c.deviceID(), end)
	}
}

// sits notes that a request begins to wait. If one of the same phone still does,
// the phone holds that one's connection for dead.
func (s *Server) sits(c *call) {
	if s.Hub.Waits(c.phone.User, c.phone.Device) {
		s.endings.put(c.deviceID(), ending{how: replacing, from: c.from, at: time.Now()})
	}
}

// heard takes from a phone's request what became of the answer before.
func (s *Server) heard(ctx context.Context, c *call) {
	if end, ok := s.endings.take(c.deviceID()); ok {
		s.judge(ctx, c, end, c.from, time.Now(), c.query.Command == eas.CmdPing)
	}
}

// judge finds out whether a wait lived, from when and where its phone came back.
// An answer arrived if the phone goes on upon the same connection, or at once. A
// phone that hangs up to send its owner's edit, or that moved to another network,
// says nothing of the old one.
func (s *Server) judge(ctx context.Context, c *call, end ending, from netip.AddrPort, at time.Time, waits bool) {
	late := at.Sub(end.at)
	net := device.NetworkOf(end.from.Addr())
	if end.length < shortest || late > patient || device.NetworkOf(from.Addr()) != net {
		return
	}
	alive := false
	switch {
	case end.how != answered && !waits:
		return
	case end.how == answered:
		alive = late <= prompt || end.from.Port() != 0 && from == end.from
	}
	ctx = context.WithoutCancel(ctx)
	all, err := device.NetworksOf(ctx, s.Devices.Store, c.deviceID())
	news := true
	if err == nil {
		if alive {
			all, news = all.Alive(net, end.length, at)
		} else {
			all = all.Dead(net, end.length, at)
		}
		if news {
			err = device.SetNetworks(ctx, s.Devices.Store, c.deviceID(), all)
		}
	}
	if err != nil { // the phone is served all the same
		s.Logger.WarnContext(ctx, "how long a phone's waits live could not be noted", "user", c.phone.User, "phone", c.phone.Device, "error", err)
	}
}

// bounds are those of the heartbeat for the phone of a call.
func (s *Server) bounds(ctx context.Context, c *call) (Heartbeat, error) {
	if !s.Heartbeat.Learn {
		return s.Heartbeat, nil
	}
	all, err := device.NetworksOf(ctx, s.Devices.Store, c.deviceID())
	if err != nil {
		return s.Heartbeat, err
	}
	return s.boundsIn(c, all), nil
}

// boundsIn is bounds for a phone of whose waits this was seen.
func (s *Server) boundsIn(c *call, all device.Networks) Heartbeat {
	h := s.Heartbeat
	if !h.Learn {
		return h
	}
	if most, because := all.Of(device.NetworkOf(c.from.Addr())).Cap(h, time.Now()); most > 0 {
		h.Max = most
		c.note(slog.Duration("heartbeat_max", most), slog.String("heartbeat_because", because))
	}
	return h
}

// clientAddress is where a request comes from; its port is 0 where the web
// server does not say it.
func clientAddress(remote string) netip.AddrPort {
	if p, err := netip.ParseAddrPort(remote); err == nil {
		return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
	}
	return netip.AddrPortFrom(account.ClientAddress(remote), 0)
}
