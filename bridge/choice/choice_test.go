package choice_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

func rules(t *testing.T, texts ...string) (list []choice.Rule) {
	t.Helper()
	for _, text := range texts {
		r, err := choice.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

func TestRules(t *testing.T) {
	phone := choice.Phone{User: "ann", Device: "ABC123", Type: "iPhone"}
	work := syncengine.Folder{User: "ann", Name: "Work: plans", Kind: backend.Events}
	for rule, want := range map[string]bool{
		"*: Work: plans": true, "*: work*": true, "*: Work": false, "*": true, "W?rk*": true, "?": false,
		"*plans": true, "events/*": true, "tasks/*": false, "ann: *": true, "ANN: *": true, "bob: *": false,
		"a*: *": true, "ann/iPhone: *": true, "ann/abc*: *": true, "*/iPad: *": false, "*/i*: events/work*": true, "**a**s": true,
	} {
		if got := rules(t, rule)[0].Fits(phone, work); got != want {
			t.Errorf("%q fits: %t, want %t", rule, got, want)
		}
	}
	for _, bad := range []string{"", "  ", "ann: ", ": x", "ann/: x", strings.Repeat("x", choice.MaxRule+1)} {
		if r, err := choice.ParseRule(bad); err == nil {
			t.Errorf("%.40q is the rule %+v", bad, r)
		}
	}
}

// The last choice that fits decides, then the configuration.
func TestChoices(t *testing.T) {
	ctx := context.Background()
	store := new(devicetest.Memory)
	c := choice.New(choice.Table{Hide: rules(t, "Archive*"), Show: rules(t, "bob: *"), Main: rules(t, "ann: events/Work")}, store)
	check := func(p choice.Phone, name string, want bool) {
		t.Helper()
		shows, err := c.For(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		if got := shows(syncengine.Folder{Name: name, Kind: backend.Events}); got != want {
			t.Errorf("%v is shown %q: %t, want %t", p, name, got, want)
		}
	}
	ann, pad, bob := choice.Phone{User: "ann", Device: "1", Type: "iPhone"}, choice.Phone{User: "ann", Device: "2", Type: "iPad"}, choice.Phone{User: "bob"}
	check(ann, "Archive 1", false)
	check(bob, "Archive 1", true)
	check(ann, "Work", true)
	add := func(n choice.Choice) {
		t.Helper()
		if err := c.Add(ctx, "ann", n); err != nil {
			t.Fatal(err)
		}
	}
	add(choice.Choice{Pattern: "*", Hide: true})
	add(choice.Choice{Pattern: "Archive*", Device: "iPad"})
	check(ann, "Work", false)
	check(pad, "Archive 1", true)
	check(ann, "Archive 1", false)
	check(bob, "Work", true)
	add(choice.Choice{Pattern: "*"})
	check(ann, "Archive 1", true)
	if dropped, err := c.Drop(ctx, "ann", choice.Choice{Pattern: "*"}); !dropped || err != nil {
		t.Errorf("Drop: %t, %v", dropped, err)
	}
	check(ann, "Archive 1", false)
	check(ann, "Work", true)
	if dropped, err := c.Drop(ctx, "ann", choice.Choice{Pattern: "*"}); dropped || err != nil {
		t.Errorf("Drop of what is not there: %t, %v", dropped, err)
	}
	if !c.Main(syncengine.Folder{User: "ann", Name: "Work", Kind: backend.Events}) || c.Main(syncengine.Folder{User: "bob", Name: "Work", Kind: backend.Events}) {
		t.Error("the main folder is another one")
	}
	if err := c.Add(ctx, "ann", choice.Choice{Pattern: " "}); err == nil {
		t.Error("a choice of no folder was taken")
	}
	var err error
	for i := range choice.MaxChoices + 1 {
		err = c.Add(ctx, "ann", choice.Choice{Pattern: fmt.Sprint(i)})
	}
	if !errors.Is(err, choice.ErrTooMany) {
		t.Errorf("one choice too many: %v", err)
	}
	var _ choice.Store = device.Store(nil)
}
