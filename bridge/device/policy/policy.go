// Package policy holds what is asked of a phone's security: documents of settings, and what they are in the languages that phones know.
//
// A [Document] has the settings that somebody wrote, by the names in [Settings];
// what is not in it is left to the phone's owner. [Parse] says everything that is
// wrong with one at once. See [MS-ASPROV] "EASProvisionDoc", whose elements the
// settings are.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
)

// A Document is what is asked of a phone, by the names of settings. Values are
// bool, int or []string, as the setting's kind says. A document is not changed
// after it was made.
type Document map[string]any

// A Policy is what applies to a phone. The zero value asks nothing: a phone that
// wants a policy is told that there is none for it, and so warns nobody of what
// an administrator might do.
type Policy struct {
	// Require makes phones accept the document before anything else is
	// answered. Without it there is no policy.
	Require bool

	Document Document

	// RefusePartial keeps out phones that could not apply all of it. See
	// [MS-ASPROV] "Provision Command Errors", 139.
	RefusePartial bool

	// RefuseExternal keeps out phones that somebody else manages. See [MS-ASPROV]
	// "Provision Command Errors", 145.
	RefuseExternal bool

	// AllowUnprovisionable lets in phones that never name a policy key: desktop
	// programs that know no policies. See [MS-ASPROV] "Provision Command Errors",
	// 141.
	AllowUnprovisionable bool
}

// Revision names what the policy asks; policies that ask the same have the same
// name. It is empty where there is none.
func (p Policy) Revision() string {
	if !p.Require {
		return ""
	}
	text, err := json.Marshal(p.Document) // sorted by name
	if err != nil {
		panic("policy: a document with a value that is none: " + err.Error()) // Parse lets nothing of the sort through
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Bool is a setting that is true or false, with the value that asks nothing where
// it is not set.
func (d Document) Bool(name string) bool {
	if v, ok := d[name].(bool); ok {
		return v
	}
	s, _ := Find(name)
	v, _ := s.Neutral.(bool)
	return v
}

// Int is a setting that is a number, and whether it is set.
func (d Document) Int(name string) (int, bool) {
	v, ok := d[name].(int)
	return v, ok
}

// Names lists the settings of the document in the order of Settings.
func (d Document) Names() []string {
	names := slices.Collect(maps.Keys(d))
	slices.SortFunc(names, func(a, b string) int { return index(a) - index(b) })
	return names
}
