package rulebook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/group"
)

// drawer is a store without a disk.
type drawer map[string]map[string][]byte

func (d drawer) Documents(_ context.Context, kind string) (map[string][]byte, error) {
	return maps.Clone(d[kind]), nil
}

func (d drawer) SaveDocument(_ context.Context, kind, name string, record []byte) error {
	if d[kind] == nil {
		d[kind] = map[string][]byte{}
	}
	if record == nil {
		delete(d[kind], name)
		return nil
	}
	d[kind][name] = record
	return nil
}

func open(t *testing.T, d drawer, c rulebook.Config) *rulebook.Book {
	t.Helper()
	b, err := rulebook.Open(t.Context(), d, c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func edit(t *testing.T, b *rulebook.Book, change func(*rulebook.State)) []rulebook.Difference {
	t.Helper()
	list, err := b.Edit(t.Context(), func(s *rulebook.State) error { change(s); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return list
}

var annsPhone = device.ID{User: "ann", Device: "P"}

// The policy of the configuration is for everyone, with the revision that phones
// accepted of earlier versions, and gives way to whatever else is said.
func TestConfiguredPolicy(t *testing.T) {
	file := policy.Policy{Require: true, RefusePartial: true, Document: policy.Document{"device_password_enabled": true, "min_device_password_length": 6}}
	b := open(t, drawer{}, rulebook.Config{Policy: file})
	if diff := cmp.Diff(file, b.Policy(annsPhone)); diff != "" || b.Policy(annsPhone).Revision() != file.Revision() {
		t.Errorf("alone it is another one:\n%s", diff)
	}
	edit(t, b, func(s *rulebook.State) {
		s.Policies["long"] = rulebook.Policy{Values: rsop.Values{"min_device_password_length": 12}}
		s.Links = append(s.Links, rsop.Link{Policy: "long", Scope: rsop.Scope{Kind: rsop.Everyone}, Order: 1_000_000})
	})
	if n, _ := b.Policy(annsPhone).Document.Int("min_device_password_length"); n != 12 {
		t.Errorf("the length is %d, want that of the policy that administrators made", n)
	}
	if !b.Policy(annsPhone).Document.Bool("device_password_enabled") {
		t.Error("what only the configuration says is lost")
	}
	if _, err := b.SetConfigured(t.Context(), policy.Policy{}); err != nil {
		t.Fatal(err)
	}
	if y := b.Policy(annsPhone); y.RefusePartial || len(y.Document) != 1 || !y.Require {
		t.Errorf("without a configuration it is %+v", y)
	}
}

// Nobody is asked anything unless somebody says so.
func TestGentleDefault(t *testing.T) {
	b := open(t, drawer{}, rulebook.Config{})
	if y := b.Policy(annsPhone); y.Require || y.Revision() != "" {
		t.Errorf("it is %+v", y)
	}
	if why, err := b.Admits(device.Phone{ID: annsPhone}); err != nil || b.MaxPhones("ann") != device.MaxPhones {
		t.Errorf("%s, %v", why, err)
	}
}

// What is stored comes back, and a change names what it altered.
func TestEverythingIsKept(t *testing.T) {
	d := drawer{}
	b := open(t, d, rulebook.Config{})
	fill := func(s *rulebook.State) {
		s.Groups["staff"] = group.Group{Users: []string{"ann"}, Description: "all"}
		s.Policies["p"] = rulebook.Policy{Values: rsop.Values{"allow_camera": false, "device_password_history": 3, "approved_application_list": []string{"a"}}}
		s.Links = []rsop.Link{{Policy: "p", Scope: rsop.Scope{Kind: rsop.Group, Name: "staff"}, Order: 2, Enforced: true}}
		s.Blocks = []rsop.Scope{{Kind: rsop.Device, Name: "ann", Device: "P"}}
		s.Admission = rulebook.Admission{Default: rulebook.Quarantine, Since: time.Unix(1_790_000_000, 0).UTC(), Rules: []rulebook.Rule{{Action: rulebook.Block, OSBelow: "17.2"}}}
		s.People["ann"] = rulebook.Person{MaxDevices: 3}
		s.Listed["BAD"] = rulebook.Listing{By: "jane", When: time.Unix(1_790_000_001, 0).UTC()}
	}
	if n := len(edit(t, b, fill)); n != 7 {
		t.Errorf("%d documents are different, want 7", n)
	}
	if n := len(edit(t, b, fill)); n != 0 {
		t.Errorf("the same once more alters %d documents", n)
	}
	want := rulebook.State{Groups: map[string]group.Group{}, Policies: map[string]rulebook.Policy{}, People: map[string]rulebook.Person{}, Listed: map[string]rulebook.Listing{}}
	fill(&want)
	again := open(t, d, rulebook.Config{})
	got, err := again.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(want)
	c, _ := json.Marshal(got)
	if string(a) != string(c) {
		t.Errorf("it comes back as\n%s\nwant\n%s", c, a)
	}
	if y := again.Policy(annsPhone); !y.Require || y.Document.Bool("allow_camera") {
		t.Errorf("after a new start the policy is %+v", y)
	}
	list := edit(t, again, func(s *rulebook.State) { delete(s.Listed, "BAD") })
	if len(list) != 1 || list[0].Kind != "listed" || list[0].Name != "BAD" || list[0].Before == nil || list[0].After != nil {
		t.Errorf("the difference is %+v", list)
	}
}

func TestAChangeWithAnythingWrongChangesNothing(t *testing.T) {
	d := drawer{}
	b := open(t, d, rulebook.Config{NeverFullWipe: true})
	_, err := b.Edit(t.Context(), func(s *rulebook.State) error {
		s.Groups["good"] = group.Group{}
		s.Policies["wipes"] = rulebook.Policy{Values: rsop.Values{"max_device_password_failed_attempts": 8}}
		s.Policies["(configuration)"] = rulebook.Policy{}
		s.Admission.Default = "shoot"
		s.Admission.Rules = []rulebook.Rule{{Action: rulebook.Block}, {Action: rulebook.Allow, OSBelow: "new"}, {Group: "nobody"}}
		s.People["ann"] = rulebook.Person{MaxDevices: -1}
		s.Listed["a/b"] = rulebook.Listing{}
		s.Blocks = []rsop.Scope{{Kind: rsop.Everyone}}
		return nil
	})
	wrong, ok := errors.AsType[rulebook.Complaints](err)
	if !ok || len(wrong) != 10 {
		t.Errorf("%d complaints:\n%v", len(wrong), err)
	}
	if !strings.Contains(err.Error(), "never_full_wipe") {
		t.Errorf("it does not say that phones would erase themselves:\n%v", err)
	}
	if len(d["group"])+len(d["policy"]) != 0 {
		t.Errorf("there is %v", d)
	}
}

// Where the configuration comes to say that no phone is ever erased, the worker
// starts with a policy that says otherwise, which does not hold, and which can be
// changed.
func TestNeverFullWipeIsSaidLater(t *testing.T) {
	const attempts = "max_device_password_failed_attempts"
	d := drawer{}
	edit(t, open(t, d, rulebook.Config{}), func(s *rulebook.State) {
		s.Policies["wipes"] = rulebook.Policy{Values: rsop.Values{"device_password_enabled": true, attempts: 8}}
		s.Links = []rsop.Link{{Policy: "wipes", Scope: rsop.Scope{Kind: rsop.Everyone}}}
	})
	b := open(t, d, rulebook.Config{NeverFullWipe: true})
	if p := b.Policy(annsPhone); !p.Require || !p.Document.Bool("device_password_enabled") || p.Document[attempts] != nil {
		t.Errorf("of phones is asked %+v", p)
	}
	if _, err := b.Edit(t.Context(), func(*rulebook.State) error { return nil }); err == nil || !strings.Contains(err.Error(), "never_full_wipe") {
		t.Errorf("another change ends with %v, want that it says what is wrong", err)
	}
	edit(t, b, func(s *rulebook.State) { delete(s.Policies["wipes"].Values, attempts) })
	if p := b.Policy(annsPhone); !p.Require || p.Document[attempts] != nil {
		t.Errorf("afterwards of phones is asked %+v", p)
	}
}

// There are bounds, and a change with ever so many mistakes is answered by a text
// that somebody can read.
func TestBounds(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*rulebook.State)
		says   string
	}{
		{"people", func(s *rulebook.State) {
			for i := range rulebook.MaxPeople + 1 {
				s.People[fmt.Sprint("p", i)] = rulebook.Person{Off: true}
			}
		}, "something is decided for 100001 people"},
		{"groups", func(s *rulebook.State) {
			for i := range group.MaxGroups + 1 {
				s.Groups[fmt.Sprint("g", i)] = group.Group{}
			}
		}, "there are 10001 groups"},
		{"mistakes", func(s *rulebook.State) {
			for i := range 500 {
				s.Links = append(s.Links, rsop.Link{Policy: fmt.Sprint("p", i), Scope: rsop.Scope{Kind: rsop.Everyone}})
			}
		}, "and 400 more"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := open(t, drawer{}, rulebook.Config{})
			_, err := b.Edit(t.Context(), func(s *rulebook.State) error { tc.change(s); return nil })
			if err == nil || !strings.Contains(err.Error(), tc.says) || len(err.Error()) > 64<<10 {
				t.Errorf("it is answered by %.200v", err)
			}
		})
	}
}

func TestRules(t *testing.T) {
	b := open(t, drawer{}, rulebook.Config{})
	since := time.Unix(1_790_000_000, 0)
	edit(t, b, func(s *rulebook.State) {
		s.Groups["inner"] = group.Group{Users: []string{"bob"}}
		s.Groups["staff"] = group.Group{Groups: []string{"inner"}}
		s.People["eve"] = rulebook.Person{Off: true}
		s.Admission = rulebook.Admission{Default: rulebook.Block, Since: since, Rules: []rulebook.Rule{
			{Action: rulebook.Quarantine, Type: "iphone", OSBelow: "17.2"},
			{Action: rulebook.Allow, Group: "staff", Agent: "*outlook*"},
			{Action: rulebook.Block, Group: "staff"},
			{Action: rulebook.Allow, User: "c*l", Device: "A?C"},
			{Action: rulebook.Quarantine, OS: "Android 1[2]*/x"},
		}}
	})
	old, fresh := since.Add(-time.Second), since
	for _, tc := range []struct {
		name string
		p    device.Phone
		want error
		why  string
	}{
		{"old system", device.Phone{ID: device.ID{User: "ann"}, Type: "iPhone", Information: device.Information{OS: "iOS 17.1.2 21B101"}}, device.ErrQuarantined, "rule 1"},
		{"the version itself", device.Phone{ID: device.ID{User: "ann"}, Type: "iPhone", Information: device.Information{OS: "iOS 17.2"}, FirstSeen: old}, nil, ""},
		{"a newer one with fewer numbers", device.Phone{ID: device.ID{User: "ann"}, Type: "iPhone", Information: device.Information{OS: "iOS 18"}, FirstSeen: old}, nil, ""},
		{"ten is more than nine", device.Phone{ID: device.ID{User: "ann"}, Type: "iPhone", Information: device.Information{OS: "iOS 17.10"}, FirstSeen: old}, nil, ""},
		{"no system said", device.Phone{ID: device.ID{User: "ann"}, Type: "iPhone", FirstSeen: old}, nil, ""},
		{"through a group, agent", device.Phone{ID: device.ID{User: "bob"}, UserAgent: "Outlook-iOS/2"}, nil, ""},
		{"through a group, another agent", device.Phone{ID: device.ID{User: "bob"}, UserAgent: "x", FirstSeen: old}, device.ErrBlocked, "rule 3"},
		{"patterns", device.Phone{ID: device.ID{User: "carol", Device: "ABC"}, FirstSeen: fresh}, nil, ""},
		{"capital letters in a name", device.Phone{ID: device.ID{User: "Carol", Device: "ABC"}, FirstSeen: fresh}, device.ErrBlocked, "default"},
		{"brackets are letters", device.Phone{ID: device.ID{User: "ann"}, Information: device.Information{OS: "android 1[2].0/x"}}, device.ErrQuarantined, "rule 5"},
		{"a new phone that nothing fits", device.Phone{ID: device.ID{User: "ann"}, FirstSeen: fresh}, device.ErrBlocked, "default"},
		{"an old one", device.Phone{ID: device.ID{User: "ann"}, FirstSeen: old}, nil, ""},
		{"allowed by somebody", device.Phone{ID: device.ID{User: "ann"}, FirstSeen: fresh, Allowed: device.Allowed{By: "jane"}}, nil, ""},
		{"switched off goes before that", device.Phone{ID: device.ID{User: "eve"}, Allowed: device.Allowed{By: "jane"}}, device.ErrUserOff, "eve"},
	} {
		if why, err := b.Admits(tc.p); !errors.Is(err, tc.want) || !strings.Contains(why, tc.why) {
			t.Errorf("%s: %v because %q, want %v because of %q", tc.name, err, why, tc.want, tc.why)
		}
	}
}

// Only phones that wait, and for which something changed, are told.
func TestTell(t *testing.T) {
	b := open(t, drawer{}, rulebook.Config{})
	phones := []device.Phone{{ID: annsPhone}, {ID: device.ID{User: "bob", Device: "Q"}}, {ID: device.ID{User: "bob", Device: "asleep"}}, {ID: device.ID{User: "carol", Device: "C"}}}
	w := sitting{}
	before := b.Present()
	edit(t, b, func(s *rulebook.State) {
		s.Policies["p"] = rulebook.Policy{Values: rsop.Values{}}
		s.Links = []rsop.Link{{Policy: "p", Scope: rsop.Scope{Kind: rsop.User, Name: "ann"}}}
		s.People["bob"] = rulebook.Person{Off: true}
	})
	if n := rulebook.Tell(before, b.Present(), phones, w); n != 2 || !errors.Is(w[annsPhone], device.ErrStale) || !errors.Is(w[phones[1].ID], device.ErrUserOff) {
		t.Errorf("%d are told: %v", n, w)
	}
	clear(w)
	before = b.Present()
	edit(t, b, func(s *rulebook.State) {
		s.Admission.Rules = []rulebook.Rule{{Action: rulebook.Quarantine, User: "carol"}}
		s.Links = nil // of which ann's phone need not hear
		delete(s.People, "bob")
	})
	if n := rulebook.Tell(before, b.Present(), phones, w); n != 2 || !errors.Is(w[phones[3].ID], errAgain) || !errors.Is(w[phones[1].ID], errAgain) {
		t.Errorf("%d are told: %v", n, w)
	}
}

var errAgain = errors.New("again")

// sitting are phones that wait, and what they were told.
type sitting map[device.ID]error

func (s sitting) Waits(_, id string) bool { return id != "asleep" }
func (s sitting) Order(user, id string, why error) bool {
	s[device.ID{User: user, Device: id}] = why
	return true
}
func (s sitting) Again(user, id string) bool { return s.Order(user, id, errAgain) }

// A slow is a drawer that cannot be read with a certain context before it is let.
type slow struct {
	drawer
	reading, let chan struct{}
}

type slowly struct{}

func (s slow) Documents(ctx context.Context, kind string) (map[string][]byte, error) {
	if ctx.Value(slowly{}) != nil && kind == "group" {
		close(s.reading)
		<-s.let
	}
	return s.drawer.Documents(ctx, kind)
}

// Whoever changes something may be in a transaction for whose end a Reload waits;
// so it does not wait for the Reload.
func TestEditWaitsForNoReload(t *testing.T) {
	s := slow{drawer{}, make(chan struct{}), make(chan struct{})}
	b, err := rulebook.Open(t.Context(), s, rulebook.Config{})
	if err != nil {
		t.Fatal(err)
	}
	reloaded, edited := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := b.Reload(context.WithValue(t.Context(), slowly{}, true))
		reloaded <- err
	}()
	<-s.reading
	go func() {
		_, err := b.Edit(t.Context(), func(s *rulebook.State) error { s.People["ann"] = rulebook.Person{Off: true}; return nil })
		edited <- err
	}()
	select {
	case err := <-edited:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second): // which passes only where it waits for ever
		t.Error("it waits for a Reload")
	}
	close(s.let)
	if err := <-reloaded; err != nil {
		t.Error(err)
	}
}
