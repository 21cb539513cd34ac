package contact

import (
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// phonetic is how a name is said, for names are filed by that in Japan. Apple
// and many others have a property for each part; vCard 4.0 has SORT-AS at N and
// ORG (RFC 6350, section 5.9), 3.0 SORT-STRING (RFC 2426, section 3.6.5), and
// the phones of vCard 2.1 had SOUND with the type X-IRMC-N.
type phonetic struct {
	plain
	slot slotID // of the name
	part int    // component of it
}

func (p phonetic) show(c *card, s slotID) string {
	if text := tidy(c.bound[s].Text()); text != "" {
		return text
	}
	name := c.bound[p.slot]
	for _, text := range []string{p.sortAs(name), p.sound(c), p.sortString(c)} {
		if text = tidy(text); text != "" {
			return text
		}
	}
	return ""
}

func (p phonetic) write(c *card, s slotID, text string) {
	name := c.bound[p.slot]
	switch {
	case text == "": // wherever it stands
		whole{}.write(c, s, "")
		p.setSortAs(name, "")
		if p.sound(c) != "" {
			c.sound().SetField(p.part, "")
		}
		if p.sortString(c) != "" {
			c.vcard.Remove(c.vcard.Get("SORT-STRING"))
		}
	case c.bound[s] != nil:
		whole{}.write(c, s, text)
	case p.sortAs(name) != "" && !strings.Contains(text, ","): // which separates the parts
		p.setSortAs(name, text)
	case p.sound(c) != "":
		c.sound().SetField(p.part, text)
	case p.sortString(c) != "":
		c.vcard.Get("SORT-STRING").SetText(text)
	default:
		whole{}.write(c, s, text)
	}
}

func sortKeys(name *contentline.Line) []string {
	for _, p := range name.Params() {
		if p.Name == "SORT-AS" {
			return strings.Split(contentline.Clean(strings.ToValidUTF8(strings.Join(p.Values, ","), "\uFFFD")), ",")
		}
	}
	return nil
}

func (p phonetic) sortAs(name *contentline.Line) string {
	if keys := sortKeys(name); p.part < len(keys) {
		return keys[p.part]
	}
	return ""
}

func (p phonetic) setSortAs(name *contentline.Line, text string) {
	keys := sortKeys(name)
	if p.part >= len(keys) || keys[p.part] == text {
		return
	}
	keys[p.part] = text
	if strings.Join(keys, "") == "" {
		name.SetParam("SORT-AS")
		return
	}
	name.SetParam("SORT-AS", strings.Join(keys, ","))
}

// sound is the line of the old phones.
func (c *card) sound() *contentline.Line {
	for _, l := range c.vcard.All("SOUND") {
		if l.HasType("X-IRMC-N") {
			return l
		}
	}
	return nil
}

func (p phonetic) sound(c *card) string {
	if p.slot != slotName {
		return ""
	}
	return fieldText(c.sound(), p.part)
}

func (p phonetic) sortString(c *card) string {
	if p.slot != slotName || p.part != partLast {
		return ""
	}
	return c.vcard.Get("SORT-STRING").Text()
}

// keepSaid saves how a company is said from going with the line of its name.
func (c *card) keepSaid(s slotID) {
	if keys := sortKeys(c.bound[s]); s == slotOrg && len(keys) > 0 && c.bound[slotPhoneticOrg] == nil {
		whole{}.write(c, slotPhoneticOrg, keys[0])
	}
}
