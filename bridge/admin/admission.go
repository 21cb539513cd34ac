package admin

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
)

// Admission says who may come in.
type Admission = rulebook.Admission

// An AdmissionChange changes who may come in. What it does not mention stays.
type AdmissionChange struct {
	Default   *rulebook.Action `json:"default,omitempty"`
	Everybody bool             `json:"everybody,omitempty"` // the default is for phones that came before, too

	Rules  *[]rulebook.Rule `json:"rules,omitempty"`  // in place of those that there are
	Insert *rulebook.Rule   `json:"insert,omitempty"` // one more
	At     int              `json:"at,omitempty"`     // its number; 0 means behind the others
	Remove int              `json:"remove,omitempty"` // the number of one that goes

	MaxDevices *int `json:"max_devices,omitempty"`
}

// A PersonRequest decides for a person. What it does not mention stays.
type PersonRequest struct {
	User       string `json:"user"`
	Off        *bool  `json:"off,omitempty"`
	Why        string `json:"why,omitempty"`         // with Off
	MaxDevices *int   `json:"max_devices,omitempty"` // 0 means as for everybody
}

func (r PersonRequest) whose() (string, string, int64) { return r.User, "", 0 }

// A Person is somebody with phones, or for whom something was decided.
type Person struct {
	User       string     `json:"user"`
	Phones     int        `json:"phones"`
	MaxPhones  int        `json:"max_phones"`
	Off        bool       `json:"off"`
	Why        string     `json:"why,omitempty"`
	Since      *time.Time `json:"since,omitempty"`
	Groups     []string   `json:"groups"`
	MaxDevices int        `json:"max_devices,omitempty"` // that was decided for this person
}

// A Listed device is on the block list.
type Listed struct {
	Device string `json:"device"`
	rulebook.Listing
}

// A ListRequest puts a DeviceId on the block list, or takes it off.
type ListRequest struct {
	Device string `json:"device"`
	Why    string `json:"why,omitempty"`
	Remove bool   `json:"remove,omitempty"`
}

func (AdmissionChange) about() string { return "admission" }

func (r ListRequest) about() string { return "DeviceId " + r.Device }

func (s *Server) admission(ctx context.Context, _ *visit, _ Nothing) (Admission, error) {
	st, err := s.state(ctx)
	if err != nil {
		return Admission{}, err
	}
	a := st.Admission
	a.Rules = some(a.Rules)
	return a, nil
}

func (s *Server) setAdmission(ctx context.Context, v *visit, r AdmissionChange) (Edited, error) {
	return s.edit(ctx, v, "Who may come in is changed; phones that wait are told of what that means for them.", func(st *rulebook.State) error {
		a := &st.Admission
		if r.Default != nil && (*r.Default != a.Default || r.Everybody != a.Everybody) {
			a.Default, a.Everybody, a.Since = *r.Default, r.Everybody, time.Now().UTC()
		}
		if r.Rules != nil {
			a.Rules = *r.Rules
		}
		if r.Remove != 0 {
			if r.Remove < 1 || r.Remove > len(a.Rules) {
				return notFound("There is no rule %d; there are %d.", r.Remove, len(a.Rules))
			}
			a.Rules = slices.Delete(slices.Clone(a.Rules), r.Remove-1, r.Remove)
		}
		if r.Insert != nil {
			at := r.At - 1
			if r.At == 0 {
				at = len(a.Rules)
			}
			if at < 0 || at > len(a.Rules) {
				return invalid("a rule cannot be number %d: there are %d", r.At, len(a.Rules))
			}
			a.Rules = slices.Insert(slices.Clone(a.Rules), at, *r.Insert)
		}
		if r.MaxDevices != nil {
			a.MaxDevices = *r.MaxDevices
		}
		return nil
	})
}

// queue lists the phones that wait to be let in, the one that came first first.
func (s *Server) queue(ctx context.Context, v *visit, _ Nothing) ([]Device, error) {
	all, err := s.devices(ctx, v, UserRequest{})
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(all, func(d Device) bool { return d.Quarantine == "" })
	slices.SortStableFunc(list, func(a, b Device) int { return a.FirstSeen.Compare(b.FirstSeen) })
	return list, nil
}

