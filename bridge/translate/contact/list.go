package contact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

func (c *card) categories() []string {
	vs := c.vcard.List("CATEGORIES")
	for i := range vs {
		vs[i] = tidy(vs[i])
	}
	return vs
}

func (c *card) mergeCategories(sent eas.Properties, o translate.Options) error {
	want, changed, err := translate.MergeList(c.categories(), sent, tag.ContactsCategories, tag.ContactsCategory, o)
	if err != nil {
		return fmt.Errorf("contact: categories: %w", err)
	}
	if changed {
		c.vcard.SetList("CATEGORIES", want)
		c.changed = true
	}
	return nil
}

func (c *card) childNames() []string {
	var vs []string
	for _, l := range c.lines[famChild] {
		vs = append(vs, tidy(l.Text()))
	}
	return vs
}

// mergeChildren keeps a line for each child.
func (c *card) mergeChildren(sent eas.Properties, o translate.Options) error {
	want, changed, err := translate.MergeList(c.childNames(), sent, tag.ContactsChildren, tag.ContactsChild, o)
	if err != nil {
		return fmt.Errorf("contact: children: %w", err)
	}
	if !changed {
		return nil
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
	return nil
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
