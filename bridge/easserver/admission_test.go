package easserver_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// boss may do everything.
var boss = admin.Actor{Name: "jane", Roles: admin.AllRoles, Address: "192.0.2.1"}

// do is an operation as boss, which works.
func do[Q, A any](t *testing.T, h *bridgetest.House, op admin.Op[Q, A], request Q) A {
	t.Helper()
	answer, err := op.Do(t.Context(), h.Bridge.Door(), boss, request)
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	return answer
}

// device looks a phone up.
func inRegister(t *testing.T, h *bridgetest.House, id string) admin.Device {
	t.Helper()
	for _, d := range do(t, h, admin.OpDevices, admin.UserRequest{}) {
		if d.Device == id {
			return d
		}
	}
	t.Fatalf("there is no phone %s", id)
	return admin.Device{}
}

// ping lets a phone wait, and answers how that ends.
func ping(t *testing.T, p *phone.Phone) <-chan eas.PingStatus {
	ended := make(chan eas.PingStatus, 1)
	go func() { ended <- (<-pinging(t, p)).Status }()
	return ended
}

// pinging lets a phone wait, and answers what it is told in the end.
func pinging(t *testing.T, p *phone.Phone) <-chan eas.PingResponse {
	answered := make(chan eas.PingResponse, 1)
	go func() {
		r, err := p.Ping(t.Context(), 50*time.Minute)
		if err != nil {
			t.Errorf("Ping: %v", err)
		}
		answered <- r
	}()
	return answered
}

// A new phone in quarantine gets its folders and one message, waits, is let in,
// and then has everything, without that anybody touches it.
func TestQuarantine(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		known := h.Phone(v, "known", phone.Settings{})
		bridgetest.Sync(t, known)
		quarantine := rulebook.Quarantine
		do(t, h, admin.OpSetAdmission, admin.AdmissionChange{Default: &quarantine})
		if d := inRegister(t, h, "known"); d.Quarantine != "" {
			t.Errorf("a phone that came before is in quarantine: %s", d.Quarantine)
		}
		bridgetest.Sync(t, known)

		p := h.Phone(v, "fresh", phone.Settings{Classes: []string{"Email", "Contacts", "Calendar", "Tasks"}})
		bridgetest.Sync(t, p)
		bridgetest.Sync(t, p)
		checkQuarantined(t, p)
		queue := do(t, h, admin.OpQueue, admin.Nothing{})
		if len(queue) != 1 || queue[0].Device != "fresh" || queue[0].Quarantine == "" {
			t.Errorf("the queue is %+v", queue)
		}
		checkNothingElse(t, h, v)

		ended := ping(t, p)
		awaitWaiting(t, h, 1)
		h.Store("contacts", "news.vcf", bridgetest.Card("news", "News")) // of which it hears nothing
		do(t, h, admin.OpAllow, admin.AdmissionRequest{User: bridgetest.User, Device: "fresh"})
		if got := soon(t, ended); got != eas.PingExpired {
			t.Errorf("the Ping ended with status %d, want 1", got)
		}
		if got := soon(t, ping(t, p)); got != eas.PingChanges {
			t.Errorf("the next Ping ended with status %d, want 2", got)
		}
		bridgetest.Sync(t, p)
		for _, f := range p.Folders() {
			if _, still := f.Items["quarantine"]; still {
				t.Errorf("the message is still in %s", f.DisplayName)
			}
		}
		if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != 4 {
			t.Errorf("the phone that was let in holds %d contacts, want 4", n)
		}
		if d := inRegister(t, h, "fresh"); d.Quarantine != "" || d.AllowedBy != "jane" {
			t.Errorf("it stands there as %+v", d)
		}
	})
}

// checkQuarantined looks what a phone in quarantine holds.
func checkQuarantined(t *testing.T, p *phone.Phone) {
	t.Helper()
	items, folders := 0, p.Folders()
	for _, f := range folders {
		items += len(f.Items)
		for _, item := range f.Items {
			if subject, _ := item.Text(tag.EmailSubject); f.Class != "Email" || !strings.Contains(subject, "waits to be let in") {
				t.Errorf("it holds %v in %s", item, f.DisplayName)
			}
		}
	}
	if items != 1 || len(folders) < 4 {
		t.Errorf("it holds %d items in %d folders, want one item", items, len(folders))
	}
}

