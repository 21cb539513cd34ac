package contact

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// crowded is a card with so many lines of each kind, all of them different.
func crowded(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("N:Many;Mia;;;\nFN:Mia Many\n")
	kinds := []string{"TEL;TYPE=HOME:", "TEL;TYPE=WORK:", "TEL;TYPE=CELL:", "TEL:", "TEL;TYPE=FAX:", "TEL;TYPE=HOME,FAX:", "TEL;TYPE=PAGER:",
		"EMAIL:", "EMAIL;TYPE=HOME:", "IMPP:xmpp:", "X-AIM:", "ADR;TYPE=HOME:;;", "ADR;TYPE=WORK:;;", "ADR:;;", "URL:", "TITLE:", "NOTE:"}
	for i := range 4 + r.IntN(24) {
		fmt.Fprintf(&b, "%sv%d\n", kinds[r.IntN(len(kinds))], i)
	}
	return vcard("3.0", b.String())
}

// TestPlacesAreStable: whatever a phone does to one place, the lines of all
// others stay byte for byte as they are, and so does what the phone is shown
// in them; what never had a place gets none.
func TestPlacesAreStable(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			object := []byte(crowded(r))
			held, err := FromVCard(object, options(eas.V161))
			if err != nil {
				t.Fatal(err)
			}
			for step := range 12 {
				row := rows[1+r.IntN(rowCount-1)]
				if slots[row.slot].key == "" {
					continue // a place of its own
				}
				text := ""
				if r.IntN(2) == 0 {
					text = fmt.Sprintf("n%d", step)
				}
				held = with(held, row.tag, text)
				after, err := Merge(object, held, options(eas.V161))
				if err != nil {
					t.Fatal(err)
				}
				before, err := open(object, options(eas.V161))
				if err != nil {
					t.Fatal(err)
				}
				compareLines(t, row, before, after)
				checkHeld(t, after, held, tag.ContactsFileAs)
				if t.Failed() {
					t.Fatalf("%s = %q, before and after:\n%s\n%s", tag.Name(row.tag), text, object, after)
				}
				object = after
			}
		})
	}
}

// TestAnotherProgramAdds: a number that another program adds gets the place
// that a phone left free, though that is not one for those that are there.
func TestAnotherProgramAdds(t *testing.T) {
	object := []byte(samples["many"])
	shown, err := FromVCard(object, options(eas.V161))
	if err != nil {
		t.Fatal(err)
	}
	object, err = Merge(object, with(shown, tag.ContactsHomePhoneNumber, ""), options(eas.V161))
	if err != nil {
		t.Fatal(err)
	}
	object = []byte(strings.Replace(string(object), "TEL;TYPE=HOME:h3", "TEL;TYPE=HOME:h3\r\nTEL;TYPE=HOME:h4", 1))
	shown, err = FromVCard(object, options(eas.V161))
	if err != nil {
		t.Fatal(err)
	}
	first, _ := shown.Text(tag.ContactsHomePhoneNumber)
	second, _ := shown.Text(tag.ContactsHome2PhoneNumber)
	if first != "h4" || second != "h2" {
		t.Errorf("the phone is shown %s and %s at home, want h4 and h2:\n%s", first, second, object)
	}
}
