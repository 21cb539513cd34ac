package contact

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

var now = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

func options(v eas.Version) translate.Options { return translate.Options{Version: v, Now: now} }

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// vcard wraps lines into a card.
func vcard(version, lines string) string {
	return crlf("BEGIN:VCARD\nVERSION:" + version + "\n" + lines + "END:VCARD\n")
}

// samples are cards of our own making, in the manner of several programs.
var samples = map[string]string{
	"typical": vcard("3.0", "PRODID:-//Example//EN\nUID:8f1c\nN:Doe;Jane;Q.;Dr.;Jr.\nFN:Dr. Jane Q. Doe Jr.\nNICKNAME:Janie\n"+
		"ORG:Example Ltd.;Research\nTITLE:Engineer\nTEL;TYPE=HOME,VOICE:+49 30 1\nTEL;TYPE=CELL:+49 170 1\nTEL;TYPE=WORK,VOICE:+49 30 2\n"+
		"TEL;TYPE=WORK,FAX:+49 30 3\nEMAIL;TYPE=INTERNET,HOME:jane@example.org\nEMAIL;TYPE=INTERNET,WORK,PREF:doe@example.com\n"+
		"ADR;TYPE=HOME:;;1 Main St.;Springfield;IL;12345;USA\nURL:https://example.org/?a=1,2;b\nBDAY:1980-02-29\nCATEGORIES:Friends,Work\n"+
		"NOTE:One line\\nand another\\, with a comma.\nX-CUSTOM;X-P=1:kept\nREV:2020-01-01T00:00:00Z\n"),
	"apple": vcard("3.0", "PRODID:-//Apple Inc.//iOS 17.0//EN\nN:Tester;Tim;;;\nFN:Tim Tester\nitem1.EMAIL;type=INTERNET;type=pref:tim@example.org\nitem1.X-ABLABEL:Private\n"+
		"item2.ADR;type=HOME;type=pref:;;Straße 1\\nHinterhaus;Köln;;50667;Germany\nitem2.X-ABADR:de\nitem3.X-ABRELATEDNAMES;type=pref:Tina\nitem3.X-ABLABEL:_$!<Spouse>!$_\n"+
		"item4.X-ABRELATEDNAMES:Tom\nitem4.X-ABLABEL:_$!<Child>!$_\nitem5.X-ABDATE;type=pref:2001-05-06\nitem5.X-ABLABEL:_$!<Anniversary>!$_\n"+
		"BDAY;X-APPLE-OMIT-YEAR=1604:1604-12-24\nIMPP;X-SERVICE-TYPE=AIM:aim:timmy\nX-AIM;type=HOME:timmy\nX-PHONETIC-FIRST-NAME:Timm\nTEL;type=IPHONE;type=CELL:1\nTEL;type=MAIN:2\n"),
	"2.1": vcard("2.1", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=BCller\n"+
		"TEL;CELL;PREF:1\nTEL;WORK;FAX:2\nTEL;HOME:3\nADR;WORK;ENCODING=QUOTED-PRINTABLE:;Room 1;1st Street=0D=0AYard;City;;1;US\n"+
		"NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0Atwo=3D\nPHOTO;ENCODING=BASE64;GIF:\n "+tinyGIF+"\n\nBDAY:19700101\nEND:X\n"),
	"4.0": vcard("4.0", "FN:Anna Maria Muster\nTEL;VALUE=uri;TYPE=\"voice,home\";PREF=1:tel:+41-44-1\nTEL;VALUE=uri;TYPE=cell:tel:+41-79-1;ext=23\n"+
		"EMAIL;TYPE=work:anna@example.ch\nBDAY:--0415\nANNIVERSARY:20100807\nRELATED;TYPE=child;VALUE=text:Kim\nRELATED;TYPE=spouse:urn:uuid:1\n"+
		"PHOTO:data:image/gif;base64,"+tinyGIF+"\nADR;TYPE=work;LABEL=\"Weg 1\\nBern\":;;Weg 1;Bern;;3000;CH\nKIND:individual\nIMPP:xmpp:anna@example.ch\n"),
	"many": vcard("3.0", "N:Many;Mia;;;\nFN:Mia Many\nTEL;TYPE=HOME:h1\nTEL;TYPE=HOME:h2\nTEL;TYPE=HOME:h3\nTEL;TYPE=CELL:c1\nTEL;TYPE=CELL:c2\nTEL:x1\nTEL;TYPE=VOICE:x2\n"+
		"EMAIL:1@example.org\nEMAIL:2@example.org\nEMAIL:3@example.org\nEMAIL:4@example.org\nURL:https://a.example\nURL:https://b.example\nNOTE:n1\nNOTE:n2\n"+
		"ADR;TYPE=HOME:;;one;;;;\nADR;TYPE=HOME:;;two;;;;\nADR;TYPE=HOME:;;three;;;;\nTITLE:t1\nTITLE:t2\nCATEGORIES:a\nCATEGORIES:b,c\n"),
	"labels": vcard("3.0", "N:Muster;Anna;;;\nFN:Anna Muster\nADR;TYPE=HOME:;;Weg 1;Bern;;3000;CH\nLABEL;TYPE=HOME:Frau Muster\\nWeg 1\\n3000 Bern\n"+
		"item1.ADR;TYPE=WORK;GEO=\"geo:1,2\":;;Via 2;Roma;;;IT\nitem1.LABEL;TYPE=WORK:somewhere\nLABEL;TYPE=PARCEL:kept\n"),
	"sorted":       vcard("4.0", "N;SORT-AS=\"Harten,Reneh\":van der Harten;Rene;;;\nFN:Rene van der Harten\nORG;SORT-AS=\"ABC\":ABC;Sales\n"),
	"irmc":         vcard("2.1", "N:A;B\nFN:B A\nSOUND;X-IRMC-N:a;;;;\n"),
	"company":      vcard("3.0", "N:;;;;\nFN:Example Ltd.\nORG:Example Ltd.\nX-ABSHOWAS:COMPANY\nTEL;TYPE=WORK:1\n"),
	"bare":         vcard("3.0", ""),
	"lf and emoji": "BEGIN:VCARD\nVERSION:3.0\nN:😀;Zoë;;;\nFN:Zoë 😀\nNOTE:" + strings.Repeat("👩‍👩‍👧‍👦 ", 200) + "\nEND:VCARD",
	"latin-1":      "BEGIN:VCARD\r\nVERSION:3.0\r\nN:M\xfcller;J\xf6rg;;;\r\nFN:J\xf6rg M\xfcller\r\nEND:VCARD\r\n",
	"junk":         vcard("3.0", "junk\n\nN:J;U;;;\nFN:U J\n=20more\n"),
}

