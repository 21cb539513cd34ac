package easserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// lastPing is the name under which a phone's Ping parameters are remembered.
const lastPing = "ping"

// A rememberedPing is what a Ping without a heartbeat or without folders
// refers to. The two are remembered separately.
type rememberedPing struct {
	Heartbeat int      `json:"heartbeat,omitempty"` // seconds
	Folders   []string `json:"folders,omitempty"`
}

// ping holds the phone until one of its folders changes, and answers which.
// See [MS-ASCMD] "Ping".
func (s *Server) ping(ctx context.Context, c *call) (answer, error) {
	want, p, refusal, err := s.wantedPing(ctx, c)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return s.pinged(c, *refusal), nil
	}
	if s.Devices.Stale(c.device) { // FolderSync is told what to do about it
		return s.pinged(c, eas.PingResponse{Status: eas.PingHierarchyChanged}), nil
	}
	_, quiet := p.quiet()
	topics := []hub.Topic{{User: c.phone.User}}
	l := s.lookAt(c, want.Folders)
	for _, id := range want.Folders {
		f, err := l.wanted(ctx, id)
		if errors.Is(err, syncengine.ErrNoFolder) {
			if quiet { // it is told when they are over
				continue
			}
			return s.pinged(c, eas.PingResponse{Status: eas.PingHierarchyChanged}), nil
		}
		if err != nil {
			return nil, err
		}
		t, err := l.topics(ctx, f)
		if err != nil {
			return nil, err
		}
		topics = append(topics, t...)
		if !p.wakes(f) { // it is looked after all the same, so that its news can be told with others
			p.rides = append(p.rides, topic(c.phone.User, f.ID))
		}
	}
	return &wait{
		topics: topics, heartbeat: time.Duration(want.Heartbeat) * time.Second, push: p,
		then: func(ctx context.Context, news []hub.Topic, err error) (answer, error) {
			switch {
			case errors.Is(err, hub.ErrReplaced), errors.Is(err, hub.ErrShutdown):
				return s.pinged(c, eas.PingResponse{Status: eas.PingExpired}), nil
			case errors.Is(err, device.ErrStale):
				return s.pinged(c, eas.PingResponse{Status: eas.PingHierarchyChanged}), nil
			case err != nil:
				return nil, err
			}
			return s.pinged(c, pingAnswer(s.withRides(ctx, c, p, news))), nil
		},
	}, nil
}

// pingAnswer tells of changes. A change of the hierarchy goes first: the phone
// pings again when it knows its folders.
func pingAnswer(news []hub.Topic) eas.PingResponse {
	r := eas.PingResponse{Status: eas.PingExpired}
	for _, t := range news {
		if t.Folder == 0 {
			return eas.PingResponse{Status: eas.PingHierarchyChanged}
		}
		r.Status = eas.PingChanges
		r.Folders = append(r.Folders, syncengine.FolderID(t.Folder).String())
	}
	return r
}

func (s *Server) pinged(c *call, r eas.PingResponse) answer {
	c.event.Status = int(r.Status)
	return r
}

// wantedPing reads the request, fills in what is remembered, and refuses what
// cannot be done; and it says what may wake the phone.
func (s *Server) wantedPing(ctx context.Context, c *call) (want rememberedPing, p *push, refusal *eas.PingResponse, err error) {
	var req eas.PingRequest
	if len(c.body) > 0 {
		if err := c.decode(&req); err != nil {
			return want, nil, nil, err
		}
	}
	stored, waits, err := s.Devices.RecallWaits(ctx, c.deviceID(), lastPing)
	if err != nil {
		return want, nil, nil, err
	}
	var before rememberedPing
	if stored != nil && json.Unmarshal(stored, &before) != nil {
		before = rememberedPing{} // of an earlier program: the phone is asked to say it again
	}
	bounds := s.boundsIn(c, waits.Networks)
	want = before
	if req.HeartbeatInterval != nil {
		want.Heartbeat = *req.HeartbeatInterval
	}
	if len(req.Folders) > 0 {
		want.Folders = nil
		for _, f := range req.Folders {
			want.Folders = append(want.Folders, f.ID)
		}
	}
	refusal = checkPing(bounds, want, req)
	text, err := json.Marshal(keptOfPing(bounds, before, want, refusal))
	if err != nil {
		return want, nil, nil, fmt.Errorf("easserver: remembering a Ping: %w", err)
	}
	if !bytes.Equal(text, stored) {
		err = s.Devices.Remember(ctx, c.deviceID(), lastPing, text)
	}
	return want, wantedPush(waits.Push), refusal, err
}

// keptOfPing is what is remembered: of a request that is refused the part that
// is in order, since the phone may send only the other one again.
func keptOfPing(bounds Heartbeat, before, want rememberedPing, refusal *eas.PingResponse) rememberedPing {
	if refusal != nil && refusal.Status == eas.PingSyntax {
		return before
	}
	if n := len(want.Folders); n > 0 && n <= MaxCollections {
		before.Folders = want.Folders
	}
	if least, most := inSeconds(bounds); want.Heartbeat >= least && want.Heartbeat <= most {
		before.Heartbeat = want.Heartbeat
	}
	return before
}

// checkPing is the statuses of [MS-ASCMD] "Status (Ping)" that concern the
// request itself.
func checkPing(bounds Heartbeat, want rememberedPing, req eas.PingRequest) *eas.PingResponse {
	seen := make(map[string]bool, len(want.Folders))
	for _, id := range want.Folders {
		if id == "" || len(id) > MaxID || seen[id] {
			return &eas.PingResponse{Status: eas.PingSyntax}
		}
		seen[id] = true
	}
	least, most := inSeconds(bounds)
	switch {
	case len(want.Folders) == 0, want.Heartbeat == 0 && req.HeartbeatInterval == nil:
		return &eas.PingResponse{Status: eas.PingMissing}
	case len(want.Folders) > MaxCollections:
		limit := MaxCollections
		return &eas.PingResponse{Status: eas.PingTooManyFolders, MaxFolders: &limit}
	case want.Heartbeat < least:
		return &eas.PingResponse{Status: eas.PingBadHeartbeat, HeartbeatInterval: &least}
	case want.Heartbeat > most:
		return &eas.PingResponse{Status: eas.PingBadHeartbeat, HeartbeatInterval: &most}
	}
	return nil
}
