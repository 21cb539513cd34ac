package contact

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// TestOtherSpellingsFollow: what a card says twice, by the names that two programs
// have for it, an edit changes twice.
func TestOtherSpellingsFollow(t *testing.T) {
	const name = "N:Doe;Jane;;;\nFN:Jane Doe\n"
	for _, c := range []struct {
		name, card string
		tag        wbxml.Tag
		text       string
		gone, come []string
	}{
		{"another anniversary", "X-EVOLUTION-ANNIVERSARY:2001-02-28\nX-ANNIVERSARY:20010228\nitem1.X-ABDATE:2001-02-28\nitem1.X-ABLABEL:_$!<Anniversary>!$_\n", tag.ContactsAnniversary, "2002-03-01T00:00:00.000Z",
			[]string{"X-EVOLUTION-ANNIVERSARY:2001-02-28", "X-ANNIVERSARY:20010228", "item1.X-ABDATE:2001-02-28"}, []string{"X-EVOLUTION-ANNIVERSARY:2002-03-01", "X-ANNIVERSARY:20020301", "item1.X-ABDATE:2002-03-01"}},
		{"no anniversary any more", "X-EVOLUTION-ANNIVERSARY:2001-02-28\nX-ANNIVERSARY:20010228\nitem1.X-ABDATE:2001-02-28\nitem1.X-ABLABEL:_$!<Anniversary>!$_\n", tag.ContactsAnniversary, "",
			[]string{"X-EVOLUTION-ANNIVERSARY:2001-02-28", "X-ANNIVERSARY:20010228", "item1.X-ABDATE:2001-02-28", "item1.X-ABLABEL:_$!<Anniversary>!$_"}, nil},
		{"two days", "X-EVOLUTION-ANNIVERSARY:2001-02-28\nX-ANNIVERSARY:2001-03-01\n", tag.ContactsAnniversary, "2002-03-02T00:00:00.000Z",
			[]string{"X-EVOLUTION-ANNIVERSARY:2001-02-28"}, []string{"X-EVOLUTION-ANNIVERSARY:2002-03-02"}},
		{"another spouse", "X-SPOUSE:Eve\nX-EVOLUTION-SPOUSE:Eve\nX-MS-SPOUSE:Ann\n", tag.ContactsSpouse, "Eva",
			[]string{"X-SPOUSE:Eve", "X-EVOLUTION-SPOUSE:Eve"}, []string{"X-SPOUSE:Eva", "X-EVOLUTION-SPOUSE:Eva"}},
		{"no manager any more", "X-MANAGER:Max\nX-KADDRESSBOOK-X-ManagersName:Max\n", tag.Contacts2ManagerName, "",
			[]string{"X-MANAGER:Max", "X-KADDRESSBOOK-X-ManagersName:Max"}, nil},
		{"another office", "X-OFFICE:1\nX-KADDRESSBOOK-X-Office:1\n", tag.ContactsOfficeLocation, "2",
			[]string{"X-OFFICE:1", "X-KADDRESSBOOK-X-Office:1"}, []string{"X-OFFICE:2", "X-KADDRESSBOOK-X-Office:2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := vcard("3.0", name+c.card)
			shown, err := FromVCard([]byte(card), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			after, err := Merge([]byte(card), with(shown, c.tag, c.text), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			gone, come := lines(card, string(after))
			if d := cmp.Diff(c.gone, gone); d != "" {
				t.Errorf("gone: -want +got:\n%s", d)
			}
			if d := cmp.Diff(c.come, come); d != "" {
				t.Errorf("come: -want +got:\n%s", d)
			}
			checkHeld(t, after, with(shown, c.tag, c.text), c.tag)
		})
	}
}

// TestPreferredFirst: vCard 4.0 counts how much a line is preferred.
func TestPreferredFirst(t *testing.T) {
	card := vcard("4.0", "FN:Jane Doe\nEMAIL:none@example.org\nEMAIL;PREF=50:fifty@example.org\nEMAIL;PREF=2:two@example.org\nEMAIL;PREF=much:much@example.org\n")
	ps, err := FromVCard([]byte(card), options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tg := range []wbxml.Tag{tag.ContactsEmail1Address, tag.ContactsEmail2Address, tag.ContactsEmail3Address} {
		s, _ := ps.Text(tg)
		got = append(got, s)
	}
	if d := cmp.Diff([]string{"two@example.org", "fifty@example.org", "none@example.org"}, got); d != "" {
		t.Error(d)
	}
}

// TestPhotoBesideAnAddress: a photo in the card is shown, and edited, also where
// another one at some address stands before it.
func TestPhotoBesideAnAddress(t *testing.T) {
	const away = "PHOTO:https://example.org/jane.jpg"
	card := vcard("4.0", "FN:Jane Doe\n"+away+"\nPHOTO:data:image/gif;base64,"+tinyGIF+"\n")
	ps, err := FromVCard([]byte(card), options(eas.V141))
	if got, _ := ps.Text(tag.ContactsPicture); err != nil || got != tinyGIF {
		t.Fatalf("picture %q, %v", got, err)
	}
	const other = "R0lGODlhAQABAAAAADs="
	after, err := Merge([]byte(card), with(ps, tag.ContactsPicture, other), options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	gone, come := lines(card, string(after))
	if d := cmp.Diff([]string{"PHOTO:data:image/gif;base64," + tinyGIF}, gone); d != "" {
		t.Errorf("gone: -want +got:\n%s", d)
	}
	if d := cmp.Diff([]string{"PHOTO:data:image/gif;base64," + other}, come); d != "" {
		t.Errorf("come: -want +got:\n%s", d)
	}
}
