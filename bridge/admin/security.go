package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
)

// wipe has a phone erased, or takes that back.
func (s *Server) wipe(ctx context.Context, v *visit, req WipeRequest) (done Done, err error) {
	id, err := s.phone(ctx, req.User, req.Device)
	if err != nil {
		return done, err
	}
	if req.Cancel {
		return s.cancelWipe(ctx, v, id)
	}
	before, err := s.Devices.Phone(ctx, id)
	if err != nil {
		return done, err
	}
	if err := s.reaches(ctx, id); err != nil {
		return done, err
	}
	order := device.WipeDevice
	if req.AccountOnly {
		order = device.WipeAccount
	}
	if v.alone && before.Wipe.By != v.Name && (before.Wipe.State == device.WipeRequested || before.Wipe.InForce() && before.Wipe.Order != order) {
		// In place of it theirs could be taken back.
		return done, &Error{Refused, "An administrator wants this phone erased otherwise; only one can change that."}
	}
	if !req.AccountOnly && v.alone && !s.OwnersWipe {
		return done, &Error{Refused, "Only an administrator can have a whole phone erased here. Erase this account on it alone, or ask one."}
	}
	p, err := s.Security.OrderWipe(ctx, id, order, v.Name, v.alone)
	switch {
	case errors.Is(err, device.ErrNeverFullWipe):
		return done, invalid("This server never has a whole phone erased (never_full_wipe in the configuration). Erase the account alone (--account-only), or block the phone.")
	case errors.Is(err, device.ErrOtherWipe):
		return done, invalid("Phone %s of %s is told to erase this account, and would be let in until a second person confirmed the new order. Take the old one back first (--cancel), and block the phone.", id.Device, id.User)
	case errors.Is(err, device.ErrNoAccountWipe):
		return done, invalid("Phone %s of %s speaks version %s of the protocol, in which one account alone cannot be erased; 16.1 can. Block it, or erase it as a whole.", id.Device, id.User, p.Version)
	case err != nil:
		return done, err
	}
	v.changed(before.Wipe, p.Wipe)
	if p.Wipe.State == device.WipeRequested {
		return Done{fmt.Sprintf("Two people have to want phone %s of %s erased, and %s does. Somebody else has to confirm it; until then nothing happens to the phone. Block it in the meantime, if it is lost.",
			id.Device, id.User, p.Wipe.By)}, nil
	}
	return s.wiping(v, p, req.AccountOnly), nil
}

// reaches fails where an order would not reach a phone. It looks at what is stored,
// since another change may not hold yet.
func (s *Server) reaches(ctx context.Context, id device.ID) error {
	if s.Rules == nil {
		return nil
	}
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	if _, yes := st.Listed[id.Device]; yes {
		return invalid("DeviceId %s is on the block list, so that the phone is refused before it could be told to erase itself. Take it off the list first.", id.Device)
	}
	return nil
}

// wiping wakes the phone, and says what happens.
func (s *Server) wiping(v *visit, p device.Phone, accountOnly bool) Done {
	id := p.ID
	when := "when it comes next"
	if s.Waiting.Waits(id.User, id.Device) {
		when = "at once: it waits, and is woken"
	}
	v.afterwards(func(context.Context) { s.Waiting.Order(id.User, id.Device, device.ErrWipe) })
	what, incident := "itself with everything that is on it", WipeOrdered
	if accountOnly {
		incident = AccountWipeOrdered
		what = "this account with its contacts, calendars, tasks, notes and mail"
	}
	s.tell(v, incident, p)
	return Done{fmt.Sprintf("Phone %s of %s is told to erase %s, %s. Afterwards it is blocked until it is allowed again. \"admin devices\" says how far it came; --cancel takes it back as long as it has not done it.",
		id.Device, id.User, what, when)}
}

