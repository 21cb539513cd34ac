package contact

import (
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// relabel lets what is said of an address elsewhere follow it when components
// of it change: its label for printing, which is a property in vCard 2.1 and
// 3.0 (RFC 2426, section 3.2.2) and a parameter in 4.0 (RFC 6350, section
// 6.3.1), and its coordinates. A label in which the changed words cannot be
// found goes, for it says something else then.
func (c *card) relabel(l *contentline.Line, texts map[int]string) {
	l.SetParam("GEO")
	if label := l.Param("LABEL"); label != "" {
		if text, ok := relabelled(label, l, texts); ok {
			l.SetParam("LABEL", text)
		} else {
			l.SetParam("LABEL")
		}
	}
	if label := c.labelOf(l); label != nil {
		if text, ok := relabelled(label.Text(), l, texts); ok {
			label.SetText(text)
		} else {
			c.vcard.Remove(label)
		}
	}
}

// relabelled is a label with the new words in place of the old ones; false if
// that cannot be.
func relabelled(label string, l *contentline.Line, texts map[int]string) (string, bool) {
	for i, now := range texts {
		was := fieldText(l, i)
		if was == now {
			continue
		}
		if was == "" || now == "" || strings.Count(label, was) != 1 {
			return "", false
		}
		label = strings.Replace(label, was, now, 1)
	}
	return label, true
}

// labelOf finds the LABEL property that belongs to an address: the one in its
// group, else the one of its types, of which there are as many as addresses.
func (c *card) labelOf(l *contentline.Line) *contentline.Line {
	labels := c.vcard.All("LABEL")
	if len(labels) == 0 {
		return nil
	}
	for _, label := range labels {
		if label.Group() != "" && strings.EqualFold(label.Group(), l.Group()) {
			return label
		}
	}
	sameKind := func(ls []*contentline.Line) []*contentline.Line {
		return slices.DeleteFunc(ls, func(x *contentline.Line) bool {
			return classify(famAddress, x) != classify(famAddress, l) || x.Name() == "LABEL" && x.Group() != ""
		})
	}
	labels, addresses := sameKind(labels), sameKind(c.vcard.All("ADR"))
	if at := slices.Index(addresses, l); at >= 0 && len(labels) == len(addresses) {
		return labels[at]
	}
	return nil
}
