package soak

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// ping waits once, and does what the answer asks for.
func (h *handset) ping(ctx context.Context) error {
	length := h.heartbeat.Next()
	body, err := h.pingBody(length)
	if err != nil {
		return err
	}
	t := &h.soak.tally
	up, down := h.line.up.Load(), h.line.down.Load()
	sent := false
	begin := time.Now()
	doc, err := h.line.ask(ctx, h.query(eas.CmdPing), body, length+grace, func() {
		if sent {
			return // once more, upon another connection
		}
		sent = true
		h.soak.waiting.Add(1)
		if !h.ready.Swap(true) {
			h.soak.ready.Add(1)
		}
	})
	now := time.Now()
	if sent {
		h.soak.waiting.Add(-1)
	}
	if err != nil {
		h.full = true
		h.heartbeat.Lost(causeOf(err), now.Sub(begin))
		return fmt.Errorf("soak: Ping: %w", err)
	}
	var answer eas.PingResponse
	if err := eas.Unmarshal(doc, &answer); err != nil {
		return errors.New("soak: Ping: an answer that cannot be read")
	}
	if answer.Status == eas.PingExpired && len(body) == 0 {
		t.idle(h.line.up.Load()-up, h.line.down.Load()-down)
	}
	h.full, h.asked = false, length
	return h.pinged(ctx, answer, now, now.Sub(begin))
}

// causeOf is why a Ping was lost.
func causeOf(err error) phone.Cause {
	var status *httpError
	if errors.As(err, &status) {
		return phone.ServerBusy
	}
	return phone.Silence
}

// pingBody is empty where the server remembers what the last one said.
func (h *handset) pingBody(length time.Duration) ([]byte, error) {
	if !h.full && length == h.asked {
		return nil, nil
	}
	seconds := int(length / time.Second)
	m := eas.PingRequest{HeartbeatInterval: &seconds}
	for _, f := range h.folders {
		m.Folders = append(m.Folders, eas.PingFolder{ID: f.id, Class: f.class})
	}
	return eas.Marshal(&m, h.soak.Version)
}

// pinged does what the answer to a Ping asks for.
func (h *handset) pinged(ctx context.Context, answer eas.PingResponse, at time.Time, after time.Duration) error {
	switch answer.Status {
	case eas.PingExpired:
		h.heartbeat.Lived(after)
		return nil
	case eas.PingChanges:
		h.heartbeat.Lived(after)
		h.soak.woken(h, at)
		var stale []folder
		for _, f := range h.folders {
			if slices.Contains(answer.Folders, f.id) {
				stale = append(stale, f)
			}
		}
		if len(stale) == 0 {
			return errors.New("soak: Ping: changes in folders that were not asked for")
		}
		err := h.sync(ctx, stale)
		for _, s := range stale {
			for i := range h.folders {
				if h.folders[i].id == s.id {
					h.folders[i].key = s.key
				}
			}
		}
		if errors.Is(err, errAnew) {
			h.folders = nil
		}
		return err
	case eas.PingBadHeartbeat:
		if answer.HeartbeatInterval == nil {
			return errors.New("soak: Ping: a heartbeat is refused, and none is named")
		}
		h.heartbeat.Bound(time.Duration(*answer.HeartbeatInterval) * time.Second)
		h.full = true
		return nil
	case eas.PingMissing:
		h.full = true
		return fmt.Errorf("soak: Ping: status %d", answer.Status)
	case eas.PingHierarchyChanged:
		h.folders = nil
		return nil
	}
	return fmt.Errorf("soak: Ping: status %d%s", answer.Status, hint(int(answer.Status)))
}

// woken counts a phone that was told of changes, from the first edit that it has
// not been brought.
func (s *soak) woken(h *handset, at time.Time) {
	if !s.counting.Load() {
		return
	}
	s.tally.woken.Add(1)
	if began, ok := h.person.at(h.seen.Load() + 1); ok {
		s.tally.ping.add(at.Sub(began))
	}
}
