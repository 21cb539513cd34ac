package easserver

import (
	"context"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// A push is what an administrator wants of the waits of a phone. Nil, which is
// what nearly every phone has, wants nothing.
type push struct {
	device.Push
	rides []hub.Topic // that do not wake the phone, but are told when it is awake
}

// pushOf answers what may wake the phone of a call.
func (s *Server) pushOf(ctx context.Context, c *call) (*push, error) {
	p, err := device.PushOf(ctx, s.Devices.Store, c.deviceID())
	return wantedPush(p), err
}

// wantedPush is nil where nothing is wanted.
func wantedPush(p device.Push) *push {
	if !p.Only && p.Quiet == nil {
		return nil
	}
	return &push{Push: p}
}

// wakes tells whether a change in a folder may wake the phone.
func (p *push) wakes(f syncengine.Folder) bool {
	return p == nil || p.Wakes(int64(f.ID), string(f.Kind))
}

// waking are those topics whose news wake the phone.
func (p *push) waking(topics []hub.Topic) []hub.Topic {
	if p == nil || len(p.rides) == 0 {
		return topics
	}
	return slices.DeleteFunc(slices.Clone(topics), func(t hub.Topic) bool { return slices.Contains(p.rides, t) })
}

// quiet answers until when nothing may wake the phone, if nothing may now.
func (p *push) quiet() (time.Time, bool) {
	if p == nil {
		return time.Time{}, false
	}
	return p.Quiet.Until(time.Now())
}

// withRides adds to what wakes a phone, or to nothing at the end of its
// heartbeat, the news in folders that do not wake it: it is awake now. In quiet
// hours it is told of nothing. What cannot be found out is told another time.
func (s *Server) withRides(ctx context.Context, c *call, p *push, news []hub.Topic) []hub.Topic {
	if p == nil || len(p.rides) == 0 {
		return news
	}
	if _, quiet := p.quiet(); quiet {
		return news
	}
	more, err := s.newsIn(ctx, c, p.rides)
	if err != nil {
		s.Logger.WarnContext(ctx, "what does not wake a phone could not be looked at", "user", c.phone.User, "phone", c.phone.Device, "error", err)
		return news
	}
	return slices.Concat(news, more)
}
