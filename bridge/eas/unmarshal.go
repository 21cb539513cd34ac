package eas

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// MaxListed bounds the entries of one list in a message: folders, commands,
// results. Exchange takes 200 commands and 1000 folders; an answer has at most
// 512 items, a person perhaps thousands of folders.
const MaxListed = 10_000

// A RootError means that a document is well formed, but another message than
// the command's.
type RootError struct {
	Got, Want string // names such as "Ping:Ping"
}

func (e *RootError) Error() string {
	return fmt.Sprintf("eas: the document is a %s, not a %s", e.Got, e.Want)
}

// A ValueError means that a value in a message cannot be what its element
// requires. The message is otherwise complete. Statuses for it are SyncProtocol and
// the like.
type ValueError struct {
	Element string // its name, "AirSync:WindowSize"
	Why     string
}

func (e *ValueError) Error() string { return fmt.Sprintf("eas: %s: %s", e.Element, e.Why) }

// Unmarshal decodes a WBXML document into the message that v points to; see
// Marshal for the rules. Elements that the message does not know are skipped, of
// elements that may stand only once the last counts, and the order of elements
// does not matter. Of a boolean, the empty element means true and "0" false; of
// a number, the empty element means 0, or [Unset] where the message says so.
//
// The error is a *wbxml.SyntaxError, a *RootError, or, after all that can be
// decoded has been, a *ValueError for the first value that is wrong.
func Unmarshal(doc []byte, v any) error {
	value := reflect.ValueOf(v)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return fmt.Errorf("eas: %T is not a pointer to a message", v)
	}
	value = value.Elem()
	root, ok := roots[value.Type()]
	if !ok {
		return fmt.Errorf("eas: %s is not a message", value.Type())
	}
	wire, err := wbxml.NewDecoder(doc)
	if err != nil {
		return err
	}
	d := decoder{Decoder: wire}
	t, err := d.Next()
	if err != nil {
		return err
	}
	if t.Tag != root {
		return &RootError{Got: tag.Name(t.Tag), Want: tag.Name(root)}
	}
	if err := d.structure(planOf(value.Type()), value); err != nil {
		return err
	}
	if _, err := d.Next(); !errors.Is(err, io.EOF) {
		return err
	}
	if d.wrong != nil {
		return d.wrong
	}
	return nil
}

type decoder struct {
	*wbxml.Decoder
	wrong    *ValueError // the first
	siblings []Element   // children of open elements that have been decoded
}

func (d *decoder) complain(t wbxml.Tag, why string) {
	if d.wrong == nil {
		d.wrong = &ValueError{Element: tag.Name(t), Why: why}
	}
}

// children calls f for each child of the element that has just begun, and
// gathers its own text.
func (d *decoder) children(f func(wbxml.Token) error) ([]byte, error) {
	var content []byte
	for {
		t, err := d.Next()
		if err != nil {
			return nil, err
		}
		switch t.Kind {
		case wbxml.Start:
			if err := f(t); err != nil {
				return nil, err
			}
		case wbxml.End:
			return content, nil
		default:
			content = join(content, t.Data)
		}
	}
}

// skip passes over the element that has just begun.
func (d *decoder) skip(wbxml.Token) error {
	for depth := d.Depth(); d.Depth() >= depth; {
		if _, err := d.Next(); err != nil {
			return err
		}
	}
	return nil
}

// characters makes text of content, which may have come as opaque data.
func characters(content []byte) string {
	return strings.ToValidUTF8(string(content), string(utf8.RuneError))
}

func (d *decoder) structure(p *plan, v reflect.Value) error {
	content, err := d.children(func(t wbxml.Token) error {
		f, ok := p.byTag[t.Tag]
		switch {
		case !ok:
			return d.skip(t)
		case f.outer == 0:
			return d.field(f, t, v.Field(f.index))
		}
		return d.outer(f, v.Field(f.index))
	})
	if p.text >= 0 {
		v.Field(p.text).SetString(characters(content))
	}
	return err
}

