package translatetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A Translation is a class's pair of functions.
type Translation struct {
	Show func(object []byte, o translate.Options) (eas.Properties, error)
	New  func(uid string, sent eas.Properties, o translate.Options) ([]byte, error)
}

// CheckSheet holds what a class says of itself against what it does. The
// object has everything that a phone can be shown: in every version a phone is
// shown the elements whose rows say so and no others, and what travels both
// ways comes back from a new object as it was sent.
func CheckSheet(t *testing.T, c fidelity.Class, tr Translation, object []byte, o translate.Options) {
	t.Helper()
	for _, v := range eas.Versions {
		if v < c.Since {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			o.Version = v
			shown := everyForm(t, tr, object, o)
			for _, r := range c.Rows {
				_, is := shown[r.Tag]
				if should := r.In(v) && (r.Way == fidelity.Both || r.Way == fidelity.Shown); is && !should && !inAnotherRow(c, r.Tag, v) {
					t.Errorf("a phone is shown %s, of which the sheet says otherwise", tag.Name(r.Tag))
				} else if should && !is {
					t.Errorf("a phone is not shown %s, of which the sheet says otherwise", tag.Name(r.Tag))
				}
			}
			for seen := range shown {
				if !slices.ContainsFunc(c.Rows, func(r fidelity.Row) bool { return r.Tag == seen }) {
					t.Errorf("a phone is shown %s, of which the sheet says nothing", tag.Name(seen))
				}
			}
			checkNew(t, c, tr, object, o)
		})
	}
}

func inAnotherRow(c fidelity.Class, t wbxml.Tag, v eas.Version) bool {
	return slices.ContainsFunc(c.Rows, func(r fidelity.Row) bool {
		return r.Tag == t && r.In(v) && (r.Way == fidelity.Both || r.Way == fidelity.Shown)
	})
}

// everyForm is what a phone is shown when it takes the text as it is, and when
// it wants little of it.
func everyForm(t *testing.T, tr Translation, object []byte, o translate.Options) map[wbxml.Tag][]string {
	t.Helper()
	all := map[wbxml.Tag][]string{}
	for _, body := range []translate.Body{{}, {Type: translate.HTML, Truncate: 60, Preview: 20}, {Truncate: 8}} {
		o.Body = body
		ps, err := tr.Show(object, o)
		if err != nil {
			t.Fatal(err)
		}
		flatten(ps, all)
	}
	return all
}

// checkNew lets a phone make a new item of what it was shown.
func checkNew(t *testing.T, c fidelity.Class, tr Translation, object []byte, o translate.Options) {
	t.Helper()
	before, err := tr.Show(object, o)
	if err != nil {
		t.Fatal(err)
	}
	made, err := tr.New("uid", before, o)
	if err != nil {
		t.Fatal(err)
	}
	after, err := tr.Show(made, o)
	if err != nil {
		t.Fatal(err)
	}
	sent, back := map[wbxml.Tag][]string{}, map[wbxml.Tag][]string{}
	flatten(before, sent)
	flatten(after, back)
	for _, r := range c.Rows {
		if d := cmp.Diff(sent[r.Tag], back[r.Tag]); r.Way == fidelity.Both && r.In(o.Version) && d != "" {
			t.Errorf("%s does not come back as it was sent, -sent +back:\n%s", tag.Name(r.Tag), d)
		}
	}
}

func flatten(ps []eas.Element, into map[wbxml.Tag][]string) {
	for _, e := range ps {
		into[e.Tag] = append(into[e.Tag], strings.TrimSpace(e.Content()))
		flatten(e.Children, into)
	}
}
