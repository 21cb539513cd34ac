package contact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// maxElements is the number of categories and of children that a contact can
// have. See [MS-ASCNTC] "Category" and "Child".
const maxElements = 300

func appendList(ps eas.Properties, list, element wbxml.Tag, values []string) eas.Properties {
	if len(values) == 0 {
		return ps
	}
	es := make([]eas.Element, 0, len(values))
	for _, v := range shownList(values) {
		es = append(es, eas.T(element, v))
	}
	return append(ps, eas.C(list, es...))
}

func shownList(values []string) []string { return values[:min(len(values), maxElements)] }

func (c *card) categories() []string {
	vs := c.vcard.List("CATEGORIES")
	for i := range vs {
		vs[i] = tidy(vs[i])
	}
	return vs
}

// sentList answers the elements that a phone sent, and whether it sent the
// list at all.
func sentList(sent eas.Properties, list, element wbxml.Tag) ([]string, bool) {
	e, ok := sent.Find(list)
	var vs []string
	for _, child := range e.Children {
		if v := tidy(child.Content()); child.Tag == element && v != "" && !slices.Contains(vs, v) {
			vs = append(vs, v)
		}
	}
	return vs, ok
}

// wantedList answers what a list is to hold after a phone's edit, and whether
// that is another content than now. Order and doubles do not matter.
func wantedList(now []string, sent eas.Properties, list, element wbxml.Tag, o translate.Options) ([]string, bool) {
	want, ok := sentList(sent, list, element)
	if !ok && o.Absent(list) {
		return now, false
	}
	shown := shownList(now)
	if sameSet(shown, want) {
		return now, false
	}
	return append(want, now[len(shown):]...), true
}

func sameSet(a, b []string) bool {
	in := func(vs []string) func(string) bool {
		return func(v string) bool { return !slices.Contains(vs, v) }
	}
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

func (c *card) mergeCategories(sent eas.Properties, o translate.Options) {
	if want, changed := wantedList(c.categories(), sent, tag.ContactsCategories, tag.ContactsCategory, o); changed {
		c.vcard.SetList("CATEGORIES", want)
		c.changed = true
	}
}

func (c *card) childNames() []string {
	var vs []string
	for _, l := range c.lines[famChild] {
		vs = append(vs, tidy(l.Text()))
	}
	return vs
}

// mergeChildren keeps a line for each child.
func (c *card) mergeChildren(sent eas.Properties, o translate.Options) {
	want, changed := wantedList(c.childNames(), sent, tag.ContactsChildren, tag.ContactsChild, o)
	if !changed {
		return
	}
	c.changed = true
	for _, l := range c.lines[famChild] {
		name := tidy(l.Text())
		if i := slices.Index(want, name); i >= 0 {
			want = slices.Delete(want, i, i+1)
		} else {
			c.removeLine(l.Line)
		}
	}
	for _, name := range want {
		c.addChild(name)
	}
}

// addChild writes RELATED (RFC 6350, section 6.6.6) or what Apple has in its
// place in older versions.
func (c *card) addChild(name string) {
	if c.four {
		c.vcard.AddText("RELATED", name, contentline.P("TYPE", "child"), contentline.P("VALUE", "text"))
		return
	}
	group := c.freeGroup()
	l := c.vcard.AddText(group+".X-ABRELATEDNAMES", name)
	c.vcard.AddAfter(l, group+".X-ABLABEL", "_$!<Child>!$_")
}

func (c *card) freeGroup() string {
	used := map[string]bool{}
	for _, l := range c.vcard.Lines() {
		used[strings.ToLower(l.Group())] = true
	}
	for i := 1; ; i++ {
		if group := fmt.Sprintf("item%d", i); !used[group] {
			return group
		}
	}
}
