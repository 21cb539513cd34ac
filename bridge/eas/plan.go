package eas

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A kind is how a field travels.
type kind uint8

const (
	text kind = iota + 1
	number
	flag
	structure
	list
	tags
	bytes
	element
	properties
	encoded
)

// A field is what the tag and the type of a struct's field say.
type field struct {
	index   int
	outer   wbxml.Tag   // the element around it, 0 for none
	tags    []wbxml.Tag // its element; several where the struct has a field for the choice
	kind    kind
	item    kind // of the items of a list
	pointer bool
	plan    *plan // of a struct, or of the structs of a list
	min     Version
	max     Version
	first   Version
	always  bool
	value   bool
	unset   bool
	encoded int // index of the field that is written in its place, -1 for none
}

func (f *field) tag() wbxml.Tag { return f.tags[0] }

// A plan is what is known of a struct: its fields in wire order, and each by
// the element where it begins.
type plan struct {
	fields  []*field
	first   []*field // those which some versions want before the others
	byTag   map[wbxml.Tag]*field
	element int // index of the field for the struct's own tag, -1 for none
	text    int // index of the field for the struct's own text, -1 for none
}

var plans sync.Map // of reflect.Type to *plan

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p, _ := plans.LoadOrStore(t, newPlan(t))
	return p.(*plan)
}

// newPlan panics if a tag makes no sense: that is a mistake in this package.
func newPlan(t reflect.Type) *plan {
	p := &plan{byTag: make(map[wbxml.Tag]*field), element: -1, text: -1}
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("eas"), ",")
		if name == "" {
			switch options {
			case "element":
				p.element = i
			case "text":
				p.text = i
			default:
				panic(fmt.Sprintf("eas: %s.%s has no tag", t, sf.Name))
			}
			continue
		}
		f := &field{index: i, max: math.MaxUint8, encoded: -1}
		f.parseName(name)
		f.parseOptions(options)
		f.parseType(sf.Type)
		p.add(f)
	}
	return p
}

func (p *plan) add(f *field) {
	p.fields = append(p.fields, f)
	if f.first != 0 {
		p.first = append(p.first, f)
	}
	begins := f.tags
	if f.outer != 0 {
		begins = []wbxml.Tag{f.outer}
	}
	for _, t := range begins {
		before, ok := p.byTag[t]
		if !ok {
			p.byTag[t] = f
			continue
		}
		if f.kind != encoded || before.encoded >= 0 {
			panic("eas: two fields for " + tag.Name(t))
		}
		before.encoded = f.index
	}
}

// parseName reads "Space:Outer>Inner", "Space:Name" and "Space:Outer>One|Other".
func (f *field) parseName(name string) {
	outer, inner, nested := strings.Cut(name, ">")
	if !nested {
		outer, inner = "", name
	}
	space, _, _ := strings.Cut(name, ":")
	if nested {
		f.outer = mustLookup(outer)
	}
	for _, one := range strings.Split(inner, "|") {
		if !strings.Contains(one, ":") {
			one = space + ":" + one
		}
		f.tags = append(f.tags, mustLookup(one))
	}
}

func mustLookup(name string) wbxml.Tag {
	t, ok := tag.Lookup(name)
	if !ok {
		panic("eas: there is no element " + name)
	}
	return t
}

func (f *field) parseOptions(options string) {
	for option := range strings.SplitSeq(options, ",") {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "":
		case "min":
			f.min = mustVersion(value)
		case "max":
			f.max = mustVersion(value)
		case "first":
			f.first = mustVersion(value)
		case "always":
			f.always = true
		case "value":
			f.value = true
		case "unset":
			f.unset = true
		default:
			panic("eas: there is no option " + option)
		}
	}
}

func mustVersion(s string) Version {
	v, err := ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v
}

func (f *field) parseType(t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		f.pointer = true
		t = t.Elem()
	}
	f.kind = kindOf(t)
	if f.kind == list {
		t = t.Elem()
		f.item = kindOf(t)
	}
	if f.kind == structure || f.item == structure {
		f.plan = planOf(t)
	}
}

func kindOf(t reflect.Type) kind {
	switch t {
	case reflect.TypeFor[Properties]():
		return properties
	case reflect.TypeFor[Encoded]():
		return encoded
	case reflect.TypeFor[Element]():
		return element
	case reflect.TypeFor[Opaque]():
		return bytes
	case reflect.TypeFor[[]wbxml.Tag]():
		return tags
	}
	switch t.Kind() {
	case reflect.String:
		return text
	case reflect.Int:
		return number
	case reflect.Bool:
		return flag
	case reflect.Struct:
		return structure
	case reflect.Slice:
		return list
	}
	panic("eas: no field can be a " + t.String())
}
