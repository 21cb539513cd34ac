package admin_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// Who lets a phone in is told what else keeps it out.
func TestAllowedAndKeptOut(t *testing.T) {
	off := true
	for _, tc := range []struct {
		name   string
		before func(context.Context, desk) error
		want   string
	}{
		{"nothing else", func(context.Context, desk) error { return nil }, "may come in"},
		{"the block list", func(ctx context.Context, d desk) error {
			_, err := admin.OpSetListed.Do(ctx, d.Server, boss, admin.ListRequest{Device: "P", Why: "stolen"})
			return err
		}, "still kept out: on the block list (stolen)"},
		{"its person", func(ctx context.Context, d desk) error {
			_, err := admin.OpSetPerson.Do(ctx, d.Server, boss, admin.PersonRequest{User: "ann", Off: &off})
			return err
		}, "still kept out: mobile access is off for ann"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, _ := newRuledDesk(t, false)
			if err := tc.before(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			done, err := admin.OpAllow.Do(t.Context(), d.Server, boss, admin.AdmissionRequest{User: "ann", Device: "P"})
			if err != nil || !strings.Contains(done.Text, tc.want) {
				t.Errorf("it is answered %q, %v; want %q", done.Text, err, tc.want)
			}
		})
	}
}

// Who decides for somebody is told if nobody is called so.
func TestDecidedForNobody(t *testing.T) {
	off := true
	for user, nobody := range map[string]bool{"ann": false, "anne": true} {
		d, _ := newRuledDesk(t, false)
		e, err := admin.OpSetPerson.Do(t.Context(), d.Server, boss, admin.PersonRequest{User: user, Off: &off})
		if err != nil || strings.Contains(e.Text, "Nobody of that name") != nobody || len(e.Changes) != 1 {
			t.Errorf("%s: it is answered %+v, %v", user, e, err)
		}
	}
}
