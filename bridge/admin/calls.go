package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

func (s *Server) status(ctx context.Context, _ *visit, _ Nothing) (st Status, err error) {
	phones, err := s.Devices.Count(ctx)
	if err != nil {
		return st, err
	}
	holds, err := s.Engine.Held(ctx)
	if err != nil {
		return st, err
	}
	problems, err := s.Problems.List(ctx, "")
	if err != nil {
		return st, err
	}
	st = Status{
		Version: s.Version, Started: s.started, Phones: phones, Waiting: s.Waiting.Waiting(),
		Holds: len(holds), Problems: len(problems), Backends: []Backend{},
	}
	if s.Backends != nil {
		st.Backends = append(st.Backends, s.Backends(ctx)...)
	}
	return st, nil
}

func (s *Server) devices(ctx context.Context, _ *visit, r UserRequest) ([]Device, error) {
	phones, err := s.Devices.Phones(ctx, r.User)
	if err != nil {
		return nil, err
	}
	list := make([]Device, len(phones))
	for i, p := range phones {
		list[i] = s.deviceOf(p)
	}
	slices.SortStableFunc(list, func(a, b Device) int { return cmp.Compare(a.User, b.User) })
	return list, nil
}

// deviceOf is a phone as the API has it.
func (s *Server) deviceOf(p device.Phone) Device {
	d := Device{
		User: p.User, Device: p.Device, Type: p.Type, Model: p.Model, Name: p.FriendlyName, System: p.OS,
		UserAgent: p.UserAgent, Version: p.Version, FirstSeen: p.FirstSeen, LastSeen: p.LastSeen,
		Waiting: s.Waiting.Waits(p.User, p.Device),
		Policy:  s.standing(p), Wipe: wipeOf(p.Wipe), Says: says(p.Information),
	}
	d.AllowedBy, d.Called = p.Allowed.By, p.Called
	health, why := s.Security.Health(p, d.Waiting, time.Now())
	d.Health, d.Why = string(health), why
	if p.Revealed != (device.Allowed{}) {
		d.Revealed = &Revealed{p.Revealed.By, p.Revealed.When}
	}
	switch why, err := s.Security.Standing(p); {
	case errors.Is(err, device.ErrQuarantined):
		d.Quarantine = why
	case err != nil:
		d.Blocked = why
	}
	return d
}

