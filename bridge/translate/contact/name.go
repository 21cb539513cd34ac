package contact

import (
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// Components of N. See RFC 2426, section 3.1.2.
const (
	partLast = iota
	partFirst
	partMiddle
	partPrefix
	partSuffix
	partCount
)

type nameParts [partCount]string

// storedName answers the parts of the name as N has them.
func (c *card) storedName() nameParts {
	var p nameParts
	if l := c.bound[slotName]; l != nil {
		for i := range p {
			p[i] = strings.Join(strings.Fields(tidy(strings.Join(l.FieldList(i), " "))), " ")
		}
	}
	return p
}

// readName answers the parts of the name. A card without them, which vCard 4.0
// allows, lends them from FN: a phone without names shows nobody. What is no
// person's name is not lent.
func (c *card) readName() nameParts {
	p := c.storedName()
	fn := tidy(c.bound[slotFormatted].Text())
	if p != (nameParts{}) || fn == "" || fn == nobody || fn == c.thing {
		return p
	}
	words := strings.Fields(fn)
	last := len(words) - 1
	if last == 0 {
		p[partFirst] = fn
	} else {
		p[partFirst], p[partLast] = strings.Join(words[:last], " "), words[last]
	}
	return p
}

// namePart is a property that is a component of N.
type namePart int

func (namePart) wire(text string, o translate.Options) string { return whole{}.wire(text, o) }

func (namePart) read(sent string, _ translate.Options) (string, error) {
	return strings.Join(strings.Fields(tidy(sent)), " "), nil
}

func (n namePart) show(c *card, _ slotID) string {
	return strings.Join(strings.Fields(c.parts[n]), " ")
}

func (n namePart) write(c *card, s slotID, text string) {
	l := c.line(s)
	if strings.Trim(l.Value(), "; ") == "" { // the parts are lent from FN
		l.SetValue(";;;;")
		for i, part := range c.parts {
			l.SetField(i, part)
		}
	}
	l.SetField(int(n), text)
	c.renamed = true
}

// forms are the ways in which people and programs put a name together.
var forms = []func(nameParts) string{
	func(p nameParts) string { return join(" ", p[partFirst], p[partLast]) },
	func(p nameParts) string {
		return join(" ", p[partPrefix], p[partFirst], p[partMiddle], p[partLast], p[partSuffix])
	},
	func(p nameParts) string { return join(" ", p[partFirst], p[partMiddle], p[partLast]) },
	func(p nameParts) string { return join(" ", p[partPrefix], p[partFirst], p[partLast]) },
	func(p nameParts) string { return join(" ", p[partPrefix], p[partFirst], p[partMiddle], p[partLast]) },
	func(p nameParts) string { return join(", ", p[partLast], p[partFirst]) },
	func(p nameParts) string { return join(", ", p[partLast], join(" ", p[partFirst], p[partMiddle])) },
	func(p nameParts) string { return join(" ", p[partLast], p[partFirst]) },
	func(p nameParts) string { return p[partLast] + p[partFirst] },
}

// fullForm is the form that a new FN has.
const fullForm = 1

func join(sep string, words ...string) string {
	var ws []string
	for _, w := range words {
		if w != "" {
			ws = append(ws, w)
		}
	}
	return strings.Join(ws, sep)
}

// formOf finds the form in which a text is that name.
func formOf(text string, p nameParts) (form int, ok bool) {
	for i, f := range forms {
		if text != "" && text == f(p) {
			return i, true
		}
	}
	return fullForm, false
}

// mergeFormattedName lets FN follow the name, in the form that it had. An FN
// of somebody's own making keeps its shape: only the words that the name no
// longer has are replaced. The FN of a company follows its name.
func (c *card) mergeFormattedName() {
	text := tidy(c.bound[slotFormatted].Text())
	old, now := c.parts, c.storedName()
	if !c.renamed {
		if thing := c.nameOfThing(); now == (nameParts{}) && text == c.thing && text != "" && thing != "" {
			c.bound[slotFormatted].SetText(thing)
		}
		return
	}
	c.parts = now
	fn := c.line(slotFormatted)
	form, ok := formOf(text, old)
	switch {
	case now == (nameParts{}) && (ok || text == ""):
		text = c.anyName()
	case ok, text == "", text == nobody:
		text = forms[form](now)
	default:
		for i := range old {
			if old[i] != "" && now[i] != "" && old[i] != now[i] {
				text = strings.Replace(text, old[i], now[i], 1)
			}
		}
	}
	if text != "" {
		fn.SetText(text)
	}
}

// fileAs is FileAs: Evolution's property of that meaning, else what the rule
// makes of the card, else FN, else what there is.
type fileAs struct{ plain }

func (fileAs) show(c *card, s slotID) string {
	if text := tidy(c.bound[s].Text()); text != "" {
		return text
	}
	if text := c.byRule(); text != "" {
		return text
	}
	if text := tidy(c.bound[slotFormatted].Text()); text != "" {
		return text
	}
	if text := forms[fullForm](c.parts); text != "" {
		return text
	}
	return c.nameOfThing()
}

// byRule is what the rule for FileAs makes of the card, "" if it lacks what the
// rule needs.
func (c *card) byRule() string {
	switch c.fileAs {
	case translate.FileAsLastFirst:
		return join(", ", c.parts[partLast], join(" ", c.parts[partFirst], c.parts[partMiddle]))
	case translate.FileAsFirstLast:
		return join(" ", c.parts[partFirst], c.parts[partMiddle], c.parts[partLast])
	case translate.FileAsCompany:
		return tidy(fieldText(c.bound[slotOrg], 0))
	}
	return ""
}

func (fileAs) write(c *card, s slotID, text string) { whole{}.write(c, s, text) }

// mergeFileAs takes a changed FileAs. Phones make it from the name ("Doe,
// Jane"); such a text tells nothing new and leaves FN alone. FN is never
// removed: a card must have it (RFC 2426, section 3.1.1).
func (c *card) mergeFileAs(texts map[wbxml.Tag]string, shown string) {
	want := tidy(texts[tag.ContactsFileAs])
	if want == "" || want == nobody || want == shown || want == (fileAs{}).show(c, slotFileAs) {
		return
	}
	if c.bound[slotFileAs] != nil {
		c.bound[slotFileAs].SetText(want)
		c.changed = true
		return
	}
	if _, made := formOf(want, c.parts); made || want == tidy(fieldText(c.bound[slotOrg], 0)) && c.parts != (nameParts{}) {
		return
	}
	c.line(slotFormatted).SetText(want)
	c.changed = true
}

// nobody is the FN of a card that has nothing to make one of; it must have one.
const nobody = "?"

// anyName is what a card without a name is called.
func (c *card) anyName() string {
	for _, s := range []slotID{slotFileAs, slotNick} {
		if text := tidy(c.bound[s].Text()); text != "" {
			return text
		}
	}
	if text := c.nameOfThing(); text != "" {
		return text
	}
	return nobody
}

// nameOfThing is what a card can be called that belongs to no person.
func (c *card) nameOfThing() string {
	if org := tidy(fieldText(c.bound[slotOrg], 0)); org != "" {
		return org
	}
	for _, s := range []slotID{slotMail1, slotMobile, slotHomePhone, slotWorkPhone} {
		if text := tidy(c.bound[s].Text()); text != "" {
			return text
		}
	}
	return ""
}
