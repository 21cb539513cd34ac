package contact

import (
	"encoding/base64"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// Bounds of what a directory keeps of a card.
const (
	// maxField bounds one property of a person, in bytes.
	maxField = 256

	// maxAddresses bounds the mail addresses of one person.
	maxAddresses = 16

	// maxKeys bounds the certificates that are looked at in one card.
	maxKeys = 16
)

// A Person is what a directory tells of a card. See [MS-ASCMD] "Properties
// (Search)" for the properties of the GAL.
type Person struct {
	DisplayName, FirstName, LastName, Alias string
	Phone, HomePhone, MobilePhone           string
	Office, Title, Company                  string
	Addresses                               []string // mail addresses, the one for phones' first place first

	HasPhoto, HasKey bool // see Photo and Keys
}

// ReadPerson reads a card for a directory. The errors are those of FromVCard.
func ReadPerson(object []byte) (Person, error) {
	c, err := open(object, translate.Options{})
	if err != nil {
		return Person{}, err
	}
	text := func(s slotID) string { return brief(c.bound[s].Text()) }
	p := Person{
		DisplayName: brief(c.vcard.Get("FN").Text()),
		FirstName:   brief(c.parts[partFirst]), LastName: brief(c.parts[partLast]),
		Phone: text(slotWorkPhone), HomePhone: text(slotHomePhone), MobilePhone: text(slotMobile),
		Office: text(slotOffice), Title: text(slotTitle),
		Alias: brief(firstOf(c.vcard.Get("NICKNAME").List())),
	}
	if org := c.bound[slotOrg]; org != nil {
		p.Company = brief(firstOf(org.Fields()))
	}
	if p.DisplayName == "" {
		p.DisplayName = brief(c.anyName())
	}
	for _, s := range []slotID{slotMail1, slotMail2, slotMail3} {
		p.address(text(s))
	}
	for _, l := range c.vcard.All("EMAIL") {
		p.address(brief(l.Text()))
	}
	if p.Alias == "" && len(p.Addresses) > 0 {
		p.Alias, _, _ = strings.Cut(p.Addresses[0], "@")
	}
	p.HasPhoto = strings.TrimSpace(c.bound[slotPhoto].Value()) != ""
	p.HasKey = c.vcard.Get("KEY") != nil
	return p, nil
}

// address adds a mail address that is not there yet.
func (p *Person) address(a string) {
	a = strings.TrimSpace(a)
	if len(a) > len("mailto:") && strings.EqualFold(a[:len("mailto:")], "mailto:") {
		a = a[len("mailto:"):]
	}
	if at := strings.LastIndexByte(a, '@'); at <= 0 || at == len(a)-1 || strings.ContainsAny(a, " <>\t\n") || len(p.Addresses) == maxAddresses {
		return
	}
	for _, other := range p.Addresses {
		if strings.EqualFold(a, other) {
			return
		}
	}
	p.Addresses = append(p.Addresses, a)
}

// brief is one line of at most maxField bytes, of valid text without control
// characters.
func brief(s string) string {
	s = translate.Truncate(s, 16*maxField) // white space may take most of it
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(translate.Truncate(strings.Join(strings.Fields(s), " "), maxField))
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// Photo is the photo of a card as phones are shown it, at most 48 KB of base64,
// made smaller if need be; nil if there is none that can be shown.
func Photo(object []byte) []byte {
	c, err := open(object, translate.Options{})
	if err != nil {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(c.picture())
	if err != nil || len(data) == 0 {
		return nil
	}
	return data
}

// Keys are what the KEY lines of a card hold as data: certificates in DER or
// PEM, or keys of other kinds. What stands at some address is not fetched. See
// RFC 2426, section 3.7.2, and RFC 6350, section 6.8.1.
func Keys(object []byte) [][]byte {
	c, err := open(object, translate.Options{})
	if err != nil {
		return nil
	}
	var list [][]byte
	for _, l := range c.vcard.All("KEY") {
		data, _, ok := l.Data()
		if text := l.Text(); !ok && strings.Contains(text, "-----BEGIN CERTIFICATE-----") {
			data, ok = []byte(text), true
		}
		if ok && len(list) < maxKeys {
			list = append(list, data)
		}
	}
	return list
}
