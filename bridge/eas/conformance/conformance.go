// Package conformance says of every command, element group and status of ActiveSync what becomes of it here, and which test shows that.
//
// What there is to say something about is read from the source of package eas:
// its commands, its messages with their parts, and its statuses; what has no
// name there, such as an HTTP status, is listed in [others]. What becomes of
// each stands in [outcomes], or a test says it of itself by [Shows]. A test of
// this package fails for a requirement of which nothing is said, for a word
// about one that there is not, and for a test that does not exist; with -update
// it writes CONFORMANCE.md.
package conformance

import "testing"

// Shows says that a test shows requirements: names of constants, messages and
// commands of package eas ("PingBadHeartbeat", "PingRequest", "command Ping"),
// or of [others]. It is found in the source and does nothing when it runs; the
// names have to be written out where it is called.
func Shows(t testing.TB, requirements ...string) {
	t.Helper()
	if len(requirements) == 0 {
		t.Error("conformance.Shows: name what is shown")
	}
}

// A State is what becomes of a requirement.
type State string

// The states.
const (
	Tested        State = "tested"         // implemented, and the tests show it
	Different     State = "different"      // on purpose; DIVERGENCES.md or the remark says why
	NotApplicable State = "not applicable" // there is nothing here that it could be about
	Open          State = "open"           // not answered, and not announced, until what it needs is there
)

// An Outcome is what becomes of a requirement, and who shows it or why.
type Outcome struct {
	State  State
	Remark string   // why it is different, not applicable or open
	Tests  []string // "easserver.TestPing"
}

// tested names the tests that show a requirement.
func tested(tests ...string) Outcome { return Outcome{State: Tested, Tests: tests} }

// different says what is done instead and why, and which tests show it.
func different(remark string, tests ...string) Outcome {
	return Outcome{State: Different, Remark: remark, Tests: tests}
}

func notApplicable(remark string) Outcome { return Outcome{State: NotApplicable, Remark: remark} }

func open(remark string) Outcome { return Outcome{State: Open, Remark: remark} }
