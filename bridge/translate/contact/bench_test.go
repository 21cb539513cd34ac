package contact

import (
	"fmt"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// tenThousand are cards as people have them: a name, three numbers, two mail
// addresses, an address, a company, a birthday, a note.
func tenThousand(b *testing.B) (cards [][]byte, edits []eas.Properties) {
	b.Helper()
	for i := range 10_000 {
		card := []byte(vcard("3.0", fmt.Sprintf("PRODID:-//Example//EN\nUID:%d\nN:Doe%d;Jane;Q.;Dr.;\nFN:Dr. Jane Q. Doe%d\nORG:Example Ltd.;Research\nTITLE:Engineer\n"+
			"TEL;TYPE=HOME,VOICE:+49 30 %d\nTEL;TYPE=CELL:+49 170 %d\nTEL;TYPE=WORK,VOICE:+49 40 %d\nEMAIL;TYPE=INTERNET,HOME:jane%d@example.org\n"+
			"EMAIL;TYPE=INTERNET,WORK,PREF:doe%d@example.com\nADR;TYPE=HOME:;;%d Main St.;Springfield;IL;12345;USA\nBDAY:1980-02-29\nCATEGORIES:Friends\n"+
			"NOTE:Met at the fair\\, wants to hear of us.\nREV:2020-01-01T00:00:00Z\n", i, i, i, i, i, i, i, i, i)))
		shown, err := FromVCard(card, options(eas.V161))
		if err != nil {
			b.Fatal(err)
		}
		cards, edits = append(cards, card), append(edits, with(shown, tag.ContactsMobilePhoneNumber, "2"))
	}
	return cards, edits
}

// BenchmarkTenThousand translates 10,000 contacts in each direction; an
// operation is all of them.
func BenchmarkTenThousand(b *testing.B) {
	cards, edits := tenThousand(b)
	for _, way := range []struct {
		name string
		do   func(i int) error
	}{
		{"show", func(i int) error { _, err := FromVCard(cards[i], options(eas.V161)); return err }},
		{"merge", func(i int) error { _, err := Merge(cards[i], edits[i], options(eas.V161)); return err }},
		{"new", func(i int) error { _, err := New("uid", edits[i], options(eas.V161)); return err }},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range cards {
					if err := way.do(i); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