// checkNothingElse tries to take something out of quarantine, or to put something
// in.
func checkNothingElse(t *testing.T, h *bridgetest.House, v eas.Version) {
	t.Helper()
	r := &raw{t, h.Client(v, "fresh"), nil}
	before := len(h.Backend.Items(bridgetest.User, "contacts"))
	for command, m := range map[eas.Command]any{
		eas.CmdSearch:       &eas.SearchRequest{},
		eas.CmdMoveItems:    &eas.MoveItemsRequest{},
		eas.CmdFolderCreate: &eas.FolderCreateRequest{SyncKey: "1", ParentID: "0", DisplayName: "Mine", Type: eas.FolderUserContacts},
	} {
		status, text := r.ask(command, m)
		if v < eas.V140 && status != http.StatusForbidden || v >= eas.V140 && !strings.Contains(text, "<Status>129</Status>") {
			t.Errorf("%s in quarantine is answered HTTP status %d and\n%s", command, status, text)
		}
	}
	c := bridgetest.FolderOf(t, mustFolders(t, h, v), "Contacts")
	_, text := r.ask(eas.CmdSync, &eas.SyncRequest{Collections: []eas.SyncCollection{{Class: "Contacts", SyncKey: "Q1", CollectionID: c.ServerID,
		Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "1", Data: eas.Properties{eas.T(tag.ContactsFileAs, "x")}}}}}})
	if !strings.Contains(text, "<Status>5</Status>") {
		t.Errorf("an edit in quarantine is answered\n%s\nwant status 5, so that the phone keeps it", text)
	}
	for name, o := range map[string]eas.OofRequest{
		"is read":    {Get: &eas.OofGet{BodyType: "TEXT"}},
		"is changed": {Set: &eas.Oof{OofState: ptr(1), Messages: []eas.OofMessage{{AppliesToInternal: true, Enabled: ptr(true), ReplyMessage: "Write to me elsewhere", BodyType: "TEXT"}}}},
	} {
		if v < eas.V120 {
			break // which knows no Settings
		}
		res, err := h.Client(v, "fresh").Settings(t.Context(), eas.SettingsRequest{Oof: &o})
		if err != nil || res.Oof == nil || res.Oof.Status != eas.SettingsDenied || res.Oof.Get != nil {
			t.Errorf("what is answered while somebody is away %s in quarantine: %+v, %v", name, res.Oof, err)
		}
	}
	if after := len(h.Backend.Items(bridgetest.User, "contacts")); after != before {
		t.Errorf("there are %d contacts, before there were %d", after, before)
	}
}

// mustFolders is a phone in quarantine that has its folders.
func mustFolders(t *testing.T, h *bridgetest.House, v eas.Version) *phone.Phone {
	t.Helper()
	p := h.Phone(v, "fresh", phone.Settings{})
	if _, err := p.FolderSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// A phone that was served and comes into quarantine keeps what it has and what
// its owner edited meanwhile, and goes on where it was.
func TestIntoQuarantineAndOut(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		do(t, h, admin.OpSetAdmission, admin.AdmissionChange{Insert: &rulebook.Rule{Action: rulebook.Quarantine, Type: "TEST"}})
		h.Store("contacts", "news.vcf", bridgetest.Card("news", "News"))
		if _, err := p.Sync(t.Context()); err != nil {
			t.Fatalf("in quarantine: %v", err)
		}
		if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != 3 {
			t.Errorf("in quarantine it holds %d contacts, want the 3 that it had", n)
		}
		do(t, h, admin.OpSetAdmission, admin.AdmissionChange{Remove: 1})
		events := bridgetest.Sync(t, p)
		if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != 4 || len(events) != 1 {
			t.Errorf("afterwards it holds %d contacts after %d events, want 4 after 1: it goes on where it was", n, len(events))
		}
	})
}

