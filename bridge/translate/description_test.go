package translate

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

func describe(t *testing.T, lines string) (*contentline.Document, *contentline.Component) {
	t.Helper()
	d, err := contentline.Parse([]byte("BEGIN:VTODO\n" + lines + "END:VTODO\n"))
	if err != nil {
		t.Fatal(err)
	}
	return d, d.Component("VTODO")
}

const alt = "DESCRIPTION:a bold word\nX-ALT-DESC;FMTTYPE=text/html:<html><body>a <b>bold</b> word</body></html>\nX-OTHER:kept\n"

func TestDescriptionAsHTML(t *testing.T) {
	for name, lines := range map[string]string{
		"X-ALT-DESC":                    alt,
		"without a type":                "DESCRIPTION:a bold word\nX-ALT-DESC:<html><body>a <b>bold</b> word</body></html>\n",
		"STYLED-DESCRIPTION":            "DESCRIPTION:a bold word\nSTYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<html><body>a <b>bold</b> word</body></html>\n",
		"ALTREP":                        "DESCRIPTION;ALTREP=\"data:text/html,%3Chtml%3E%3Cbody%3Ea %3Cb%3Ebold%3C/b%3E word%3C/body%3E%3C/html%3E\":a bold word\n",
		"ALTREP in base64":              "DESCRIPTION;ALTREP=\"data:text/html;base64,PGh0bWw+PGJvZHk+YSA8Yj5ib2xkPC9iPiB3b3JkPC9ib2R5PjwvaHRtbD4=\":a bold word\n",
		"HTML alone, and the words too": "X-ALT-DESC;FMTTYPE=text/html:<html><body>a <b>bold</b> word</body></html>\n",
	} {
		t.Run(name, func(t *testing.T) {
			d, c := describe(t, lines)
			before := string(d.Bytes())
			for _, o := range []Options{{}, {Body: Body{Type: HTML}}, {Body: Body{Type: HTML, Truncate: 22}}, {Version: eas.V25}} {
				ps := AppendDescription(nil, c, o, contactsBody)
				data, kind, _ := sentBody(ps, contactsBody)
				if want := map[BodyType]string{PlainText: "a bold word", HTML: "<html><body>a <b>bold</b> word</body></html>"}[kind]; !strings.HasPrefix(want, data) || data == "" {
					t.Errorf("shown as %q", data)
				}
				if changed, err := MergeDescription(c, ps, o, contactsBody); changed || err != nil || string(d.Bytes()) != before {
					t.Errorf("sent back it became (%v)\n%s", err, d.Bytes())
				}
			}
		})
	}
}

func TestMergeDescription(t *testing.T) {
	remote := "DESCRIPTION;ALTREP=\"https://example.org/x.html\":a bold word\n"
	tests := []struct {
		name, lines string
		sent        eas.Properties
		o           Options
		want        string
	}{
		{"HTML for HTML", alt, sentAs(HTML, "a <b>bold</b> move"), Options{Body: Body{Type: HTML}},
			"DESCRIPTION:a bold move\nX-ALT-DESC;FMTTYPE=text/html:a <b>bold</b> move\nX-OTHER:kept\n"},
		{"plain text for HTML", alt, sentAs(PlainText, "a bold move"), Options{}, "DESCRIPTION:a bold move\nX-OTHER:kept\n"},
		{"nothing", alt, sentAs(PlainText, ""), Options{}, "X-OTHER:kept\n"},
		{"looks alone", "DESCRIPTION:a word\n", sentAs(HTML, "a <b>word</b>"), Options{Body: Body{Type: HTML}},
			"DESCRIPTION:a word\nX-ALT-DESC;FMTTYPE=text/html:a <b>word</b>\n"},
		{"HTML that says no more than its words", "", sentAs(HTML, "<div>a word</div>"), Options{Body: Body{Type: HTML}}, "DESCRIPTION:a word\n"},
		{"an address is not fetched, and goes with what it said", remote, sentAs(PlainText, "x"), Options{}, "DESCRIPTION:x\n"},
		{"an alternative of another kind", "DESCRIPTION:a\nX-ALT-DESC;FMTTYPE=text/rtf:{}\n", sentAs(PlainText, "b"), Options{}, "DESCRIPTION:b\nX-ALT-DESC;FMTTYPE=text/rtf:{}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, c := describe(t, tt.lines)
			if changed, err := MergeDescription(c, tt.sent, tt.o, contactsBody); !changed || err != nil {
				t.Fatalf("changed %v, %v", changed, err)
			}
			if got := string(d.Bytes()); got != "BEGIN:VTODO\n"+tt.want+"END:VTODO\n" {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestBodyRows(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range BodyRows(contactsBody, "NOTE") {
		seen[tag.Name(r.Tag)] = true
	}
	for _, name := range []string{"AirSyncBase:Body", "AirSyncBase:Data", "Contacts:Body", "Contacts:CompressedRTF"} {
		if !seen[name] {
			t.Errorf("%s has no row", name)
		}
	}
}
