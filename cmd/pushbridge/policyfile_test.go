package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/group"
)

// FuzzPolicyFile writes policies with odd names as a file, and reads the same from
// it.
func FuzzPolicyFile(f *testing.F) {
	f.Add("strict", "for all", "staff", "a", 3, true)
	f.Add(`a "quoted" \ name`, "two\nlines\tand a tab", "ein Büro", "x\u00a0y", 0, false)
	f.Add("a.b", "", "d e", "'", -1, true)
	f.Add("c1 \u009b31m", "escape \x1b]0;x\x07", "left \u202e right", "nul \x00 \U000e0001", 0, false)
	f.Fuzz(func(t *testing.T, name, description, who, entry string, order int, enforced bool) {
		for _, s := range []string{name, who} {
			if !group.ValidName(s) {
				t.Skip("no name")
			}
		}
		if !utf8.ValidString(description) || !utf8.ValidString(entry) {
			t.Skip("texts that JSON cannot have brought")
		}
		p := admin.Policies{
			Policies: []admin.NamedPolicy{{Name: name, Description: description,
				Settings: map[string]any{"allow_camera": enforced, "device_password_history": float64(7), "approved_application_list": []any{entry}}}},
			Links: []rsop.Link{{Policy: name, Scope: rsop.Scope{Kind: rsop.Group, Name: who}, Order: order, Enforced: enforced},
				{Policy: name, Scope: rsop.Scope{Kind: rsop.Device, Name: who, Device: "ABC1"}}},
			Blocks: []rsop.Scope{{Kind: rsop.User, Name: who}},
		}
		text := policyFile(p)
		if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("it says something to the terminal: %q", text)
		}
		e, err := parsePolicyFile([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		want := admin.PolicyEdit{Policies: map[string]*admin.PolicyText{name: {Description: description, Settings: p.Policies[0].Settings}}, Links: p.Links, Blocks: p.Blocks}
		// The numbers of TOML are integers, those of JSON are not.
		back, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var got admin.PolicyEdit
		if err := json.Unmarshal(back, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("it comes back otherwise (-want +got):\n%s\n%s", diff, text)
		}
	})
}
