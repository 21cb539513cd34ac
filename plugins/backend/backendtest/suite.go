// Package backendtest is the conformance suite: it runs every promise of the backend contract against an implementation.
//
//	func TestConformance(t *testing.T) {
//		b := memory.New()
//		b.AddUser("ann", "secret")
//		backendtest.Run(t, backendtest.Suite{
//			Backend:     b,
//			Credentials: backend.Credentials{User: "ann", Password: "secret"},
//		})
//	}
//
// There is a file for each theme, and in it one function and one named subtest
// for each promise. What a store cannot be asked is a skip that says so.
package backendtest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Suite says what to test and how to get at it.
type Suite struct {
	// Backend is tested. Its collections need not be empty; the suite removes
	// what it creates. Required.
	Backend backend.Backend

	// Credentials are right. The person may write to at least one collection
	// of each kind that is tested.
	Credentials backend.Credentials

	// Kinds are tested, the first of them most thoroughly: what takes long and
	// is about sizes and numbers is tried with that one. Nil means every kind
	// of which the person has a writable collection. Naming a kind that is not there
	// is a failure.
	Kinds []backend.CollectionKind

	// Collection answers the collection to write to; nil means the first
	// writable one of its kind, the default one before others.
	Collection func(t *testing.T, s backend.Session, k backend.CollectionKind) backend.CollectionID

	// Items is how many items the tests of long listings create; 0 means
	// 300, more than one batch. They are created for the first kind only.
	Items int

	// Outside writes an item past the backend, as another program would,
	// under a name as odd as "a b%2Fä+.vcf". Nil skips what needs it.
	Outside func(t *testing.T, c backend.CollectionID, name string, body []byte)

	// Expire makes the store forget a collection's history. Nil skips what
	// needs it; cursors that were never given out are tried in any case.
	Expire func(t *testing.T, c backend.CollectionID)

	// Unreadable makes an item unreadable until the test ends. Nil skips what
	// needs it.
	Unreadable func(t *testing.T, c backend.CollectionID, id backend.ItemID)

	// Correspondent is a mail address to which the person may send, and Sender
	// one under which. Empty ones skip what needs them.
	Correspondent, Sender string

	// Arrived waits until a message with a text came to the Correspondent, and
	// answers it. Nil skips what needs it.
	Arrived func(t *testing.T, text string) []byte

	// Refused is a mail address that is refused for good. Empty skips what needs
	// it.
	Refused string

	// Excuses are the promises that this store is known to break.
	Excuses []Excuse
}

// An Excuse names a promise that a store breaks, and why we live with it.
type Excuse struct {
	Promise string                 // "Put/create twice is Conflict"
	Kind    backend.CollectionKind // empty means every kind
	Reason  string                 // required
}

// A promise is one sentence of the contract with the function that tries it.
type promise struct {
	name string
	try  func(t *testing.T, w *world)
}

// A theme is a group of promises.
type theme struct {
	name     string
	promises []promise
}

// themes is the suite's table of contents. Those of personThemes do not
// depend on a kind of collection.
var (
	personThemes = []theme{
		{"Open", opening},
		{"Collections", hierarchy},
		{"Send", sending},
		{"Vacation", vacationing},
	}
	kindThemes = []theme{
		{"Listing", listing},
		{"History", history},
		{"Get", getting},
		{"Put", putting},
		{"Body", bodies},
		{"Delete", deleting},
		{"Move", moving},
		{"Concurrency", concurrency},
		{"Cancellation", cancellation},
		{"Watch", watching},
		{"Probe", probing},
		{"Schedules", scheduling},
		{"People", people},
		{"Folders", editing},
		{"Mail", mailing},
		{"Search", searching},
	}
)

// Run tries every promise.
func Run(t *testing.T, suite Suite) {
	if suite.Backend == nil {
		panic("backendtest: a Suite without Backend")
	}
	if suite.Items == 0 {
		suite.Items = 300
	}
	checkExcuses(t, suite.Excuses)
	w := &world{Suite: suite}
	w.s = w.open(t)
	kinds := suite.kinds(t, w.s)
	runThemes(t, personThemes, w)
	for n, k := range kinds {
		t.Run(string(k), func(t *testing.T) {
			w := &world{Suite: suite, s: w.s, kind: k, first: n == 0}
			w.c = w.collection(t)
			runThemes(t, kindThemes, w)
		})
	}
}

func runThemes(t *testing.T, themes []theme, w *world) {
	for _, th := range themes {
		t.Run(th.name, func(t *testing.T) {
			for _, p := range th.promises {
				t.Run(p.name, func(t *testing.T) {
					w.excuse(t, th.name+"/"+p.name)
					p.try(t, w)
				})
			}
		})
	}
}

// excuse skips a promise that the store is known to break.
func (w *world) excuse(t *testing.T, name string) {
	for _, e := range w.Excuses {
		if e.Promise == name && (e.Kind == "" || e.Kind == w.kind) {
			t.Skipf("excused: %s", e.Reason)
		}
	}
}

// checkExcuses refuses excuses for promises that there are not, lest one
// outlives its promise.
func checkExcuses(t *testing.T, excuses []Excuse) {
	known := make(map[string]bool)
	for _, th := range slices.Concat(personThemes, kindThemes) {
		for _, p := range th.promises {
			known[th.name+"/"+p.name] = true
		}
	}
	for _, e := range excuses {
		if !known[e.Promise] {
			t.Errorf("the excuse %q names no promise of the suite", e.Promise)
		}
		if e.Reason == "" {
			t.Errorf("the excuse %q gives no reason", e.Promise)
		}
	}
}

// kinds answers what to test, in a lasting order.
func (s Suite) kinds(t *testing.T, session backend.Session) []backend.CollectionKind {
	if s.Kinds != nil {
		return s.Kinds
	}
	list, err := session.Collections(t.Context())
	if err != nil {
		t.Fatalf("Collections: %v", err)
	}
	var kinds []backend.CollectionKind
	for _, c := range list {
		if !c.ReadOnly && !slices.Contains(kinds, c.Kind) {
			kinds = append(kinds, c.Kind)
		}
	}
	if len(kinds) == 0 {
		t.Fatalf("the person %s has no writable collection; there is nothing to test", s.Credentials.User)
	}
	slices.Sort(kinds)
	return kinds
}

// unique answers a name that no item had before; it serves as a UID, too.
func unique(prefix string) string {
	return fmt.Sprintf("%s-%s", prefix, strings.ToLower(rand.Text()))
}