func (s *Server) folders(ctx context.Context, _ *visit, r PhoneRequest) ([]Folder, error) {
	user, only := r.User, r.Device
	if user == "" {
		return nil, invalid("say whose folders: ?user=NAME")
	}
	phones, err := s.Devices.Phones(ctx, user)
	if err != nil {
		return nil, err
	}
	if only != "" {
		phones = slices.DeleteFunc(phones, func(p device.Phone) bool { return p.Device != only })
		if len(phones) == 0 {
			return nil, noDevice(user, only)
		}
	}
	folders, err := s.Engine.Folders(ctx, user)
	if err != nil {
		return nil, err
	}
	if len(phones) == 0 && len(folders) == 0 {
		return nil, notFound("Nobody named %q has used a phone here. The name is the one in the list of devices.", user)
	}
	shown := func(syncengine.Folder) bool { return true }
	if only != "" {
		if shown, err = s.shows(ctx, phones[0]); err != nil {
			return nil, err
		}
	}
	list := make([]Folder, len(folders))
	for i, f := range folders {
		list[i] = Folder{
			ID: int64(f.ID), Name: f.Name, Kind: string(f.Kind), Backend: f.Backend, Collection: string(f.Collection),
			Default: f.Default, ReadOnly: f.ReadOnly, Hidden: !shown(f),
		}
		if list[i].Items, err = s.Engine.Count(ctx, f.ID); err != nil {
			return nil, err
		}
		if list[i].Devices, err = s.holdings(ctx, phones, f.ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// holdings lists what phones have of a folder.
func (s *Server) holdings(ctx context.Context, phones []device.Phone, f syncengine.FolderID) ([]Holding, error) {
	list := []Holding{}
	for _, p := range phones {
		has, err := s.Engine.Inventory(ctx, syncengine.Phone{User: p.User, Device: p.Device}, f)
		if errors.Is(err, syncengine.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, Holding{Device: p.Device, Items: has.Items, Behind: has.Behind})
	}
	return list, nil
}

func (s *Server) holds(ctx context.Context, _ *visit, _ Nothing) ([]Hold, error) {
	held, err := s.Engine.Held(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Hold, len(held))
	for i, h := range held {
		list[i] = Hold{User: h.User, Folder: int64(h.Folder), Name: h.Name, Items: h.Items, Of: h.Of, Since: h.Since, Until: h.Until}
		if f, err := s.Engine.Folder(ctx, h.User, h.Folder); err == nil {
			list[i].Backend = f.Backend
		}
	}
	return list, nil
}

func (s *Server) release(ctx context.Context, _ *visit, req ReleaseRequest) (done Done, err error) {
	if req.User == "" || req.Folder <= 0 {
		return done, invalid("say whose folder and which: user and folder")
	}
	f, err := s.folder(ctx, req.User, req.Folder)
	if err != nil {
		return done, err
	}
	err = s.Engine.Release(ctx, req.User, f.ID)
	if errors.Is(err, syncengine.ErrNoHold) {
		return done, notFound("Nothing of folder %d (%s) of %s is held: either somebody released it, or the items came back, or a later listing said the same.", req.Folder, f.Name, req.User)
	}
	if err != nil {
		return done, err
	}
	return Done{fmt.Sprintf("The deletions in folder %d (%s) of %s pass; waiting phones are told at once.", req.Folder, f.Name, req.User)}, nil
}

func (s *Server) resync(ctx context.Context, _ *visit, req ResyncRequest) (done Done, err error) {
	if req.User == "" || req.Device == "" || req.Folder < 0 {
		return done, invalid("say whose phone and which: user and device")
	}
	if err := s.known(ctx, req.User, req.Device); err != nil {
		return done, err
	}
	what := "everything"
	if req.Folder != 0 {
		f, err := s.folder(ctx, req.User, req.Folder)
		if err != nil {
			return done, err
		}
		what = fmt.Sprintf("folder %d (%s)", req.Folder, f.Name)
	}
	soon := s.soon(req.User, req.Device) // asked first: what wakes the phone has it wait no more
	if err := s.Engine.Resync(ctx, syncengine.Phone{User: req.User, Device: req.Device}, syncengine.FolderID(req.Folder)); err != nil {
		return done, err
	}
	return Done{fmt.Sprintf("Phone %s of %s loads %s anew at its next request%s.", req.Device, req.User, what, soon)}, nil
}

// soon says when a phone's next request will be, if that is known.
func (s *Server) soon(user, device string) string {
	if s.Waiting.Waits(user, device) {
		return ", for which it was woken"
	}
	return ""
}

func (s *Server) problems(ctx context.Context, _ *visit, r UserRequest) ([]Problem, error) {
	list, err := s.Problems.List(ctx, r.User)
	if list == nil {
		list = []Problem{}
	}
	return list, err
}

func (s *Server) forget(ctx context.Context, v *visit, req ForgetRequest) (done Done, err error) {
	if req.User == "" || req.Device == "" {
		return done, invalid("say whose phone and which: user and device")
	}
	if err := s.known(ctx, req.User, req.Device); err != nil {
		return done, err
	}
	if err := s.mayForget(ctx, v, req); err != nil {
		return done, err
	}
	folders, err := s.Engine.Folders(ctx, req.User)
	if err != nil {
		return done, err
	}
	// What it was told goes first: a phone that is still in the register can be
	// forgotten once more if the second step fails.
	if err := s.Engine.ForgetPhone(ctx, syncengine.Phone{User: req.User, Device: req.Device}); err != nil {
		return done, err
	}
	err = s.transact(ctx, func(ctx context.Context) error { // an order may have been given meanwhile
		if err := s.mayForget(ctx, v, req); err != nil {
			return err
		}
		return s.Devices.Forget(ctx, device.ID{User: req.User, Device: req.Device})
	})
	if err != nil {
		return done, err
	}
	ids := make([]syncengine.FolderID, len(folders))
	for i, f := range folders {
		ids[i] = f.ID
	}
	s.Waiting.Wake(req.User, ids...) // everything is news to it now
	return Done{fmt.Sprintf("Phone %s of %s is forgotten. Should it come again, it begins anew.", req.Device, req.User)}, nil
}

// mayForget keeps an order to erase a phone from being lost with what is known of
// it, and people from bringing a phone of theirs back by forgetting it that
// administrators keep out.
func (s *Server) mayForget(ctx context.Context, v *visit, req ForgetRequest) error {
	p, err := s.Devices.Phone(ctx, device.ID{User: req.User, Device: req.Device})
	erased := p.Wipe.InForce() || p.Wipe.State == device.WipeRequested
	switch {
	case errors.Is(err, device.ErrUnknown): // somebody else forgot it
		return noDevice(req.User, req.Device)
	case err != nil:
		return err
	case v.alone && (p.Blocked || erased):
		return &Error{Refused, fmt.Sprintf("Phone %s is kept out, or is to be erased: an administrator has to let it in before it can be removed.", p.Device)}
	case erased:
		return invalid("Phone %s of %s is to be erased, of which it would not be told any more; take that back first: wipe --cancel.", p.Device, p.User)
	}
	return nil
}

// known fails unless a phone is in the register.
func (s *Server) known(ctx context.Context, user, id string) error {
	_, err := s.Devices.Phone(ctx, device.ID{User: user, Device: id})
	if errors.Is(err, device.ErrUnknown) {
		return noDevice(user, id)
	}
	return err
}

func noDevice(user, id string) error {
	return notFound("%q has no phone %q. The list of devices has the names of both, capital letters included.", user, id)
}

// folder finds a folder of a user.
func (s *Server) folder(ctx context.Context, user string, id int64) (syncengine.Folder, error) {
	f, err := s.Engine.Folder(ctx, user, syncengine.FolderID(id))
	if errors.Is(err, syncengine.ErrNoFolder) {
		return f, notFound("%q has no folder %d. The list of folders has their numbers.", user, id)
	}
	return f, err
}
