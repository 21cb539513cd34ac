package directory

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// An entry is one person of a book, packed: three texts are a third of the
// memory of a struct with a dozen.
type entry struct {
	id       backend.ItemID
	revision uint64 // its sum
	fields   string // as they are shown, see pack
	folded   string // as they are looked for, see fold: sections, each of fields
	photo    bool
	keyed    bool // it has a KEY
}

// overhead is what an entry takes beside its texts, with its place in the map.
const overhead = 120

func (e *entry) size() int { return overhead + len(e.id) + len(e.fields) + len(e.folded) }

// Separators, which no folded text contains.
const (
	between  = "\x1f" // fields as they are shown
	addressy = "\x1e" // addresses as they are shown
	section  = '\x01' // names, addresses, the rest, numbers
	end      = '\n'   // each folded field has one before and behind it
)

// pack makes an entry of a person.
func pack(id backend.ItemID, revision uint64, p contact.Person) entry {
	var folded strings.Builder
	write := func(fields ...string) {
		folded.WriteByte(end)
		for _, f := range fields {
			if f = fold(f); f != "" {
				folded.WriteString(f)
				folded.WriteByte(end)
			}
		}
	}
	write(p.DisplayName, p.FirstName, p.LastName, p.Alias)
	folded.WriteByte(section)
	write(p.Addresses...)
	folded.WriteByte(section)
	write(p.Company, p.Title, p.Office)
	folded.WriteByte(section)
	write(digits(p.Phone), digits(p.HomePhone), digits(p.MobilePhone))
	return entry{
		id: id, revision: revision, folded: folded.String(), photo: p.HasPhoto, keyed: p.HasKey,
		fields: strings.Join([]string{p.DisplayName, p.FirstName, p.LastName, p.Alias, p.Phone, p.HomePhone, p.MobilePhone,
			p.Office, p.Title, p.Company, strings.Join(p.Addresses, addressy)}, between),
	}
}

// person is what pack was given.
func (e *entry) person() contact.Person {
	f := strings.Split(e.fields, between)
	p := contact.Person{
		DisplayName: f[0], FirstName: f[1], LastName: f[2], Alias: f[3], Phone: f[4], HomePhone: f[5], MobilePhone: f[6],
		Office: f[7], Title: f[8], Company: f[9], HasPhoto: e.photo, HasKey: e.keyed,
	}
	if f[10] != "" {
		p.Addresses = strings.Split(f[10], addressy)
	}
	return p
}

// letters are those that differ by more than a mark from what people type for
// them, and that Unicode does not take apart.
var letters = strings.NewReplacer("ß", "ss", "ς", "σ", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i", "ħ", "h", "ŧ", "t")

// fold makes all ways to write a name the same: small letters without their
// marks, ß as ss, wide letters as narrow ones, any white space as one blank.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] < ' ' {
			plain = false
			break
		}
	}
	if plain {
		return strings.ToLower(strings.TrimSpace(s))
	}
	s = strings.ToLower(norm.NFKD.String(strings.ToLower(s)))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r < ' ' && !unicode.IsSpace(r), r == unicode.ReplacementChar:
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s)
	s = letters.Replace(norm.NFC.String(s))
	return strings.Join(strings.Fields(s), " ")
}

// digits are those of a number, without which a number in another way of
// writing is not found; of a + the digits behind it.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