// confirmWipe is the second person's word.
func (s *Server) confirmWipe(ctx context.Context, v *visit, r PhoneRequest) (done Done, err error) {
	id, before, err := s.phoneNow(ctx, r.User, r.Device)
	if err != nil {
		return done, err
	}
	if err := s.reaches(ctx, id); err != nil {
		return done, err
	}
	p, err := s.Security.ConfirmWipe(ctx, id, v.Name)
	switch {
	case errors.Is(err, device.ErrSamePerson):
		return done, &Error{Refused, fmt.Sprintf("%s wants phone %s of %s erased; somebody else has to confirm it.", before.Wipe.By, id.Device, id.User)}
	case errors.Is(err, device.ErrNoWipe):
		return done, notFound("Nothing about phone %s of %s waits to be confirmed%s.", id.Device, id.User, outcome(before.Wipe))
	case errors.Is(err, device.ErrNeverFullWipe):
		return done, invalid("This server never has a whole phone erased (never_full_wipe in the configuration).")
	case err != nil:
		return done, err
	}
	v.changed(before.Wipe, p.Wipe)
	return s.wiping(v, p, p.Wipe.Order == device.WipeAccount), nil
}

// expireWipe ends an order that a phone did not come for in time.
func (s *Server) expireWipe(ctx context.Context, v *visit, r PhoneRequest) (done Done, err error) {
	id, before, err := s.phoneNow(ctx, r.User, r.Device)
	if err != nil {
		return done, err
	}
	p, ended, err := s.Security.ExpireWipe(ctx, id)
	switch {
	case err != nil:
		return done, err
	case !ended:
		return done, notFound("No order to erase phone %s of %s is over.", id.Device, id.User)
	}
	v.changed(before.Wipe, p.Wipe)
	return Done{fmt.Sprintf("The order to erase phone %s of %s is over; the phone is kept out.", id.Device, id.User)}, nil
}

func (s *Server) cancelWipe(ctx context.Context, v *visit, id device.ID) (done Done, err error) {
	before, err := s.Devices.Phone(ctx, id)
	if err != nil {
		return done, err
	}
	if v.alone && before.Wipe.By != v.Name && (before.Wipe.InForce() || before.Wipe.State == device.WipeRequested) {
		return done, &Error{Refused, "An administrator ordered this phone erased; only one can take that back."}
	}
	p, err := s.Security.CancelWipe(ctx, id)
	if errors.Is(err, device.ErrNoWipe) {
		return done, notFound("No order to erase phone %s of %s is in force%s.", id.Device, id.User, outcome(p.Wipe))
	}
	if err != nil {
		return done, err
	}
	v.changed(before.Wipe, p.Wipe)
	if !p.Wipe.Sent.IsZero() {
		return Done{fmt.Sprintf("The order to erase phone %s of %s is taken back. The phone was told at %s, and may have begun.",
			id.Device, id.User, p.Wipe.Sent.UTC().Format(time.RFC3339))}, nil
	}
	return Done{fmt.Sprintf("The order to erase phone %s of %s is taken back; the phone never heard of it.", id.Device, id.User)}, nil
}

// outcome says what became of the last order.
func outcome(w device.Wipe) string {
	if w.State == "" {
		return ""
	}
	return fmt.Sprintf("; the last one is %s since %s", w.State, w.Ended.UTC().Format(time.RFC3339))
}

func (s *Server) block(ctx context.Context, v *visit, r AdmissionRequest) (done Done, err error) {
	id, err := s.phone(ctx, r.User, r.Device)
	if err != nil {
		return done, err
	}
	p, err := s.Devices.Phone(ctx, id)
	if err != nil {
		return done, err
	}
	if err := s.Security.Block(ctx, id, "blocked by "+v.Name+" at "+time.Now().UTC().Format(time.RFC3339)); err != nil {
		return done, err
	}
	why, _ := s.Security.Standing(p)
	v.changed(cmp.Or(why, "admitted"), "blocked")
	v.afterwards(func(context.Context) { s.Waiting.Order(id.User, id.Device, device.ErrBlocked) })
	return Done{fmt.Sprintf("Phone %s of %s is blocked: it gets nothing more. What it has stays on it.", id.Device, id.User)}, nil
}

