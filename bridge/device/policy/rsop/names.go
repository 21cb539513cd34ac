package rsop

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
)

// What a policy can say beside the settings of the phone: how phones are dealt
// with.
const (
	nameRequire   = "require"
	namePartial   = "refuse_partial"
	nameExternal  = "refuse_external"
	nameUnprovied = "allow_unprovisionable"
)

// rules are these, as settings.
var rules = []policy.Setting{
	{Name: nameRequire, Kind: policy.Switch, Neutral: true, Does: "phones have to accept the policy before they are served"},
	{Name: namePartial, Kind: policy.Switch, Neutral: false, Does: "phones that apply only a part of it are kept out"},
	{Name: nameExternal, Kind: policy.Switch, Neutral: false, Does: "phones that somebody else manages are kept out"},
	{Name: nameUnprovied, Kind: policy.Switch, Neutral: false, Does: "programs that know no policies are let in"},
}

// Names are everything that a policy can say, in an order.
var Names = func() []string {
	list := make([]string, 0, len(policy.Settings)+len(rules))
	for _, s := range slices.Concat(policy.Settings, rules) {
		list = append(list, s.Name)
	}
	return list
}()

// names is Names, under a shorter name.
var names = Names

// maxNames bounds them, for arrays; a test holds it against Names.
const maxNames = 64

var byName = func() map[string]int {
	m := make(map[string]int, len(Names))
	for i, name := range Names {
		m[name] = i
	}
	return m
}()

// Where the rules stand in names.
var (
	require              = byName[nameRequire]
	refusePartial        = byName[namePartial]
	refuseExternal       = byName[nameExternal]
	allowUnprovisionable = byName[nameUnprovied]
)

// Find answers what is known of a name.
func Find(name string) (policy.Setting, bool) {
	for _, r := range rules {
		if r.Name == name {
			return r, true
		}
	}
	return policy.Find(name)
}

// Parse makes values of what somebody wrote: the values of TOML or JSON. It says
// everything that is wrong at once; then there are no values.
func Parse(written map[string]any) (Values, policy.Complaints) {
	values, wrong := Values{}, policy.Complaints(nil)
	document := policy.Document{}
	for _, name := range slices.Sorted(maps.Keys(written)) {
		s, ok := Find(name)
		if !ok {
			wrong = append(wrong, policy.Complaint{Setting: name, Wrong: "is not known", Remedy: nearest(name)})
			continue
		}
		v, c := s.Take(written[name])
		if c != nil {
			wrong = append(wrong, *c)
			continue
		}
		values[name] = v
		if s.Element != "" {
			document[name] = v
		}
	}
	wrong = append(wrong, contradictions(document)...)
	if len(wrong) > 0 {
		return nil, wrong
	}
	return values, nil
}

// contradictions are settings that have no effect beside others of the same
// policy. What another policy may add is not missed.
func contradictions(d policy.Document) (wrong policy.Complaints) {
	for _, c := range d.Check() {
		s, _ := policy.Find(c.Setting)
		if _, said := d[s.Needs]; said {
			wrong = append(wrong, c)
		}
	}
	return wrong
}

// nearest says what may have been meant.
func nearest(name string) string {
	best, least := "", 4 // more than three letters apart is another word
	for _, n := range Names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return "see the settings of a policy"
	}
	return fmt.Sprintf("is %s meant?", best)
}

// distance is how many letters have to be changed, put in or taken out.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// idle says why a decided value has no effect.
func idle(p policy.Policy, i int) string {
	if !p.Require {
		if i == require {
			return ""
		}
		return "phones do not have to accept it (require)"
	}
	s, ok := policy.Find(names[i])
	if !ok || s.Needs == "" || p.Document.Bool(s.Needs) == s.Must {
		return ""
	}
	return fmt.Sprintf("%s is %t", s.Needs, !s.Must)
}
