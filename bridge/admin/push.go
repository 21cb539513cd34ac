package admin

import (
	"context"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Heartbeat is how long a phone's waits live.
type Heartbeat struct {
	User     string    `json:"user"`
	Device   string    `json:"device"`
	Min      int       `json:"min"`      // seconds, of what is granted
	Max      int       `json:"max"`      // without a cap
	Learn    bool      `json:"learn"`    // caps are applied
	Networks []Network `json:"networks"` // the one seen last first
}

// A Network is what was seen of a phone's waits in one network.
type Network struct {
	device.Network
	Cap     int       `json:"cap,omitempty"`     // the longest that is believed to live, seconds; 0 means no bound is known
	Because string    `json:"because,omitempty"` // why
	Until   time.Time `json:"until,omitzero"`    // when that is no longer believed
}

// A Push is what may wake a phone.
type Push struct {
	User   string `json:"user"`
	Device string `json:"device"`
	device.Push
	Text string `json:"text"` // the same in a sentence
}

// A PushRequest says what may wake a phone. What it does not mention stays.
type PushRequest struct {
	User   string `json:"user"`
	Device string `json:"device"`

	SetFolders bool     `json:"set_folders,omitempty"` // the next three hold
	All        bool     `json:"all,omitempty"`         // every folder wakes it
	Folders    []int64  `json:"folders,omitempty"`     // only these do, and
	Kinds      []string `json:"kinds,omitempty"`       // only these kinds

	SetQuiet bool   `json:"set_quiet,omitempty"` // the next two hold
	Quiet    string `json:"quiet,omitempty"`     // "22:00-07:00"; empty means no quiet hours
	Zone     string `json:"zone,omitempty"`      // IANA; empty means that of before, else UTC
}

func (r PushRequest) whose() (string, string, int64) { return r.User, r.Device, 0 }

func (s *Server) heartbeat(ctx context.Context, _ *visit, r PhoneRequest) (h Heartbeat, err error) {
	id, err := s.phone(ctx, r.User, r.Device)
	if err != nil {
		return h, err
	}
	all, err := device.NetworksOf(ctx, s.Devices, id)
	if err != nil {
		return h, err
	}
	b := s.Heartbeat
	h = Heartbeat{User: id.User, Device: id.Device, Min: int(b.Min / time.Second), Max: int(b.Max / time.Second),
		Learn: b.Learn, Networks: make([]Network, len(all))}
	for i, n := range all {
		most, because := n.Cap(b, time.Now())
		h.Networks[i] = Network{Network: n, Cap: int(most / time.Second), Because: because}
		if most > 0 {
			h.Networks[i].Until = n.Lost.Add(device.Believed)
		}
	}
	return h, nil
}

func (s *Server) push(ctx context.Context, _ *visit, r PhoneRequest) (Push, error) {
	id, err := s.phone(ctx, r.User, r.Device)
	if err != nil {
		return Push{}, err
	}
	p, err := device.PushOf(ctx, s.Devices, id)
	return Push{id.User, id.Device, p, p.String()}, err
}

func (s *Server) setPush(ctx context.Context, v *visit, req PushRequest) (Push, error) {
	id, err := s.phone(ctx, req.User, req.Device)
	if err != nil {
		return Push{}, err
	}
	p, err := device.PushOf(ctx, s.Devices, id)
	if err != nil {
		return Push{}, err
	}
	before := p.String()
	if err := s.change(ctx, &p, req); err != nil {
		return Push{}, err
	}
	if err := p.Check(); err != nil {
		return Push{}, invalid("%v", err)
	}
	if err := device.SetPush(ctx, s.Devices, id, p); err != nil {
		return Push{}, err
	}
	v.changed(before, p.String())
	v.afterwards(func(context.Context) { s.Waiting.Again(id.User, id.Device) }) // so that it waits by the new rules
	return Push{id.User, id.Device, p, p.String()}, nil
}

// change puts a request over what held before.
func (s *Server) change(ctx context.Context, p *device.Push, req PushRequest) error {
	if req.SetFolders {
		if err := s.namesFolders(ctx, req); err != nil {
			return err
		}
		p.Only, p.Folders, p.Kinds = !req.All, req.Folders, req.Kinds
	}
	switch {
	case req.SetQuiet && req.Quiet == "":
		p.Quiet = nil
	case req.SetQuiet:
		zone := req.Zone
		if zone == "" && p.Quiet != nil {
			zone = p.Quiet.Zone
		}
		q, err := device.ParseQuiet(req.Quiet, zone)
		if err != nil {
			return invalid("%v", err)
		}
		p.Quiet = q
	case req.Zone != "" && p.Quiet == nil:
		return invalid("a zone without quiet hours says nothing")
	case req.Zone != "":
		q := *p.Quiet
		q.Zone = req.Zone
		p.Quiet = &q
	}
	return nil
}

// pushKinds are the kinds of folders that may be named.
var pushKinds = []string{string(backend.Contacts), string(backend.Events), string(backend.Tasks), string(backend.Notes), string(backend.Mail)}

// namesFolders refuses folders that are not there, and kinds that nobody knows.
func (s *Server) namesFolders(ctx context.Context, req PushRequest) error {
	if req.All && len(req.Folders)+len(req.Kinds) > 0 {
		return invalid("either all folders or some")
	}
	for _, k := range req.Kinds {
		if !slices.Contains(pushKinds, k) {
			return invalid("%.40q is neither a kind of folder (%v) nor the number of one", k, pushKinds)
		}
	}
	for _, f := range req.Folders {
		if _, err := s.folder(ctx, req.User, f); err != nil {
			return err
		}
	}
	return nil
}