func (s *Server) allow(ctx context.Context, v *visit, r AdmissionRequest) (done Done, err error) {
	id, p, err := s.phoneNow(ctx, r.User, r.Device)
	if err != nil {
		return done, err
	}
	if p.Wipe.InForce() {
		return done, invalid("Phone %s of %s is to be erased; take that back first: wipe --cancel.", id.Device, id.User)
	}
	if err := s.Security.Allow(ctx, id, v.Name); err != nil {
		return done, err
	}
	why, _ := s.Security.Standing(p)
	v.changed(cmp.Or(why, "admitted"), "admitted")
	v.afterwards(func(context.Context) { s.Waiting.Again(id.User, id.Device) }) // it may have waited for this
	if p, err = s.Devices.Phone(ctx, id); err != nil {
		return done, err
	}
	if why, err := s.Security.Standing(p); err != nil { // for all of the person's phones, or all of this DeviceId
		return Done{fmt.Sprintf("Phone %s of %s is allowed, and still kept out: %s.", id.Device, id.User, why)}, nil
	}
	return Done{fmt.Sprintf("Phone %s of %s may come in.", id.Device, id.User)}, nil
}

// phone makes sure that there is a phone.
func (s *Server) phone(ctx context.Context, user, name string) (device.ID, error) {
	if user == "" || name == "" {
		return device.ID{}, invalid("say whose phone and which: user and device")
	}
	return device.ID{User: user, Device: name}, s.known(ctx, user, name)
}

// phoneNow is a phone as it is now.
func (s *Server) phoneNow(ctx context.Context, user, name string) (id device.ID, p device.Phone, err error) {
	if id, err = s.phone(ctx, user, name); err != nil {
		return id, p, err
	}
	p, err = s.Devices.Phone(ctx, id)
	return id, p, err
}

// policy says what is asked of phones.
func (s *Server) policy(context.Context, *visit, Nothing) (Policy, error) {
	y := s.Security.PolicyFor(device.Phone{})
	p := Policy{Required: y.Require, Revision: y.Revision(), Settings: []Asked{}, Rules: []string{}}
	for _, name := range y.Document.Names() {
		setting, _ := policy.Find(name)
		p.Settings = append(p.Settings, Asked{name, y.Document[name], setting.Element, setting.Does})
	}
	for _, rule := range []struct {
		is   bool
		text string
	}{
		{y.Require && y.RefusePartial, "phones that apply only a part of it are kept out"},
		{y.Require && y.RefuseExternal, "phones that somebody else manages are kept out"},
		{y.Require && y.AllowUnprovisionable, "programs that know no policies are let in"},
		{!s.Security.FullWipes(), "no whole phone is ever erased"},
	} {
		if rule.is {
			p.Rules = append(p.Rules, rule.text)
		}
	}
	return p, nil
}

// standing says how a phone stands with the policy.
func (s *Server) standing(p device.Phone) string {
	y := s.Security.PolicyFor(p)
	if !y.Require {
		return ""
	}
	words := map[int]string{
		device.Applied: "accepted", device.PartlyApplied: "accepted in part", device.NotApplied: "refused",
		device.ManagedByOthers: "managed by somebody else",
	}[p.Policy.Status]
	switch {
	case p.Policy.Accepted == "" && words == "":
		words = "not yet accepted"
	case p.Policy.Accepted != "" && p.Policy.Accepted != y.Revision():
		words = "accepted an earlier one"
	case p.Policy.Accepted == "" && p.Policy.Status != device.NotApplied:
		words += ", which is not enough"
	}
	if l := p.Policy.Turns.Loop; l != "" {
		words += "; " + string(l) + " (since " + p.Policy.Turns.LoopSince.UTC().Format(time.RFC3339) + ")"
	}
	return words
}

// wipeOf is an order as the API has it.
func wipeOf(w device.Wipe) *Wipe {
	if w.State == "" {
		return nil
	}
	moment := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return &Wipe{AccountOnly: w.Order == device.WipeAccount, State: string(w.State), By: w.By, Ordered: w.Ordered,
		Sent: moment(w.Sent), Ended: moment(w.Ended), Tries: w.Tries, Second: w.Second, Expires: moment(w.Expires)}
}

// says is what else a phone says of itself, or nil.
func says(i device.Information) *Says {
	s := Says{IMEI: i.IMEI, Language: i.OSLanguage, PhoneNumber: i.PhoneNumber, Operator: i.Operator, Agent: i.Agent, OutboundSMS: i.OutboundSMS}
	if s == (Says{}) {
		return nil
	}
	return &s
}
