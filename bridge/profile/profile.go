// Package profile knows what each sort of phone wants to be treated like, from a table that an operator can add to.
//
// What phones do differently from the specifications is written in
// profiles.toml, and nowhere in the code: a rule says by patterns on DeviceType,
// user agent and DeviceId whom it is for, and by settings what it changes.
package profile

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Profile is how one phone is treated. The zero value is right for a phone
// that keeps to the specifications.
type Profile struct {
	// Name is that of the last rule that holds and has one, for people.
	Name string

	// BirthdayHour is the hour in UTC at which the phone expects birthdays.
	BirthdayHour int

	// EmptyPictureRemoves: an empty Picture takes a contact's photo away. There
	// are phones that send one with every edit and mean nothing by it.
	EmptyPictureRemoves bool

	// FileAs is what a contact is filed under that does not say so itself.
	FileAs translate.FileAs

	// EmptySupportedIsNone: an empty Supported is meant like none, not as "all
	// properties are ghosted". See [MS-ASCMD] "Supported".
	EmptySupportedIsNone bool

	// OtherContactsUnknown: address books beside the main one are announced as
	// folders of unknown type. See [MS-ASCMD] "Type (FolderSync)", 18.
	OtherContactsUnknown bool

	// Merged are the kinds of folders of which the phone shows one: all of a kind
	// are shown to it as one folder. See Merges.
	Merged Kinds

	// Timeout is how long the phone waits for an answer before it gives up;
	// 0 means that it is not known.
	Timeout time.Duration

	// MaxVersion is the last protocol version that the phone is told of; 0
	// means all.
	MaxVersion eas.Version

	// MaxWindow is the most items that one answer may bring; 0 means what the
	// phone asks for.
	MaxWindow int

	// NoGzip: answers are not compressed, whatever the phone says it accepts.
	NoGzip bool
}

// Kinds are a set of kinds of folders.
type Kinds uint8

// mergeable are the kinds that can be in a set.
var mergeable = []backend.CollectionKind{backend.Contacts, backend.Events, backend.Tasks, backend.Notes}

// Merges tells whether all folders of a kind are shown as one.
func (p Profile) Merges(k backend.CollectionKind) bool {
	i := slices.Index(mergeable, k)
	return i >= 0 && p.Merged&(1<<i) != 0
}

// A rule holds for phones that fit all of its patterns; nil fits everyone.
type rule struct {
	deviceType, userAgent, deviceID *regexp.Regexp

	settings []setting
}

// A setting writes one key of a rule into a profile.
type setting struct {
	key string
	set func(*Profile)
}

func (r *rule) fits(p phone) bool {
	fits := func(pattern *regexp.Regexp, s string) bool { return pattern == nil || pattern.MatchString(s) }
	return fits(r.deviceType, p.deviceType) && fits(r.userAgent, p.userAgent) && fits(r.deviceID, p.deviceID)
}

// A phone is what a phone says of itself with every request.
type phone struct{ deviceType, userAgent, deviceID string }

const (
	// MaxText is how much of what a phone says of itself is looked at, in
	// bytes: user agents are a line.
	MaxText = 256

	// maxKnown bounds the phones whose profile is remembered. More than these
	// are worked out again, which takes some microseconds.
	maxKnown = 4096
)

// A Table is a list of rules. Its methods may be called by several goroutines.
type Table struct {
	rules []rule

	mu    sync.RWMutex
	known map[phone]*Profile
}

// For answers how a phone is treated: each setting as the last of the rules
// says that hold for the phone and have it. The same texts have the same
// answer for ever.
func (t *Table) For(deviceType, userAgent, deviceID string) Profile {
	return *t.Of(deviceType, userAgent, deviceID)
}

// Of is For, without a copy: what it points to is shared, and not to be changed.
func (t *Table) Of(deviceType, userAgent, deviceID string) *Profile {
	p := phone{clip(deviceType), clip(userAgent), clip(deviceID)}
	t.mu.RLock()
	profile, ok := t.known[p]
	t.mu.RUnlock()
	if ok {
		return profile
	}
	found := t.find(p)
	profile = &found
	// The memory keeps its own copies and not the requests that they are cut from.
	p = phone{strings.Clone(p.deviceType), strings.Clone(p.userAgent), strings.Clone(p.deviceID)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= maxKnown {
		t.known = make(map[phone]*Profile)
	}
	t.known[p] = profile
	return profile
}

func (t *Table) find(p phone) (profile Profile) {
	for i := range t.rules {
		if !t.rules[i].fits(p) {
			continue
		}
		for _, s := range t.rules[i].settings {
			s.set(&profile)
		}
	}
	return profile
}

func clip(s string) string { return s[:min(len(s), MaxText)] }
