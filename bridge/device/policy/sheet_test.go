package policy_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

var update = flag.Bool("update", false, "write SETTINGS.md")

// SETTINGS.md says what there is to write into a policy.
func TestSheet(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# What a policy can ask of phones\n\n" +
		"Written by `go test ./bridge/device/policy -update` from the table of the package; do not edit it.\n" +
		"The settings stand in the table `[policy]` of the configuration, beside `require = true`. What is left out is\n" +
		"left to the phone's owner. A phone of an earlier version than the one that is named is not asked; one of 2.5 knows\n" +
		"the password, its length and letters, the time until it locks and the number of wrong ones.\n\n" +
		"| setting | element | from | values | left out | needs | meaning |\n|---|---|---|---|---|---|---|\n")
	for _, s := range policy.Settings {
		values := "true, false"
		switch s.Kind {
		case policy.Number:
			values = fmt.Sprintf("%d to %d", s.Least, s.Most)
		case policy.List:
			values = fmt.Sprintf("texts of %d to %d bytes", s.Least, s.Most)
		}
		neutral := "not sent"
		switch {
		case s.Neutral == eas.Unset && s.Least >= 0:
			neutral = "no limit"
		case s.Neutral != nil:
			neutral = fmt.Sprint(s.Neutral)
		}
		needs := ""
		if s.Needs != "" {
			needs = fmt.Sprintf("`%s = %t`", s.Needs, s.Must)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", s.Name, s.Element, s.Since, values, neutral, needs, s.Does)
	}
	const page = "SETTINGS.md"
	if *update {
		if err := os.WriteFile(page, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(b.String()) {
		t.Errorf("%s is out of date (%v); write it anew: go test ./bridge/device/policy -update", page, err)
	}
}
