// Package rulebook keeps what administrators decided for phones: groups, policies and whom they are for, and who may come in.
//
// A [Book] has it in memory, ready to answer for every request; a [Store] keeps
// it. Everything is checked as a whole: a change with which anything would be
// wrong changes nothing, and says everything that is wrong.
package rulebook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/group"
)

// A Store keeps documents by kind and name.
type Store interface {
	// Documents answers those of a kind by their names.
	Documents(ctx context.Context, kind string) (map[string][]byte, error)

	// SaveDocument puts one in place of an earlier one; nil deletes it.
	SaveDocument(ctx context.Context, kind, name string, record []byte) error
}

// The kinds of documents. The words are stored.
const (
	kindGroup     = "group"
	kindPolicy    = "policy"
	kindLink      = "link"
	kindBlock     = "inheritance"
	kindAdmission = "admission"
	kindPerson    = "person"
	kindListed    = "listed"
)

// A Policy is a document of settings that administrators gave a name.
type Policy struct {
	Description string      `json:"description,omitempty"`
	Values      rsop.Values `json:"values"` // as they were written, until they are checked
}

// A Person is what was decided for somebody.
type Person struct {
	Off        bool      `json:"off,omitempty"`         // none of their phones is served
	Why        string    `json:"why,omitempty"`         // for people
	Since      time.Time `json:"since,omitzero"`        // when Off was said
	MaxDevices int       `json:"max_devices,omitempty"` // 0 means as for everybody
}

// A Listing says why a DeviceId is on the block list.
type Listing struct {
	Why  string    `json:"why,omitempty"`
	By   string    `json:"by"`
	When time.Time `json:"when"`
}

// A State is everything that was decided.
type State struct {
	Groups    map[string]group.Group
	Policies  map[string]Policy
	Links     []rsop.Link  // one of a policy to a scope, in no order
	Blocks    []rsop.Scope // that block inheritance
	Admission Admission
	People    map[string]Person
	Listed    map[string]Listing // by DeviceId
}

// Link finds the link of a policy to a scope.
func (s *State) Link(policy string, scope rsop.Scope) int {
	return slices.IndexFunc(s.Links, func(l rsop.Link) bool { return l.Policy == policy && l.Scope == scope })
}

// A key names a document.
type key struct{ kind, name string }

// load reads everything.
func load(ctx context.Context, store Store) (*State, map[key][]byte, error) {
	s := &State{Groups: map[string]group.Group{}, Policies: map[string]Policy{}, People: map[string]Person{}, Listed: map[string]Listing{}}
	raw := map[key][]byte{}
	for _, k := range []struct {
		kind string
		take func(name string, record []byte) error
	}{
		{kindGroup, into(s.Groups)}, {kindPolicy, into(s.Policies)}, {kindPerson, into(s.People)}, {kindListed, into(s.Listed)},
		{kindLink, onto(&s.Links)}, {kindBlock, onto(&s.Blocks)},
		{kindAdmission, func(_ string, record []byte) error { return decode(record, &s.Admission) }},
	} {
		all, err := store.Documents(ctx, k.kind)
		if err != nil {
			return nil, nil, fmt.Errorf("rulebook: %w", err)
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if err := k.take(name, all[name]); err != nil {
				return nil, nil, fmt.Errorf("rulebook: the %s %q that is stored: %w", k.kind, name, err)
			}
			raw[key{k.kind, name}] = all[name]
		}
	}
	return s, raw, nil
}

func decode(record []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(record))
	d.DisallowUnknownFields() // a rule of a newer version that is not known would not be kept
	return d.Decode(to)
}

func into[T any](m map[string]T) func(string, []byte) error {
	return func(name string, record []byte) error {
		var v T
		err := decode(record, &v)
		m[name] = v
		return err
	}
}

func onto[T any](list *[]T) func(string, []byte) error {
	return func(_ string, record []byte) error {
		var v T
		err := decode(record, &v)
		*list = append(*list, v)
		return err
	}
}

// documents are the state as it is stored.
func (s *State) documents() (map[key][]byte, error) {
	all := map[key][]byte{}
	var errs []error
	put := func(kind, name string, v any) {
		record, err := json.Marshal(v)
		errs = append(errs, err)
		all[key{kind, name}] = record
	}
	for name, g := range s.Groups {
		put(kindGroup, name, g)
	}
	for name, p := range s.Policies {
		put(kindPolicy, name, p)
	}
	for _, l := range s.Links {
		put(kindLink, linkName(l), l)
	}
	for _, b := range s.Blocks {
		put(kindBlock, b.String(), b)
	}
	for name, p := range s.People {
		if p != (Person{}) {
			put(kindPerson, name, p)
		}
	}
	for id, l := range s.Listed {
		put(kindListed, id, l)
	}
	if !s.Admission.empty() {
		put(kindAdmission, "rules", s.Admission)
	}
	return all, errors.Join(errs...)
}

func linkName(l rsop.Link) string { return l.Policy + " for " + l.Scope.String() }

// A Difference is a document that a change altered.
type Difference struct {
	Kind   string          `json:"kind"`
	Name   string          `json:"name"`
	Before json.RawMessage `json:"before,omitempty"` // absent if there was none
	After  json.RawMessage `json:"after,omitempty"`  // absent if it is deleted
}

// differences compares documents, in the order of their names.
func differences(before, after map[key][]byte) (list []Difference) {
	all := maps.Clone(before)
	maps.Copy(all, after)
	keys := slices.SortedFunc(maps.Keys(all), func(a, b key) int { return strings.Compare(a.kind+"\x00"+a.name, b.kind+"\x00"+b.name) })
	for _, k := range keys {
		if !bytes.Equal(before[k], after[k]) {
			list = append(list, Difference{k.kind, k.name, before[k], after[k]})
		}
	}
	return list
}
