// Package doctor plays a phone from outside, looks at a worker from inside, and says what is wrong and how to mend it.
//
// [Visit] goes the way of a phone, step by step, as far as it gets; [Inspect]
// looks at what a configuration leads to on this computer. Both answer findings
// that a person or a program can read. Neither changes anybody's data.
package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A Verdict says how a finding is to be taken.
type Verdict string

// The verdicts.
const (
	OK     Verdict = "ok"
	Advice Verdict = "advice" // it works, and could be better
	Failed Verdict = "FAILED" // phones stumble over it
)

// A Finding is what one step showed.
type Finding struct {
	Step    string  `json:"step"`
	Verdict Verdict `json:"verdict"`
	Code    string  `json:"code,omitempty"` // names what is wrong, for programs; lasting
	Text    string  `json:"text"`
	Remedy  string  `json:"remedy,omitempty"`
}

// A Report is all findings, in the order of the steps.
type Report []Finding

// Failed counts what phones stumble over.
func (r Report) Failed() (n int) {
	for _, f := range r {
		if f.Verdict == Failed {
			n++
		}
	}
	return n
}

// Codes are the codes of the findings that are not OK.
func (r Report) Codes() (list []string) {
	for _, f := range r {
		if f.Verdict != OK {
			list = append(list, f.Code)
		}
	}
	return list
}

// Line writes a finding for people.
func (f Finding) Line(w io.Writer) {
	fmt.Fprintf(w, "%-14s %-7s %s\n", f.Step, f.Verdict, f.Text)
	if f.Remedy != "" {
		indent := strings.Repeat(" ", 23)
		fmt.Fprintf(w, "%s-> %s\n", indent, strings.ReplaceAll(f.Remedy, "\n", "\n"+indent+"   "))
	}
}

// JSON writes the report for programs.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		OK       bool   `json:"ok"`
		Findings Report `json:"findings"`
	}{r.Failed() == 0, append(Report{}, r...)})
}

// notes collects findings and shows each as it comes.
type notes struct {
	report Report
	tell   func(Finding)
}

func (n *notes) add(f Finding) {
	n.report = append(n.report, f)
	if n.tell != nil {
		n.tell(f)
	}
}

func (n *notes) ok(step, format string, args ...any) {
	n.add(Finding{Step: step, Verdict: OK, Text: fmt.Sprintf(format, args...)})
}

func (n *notes) advise(step, code, text, remedy string) {
	n.add(Finding{step, Advice, code, text, remedy})
}

func (n *notes) fail(step, code, text, remedy string) {
	n.add(Finding{step, Failed, code, text, remedy})
}