// tinyGIF is a picture of one pixel.
const tinyGIF = "R0lGODlhAQABAAAAACw="

var versions = eas.Versions

func TestShown(t *testing.T) {
	tests := []struct {
		name, card string
		tag        wbxml.Tag
		want       string // "" means that it must not be there
	}{
		{"first", "typical", tag.ContactsFirstName, "Jane"},
		{"last", "typical", tag.ContactsLastName, "Doe"},
		{"prefix", "typical", tag.ContactsTitle, "Dr."},
		{"suffix", "typical", tag.ContactsSuffix, "Jr."},
		{"file as", "typical", tag.ContactsFileAs, "Dr. Jane Q. Doe Jr."},
		{"preferred mail first", "typical", tag.ContactsEmail1Address, "doe@example.com"},
		{"fax", "typical", tag.ContactsBusinessFaxNumber, "+49 30 3"},
		{"street", "typical", tag.ContactsHomeAddressStreet, "1 Main St."},
		{"web page is no list", "typical", tag.ContactsWebPage, "https://example.org/?a=1,2;b"},
		{"birthday", "typical", tag.ContactsBirthday, "1980-02-29T00:00:00.000Z"},
		{"department", "typical", tag.ContactsDepartment, "Research"},
		{"spouse by label", "apple", tag.ContactsSpouse, "Tina"},
		{"anniversary by label", "apple", tag.ContactsAnniversary, "2001-05-06T00:00:00.000Z"},
		{"birthday without year", "apple", tag.ContactsBirthday, "1604-12-24T00:00:00.000Z"},
		{"street of two lines", "apple", tag.ContactsHomeAddressStreet, "Straße 1\r\nHinterhaus"},
		{"messenger once", "apple", tag.Contacts2IMAddress2, ""},
		{"untyped number", "apple", tag.ContactsHomePhoneNumber, "2"},
		{"quoted-printable", "2.1", tag.ContactsLastName, "Müller"},
		{"bare types", "2.1", tag.ContactsBusinessFaxNumber, "2"},
		{"extended address", "2.1", tag.ContactsBusinessAddressStreet, "Room 1\r\n1st Street\r\nYard"},
		{"picture", "2.1", tag.ContactsPicture, tinyGIF},
		{"basic date", "2.1", tag.ContactsBirthday, "1970-01-01T00:00:00.000Z"},
		{"name lent from FN", "4.0", tag.ContactsLastName, "Muster"},
		{"tel URI", "4.0", tag.ContactsHomePhoneNumber, "+41-44-1"},
		{"an extension", "4.0", tag.ContactsMobilePhoneNumber, "+41-79-1 x23"},
		{"birthday without year in 4.0", "4.0", tag.ContactsBirthday, "1604-04-15T00:00:00.000Z"},
		{"anniversary", "4.0", tag.ContactsAnniversary, "2010-08-07T00:00:00.000Z"},
		{"a reference is no name", "4.0", tag.ContactsSpouse, ""},
		{"data URI", "4.0", tag.ContactsPicture, tinyGIF},
		{"second at home", "many", tag.ContactsHome2PhoneNumber, "h2"},
		{"untyped at work", "many", tag.ContactsBusinessPhoneNumber, "x1"},
		{"second address at home", "many", tag.ContactsOtherAddressStreet, "two"},
		{"a company has no first name", "company", tag.ContactsFirstName, ""},
		{"a company", "company", tag.ContactsCompanyName, "Example Ltd."},
		{"how a last name is said", "sorted", tag.ContactsYomiLastName, "Harten"},
		{"how a first name is said", "sorted", tag.ContactsYomiFirstName, "Reneh"},
		{"how a company is said", "sorted", tag.ContactsYomiCompanyName, "ABC"},
		{"how an old phone says a name", "irmc", tag.ContactsYomiLastName, "a"},
		{"latin-1", "latin-1", tag.ContactsFirstName, "Jörg"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ps, err := FromVCard([]byte(samples[tt.card]), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := ps.Text(tt.tag); got != tt.want {
				t.Errorf("%s = %q, want %q", tag.Name(tt.tag), got, tt.want)
			}
		})
	}
}