func (s *Server) people(ctx context.Context, _ *visit, r UserRequest) ([]Person, error) {
	st, err := s.state(ctx)
	if err != nil {
		return nil, err
	}
	phones, err := s.Devices.Phones(ctx, r.User)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for user := range st.People {
		if r.User == "" || r.User == user {
			count[user] = 0
		}
	}
	for _, p := range phones {
		count[p.User]++
	}
	ready, list := s.Rules.Present(), []Person{}
	for _, user := range keys(count) {
		d := st.People[user]
		p := Person{User: user, Phones: count[user], MaxPhones: ready.MaxPhones(user), Off: d.Off, Why: d.Why, MaxDevices: d.MaxDevices, Groups: []string{}}
		if d.Off {
			p.Since = &d.Since
		}
		for _, m := range ready.Groups(user) {
			p.Groups = append(p.Groups, m.Group)
		}
		list = append(list, p)
	}
	return list, nil
}

func (s *Server) setPerson(ctx context.Context, v *visit, r PersonRequest) (Edited, error) {
	if r.User == "" {
		return Edited{}, invalid("say who: user")
	}
	text := fmt.Sprintf("What was decided for %s is changed; phones that wait are told of what that means for them.", r.User)
	phones, err := s.Devices.Phones(ctx, r.User)
	if err != nil {
		return Edited{}, err
	}
	if len(phones) == 0 { // which may be meant, and may be another name than the one in the list
		text = fmt.Sprintf("What was decided for %s is changed. Nobody of that name has used a phone here so far; the list of devices has the names of those who did.", r.User)
	}
	return s.edit(ctx, v, text, func(st *rulebook.State) error {
		p := st.People[r.User]
		switch {
		case r.Off == nil:
		case *r.Off && (!p.Off || p.Why != r.Why):
			p.Off, p.Why, p.Since = true, r.Why, time.Now().UTC()
		case !*r.Off:
			p.Off, p.Why, p.Since = false, "", time.Time{}
		}
		if r.MaxDevices != nil {
			p.MaxDevices = *r.MaxDevices
		}
		st.People[r.User] = p
		return nil
	})
}

func (s *Server) blockList(ctx context.Context, _ *visit, _ Nothing) ([]Listed, error) {
	st, err := s.state(ctx)
	if err != nil {
		return nil, err
	}
	list := []Listed{}
	for _, id := range keys(st.Listed) {
		list = append(list, Listed{id, st.Listed[id]})
	}
	return list, nil
}

func (s *Server) setListed(ctx context.Context, v *visit, r ListRequest) (Edited, error) {
	if r.Device == "" {
		return Edited{}, invalid("say which: device")
	}
	if r.Remove {
		return s.edit(ctx, v, fmt.Sprintf("DeviceId %s is off the block list.", r.Device), func(st *rulebook.State) error {
			if _, ok := st.Listed[r.Device]; !ok {
				return notFound("DeviceId %q is not on the block list.", r.Device)
			}
			delete(st.Listed, r.Device)
			return nil
		})
	}
	phones, err := s.Devices.Phones(ctx, "")
	if err != nil {
		return Edited{}, err
	}
	for _, p := range phones {
		if p.Device == r.Device && p.Wipe.InForce() {
			return Edited{}, invalid("Phone %s of %s is to be erased, of which it could not be told any more; wait until it has done it, or take that back first.", p.Device, p.User)
		}
	}
	text := fmt.Sprintf("DeviceId %s is on the block list: whoever uses it is refused before anything else is looked at.", r.Device)
	return s.edit(ctx, v, text, func(st *rulebook.State) error {
		if _, ok := st.Listed[r.Device]; ok {
			return invalid("DeviceId %q is on the block list already.", r.Device)
		}
		st.Listed[r.Device] = rulebook.Listing{Why: r.Why, By: v.Name, When: time.Now().UTC()}
		return nil
	})
}