// Rules decide in their order; what was decided for a phone goes before them, and
// the block list before everything.
func TestAdmissionOfPhones(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	v := eas.V161
	p := h.Phone(v, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	is := func(when string, want error, status eas.Status) {
		t.Helper()
		_, err := p.FolderSync(t.Context())
		refused, _ := errors.AsType[*phone.StatusError](err)
		switch {
		case want == nil && err != nil, want != nil && (refused == nil || refused.Status != int(status)):
			t.Errorf("%s: the phone is answered %v, want %v", when, err, want)
		}
	}
	set := func(r ...rulebook.Rule) {
		t.Helper()
		do(t, h, admin.OpSetAdmission, admin.AdmissionChange{Rules: &r})
	}
	me := admin.AdmissionRequest{User: bridgetest.User, Device: "phone1"}
	set(rulebook.Rule{Action: rulebook.Allow, Device: "phone?"}, rulebook.Rule{Action: rulebook.Block, User: "a*"})
	is("the first rule allows", nil, 0)
	set(rulebook.Rule{Action: rulebook.Block, User: "a*"}, rulebook.Rule{Action: rulebook.Allow, Device: "phone?"})
	is("the first rule blocks", device.ErrBlocked, eas.DeviceIsBlockedForThisUser)
	do(t, h, admin.OpAllow, me)
	is("an administrator allows", nil, 0)
	do(t, h, admin.OpBlock, me)
	set()
	is("an administrator blocks", device.ErrBlocked, eas.DeviceIsBlockedForThisUser)
	do(t, h, admin.OpAllow, me)
	off, on := true, false
	do(t, h, admin.OpSetPerson, admin.PersonRequest{User: bridgetest.User, Off: &off, Why: "on leave"})
	is("switched off", device.ErrUserOff, eas.UserDisabledForSync)
	if d := inRegister(t, h, "phone1"); !strings.Contains(d.Blocked, "on leave") {
		t.Errorf("it is blocked because %q", d.Blocked)
	}
	do(t, h, admin.OpSetPerson, admin.PersonRequest{User: bridgetest.User, Off: &on})
	is("switched on", nil, 0)
	one := 1
	do(t, h, admin.OpSetPerson, admin.PersonRequest{User: bridgetest.User, MaxDevices: &one})
	is("one phone is enough", nil, 0)
	other := h.Phone(v, "phone2", phone.Settings{})
	if _, err := other.FolderSync(t.Context()); err == nil || !strings.Contains(err.Error(), "177") {
		t.Errorf("a second phone is answered %v, want status 177", err)
	}
}

// Who is on the block list is refused before a password is looked at.
func TestBlockListComesFirst(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		ended := make(chan error, 1)
		go func() {
			res, err := p.Ping(t.Context(), 50*time.Minute)
			if err == nil && res.Status < 100 {
				t.Errorf("the phone that waited is answered status %d", res.Status)
			}
			ended <- err
		}()
		awaitWaiting(t, h, 1)
		do(t, h, admin.OpSetListed, admin.ListRequest{Device: "phone1", Why: "stolen"})
		soon(t, ended)
		wrong := h.Client(v, "phone1")
		wrong.Password = "wrong"
		_, err := wrong.FolderSync(t.Context(), eas.FolderSyncRequest{SyncKey: "0"})
		if status, _ := httpStatus(t, err); status != http.StatusForbidden {
			t.Errorf("with a wrong password it is answered %v, want HTTP status 403", err)
		}
		if _, err := admin.OpWipe.Do(t.Context(), h.Bridge.Door(), boss, admin.WipeRequest{User: bridgetest.User, Device: "phone1"}); err == nil {
			t.Error("a phone that would never hear of it is ordered to erase itself")
		}
		do(t, h, admin.OpSetListed, admin.ListRequest{Device: "phone1", Remove: true})
		bridgetest.Sync(t, h.Phone(v, "phone1", phone.Settings{}))
		do(t, h, admin.OpWipe, admin.WipeRequest{User: bridgetest.User, Device: "phone1"})
		if _, err := admin.OpSetListed.Do(t.Context(), h.Bridge.Door(), boss, admin.ListRequest{Device: "phone1"}); err == nil {
			t.Error("a phone that is to be erased comes onto the block list, and would not hear of it")
		}
	})
}

// A policy reaches the waiting phones that it is for, and no others, and only
// those are asked to provision.
func TestPolicyOfAGroupReachesItsPhones(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		mine, spare := h.Phone(v, "mine", phone.Settings{}), h.Phone(v, "spare", phone.Settings{})
		bridgetest.Sync(t, mine)
		bridgetest.Sync(t, spare)
		do(t, h, admin.OpGroupEdit, admin.GroupRequest{Name: "staff", Create: true, AddUsers: []string{bridgetest.User}})
		ended, others := ping(t, mine), ping(t, spare)
		awaitWaiting(t, h, 2)
		staff := rsop.Scope{Kind: rsop.Group, Name: "staff"}
		edit := admin.PolicyEdit{
			Policies: map[string]*admin.PolicyText{
				"strict": {Settings: map[string]any{"device_password_enabled": true, "min_device_password_length": 6}},
				"lax":    {Settings: map[string]any{"require": false}},
			},
			Links: []rsop.Link{{Policy: "strict", Scope: staff}, {Policy: "lax", Scope: rsop.Scope{Kind: rsop.Device, Name: bridgetest.User, Device: "spare"}}},
		}
		w := do(t, h, admin.OpPolicyWhatIf, admin.WhatIfRequest{Edit: edit})
		if w.Phones != 1 || w.Of != 2 || w.First[0].Device != "mine" || !w.First[0].Requires || len(w.First[0].Settings) != 2 || w.First[0].Settings[0].From.Policy != "strict" {
			t.Errorf("it would mean %+v", w)
		}
		do(t, h, admin.OpPolicyEdit, edit)
		if got := soon(t, ended); got != eas.PingHierarchyChanged {
			t.Errorf("the Ping ended with status %d, want 7", got)
		}
		r := &raw{t, h.Client(v, "mine"), nil}
		r.told("it has to accept the policy", v, eas.DeviceNotProvisioned, 449)
		bridgetest.Sync(t, mine)
		res := do(t, h, admin.OpPolicyResult, admin.PhoneRequest{User: bridgetest.User, Device: "mine"})
		if !res.Required || res.Standing != "accepted" || len(res.Values) != 2 || res.Values[0].From.Scope != staff {
			t.Errorf("the result is %+v", res)
		}
		if h.Bridge.Waiting() != 1 {
			t.Error("the phone that is exempt was woken, too")
		}
		// Looser again: nobody has to come.
		do(t, h, admin.OpPolicyEdit, admin.PolicyEdit{Policies: map[string]*admin.PolicyText{"strict": nil}})
		(&raw{t, h.Client(v, "mine"), nil}).fine("without a policy")
		h.Bridge.Door().Waiting.Again(bridgetest.User, "spare")
		soon(t, others)
	})
}

