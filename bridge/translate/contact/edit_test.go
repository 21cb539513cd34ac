package contact

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// rawLines are the properties of the first card by family, as bytes; what
// belongs to no family is famNone. Labels, and how a name is said, are left
// out: they come and go with theirs.
func rawLines(t *testing.T, object []byte) map[family][]string {
	t.Helper()
	c, err := open(object, translate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	labels := labelsOf(c.vcard.Lines())
	m := map[family][]string{}
	for _, l := range c.vcard.Lines() {
		f, known := families[l.Name()]
		if !known {
			f = labelledFamily(l, labels)
		}
		switch l.Name() {
		case "REV", "X-ABLABEL", "X-ABADR", "LABEL", "SOUND", "SORT-STRING", placesProperty:
			continue
		}
		m[f] = append(m[f], l.Group()+"|"+paramsOf(l)+"|"+l.Value())
	}
	return m
}

func paramsOf(l *contentline.Line) string {
	var b strings.Builder
	for _, p := range l.Params() {
		b.WriteString(p.Name + "=" + strings.Join(p.Values, ",") + ";")
	}
	return b.String()
}

// TestEveryPropertyOfEveryCard changes, adds and removes each property in turn.
// Lines of another family never change, and afterwards the phone would be
// shown exactly what it holds.
func TestEveryPropertyOfEveryCard(t *testing.T) {
	for name, sample := range samples {
		t.Run(name, func(t *testing.T) { editEverything(t, []byte(sample)) })
	}
	t.Run("corpus", func(t *testing.T) {
		translatetest.Corpus(t, "vcf", func(t *testing.T, object []byte) { editEverything(t, object, len(object)%2) })
	})
}

// editEverything removes each property, and changes or adds it; with a step,
// it does one of both to every property, beginning with the first or the
// second: there are enough cards for all.
func editEverything(t *testing.T, object []byte, step ...int) {
	shown, err := FromVCard(object, options(eas.V161))
	if errors.Is(err, translate.ErrNotShown) || errors.Is(err, translate.ErrUnreadable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	before, err := open(object, translate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows[1:] {
		for j, text := range []string{"", "Ünï; \"c\" ,\\x " + strings.Repeat("long ", 30) + "end"} {
			if len(step) > 0 && (i+j+step[0])%2 == 0 {
				continue
			}
			if _, isDate := r.as.(date); isDate && text != "" {
				text = "1999-12-31T00:00:00.000Z"
			}
			sent := with(shown, r.tag, text)
			after, err := Merge(object, sent, options(eas.V161))
			if err != nil {
				t.Fatalf("%s: %v", tag.Name(r.tag), err)
			}
			compareLines(t, r, before, after)
			compareHeld(t, r.tag, after, sent)
		}
	}
}

// whole lines of a card, in their order.
func wholeLines(c *card) []string {
	var all []string
	for _, l := range c.vcard.Lines() {
		all = append(all, l.Head()+":"+l.Value())
	}
	return all
}

// compareLines: an edit of a property changes its own line and what goes with
// it, and not a byte of any other.
func compareLines(t *testing.T, r row, before *card, after []byte) {
	t.Helper()
	now, err := open(after, translate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var own []*contentline.Line // may change or go
	if l := before.bound[r.slot]; l != nil {
		own = append(append(own, l, before.labelOf(l)), before.doubles[l]...)
		if l.Group() != "" {
			own = append(own, before.vcard.Group(l.Group())...)
		}
	}
	if p, ok := r.as.(phonetic); ok {
		own = append(own, before.bound[p.slot], before.sound(), before.vcard.Get("SORT-STRING"))
	}
	family := slots[r.slot].family
	all := wholeLines(now)
	for _, l := range before.vcard.Lines() {
		line := l.Head() + ":" + l.Value()
		if i := slices.Index(all, line); i >= 0 {
			all = slices.Delete(all, i, i+1)
		} else if !slices.Contains(own, l) && !follows(l.Name()) {
			t.Errorf("a change of %s took the line %q away", tag.Name(r.tag), line)
		}
	}
	for _, line := range all { // those that are new
		name, _, _ := strings.Cut(line, ":")
		name, _, _ = strings.Cut(name, ";")
		if _, bare, ok := strings.Cut(name, "."); ok {
			name = bare
		}
		isOwn := slices.ContainsFunc(own, func(l *contentline.Line) bool { return l.Name() == strings.ToUpper(name) })
		if name = strings.ToUpper(name); families[name] != family && !isOwn && !follows(name) {
			t.Errorf("a change of %s made the line %q", tag.Name(r.tag), line)
		}
	}
}

// follows tells which properties follow others: FN the name, or what it is made
// of, and our own.
func follows(name string) bool {
	return name == "FN" || name == "REV" || name == placesProperty
}

// compareHeld leaves out what follows something else: FileAs, and a name that
// is lent from FN.
func compareHeld(t *testing.T, changed wbxml.Tag, object []byte, held eas.Properties) {
	t.Helper()
	shown, err := FromVCard(object, options(eas.V161))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		switch r.slot {
		case slotName, slotFileAs:
			continue
		}
		h, _ := held.Text(r.tag)
		s, _ := shown.Text(r.tag)
		want, err := r.as.read(h, translate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := r.as.read(s, translate.Options{}); got != want {
			t.Errorf("after a change of %s the phone holds %s = %q, but would be shown %q", tag.Name(changed), tag.Name(r.tag), want, got)
		}
	}
}

// TestEditsInARow lets a phone remove and add numbers one after the other. It
// is never told what the server makes of them, and still nothing that it did
// not touch is lost.
func TestEditsInARow(t *testing.T) {
	object := []byte(samples["many"])
	held, err := FromVCard(object, options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		tag  wbxml.Tag
		text string
	}{
		{tag.ContactsHomePhoneNumber, ""}, {tag.ContactsLastName, "Other"}, {tag.ContactsEmail1Address, ""},
		{tag.ContactsEmail2Address, ""}, {tag.ContactsMobilePhoneNumber, ""}, {tag.ContactsHomePhoneNumber, "new"},
		{tag.ContactsHome2PhoneNumber, ""}, {tag.ContactsBusinessPhoneNumber, "x1 new"}, {tag.ContactsOtherAddressStreet, ""},
		{tag.ContactsJobTitle, ""}, {tag.ContactsWebPage, ""}, {tag.ContactsMobilePhoneNumber, "c3"},
	}
	for _, step := range steps {
		held = with(held, step.tag, step.text)
		if object, err = Merge(object, held, options(eas.V141)); err != nil {
			t.Fatal(err)
		}
		checkHeld(t, object, held, tag.ContactsFileAs)
	}
	for _, kept := range []string{":h3", ":c2", ":4@example.org", ":https://b.example", ";three;", ":t2", ":n2", ":x2"} {
		if !strings.Contains(string(object), kept) {
			t.Errorf("%s is gone, though no phone was ever shown it or removed it:\n%s", kept, object)
		}
	}
	for _, gone := range []string{":h1", ":h2", ":1@example.org", ":2@example.org", ":c1", ";two;", ":t1"} {
		if strings.Contains(string(object), gone) {
			t.Errorf("%s is still there, though the phone removed it", gone)
		}
	}
	if !slices.Contains(strings.Split(string(object), "\r\n"), "TEL;TYPE=CELL:c3") {
		t.Errorf("the number that the phone added last has no line of its own:\n%s", object)
	}
}

// FuzzEdit: whatever the card and whatever the phone sends, what belongs to no
// property of ActiveSync stays as it is.
func FuzzEdit(f *testing.F) {
	for _, sample := range samples {
		f.Add([]byte(sample), uint8(1), "x;y", uint8(12), "")
	}
	f.Fuzz(func(t *testing.T, object []byte, r1 uint8, text1 string, r2 uint8, text2 string) {
		shown, err := FromVCard(object, options(eas.V161))
		if err != nil {
			return
		}
		sent := with(with(shown, rows[int(r1)%rowCount].tag, text1), rows[int(r2)%rowCount].tag, text2)
		after, err := Merge(object, sent, options(eas.V161))
		if err != nil {
			if !errors.Is(err, translate.ErrInvalid) {
				t.Errorf("error is %v", err)
			}
			return
		}
		before, now := rawLines(t, object)[famNone], rawLines(t, after)[famNone]
		if !slices.Equal(before, now) {
			t.Errorf("what phones know nothing of has changed, -before +after:\n%s", cmp.Diff(before, now))
		}
	})
}
