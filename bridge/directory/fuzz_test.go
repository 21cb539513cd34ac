package directory

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/translate/contact"
)

// What is kept of a person comes back as it was, whatever a card says; folding
// twice is folding once; and who has a name is found by it.
func FuzzEntry(f *testing.F) {
	f.Add([]byte("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zo\u00eb Stra\u00dfe\r\nN:Stra\u00dfe;Zo\u00eb;;;\r\nEMAIL:zoe@example.org\r\nTEL;TYPE=CELL:+49 30 1\r\nEND:VCARD\r\n"), "zoe")
	f.Add([]byte("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:a\x1fb\x1e\x01c\r\nEMAIL:a\x1e@b\r\nORG:\x1f\r\nEND:VCARD\r\n"), "\x1f")
	f.Fuzz(func(t *testing.T, card []byte, query string) {
		once := fold(query)
		if twice := fold(once); twice != once {
			t.Errorf("fold(%q) = %q, and once more %q", query, once, twice)
		}
		if strings.ContainsAny(once, "\x01\n") {
			t.Errorf("fold(%q) = %q, which has separators", query, once)
		}
		p, err := contact.ReadPerson(card)
		if err != nil {
			return
		}
		e := pack("id", 1, p)
		if got := e.person(); !reflect.DeepEqual(got, p) {
			t.Errorf("kept as %+v, was %+v", got, p)
		}
		q := ask(query)
		if r := q.rank(&e); r < -1 {
			t.Errorf("rank %d", r)
		}
		if q := ask(p.DisplayName); len(q.words) > 0 && len(q.words) < maxWords && q.rank(&e) < 0 {
			t.Errorf("%q is not found by its name, folded %q", p.DisplayName, e.folded)
		}
	})
}