// outer decodes the element around a field.
func (d *decoder) outer(f *field, v reflect.Value) error {
	if f.kind == list && v.IsNil() {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	_, err := d.children(func(t wbxml.Token) error {
		for _, want := range f.tags {
			if t.Tag == want {
				return d.field(f, t, v)
			}
		}
		return d.skip(t)
	})
	return err
}

func (d *decoder) field(f *field, t wbxml.Token, v reflect.Value) error {
	switch {
	case f.kind == list:
		if v.Len() == MaxListed {
			d.complain(t.Tag, fmt.Sprintf("there are more than %d", MaxListed))
			return d.skip(t)
		}
		v.Grow(1)
		v.SetLen(v.Len() + 1)
		item := v.Index(v.Len() - 1)
		item.SetZero()
		return d.one(f, f.item, t, item)
	case f.pointer:
		if v.IsNil() || f.kind != structure {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return d.one(f, f.kind, t, v)
}

func (d *decoder) one(f *field, k kind, t wbxml.Token, v reflect.Value) (err error) {
	switch k {
	case structure:
		if f.plan.element >= 0 {
			v.Field(f.plan.element).SetUint(uint64(t.Tag))
		}
		return d.structure(f.plan, v)
	case tags:
		list := []wbxml.Tag{}
		_, err = d.children(func(t wbxml.Token) error {
			if !literal(t) {
				list = append(list, t.Tag)
			}
			return d.skip(t)
		})
		v.Set(reflect.ValueOf(list))
		return err
	case element:
		el := v.Addr().Interface().(*Element)
		*el = Element{Tag: t.Tag}
		return d.element(el)
	case properties:
		var el Element
		err = d.element(&el)
		if el.Children == nil {
			el.Children = []Element{}
		}
		v.Set(reflect.ValueOf(Properties(el.Children)))
		return err
	}
	content, err := d.children(d.skip)
	if err != nil {
		return err
	}
	d.scalar(f, k, t.Tag, content, v)
	return nil
}

func (d *decoder) scalar(f *field, k kind, t wbxml.Tag, raw []byte, v reflect.Value) {
	content := characters(raw)
	switch k {
	case text:
		v.SetString(content)
	case bytes:
		v.SetBytes(append([]byte{}, raw...))
	case number:
		content = strings.TrimSpace(content)
		if content == "" {
			if f.unset {
				v.SetInt(Unset)
			}
			return
		}
		n, err := strconv.ParseInt(content, 10, 32)
		if err != nil {
			d.complain(t, "the value is not a number of 32 bits")
			return
		}
		v.SetInt(n)
	case flag:
		switch strings.ToLower(strings.TrimSpace(content)) {
		case "", "1", "true":
			v.SetBool(true)
		case "0", "false":
			v.SetBool(false)
		default:
			d.complain(t, "the value is not 0 or 1")
		}
	}
}

// literal tells whether an element has a name instead of a token. ActiveSync has
// no such elements.
func literal(t wbxml.Token) bool { return t.Tag.Token() == wbxml.Literal.Token() }

// element decodes the content of an element of which nothing is known. The
// depth of the recursion is bounded by wbxml.MaxDepth.
func (d *decoder) element(el *Element) error {
	var content []byte
	opaque, first := false, len(d.siblings)
	for {
		t, err := d.Next()
		if err != nil {
			return err
		}
		switch t.Kind {
		case wbxml.Start:
			if literal(t) {
				if err := d.skip(t); err != nil {
					return err
				}
				continue
			}
			child := Element{Tag: t.Tag}
			if err := d.element(&child); err != nil {
				return err
			}
			d.siblings = append(d.siblings, child)
		case wbxml.End:
			if children := d.siblings[first:]; len(children) > 0 {
				el.Children = slices.Clone(children)
				clear(children)
				d.siblings = d.siblings[:first]
			}
			if opaque {
				el.Opaque = append([]byte{}, content...)
			} else {
				el.Text = string(content)
			}
			return nil
		default:
			content = join(content, t.Data)
			opaque = opaque || t.Kind == wbxml.Opaque
		}
	}
}

// join appends content, but does not copy what comes in one piece, as nearly
// everything does.
func join(content, more []byte) []byte {
	if content == nil {
		return more[:len(more):len(more)]
	}
	return append(content, more...)
}
