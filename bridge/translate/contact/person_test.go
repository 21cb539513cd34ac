package contact_test

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
)

func vcard(lines ...string) []byte {
	return []byte("BEGIN:VCARD\r\nVERSION:3.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n")
}

// MS-ASCMD "Properties (Search)": the properties of the GAL come from the card.
func TestPersonOfACard(t *testing.T) {
	for _, tt := range []struct {
		name string
		give []byte
		want contact.Person
	}{
		{"everything", vcard("FN:Dr. Zoë Lee", "N:Lee;Zoë;;Dr.;", "NICKNAME:zoe,z", "ORG:Example Ltd.;Sales", "TITLE:Head", "X-OFFICE:B 12",
			"TEL;TYPE=WORK:1", "TEL;TYPE=HOME:2", "TEL;TYPE=CELL:3", "EMAIL:zoe@example.org", "EMAIL:lee@example.com", "EMAIL:ZOE@EXAMPLE.ORG",
			"PHOTO;ENCODING=b;TYPE=JPEG:/9j/", "KEY;ENCODING=b:AAAA"),
			contact.Person{DisplayName: "Dr. Zoë Lee", FirstName: "Zoë", LastName: "Lee", Alias: "zoe", Company: "Example Ltd.", Title: "Head", Office: "B 12",
				Phone: "1", HomePhone: "2", MobilePhone: "3", Addresses: []string{"zoe@example.org", "lee@example.com"}, HasPhoto: true, HasKey: true}},
		{"an alias from the address", vcard("FN:Bob", "N:;Bob;;;", "EMAIL:bob@example.org"),
			contact.Person{DisplayName: "Bob", FirstName: "Bob", Alias: "bob", Addresses: []string{"bob@example.org"}}},
		{"a company", vcard("FN:Example Ltd.", "N:;;;;", "ORG:Example Ltd."), contact.Person{DisplayName: "Example Ltd.", Company: "Example Ltd."}},
		{"no address that could be written to", vcard("FN:Eve", "N:Eve;;;;", "EMAIL:nowhere", "EMAIL:a b@example.org", "EMAIL:@"), contact.Person{DisplayName: "Eve", LastName: "Eve"}},
		{"as a link", vcard("FN:Kim", "N:Kim;;;;", "EMAIL:mailto:kim@example.org"), contact.Person{DisplayName: "Kim", LastName: "Kim", Alias: "kim", Addresses: []string{"kim@example.org"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := contact.ReadPerson(tt.give)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("ReadPerson = %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
	if _, err := contact.ReadPerson(vcard("FN:Club", "KIND:group")); !errors.Is(err, translate.ErrNotShown) {
		t.Errorf("a group: error = %v, want ErrNotShown", err)
	}
	long, err := contact.ReadPerson(vcard("FN:"+strings.Repeat("ä", 5000), "N:x;;;;", strings.Repeat("EMAIL:a@b.c\r\n", 500)+"NOTE:x"))
	if err != nil || len(long.DisplayName) > 256 || len(long.Addresses) != 1 {
		t.Errorf("a card that is too much: %d bytes of a name, %d addresses, %v", len(long.DisplayName), len(long.Addresses), err)
	}
}

func TestKeysOfACard(t *testing.T) {
	der := base64.StdEncoding.EncodeToString([]byte("DER"))
	got := contact.Keys(vcard("FN:A", "KEY;ENCODING=b;TYPE=X509:"+der, "KEY:data:application/pkix-cert;base64,"+der, "KEY;VALUE=uri:https://example.org/key",
		`KEY;VALUE=text:-----BEGIN CERTIFICATE-----\nREVS\n-----END CERTIFICATE-----`))
	if len(got) != 3 || string(got[0]) != "DER" || string(got[1]) != "DER" || !strings.HasPrefix(string(got[2]), "-----BEGIN CERTIFICATE-----\n") {
		t.Errorf("Keys = %q, want both in DER and the one in PEM, and nothing of the address", got)
	}
	if contact.Keys([]byte("no card")) != nil || contact.Photo([]byte("no card")) != nil {
		t.Error("what is no card has keys or a photo")
	}
}
