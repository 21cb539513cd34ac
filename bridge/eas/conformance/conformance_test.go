package conformance

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write CONFORMANCE.md")

const (
	easDir = ".."
	root   = "../../.."
	page   = "../CONFORMANCE.md"
)

// judge joins what is said in the table with what tests claim, and complains of
// what does not fit.
func judge(list []requirement, table map[string]Outcome, known map[string]bool, claims map[string][]string) (outcomes map[string]Outcome, complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	outcomes = make(map[string]Outcome)
	there := make(map[string]bool)
	for _, r := range list {
		if there[r.name] {
			complain("%s: two requirements have this name", r.name)
		}
		there[r.name] = true
		o, said := table[r.name]
		by := claims[r.name]
		switch {
		case !said && len(by) == 0:
			complain("%s: nothing is said of it; show it by conformance.Shows in a test, or add a line to the table", r.name)
			continue
		case len(by) == 0:
		case !said || o.State == Open:
			o = tested(by...)
		case o.State == NotApplicable:
			complain("%s: the table says that it is not applicable, and %s shows it", r.name, strings.Join(by, ", "))
		default:
			o.Tests = append(slices.Clone(o.Tests), by...)
		}
		if o.State == Tested && len(o.Tests) == 0 {
			complain("%s: no test shows it", r.name)
		}
		if (o.State != Tested) != (o.Remark != "") {
			complain("%s: what is not simply tested has a remark, and nothing else has", r.name)
		}
		slices.Sort(o.Tests)
		o.Tests = slices.Compact(o.Tests)
		for _, test := range o.Tests {
			if !known[test] {
				complain("%s: there is no test %s", r.name, test)
			}
		}
		outcomes[r.name] = o
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if !there[name] {
			complain("%s: the table speaks of it, and there is no such requirement", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if !there[name] {
			complain("%s: %s claims to show it, and there is no such requirement", name, strings.Join(claims[name], ", "))
		}
	}
	return outcomes, complaints
}

// CONFORMANCE.md is complete and up to date.
func TestConformance(t *testing.T) {
	list, err := required(easDir)
	if err != nil {
		t.Fatal(err)
	}
	known, claims, err := tests(root)
	if err != nil {
		t.Fatal(err)
	}
	judged, complaints := judge(list, outcomes, known, claims)
	for _, c := range complaints {
		t.Error(c)
	}
	want := write(list, judged)
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date; write it anew: go test ./bridge/eas/conformance -update", filepath.Base(page))
	}
}

// write makes the page.
func write(list []requirement, judged map[string]Outcome) []byte {
	var b bytes.Buffer
	count := make(map[State]int)
	for _, o := range judged {
		count[o.State]++
	}
	fmt.Fprintf(&b, `# What becomes of each requirement of ActiveSync

Written by `+"`go test ./bridge/eas/conformance -update`"+` from the messages of package eas, the table in
`+"`bridge/eas/conformance`"+`, and what tests say of themselves; do not edit it. A test fails when it is out of date,
when nothing is said of a requirement, or when a test that is named does not exist.

**tested**: implemented, and the tests that are named show it (%d). **different**: on purpose, see the remark and
[DIVERGENCES.md](DIVERGENCES.md) (%d). **not applicable**: there is nothing here that it could be about (%d).
**open**: neither announced nor answered until what it needs is there (%d).
`, count[Tested], count[Different], count[NotApplicable], count[Open])
	var chapters []string
	for _, r := range list {
		if !slices.Contains(chapters, r.chapter) {
			chapters = append(chapters, r.chapter)
		}
	}
	slices.SortStableFunc(chapters, func(x, y string) int { return rank(x) - rank(y) })
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n## %s\n\n", c)
		b.WriteString(heading(c))
		for _, r := range list {
			if r.chapter == c {
				b.WriteString(line(r, judged[r.name]))
			}
		}
	}
	return b.Bytes()
}

func rank(chapter string) int {
	switch {
	case chapter == chapterCommands:
		return 0
	case chapter == chapterMessages:
		return 1
	case strings.HasPrefix(chapter, chapterStatuses):
		return 2
	case chapter == chapterCommon:
		return 3
	}
	return 4
}

func heading(chapter string) string {
	switch {
	case chapter == chapterMessages:
		return "| message | elements | section | state | shown by, or why |\n|---|---|---|---|---|\n"
	case chapter == chapterCommon, strings.HasPrefix(chapter, chapterStatuses):
		return "| value | name | meaning | section | state | shown by, or why |\n|---|---|---|---|---|---|\n"
	}
	return "| requirement | meaning | section | state | shown by, or why |\n|---|---|---|---|---|\n"
}

func line(r requirement, o Outcome) string {
	why := o.Remark
	if len(o.Tests) > 0 {
		by := "`" + strings.Join(o.Tests, "`, `") + "`"
		if why != "" {
			why += "; "
		}
		why += by
	}
	cells := []string{r.name, r.meaning, r.section, string(o.State), why}
	switch {
	case r.chapter == chapterMessages:
		cells = []string{r.name, r.elements, r.section, string(o.State), why}
	case r.value != "":
		cells = []string{r.value, r.name, r.meaning, r.section, string(o.State), why}
	}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.ReplaceAll(c, "|", "\\|"), "\n", " ")
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// What the check of the table is worth: each mistake is found.
func TestMistakesAreFound(t *testing.T) {
	list := []requirement{{name: "A"}, {name: "B"}}
	known := map[string]bool{"x.TestA": true, "x.TestB": true}
	good := map[string]Outcome{"A": tested("x.TestA"), "B": notApplicable("there is no B")}
	for _, tc := range []struct {
		name   string
		table  map[string]Outcome
		claims map[string][]string
		want   string // "" for no complaint
	}{
		{"all is well", good, nil, ""},
		{"a claim in place of a line", map[string]Outcome{"A": tested("x.TestA")}, map[string][]string{"B": {"x.TestB"}}, ""},
		{"a claim closes what was open", map[string]Outcome{"A": open("later"), "B": open("later")}, map[string][]string{"B": {"x.TestB"}}, ""},
		{"nothing is said", map[string]Outcome{"A": tested("x.TestA")}, nil, "B: nothing is said"},
		{"no such test", map[string]Outcome{"A": tested("x.TestC"), "B": notApplicable("none")}, nil, "A: there is no test x.TestC"},
		{"no test at all", map[string]Outcome{"A": tested(), "B": notApplicable("none")}, nil, "A: no test shows it"},
		{"no reason", map[string]Outcome{"A": tested("x.TestA"), "B": notApplicable("")}, nil, "B: what is not simply tested"},
		{"no such requirement", map[string]Outcome{"A": tested("x.TestA"), "B": notApplicable("none"), "C": open("later")}, nil, "C: the table speaks of it"},
		{"a claim of what is not there", good, map[string][]string{"C": {"x.TestB"}}, "C: x.TestB claims"},
		{"a claim of what is not applicable", good, map[string][]string{"B": {"x.TestB"}}, "B: the table says that it is not applicable"},
	} {
		_, complaints := judge(list, tc.table, known, tc.claims)
		switch {
		case tc.want == "" && len(complaints) > 0:
			t.Errorf("%s: complaints %q, want none", tc.name, complaints)
		case tc.want != "" && (len(complaints) != 1 || !strings.HasPrefix(complaints[0], tc.want)):
			t.Errorf("%s: complaints %q, want one that begins with %q", tc.name, complaints, tc.want)
		}
	}
}