// What is wrong with a change is said at once, and nothing is changed.
func TestPoliciesThatAreWrong(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	edit := admin.PolicyEdit{
		Policies: map[string]*admin.PolicyText{
			"good": {Settings: map[string]any{"allow_camera": false}},
			"bad":  {Settings: map[string]any{"alow_camera": false, "min_device_password_length": 99, "device_password_enabled": false, "device_password_history": 3}},
		},
		Links: []rsop.Link{{Policy: "good", Scope: rsop.Scope{Kind: rsop.Group, Name: "nobody"}}, {Policy: "ugly", Scope: rsop.Scope{Kind: "planet"}}},
	}
	_, err := admin.OpPolicyEdit.Do(context.Background(), h.Bridge.Door(), boss, edit)
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, want := range []string{"is allow_camera meant?", "min_device_password_length is 99", "device_password_history has no effect", `no group "nobody"`, `no policy "ugly"`, `"planet" is no scope`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it says\n%v\nwant %q in it", err, want)
		}
	}
	if p := do(t, h, admin.OpPolicies, admin.Nothing{}); len(p.Policies)+len(p.Links) != 0 {
		t.Errorf("there is %+v", p)
	}
	if f := do(t, h, admin.OpAudit, admin.AuditRequest{}); len(f) != 1 || f[0].Outcome != "failed" {
		t.Errorf("the audit says %+v", f)
	}
}

// soon waits for what has to come.
func soon[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(time.Minute): // a defect
		t.Fatal("it does not end")
	}
	return v
}

// A phone whose password was changed at the server says so in the register, until
// it is right again.
func TestHealthOfAWrongPassword(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	p := h.Phone(eas.V161, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	is := func(when string, want device.Health) {
		t.Helper()
		if d := inRegister(t, h, "phone1"); d.Health != string(want) || d.Why == "" {
			t.Errorf("%s it is %s because %q, want %s", when, d.Health, d.Why, want)
		}
	}
	is("well,", device.HealthResting)
	wrong := h.Client(eas.V161, "phone1")
	wrong.Password = "wrong"
	if _, err := wrong.FolderSync(t.Context(), eas.FolderSyncRequest{SyncKey: "0"}); err == nil {
		t.Error("a wrong password is taken")
	}
	is("with a wrong password", device.HealthPassword)
	bridgetest.Sync(t, p)
	is("with the right one", device.HealthResting)
	ended := ping(t, p)
	awaitWaiting(t, h, 1)
	is("while it waits", device.HealthWaiting)
	h.Bridge.Door().Waiting.Again(bridgetest.User, "phone1")
	soon(t, ended)
}

// Two people have to want a whole phone erased, where the configuration says so;
// the phone hears of it when both do.
func TestTwoPersonsEraseAPhone(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.Policy.WipeTwoPersons = true }})
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		do(t, h, admin.OpWipe, admin.WipeRequest{User: bridgetest.User, Device: "phone1"})
		bridgetest.Sync(t, p)
		me := admin.PhoneRequest{User: bridgetest.User, Device: "phone1"}
		if _, err := admin.OpConfirmWipe.Do(t.Context(), h.Bridge.Door(), boss, me); err == nil {
			t.Error("one person is two")
		}
		other := admin.Actor{Name: "joe", Roles: []admin.Role{admin.SecurityAdministrator}}
		if _, err := admin.OpConfirmWipe.Do(t.Context(), h.Bridge.Door(), other, me); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Sync(t.Context()); !errors.Is(err, phone.ErrWiped) {
			t.Errorf("the phone goes on with %v", err)
		}
		if d := inRegister(t, h, "phone1"); d.Wipe == nil || d.Wipe.State != string(device.WipeAcknowledged) || d.Wipe.By != "jane" || d.Wipe.Second != "joe" {
			t.Errorf("the order is %+v", d.Wipe)
		}
	})
}
