package contact

import (
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// A codec reads and writes one property in the line of a place. What show and
// read answer can be compared; "" means that there is nothing.
type codec interface {
	show(c *card, s slotID) string
	wire(text string, o translate.Options) string // what show answered, as it travels
	read(sent string, o translate.Options) (string, error)
	write(c *card, s slotID, text string) // "" removes
}

// maxText is the length in bytes of a property that a phone is shown. It is
// more than any name or address has, and phones keep these in small fields.
const maxText = 16 << 10

// tidy is a text as it can be compared: phones drop blanks at the ends.
func tidy(s string) string {
	s = strings.TrimSpace(translate.Truncate(s, maxText))
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	return s
}

// plain is the part of a codec that most have in common.
type plain struct{}

func (plain) wire(text string, _ translate.Options) string {
	return strings.ReplaceAll(text, "\n", "\r\n")
}

func (plain) read(sent string, _ translate.Options) (string, error) {
	return tidy(strings.ToValidUTF8(sent, "\uFFFD")), nil
}

// line is the line of a place, made if need be.
func (c *card) line(s slotID) *contentline.Line {
	if l := c.bound[s]; l != nil {
		return l
	}
	return c.add(s)
}

// whole is a property that is the text of its line.
type whole struct{ plain }

func (whole) show(c *card, s slotID) string { return tidy(c.bound[s].Text()) }

func (whole) write(c *card, s slotID, text string) {
	if text == "" {
		c.remove(s)
		return
	}
	c.line(s).SetText(text)
}

// Components of ADR. See RFC 2426, section 3.2.1.
const (
	adrPostOfficeBox = iota
	adrExtended
	adrStreet
	adrCity
	adrState
	adrPostalCode
	adrCountry
)

// field is a property that is a component of a structured line.
type field int

func (field) wire(text string, o translate.Options) string { return plain{}.wire(text, o) }

func (field) read(sent string, o translate.Options) (string, error) { return plain{}.read(sent, o) }

func (f field) show(c *card, s slotID) string { return tidy(fieldText(c.bound[s], int(f))) }

func (f field) write(c *card, s slotID, text string) { c.setFields(s, map[int]string{int(f): text}) }

func fieldText(l *contentline.Line, i int) string {
	if fs := l.Fields(); i < len(fs) {
		return fs[i]
	}
	return ""
}

// setFields writes components of a structured line, and removes the line when
// nothing is left in it.
func (c *card) setFields(s slotID, texts map[int]string) {
	l := c.line(s)
	isAddress := slots[s].family == famAddress
	if l.Value() == "" && isAddress {
		l.SetValue(";;;;;;")
	}
	if isAddress && !c.added[l] {
		c.relabel(l, texts)
	}
	for i, text := range texts {
		l.SetField(i, text)
	}
	if strings.Trim(l.Value(), "; ") == "" {
		if label := c.labelOf(l); isAddress && label != nil {
			c.vcard.Remove(label)
		}
		c.keepSaid(s)
		c.remove(s)
	}
}

// street is the street of an address, with the post office box and the
// extended address as lines of their own above it, for a phone has no other
// place for them.
type street struct{ plain }

func (street) show(c *card, s slotID) string {
	l := c.bound[s]
	return tidy(addressHead(l) + fieldText(l, adrStreet))
}

func addressHead(l *contentline.Line) string {
	head := ""
	for _, i := range []int{adrPostOfficeBox, adrExtended} {
		if text := tidy(fieldText(l, i)); text != "" {
			head += text + "\n"
		}
	}
	return head
}

func (street) write(c *card, s slotID, text string) {
	head := addressHead(c.bound[s])
	if rest, ok := strings.CutPrefix(text+"\n", head); ok {
		c.setFields(s, map[int]string{adrStreet: strings.TrimSuffix(rest, "\n")})
		return
	}
	c.setFields(s, map[int]string{adrPostOfficeBox: "", adrExtended: "", adrStreet: text})
}

// phone is a number: a text, or a tel: URI (RFC 3966) in vCard 4.0.
type phone struct{ plain }

func (phone) show(c *card, s slotID) string {
	number := withoutScheme(c.bound[s].Text(), "tel:")
	if main, extension, ok := strings.Cut(number, ";ext="); ok {
		number = main + " x" + extension // phones take a semicolon for "wait"
	}
	return tidy(number)
}

func withoutScheme(value, scheme string) string {
	if len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return value[len(scheme):]
	}
	return value
}

func (phone) write(c *card, s slotID, text string) {
	if text == "" {
		c.remove(s)
		return
	}
	l := c.line(s)
	if strings.HasPrefix(strings.ToLower(l.Value()), "tel:") {
		if strings.Trim(text, "+0123456789.-()") == "" {
			text = "tel:" + text
		} else {
			l.SetParam("VALUE") // a number with blanks is no URI
		}
	}
	l.SetText(text)
}

// mail is a mail address. Phones write some as "Name" <address>.
type mail struct{ plain }

func (mail) show(c *card, s slotID) string { return mailAddress(c.bound[s].Text()) }

func (mail) read(sent string, _ translate.Options) (string, error) { return mailAddress(sent), nil }

func mailAddress(s string) string {
	s = tidy(withoutScheme(s, "mailto:"))
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") {
		return strings.TrimSpace(s[i+1 : len(s)-1])
	}
	return s
}

func (mail) write(c *card, s slotID, text string) { whole{}.write(c, s, text) }

// uri is a web address: a value without escapes, though many cards have some.
type uri struct{ plain }

func (uri) show(c *card, s slotID) string { return tidy(c.bound[s].Text()) }

func (uri) write(c *card, s slotID, text string) {
	if text == "" {
		c.remove(s)
		return
	}
	l := c.line(s)
	l.SetParam("ENCODING")
	l.SetParam("CHARSET")
	l.SetValue(text)
}

// messenger is an address for instant messages: a URI in IMPP (RFC 4770), a
// bare name in the older X- properties.
type messenger struct{ plain }

func (messenger) show(c *card, s slotID) string { return tidy(withoutScheme(c.bound[s].Text(), "im:")) }

func (messenger) write(c *card, s slotID, text string) {
	for _, double := range c.doubles[c.bound[s]] {
		if text == "" {
			c.removeLine(double)
		} else {
			double.SetText(bareAddress(text))
		}
	}
	if text == "" {
		c.remove(s)
		return
	}
	l := c.line(s)
	if l.Name() != "IMPP" {
		l.SetText(text)
		return
	}
	if !strings.Contains(text, ":") {
		text = "im:" + text // RFC 3860
	}
	l.SetValue(text)
}
