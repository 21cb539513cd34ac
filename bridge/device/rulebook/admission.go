package rulebook

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/group"
)

const (
	// MaxRules bounds the rules of admission: all are looked at for each request.
	MaxRules = 500

	// maxText bounds what people write about a rule, in bytes.
	maxText = 512
)

// An Action is what becomes of a phone. The words are stored.
type Action string

// The actions.
const (
	Allow      Action = "allow"
	Block      Action = "block"
	Quarantine Action = "quarantine" // until somebody allows it
)

// Actions are all of them.
var Actions = []Action{Allow, Block, Quarantine}

// A Rule says what becomes of the phones that everything fits that it names. In
// patterns * stands for any text and ? for one character; capital letters mean the
// same as small ones, except in User, Group and Device.
type Rule struct {
	Action  Action `json:"action"`
	User    string `json:"user,omitempty"`     // a pattern
	Group   string `json:"group,omitempty"`    // one that the person belongs to
	Device  string `json:"device,omitempty"`   // a pattern of DeviceIds
	Type    string `json:"type,omitempty"`     // a pattern of DeviceTypes
	Agent   string `json:"agent,omitempty"`    // a pattern of user agents
	OS      string `json:"os,omitempty"`       // a pattern of what the phone says of its system
	OSBelow string `json:"os_below,omitempty"` // versions before this one, such as "17.2"; a phone that says none does not fit
	Note    string `json:"note,omitempty"`     // why, for people
}

// An Admission says who may come in.
type Admission struct {
	// Rules are looked at in their order; the first that fits decides.
	Rules []Rule `json:"rules,omitempty"`

	// Default becomes of phones that no rule fits; empty means Allow.
	Default Action `json:"default,omitempty"`

	// Since is when Default was said. It is for phones that come for the first
	// time from then on, unless Everybody.
	Since     time.Time `json:"since,omitzero"`
	Everybody bool      `json:"everybody,omitempty"`

	// MaxDevices bounds the phones of one person; 0 means device.MaxPhones.
	MaxDevices int `json:"max_devices,omitempty"`
}

func (a Admission) empty() bool {
	return len(a.Rules) == 0 && a.Default == "" && a.Since.IsZero() && !a.Everybody && a.MaxDevices == 0
}

// String says a rule in words.
func (r Rule) String() string {
	var words []string
	for _, w := range []struct{ name, value string }{
		{"user", r.User}, {"group", r.Group}, {"device", r.Device}, {"type", r.Type}, {"agent", r.Agent}, {"os", r.OS}, {"os below", r.OSBelow},
	} {
		if w.value != "" {
			words = append(words, w.name+" "+w.value)
		}
	}
	text := string(r.Action) + " " + strings.Join(words, ", ")
	if r.Note != "" {
		text += " (" + r.Note + ")"
	}
	return text
}

// fits tells whether a rule is about a phone.
func (r Rule) fits(p device.Phone, groups []group.Membership) bool {
	for _, w := range []struct {
		pattern, text string
		fold          bool
	}{{r.User, p.User, false}, {r.Device, p.Device, false}, {r.Type, p.Type, true}, {r.Agent, p.UserAgent, true}, {r.OS, p.OS, true}} {
		if w.pattern == "" {
			continue
		}
		if w.fold {
			w.pattern, w.text = strings.ToLower(w.pattern), strings.ToLower(w.text)
		}
		if !matches(w.pattern, w.text) {
			return false
		}
	}
	if r.Group != "" && !slices.ContainsFunc(groups, func(m group.Membership) bool { return m.Group == r.Group }) {
		return false
	}
	return r.OSBelow == "" || below(p.OS, r.OSBelow)
}

// hide takes the meaning from what path.Match knows beside * and ?. Making it takes
// longer than a match, and each request asks for as many as there are rules.
var hide = strings.NewReplacer("/", "\x00", "[", `\[`, `\`, `\\`)

// matches is path.Match in which a slash is a character as any other. The pattern
// was checked.
func matches(pattern, text string) bool {
	ok, err := path.Match(hide.Replace(pattern), strings.ReplaceAll(text, "/", "\x00"))
	return ok && err == nil
}

var versionNumber = regexp.MustCompile(`\d+(\.\d+)*`)

// below tells whether the first version number in a text is before another one.
func below(text, limit string) bool {
	has := versionNumber.FindString(text)
	if has == "" {
		return false
	}
	return slices.Compare(numbers(has), numbers(limit)) < 0
}

// numbers are those of a version, without zeros at the end: 17.0 is 17.
func numbers(version string) []int {
	var list []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = 1 << 30 // of more digits than any version has
		}
		list = append(list, n)
	}
	for len(list) > 0 && list[len(list)-1] == 0 {
		list = list[:len(list)-1]
	}
	return list
}

// check says what is wrong with the rules.
func (a Admission) check(groups map[string]group.Group) (wrong Complaints) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if a.Default != "" && !slices.Contains(Actions, a.Default) {
		complain("the default of admission is %.40q; write allow, block or quarantine", a.Default)
	}
	if a.MaxDevices < 0 || a.MaxDevices > device.MaxPhones {
		complain("max_devices is %d; write 1 to %d, or 0 for %d", a.MaxDevices, device.MaxPhones, device.MaxPhones)
	}
	if len(a.Rules) > MaxRules {
		complain("there are %d rules of admission; there may be %d", len(a.Rules), MaxRules)
	}
	for i, r := range a.Rules {
		say := func(format string, args ...any) { complain("rule %d: "+format, append([]any{i + 1}, args...)...) }
		if !slices.Contains(Actions, r.Action) {
			say("%.40q is no action; write allow, block or quarantine", r.Action)
		}
		if (r == Rule{Action: r.Action, Note: r.Note}) {
			say("it names nothing, and so fits every phone; set the default instead")
		}
		if r.OSBelow != "" && versionNumber.FindString(r.OSBelow) != r.OSBelow {
			say("%.40q is no version; write numbers with dots", r.OSBelow)
		}
		if _, ok := groups[r.Group]; r.Group != "" && !ok {
			say("there is no group %.80q", r.Group)
		}
		for _, text := range []string{r.User, r.Group, r.Device, r.Type, r.Agent, r.OS, r.OSBelow, r.Note} {
			if len(text) > maxText || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\ufffd' }) {
				say("%.40q is too long, or has characters that are none", text)
			}
		}
	}
	return wrong
}
