package contact

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// lines are what two cards do not have in common.
func lines(before, after string) (gone, come []string) {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	for _, l := range a {
		if i := slices.Index(b, l); i >= 0 {
			b = slices.Delete(b, i, i+1)
		} else {
			gone = append(gone, strings.TrimRight(l, "\r\n"))
		}
	}
	for _, l := range b {
		come = append(come, strings.TrimRight(l, "\r\n"))
	}
	return gone, come
}

// with replaces, adds or (with "") removes a property.
func with(ps eas.Properties, t wbxml.Tag, text string) eas.Properties {
	ps = slices.DeleteFunc(slices.Clone(ps), func(e eas.Element) bool { return e.Tag == t })
	if text == "" {
		return ps
	}
	return append(ps, eas.T(t, text))
}

func TestMerge(t *testing.T) {
	tests := []struct {
		name, card string
		tag        wbxml.Tag
		text       string
		gone, come []string
	}{
		{"a number", "typical", tag.ContactsMobilePhoneNumber, "2", []string{"TEL;TYPE=CELL:+49 170 1"}, []string{"TEL;TYPE=CELL:2"}},
		{"a new number", "typical", tag.ContactsHome2PhoneNumber, "2", nil, []string{"TEL;TYPE=HOME,VOICE:2"}},
		{"a removed number", "typical", tag.ContactsMobilePhoneNumber, "", []string{"TEL;TYPE=CELL:+49 170 1"}, nil},
		{"a mail address in a phone's manner", "typical", tag.ContactsEmail2Address, `"Jane" <j@example.org>`,
			[]string{"EMAIL;TYPE=INTERNET,HOME:jane@example.org"}, []string{"EMAIL;TYPE=INTERNET,HOME:j@example.org"}},
		{"the same mail address in a phone's manner", "typical", tag.ContactsEmail2Address, `"Jane" <jane@example.org>`, nil, nil},
		{"a name, and FN with it", "typical", tag.ContactsLastName, "Roe", []string{"N:Doe;Jane;Q.;Dr.;Jr.", "FN:Dr. Jane Q. Doe Jr."}, []string{"N:Roe;Jane;Q.;Dr.;Jr.", "FN:Dr. Jane Q. Roe Jr."}},
		{"a city", "typical", tag.ContactsHomeAddressCity, "Berlin; Mitte", []string{"ADR;TYPE=HOME:;;1 Main St.;Springfield;IL;12345;USA"}, []string{`ADR;TYPE=HOME:;;1 Main St.;Berlin\; Mitte;IL;12345;USA`}},
		{"a new address", "typical", tag.ContactsBusinessAddressCity, "Rome", nil, []string{"ADR;TYPE=WORK:;;;Rome;;;"}},
		{"a department", "typical", tag.ContactsDepartment, "", []string{"ORG:Example Ltd.;Research"}, []string{"ORG:Example Ltd.;"}},
		{"a birthday", "typical", tag.ContactsBirthday, "1981-03-01T00:00:00.000Z", []string{"BDAY:1980-02-29"}, []string{"BDAY:1981-03-01"}},
		{"the same birthday at another hour", "typical", tag.ContactsBirthday, "1980-02-29T11:00:00.000Z", nil, nil},
		{"a birthday without year", "typical", tag.ContactsBirthday, "1604-03-01T00:00:00.000Z", []string{"BDAY:1980-02-29"}, []string{"BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-01"}},
		{"a year for a birthday", "apple", tag.ContactsBirthday, "1990-12-24T00:00:00.000Z", []string{"BDAY;X-APPLE-OMIT-YEAR=1604:1604-12-24"}, []string{"BDAY:1990-12-24"}},
		{"file as, made of the name", "typical", tag.ContactsFileAs, "Doe, Jane", nil, nil},
		{"file as, of somebody's own", "typical", tag.ContactsFileAs, "JD", []string{"FN:Dr. Jane Q. Doe Jr."}, []string{"FN:JD"}},
		{"file as is never removed", "typical", tag.ContactsFileAs, "", nil, nil},
		{"an empty picture", "2.1", tag.ContactsPicture, "", nil, nil},
		{"a labelled name", "apple", tag.ContactsSpouse, "Tanja", []string{"item3.X-ABRELATEDNAMES;type=pref:Tina"}, []string{"item3.X-ABRELATEDNAMES;type=pref:Tanja"}},
		{"a label goes with its line", "apple", tag.ContactsSpouse, "", []string{"item3.X-ABRELATEDNAMES;type=pref:Tina", "item3.X-ABLABEL:_$!<Spouse>!$_"}, nil},
		{"a street of two lines", "apple", tag.ContactsHomeAddressStreet, "Weg 2\r\nHof", []string{`item2.ADR;type=HOME;type=pref:;;Straße 1\nHinterhaus;Köln;;50667;Germany`}, []string{`item2.ADR;type=HOME;type=pref:;;Weg 2\nHof;Köln;;50667;Germany`}},
		{"2.1 stays 2.1", "2.1", tag.ContactsFirstName, "Jürg",
			[]string{"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;", "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=BCller"},
			[]string{"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrg;;;", "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrg M=C3=BCller"}},
		{"2.1 without quoted-printable again", "2.1", tag.ContactsBusinessAddressStreet, "Room 1\r\nAvenue",
			[]string{"ADR;WORK;ENCODING=QUOTED-PRINTABLE:;Room 1;1st Street=0D=0AYard;City;;1;US"}, []string{"ADR;WORK:;Room 1;Avenue;City;;1;US"}},
		{"a tel URI", "4.0", tag.ContactsHomePhoneNumber, "+41442", []string{`TEL;VALUE=uri;TYPE="voice,home";PREF=1:tel:+41-44-1`}, []string{`TEL;VALUE=uri;TYPE="voice,home";PREF=1:tel:+41442`}},
		{"a number that is no URI", "4.0", tag.ContactsHomePhoneNumber, "044 2", []string{`TEL;VALUE=uri;TYPE="voice,home";PREF=1:tel:+41-44-1`}, []string{`TEL;TYPE="voice,home";PREF=1:044 2`}},
		{"a lent name", "4.0", tag.ContactsLastName, "Meier", []string{"FN:Anna Maria Muster"}, []string{"FN:Anna Maria Meier", "N:Meier;Anna Maria;;;"}},
		{"an address and its label", "4.0", tag.ContactsBusinessAddressCity, "Thun", []string{`ADR;TYPE=work;LABEL="Weg 1\nBern":;;Weg 1;Bern;;3000;CH`}, []string{`ADR;TYPE=work;LABEL=Weg 1\nThun:;;Weg 1;Thun;;3000;CH`}},
		{"a birthday without year in 4.0", "4.0", tag.ContactsBirthday, "1604-04-16T00:00:00.000Z", []string{"BDAY:--0415"}, []string{"BDAY:--0416"}},
		{"a messenger of any kind", "company", tag.Contacts2IMAddress, "bob", nil, []string{"IMPP:im:bob"}},
		{"places are kept", "many", tag.ContactsHomePhoneNumber, "", []string{"TEL;TYPE=HOME:h1"},
			[]string{"X-PUSHBRIDGE-PLACES:TEL.home2=0ea4427a,TEL.none=0fa4440d,TEL.work=24719608,", " TEL.work2=27719ac1"}},
		{"the fourth does not slip in", "many", tag.ContactsEmail3Address, "", []string{"EMAIL:3@example.org"}, []string{"X-PUSHBRIDGE-PLACES:EMAIL.none=a76d92cb"}},
		{"an address and its label of 3.0", "labels", tag.ContactsHomeAddressCity, "Thun", []string{"ADR;TYPE=HOME:;;Weg 1;Bern;;3000;CH", `LABEL;TYPE=HOME:Frau Muster\nWeg 1\n3000 Bern`}, []string{"ADR;TYPE=HOME:;;Weg 1;Thun;;3000;CH", `LABEL;TYPE=HOME:Frau Muster\nWeg 1\n3000 Thun`}},
		{"an address that its label does not say", "labels", tag.ContactsBusinessAddressCity, "Rom", []string{"item1.ADR;TYPE=WORK;GEO=\"geo:1,2\":;;Via 2;Roma;;;IT", "item1.LABEL;TYPE=WORK:somewhere"}, []string{"item1.ADR;TYPE=WORK:;;Via 2;Rom;;;IT"}},
		{"a messenger that is there twice", "apple", tag.Contacts2IMAddress, "aim:tom", []string{"IMPP;X-SERVICE-TYPE=AIM:aim:timmy", "X-AIM;type=HOME:timmy"}, []string{"IMPP;X-SERVICE-TYPE=AIM:aim:tom", "X-AIM;type=HOME:tom"}},
		{"a messenger that is there twice goes twice", "apple", tag.Contacts2IMAddress, "", []string{"IMPP;X-SERVICE-TYPE=AIM:aim:timmy", "X-AIM;type=HOME:timmy"}, nil},
		{"how a name is said", "sorted", tag.ContactsYomiFirstName, "Rehneh", []string{`N;SORT-AS="Harten,Reneh":van der Harten;Rene;;;`}, []string{`N;SORT-AS="Harten,Rehneh":van der Harten;Rene;;;`}},
		{"how a name is said, no more", "sorted", tag.ContactsYomiLastName, "", []string{`N;SORT-AS="Harten,Reneh":van der Harten;Rene;;;`}, []string{`N;SORT-AS=",Reneh":van der Harten;Rene;;;`}},
		{"how an old phone says it", "irmc", tag.ContactsYomiLastName, "b", []string{"SOUND;X-IRMC-N:a;;;;"}, []string{"SOUND;X-IRMC-N:b;;;;"}},
		{"a company's name, and FN with it", "company", tag.ContactsCompanyName, "Sample Inc.", []string{"FN:Example Ltd.", "ORG:Example Ltd."}, []string{"FN:Sample Inc.", "ORG:Sample Inc."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			object := strings.Replace(samples[tt.card], "REV:2020-01-01T00:00:00Z\r\n", "", 1)
			shown, err := FromVCard([]byte(object), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			after, err := Merge([]byte(object), with(shown, tt.tag, tt.text), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			gone, come := lines(object, string(after))
			if d := cmp.Diff(tt.gone, gone); d != "" {
				t.Errorf("gone: -want +got:\n%s", d)
			}
			if d := cmp.Diff(tt.come, come); d != "" {
				t.Errorf("come: -want +got:\n%s", d)
			}
			checkHeld(t, after, with(shown, tt.tag, tt.text), tt.tag)
		})
	}
}

// checkHeld makes sure that a phone would now be shown what it holds. FileAs,
// which follows the name, and pictures, which an empty one does not remove,
// are left out, and so is the changed property, whose form may differ.
func checkHeld(t *testing.T, object []byte, held eas.Properties, but wbxml.Tag) {
	t.Helper()
	shown, err := FromVCard(object, options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	for _, tg := range []wbxml.Tag{tag.ContactsFileAs, tag.ContactsPicture, but} {
		held, shown = with(held, tg, ""), with(shown, tg, "")
	}
	byTag := func(a, b eas.Element) int { return int(a.Tag) - int(b.Tag) }
	slices.SortFunc(held, byTag)
	slices.SortFunc(shown, byTag)
	if d := cmp.Diff(held, shown); d != "" {
		t.Errorf("the phone holds something else than it would be shown, -held +shown:\n%s", d)
	}
}

func TestRevision(t *testing.T) {
	object := []byte(samples["typical"])
	shown, _ := FromVCard(object, options(eas.V141))
	after, err := Merge(object, with(shown, tag.ContactsJobTitle, "Boss"), options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	_, come := lines(string(object), string(after))
	if d := cmp.Diff([]string{"TITLE:Boss", "REV:2026-11-22T08:30:00Z"}, come); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestMergeLists(t *testing.T) {
	list := func(list, element wbxml.Tag, vs ...string) eas.Element {
		e := eas.Element{Tag: list}
		for _, v := range vs {
			e.Children = append(e.Children, eas.T(element, v))
		}
		return e
	}
	tests := []struct {
		name, card string
		sent       eas.Element
		gone, come []string
	}{
		{"another order", "many", list(tag.ContactsCategories, tag.ContactsCategory, "c", "b", "a"), nil, nil},
		{"one more, one less", "many", list(tag.ContactsCategories, tag.ContactsCategory, "a", "c", "d"), []string{"CATEGORIES:b,c"}, []string{"CATEGORIES:c,d"}},
		{"none", "many", list(tag.ContactsCategories, tag.ContactsCategory), []string{"CATEGORIES:a", "CATEGORIES:b,c"}, nil},
		{"the first", "company", list(tag.ContactsCategories, tag.ContactsCategory, "a, b"), nil, []string{`CATEGORIES:a\, b`}},
		{"a child in 3.0", "apple", list(tag.ContactsChildren, tag.ContactsChild, "Tom", "Tilda"), nil, []string{"item6.X-ABRELATEDNAMES:Tilda", "item6.X-ABLABEL:_$!<Child>!$_"}},
		{"a child less", "apple", list(tag.ContactsChildren, tag.ContactsChild), []string{"item4.X-ABRELATEDNAMES:Tom", "item4.X-ABLABEL:_$!<Child>!$_"}, nil},
		{"a child in 4.0", "4.0", list(tag.ContactsChildren, tag.ContactsChild, "Kim", "Kai"), nil, []string{"RELATED;TYPE=child;VALUE=text:Kai"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			object := []byte(samples[tt.card])
			shown, err := FromVCard(object, options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			after, err := Merge(object, append(with(shown, tt.sent.Tag, ""), tt.sent), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			gone, come := lines(string(object), string(after))
			if d := cmp.Diff([][]string{tt.gone, tt.come}, [][]string{gone, come}); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestAbsence: what a phone leaves out is removed, unless it is ghosted, or
// never removed by absence at all.
func TestAbsence(t *testing.T) {
	object := []byte(samples["typical"])
	sent := eas.Properties{eas.T(tag.ContactsFirstName, "Jane"), eas.T(tag.ContactsLastName, "Doe")}
	o := options(eas.V141)
	after, err := Merge(object, sent, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"NOTE:", "X-CUSTOM", "UID:8f1c", "FN:"} {
		if !strings.Contains(string(after), kept) {
			t.Errorf("%s is gone; it must not be removed by absence:\n%s", kept, after)
		}
	}
	for _, gone := range []string{"TEL", "EMAIL", "ADR", "ORG", "CATEGORIES"} {
		if strings.Contains(string(after), "\r\n"+gone) {
			t.Errorf("%s is still there, though the phone left it out", gone)
		}
	}
	o.Ghosted = func(wbxml.Tag) bool { return true }
	sent = append(sent, eas.T(tag.ContactsMiddleName, "X."))
	after, err = Merge(object, sent, o)
	if err != nil {
		t.Fatal(err)
	}
	gone, _ := lines(samples["typical"], string(after))
	if d := cmp.Diff([]string{"N:Doe;Jane;Q.;Dr.;Jr.", "FN:Dr. Jane Q. Doe Jr.", "REV:2020-01-01T00:00:00Z"}, gone); d != "" {
		t.Errorf("with everything ghosted, -want +got:\n%s", d)
	}
}

func TestNoteIsNotCut(t *testing.T) {
	long := strings.Repeat("All work and no play. ", 50)
	object := []byte(vcard("3.0", "N:L;O;;;\nFN:O L\nNOTE:"+long+"\n"))
	o := options(eas.V141)
	o.Body.Truncate = 40
	shown, err := FromVCard(object, o)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Merge(object, with(shown, tag.ContactsSuffix, "X"), o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(after), "NOTE:"+long) {
		t.Errorf("the note has changed:\n%s", after)
	}
}

func TestNew(t *testing.T) {
	tests := []struct {
		name string
		sent eas.Properties
		want string
	}{
		{"a person", eas.Properties{
			eas.T(tag.ContactsFileAs, "Doe, Jane"), eas.T(tag.ContactsFirstName, "Jane"), eas.T(tag.ContactsLastName, "Doe"),
			eas.T(tag.ContactsMobilePhoneNumber, "1"), eas.T(tag.ContactsEmail1Address, `"Jane" <j@example.org>`),
			eas.T(tag.ContactsBirthday, "1980-02-29T00:00:00.000Z"), eas.T(tag.ContactsCompanyName, "A; B"),
			eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, "a\r\nb")),
			eas.T(tag.ContactsPicture, tinyGIF),
		}, "N:Doe;Jane;;;\nFN:Jane Doe\nTEL;TYPE=CELL:1\nEMAIL;TYPE=INTERNET:j@example.org\nORG:A\\; B\nBDAY:1980-02-29\nPHOTO;ENCODING=b;TYPE=GIF:" + tinyGIF + "\nNOTE:a\\nb\n"},
		{"a company", eas.Properties{eas.T(tag.ContactsCompanyName, "Example Ltd.")}, "N:;;;;\nFN:Example Ltd.\nORG:Example Ltd.\n"},
		{"only file as", eas.Properties{eas.T(tag.ContactsFileAs, "Somebody")}, "N:;;;;\nFN:Somebody\n"},
		{"only a number", eas.Properties{eas.T(tag.ContactsHomePhoneNumber, "1")}, "N:;;;;\nFN:1\nTEL;TYPE=HOME,VOICE:1\n"},
		{"nothing", nil, "N:;;;;\nFN:?\n"},
		{"only the second mail address", eas.Properties{eas.T(tag.ContactsFirstName, "J"), eas.T(tag.ContactsEmail2Address, "j@example.org")},
			"N:;J;;;\nFN:J\nEMAIL;TYPE=INTERNET;X-PUSHBRIDGE-PLACE=2:j@example.org\n"},
		{"the second number at work, the third messenger", eas.Properties{eas.T(tag.ContactsFirstName, "J"), eas.T(tag.ContactsBusiness2PhoneNumber, "1"), eas.T(tag.Contacts2IMAddress3, "xmpp:j")},
			"N:;J;;;\nFN:J\nTEL;TYPE=WORK,VOICE;X-PUSHBRIDGE-PLACE=work2:1\nIMPP;X-PUSHBRIDGE-PLACE=3:xmpp:j\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := New("u-1", tt.sent, options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			n, rest, _ := strings.Cut(tt.want, "\n")
			fn, rest, _ := strings.Cut(rest, "\n")
			want := vcard("3.0", fn+"\n"+n+"\nPRODID:"+productID+"\nUID:u-1\n"+rest+"REV:2026-11-22T08:30:00Z\n")
			if d := cmp.Diff(want, string(got)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			shown, err := FromVCard(got, options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			compareHeld(t, tag.ContactsFileAs, got, tt.sent)
			again, err := Merge(got, shown, options(eas.V141))
			if err != nil || string(again) != string(got) {
				t.Errorf("the new card does not survive being shown: %v\n%s", err, again)
			}
		})
	}
}