func TestLists(t *testing.T) {
	ps, err := FromVCard([]byte(samples["many"]), options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := ps.Find(tag.ContactsCategories)
	want := eas.C(tag.ContactsCategories, eas.T(tag.ContactsCategory, "a"), eas.T(tag.ContactsCategory, "b"), eas.T(tag.ContactsCategory, "c"))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestSentBackChangesNothing is the promise that this package lives for.
func TestSentBackChangesNothing(t *testing.T) {
	check := func(t *testing.T, object []byte) {
		for _, v := range versions {
			for _, body := range []translate.Body{{}, {Type: translate.HTML}, {Truncate: 10}, {Omit: true}} {
				o := options(v)
				o.Body = body
				shown, err := FromVCard(object, o)
				if errors.Is(err, translate.ErrNotShown) || errors.Is(err, translate.ErrUnreadable) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				got, err := Merge(object, shown, o)
				if err != nil {
					t.Fatalf("version %v: %v", v, err)
				}
				if d := cmp.Diff(string(object), string(got)); d != "" {
					t.Errorf("version %v: a card that came back as it was sent has changed, -want +got:\n%s", v, d)
				}
			}
		}
	}
	for name, sample := range samples {
		t.Run(name, func(t *testing.T) { check(t, []byte(sample)) })
	}
	t.Run("corpus", func(t *testing.T) { translatetest.Corpus(t, "vcf", check) })
}

func TestErrors(t *testing.T) {
	card := []byte(samples["typical"])
	tests := []struct {
		name   string
		object []byte
		sent   eas.Properties
		want   error
	}{
		{"no vCard", []byte("BEGIN:VCALENDAR\nEND:VCALENDAR\n"), nil, translate.ErrUnreadable},
		{"garbage", []byte("garbage"), nil, translate.ErrUnreadable},
		{"a group", []byte(vcard("4.0", "KIND:Group\nFN:x\n")), nil, translate.ErrNotShown},
		{"a group of Apple's", []byte(vcard("3.0", "X-ADDRESSBOOKSERVER-KIND:group\nFN:x\n")), nil, translate.ErrNotShown},
		{"no date", card, eas.Properties{eas.T(tag.ContactsBirthday, "soon")}, translate.ErrInvalid},
		{"a picture that is none", card, eas.Properties{eas.T(tag.ContactsPicture, "aGVsbG8=")}, translate.ErrInvalid},
		{"a picture that is no base64", card, eas.Properties{eas.T(tag.ContactsPicture, "?")}, translate.ErrInvalid},
		{"a picture above the limit", card, eas.Properties{eas.T(tag.ContactsPicture, strings.Repeat("A", maxPicture+4))}, translate.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Merge(tt.object, tt.sent, options(eas.V141)); !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDays(t *testing.T) {
	berlin, auckland := time.FixedZone("CET", 3600), time.FixedZone("NZST", 12*3600)
	newYork := time.FixedZone("EST", -5*3600)
	tests := []struct {
		name, sent string
		zone       *time.Location
		want       string
	}{
		{"midnight UTC in the west", "1980-02-29T00:00:00.000Z", newYork, "1980-02-29"},
		{"midnight UTC in the east", "1980-02-29T00:00:00.000Z", auckland, "1980-02-29"},
		{"eight", "1980-02-29T08:00:00.000Z", berlin, "1980-02-29"},
		{"noon almost", "1980-02-29T11:59:00.000Z", newYork, "1980-02-29"},
		{"local midnight", "1980-02-28T23:00:00.000Z", berlin, "1980-02-29"},
		{"local midnight with daylight saving time", "1980-06-28T22:00:00.000Z", berlin, "1980-06-29"},
		{"local midnight in the far east", "1980-02-28T12:00:00.000Z", auckland, "1980-02-29"},
		{"local midnight in the west", "1980-02-29T05:00:00.000Z", newYork, "1980-02-29"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := date{}.read(tt.sent, translate.Options{Zone: tt.zone})
			if err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// TestNothingAtAll: a card without anything is still a contact, in 2.5 too.
func TestNothingAtAll(t *testing.T) {
	for _, v := range versions {
		if ps, err := FromVCard([]byte(samples["bare"]), options(v)); err != nil || len(ps) == 0 {
			t.Errorf("%v: %v, %v", v, ps, err)
		}
	}
}

// TestRules are what a client profile or an administrator may choose.
func TestRules(t *testing.T) {
	tests := []struct {
		name, card string
		o          translate.Options
		tag        wbxml.Tag
		want       string
	}{
		{"a birthday at eleven", "typical", translate.Options{BirthdayHour: 11}, tag.ContactsBirthday, "1980-02-29T11:00:00.000Z"},
		{"last name first", "typical", translate.Options{FileAs: translate.FileAsLastFirst}, tag.ContactsFileAs, "Doe, Jane Q."},
		{"first name first", "typical", translate.Options{FileAs: translate.FileAsFirstLast}, tag.ContactsFileAs, "Jane Q. Doe"},
		{"by company", "typical", translate.Options{FileAs: translate.FileAsCompany}, tag.ContactsFileAs, "Example Ltd."},
		{"by company, without one", "apple", translate.Options{FileAs: translate.FileAsCompany}, tag.ContactsFileAs, "Tim Tester"},
		{"last name first, without a name", "company", translate.Options{FileAs: translate.FileAsLastFirst}, tag.ContactsFileAs, "Example Ltd."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ps, err := FromVCard([]byte(samples[tt.card]), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := ps.Text(tt.tag); got != tt.want {
				t.Errorf("%s = %q, want %q", tag.Name(tt.tag), got, tt.want)
			}
			after, err := Merge([]byte(samples[tt.card]), ps, tt.o)
			if err != nil || string(after) != samples[tt.card] {
				t.Errorf("sent back it changed the card: %v\n%s", err, after)
			}
		})
	}
}

// TestBirthdayAtTheHourOfItsPhone: where that hour is midnight for the person,
// the day is still the one that was meant.
func TestBirthdayAtTheHourOfItsPhone(t *testing.T) {
	o := translate.Options{BirthdayHour: 11, Zone: time.FixedZone("NZDT", 13*3600)}
	if got, err := (date{}).read("1980-02-29T11:00:00.000Z", o); err != nil || got != "1980-02-29" {
		t.Errorf("got %s, %v", got, err)
	}
}

func FuzzSentBack(f *testing.F) {
	for _, sample := range samples {
		f.Add([]byte(sample))
	}
	translatetest.Seeds(f, "vcf")
	f.Add([]byte("BEGIN:VCARD\nORG;SORT-AS=ʮݿ\xff\xf7\x11:0"))
	f.Add([]byte("BEGIN:VCARD\nORG;SORT-AS=\xa2\xa2:0"))
	f.Fuzz(func(t *testing.T, object []byte) {
		for _, v := range []eas.Version{eas.V25, eas.V161} {
			shown, err := FromVCard(object, options(v))
			if err != nil {
				if !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown) {
					t.Errorf("error is %v", err)
				}
				return
			}
			got, err := Merge(object, shown, options(v))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(object), string(got)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		}
	})
}

func BenchmarkFromVCard(b *testing.B) {
	object := []byte(samples["typical"])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromVCard(object, options(eas.V141)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	object := []byte(samples["typical"])
	shown, err := FromVCard(object, options(eas.V141))
	if err != nil {
		b.Fatal(err)
	}
	sent := with(shown, tag.ContactsMobilePhoneNumber, "2")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Merge(object, sent, options(eas.V141)); err != nil {
			b.Fatal(err)
		}
	}
}
