package contentline

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// crlf writes a sample the way it travels.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func parse(t testing.TB, object string) *Document {
	t.Helper()
	d, err := Parse([]byte(object))
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, object)
	}
	return d
}

// objects are samples with everything that must survive.
var objects = map[string]string{
	"vcard 3.0": crlf("BEGIN:VCARD\nVERSION:3.0\nN:Doe;Jane;;;\nFN:Jane Doe\nitem1.TEL;type=CELL;TYPE=pref:+49 1\nitem1.X-ABLABEL:_$!<Home>!$_\n" +
		"NOTE:a long line that is folded \n at a place of its own\nPHOTO;ENCODING=b;TYPE=JPEG:AAAA\n AAAA\nCATEGORIES:Friends,Work\\, too\nEND:VCARD\n"),
	"lf only, no last ending": "BEGIN:VCARD\nVERSION:3.0\nFN:X\nEND:VCARD",
	"byte order mark":         "\uFEFFBEGIN:VCARD\r\nVERSION:4.0\r\nFN:X\r\nEND:VCARD\r\n",
	"blank and junk lines":    crlf("\n\nBEGIN:VCARD\n\nVERSION:3.0\nthis is junk\nFN:X\n:no name\n;;:\nEND:VCARD\n\n"),
	"missing end":             crlf("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VCALENDAR\n"),
	"end without begin":       crlf("END:VEVENT\nBEGIN:VCARD\nEND:VEVENT\nEND:VCARD\nEND:VCARD\n"),
	"lower case":              crlf("begin:vcard\nversion:3.0\nfn:x\nend:vcard\n"),
	"vcard 2.1": crlf("BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg=\n;;;\nTEL;CELL;PREF:+49 1\n" +
		"NOTE;QUOTED-PRINTABLE:one=0D=0Atwo=\n three\nPHOTO;ENCODING=BASE64;JPEG:\n AAAA\n AAAA\n\nPHOTO;BASE64:AAAA\nBBBB\nFN:J\nEND:VCARD\n"),
	"soft line break at the end": crlf("BEGIN:VCARD\nVERSION:2.1\nFN;QUOTED-PRINTABLE:abc=\nEND:VCARD\n"),
	"agent":                      crlf("BEGIN:VCARD\nVERSION:2.1\nFN:A\nAGENT:\nBEGIN:VCARD\nVERSION:2.1\nFN:B\nEND:VCARD\nTEL:1\nEND:VCARD\n"),
	"icalendar": crlf("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nATTENDEE;CN=\"Doe; Jane: x\";PARTSTAT=ACCEPTED:mailto:jane@example.org\n" +
		"BEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VCALENDAR\n"),
	"latin-1":         "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:J\xf6rg\r\nEND:VCARD\r\n",
	"charset":         "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=ISO-8859-2;ENCODING=QUOTED-PRINTABLE:=A3uk;;;;\r\nFN;CHARSET=Shift_JIS:\x8eR\x93c\r\nEND:VCARD\r\n",
	"stray returns":   "BEGIN:VCARD\r\r\nVERSION:3.0\rFN:x\r\nEND:VCARD\r\r\n",
	"tabs and spaces": "BEGIN:VCARD\n FN:folded into begin\nVERSION:3.0\n\tx\nEND:VCARD\n \n",
}

func TestWritingGivesWhatWasRead(t *testing.T) {
	for name, object := range objects {
		t.Run(name, func(t *testing.T) {
			if got := string(parse(t, object).Bytes()); got != object {
				t.Errorf("got  %q\nwant %q", got, object)
			}
		})
	}
}

func TestReading(t *testing.T) {
	var (
		card30 = parse(t, objects["vcard 3.0"]).Component("VCARD")
		card21 = parse(t, objects["vcard 2.1"]).Component("VCARD")
		cal    = parse(t, objects["icalendar"]).Component("VCALENDAR")
	)
	tests := []struct {
		name      string
		got, want any
	}{
		{"structured", card30.Get("N").Fields(), []string{"Doe", "Jane", "", "", ""}},
		{"group", card30.Get("TEL").Group(), "item1"},
		{"group's lines", len(card30.Group("ITEM1")), 2},
		{"types in any case", card30.Get("TEL").HasType("cell") && card30.Get("TEL").HasType("PREF"), true},
		{"unfolded", card30.Get("NOTE").Text(), "a long line that is folded at a place of its own"},
		{"list", card30.List("CATEGORIES"), []string{"Friends", "Work, too"}},
		{"quoted-printable over a soft line break", card21.Get("N").Fields(), []string{"Müller", "Jörg", "", "", ""}},
		{"bare parameters", card21.Get("TEL").HasType("CELL"), true},
		{"bare encoding, blank after a soft break", card21.Get("NOTE").Text(), "one\ntwo three"},
		{"base64 without blanks in front", card21.All("PHOTO")[1].Value(), "AAAABBBB"},
		{"after base64", card21.Get("FN").Text(), "J"},
		{"soft line break before END", parse(t, objects["soft line break at the end"]).Component("VCARD").Get("FN") != nil, true},
		{"quoted parameter", cal.Component("VEVENT").Get("ATTENDEE").Param("CN"), "Doe; Jane: x"},
		{"value behind quoted colon", cal.Component("VEVENT").Get("ATTENDEE").Value(), "mailto:jane@example.org"},
		{"events", len(cal.Components("VEVENT", "VTODO")), 2},
		{"own lines only", cal.Component("VEVENT").Get("ACTION").Name(), ""},
		{"children", cal.Component("VEVENT").Component("VALARM").Get("ACTION").Text(), "DISPLAY"},
		{"lower case", parse(t, objects["lower case"]).Component("VCARD").Get("FN").Text(), "x"},
		{"latin-1", parse(t, objects["latin-1"]).Component("VCARD").Get("FN").Text(), "Jörg"},
		{"charset and quoted-printable", parse(t, objects["charset"]).Component("VCARD").Get("N").Fields()[0], "Łuk"},
		{"charset", parse(t, objects["charset"]).Component("VCARD").Get("FN").Text(), "山田"},
		{"agent's parent goes on", parse(t, objects["agent"]).Component("VCARD").Get("TEL").Text(), "1"},
		{"missing end", parse(t, objects["missing end"]).Component("VCALENDAR").Component("VEVENT").Get("UID").Text(), "1"},
		{"nothing", (*Line)(nil).Text() + (*Line)(nil).Param("X"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := fmt.Sprintf("%q", tt.got), fmt.Sprintf("%q", tt.want); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestEscapes(t *testing.T) {
	tests := []struct {
		name, value string
		legacy      bool
		text        string
	}{
		{"line breaks", `a\nb\Nc`, false, "a\nb\nc"},
		{"punctuation", `a\,b\;c\\d\:e`, false, `a,b;c\d:e`},
		{"unknown escape", `C:\temp\x`, false, `C:\temp\x`},
		{"at the end", `a\`, false, `a\`},
		{"2.1 knows no line break", `C:\new\;x`, true, `C:\new;x`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Unescape(tt.value, tt.legacy); got != tt.text {
				t.Errorf("Unescape(%q) = %q, want %q", tt.value, got, tt.text)
			}
			if got := Unescape(Escape(tt.text, tt.legacy), tt.legacy); got != tt.text {
				t.Errorf("escaped and unescaped %q is %q", tt.text, got)
			}
		})
	}
}

// TestEditing changes one thing each and says which lines that may touch.
func TestEditing(t *testing.T) {
	tests := []struct {
		name, object string
		edit         func(d *Document)
		old, new     string // the only difference
	}{
		{"a text", "vcard 3.0", func(d *Document) { d.Component("VCARD").Get("FN").SetText("Jane; Doe\n2") },
			"FN:Jane Doe\r\n", "FN:Jane\\; Doe\\n2\r\n"},
		{"keeps group and parameters", "vcard 3.0", func(d *Document) { d.Component("VCARD").Get("TEL").SetText("2") },
			"PE=pref:+49 1", "PE=pref:2"},
		{"a field", "vcard 3.0", func(d *Document) { d.Component("VCARD").Get("N").SetField(1, "Jo,e") },
			"N:Doe;Jane;;;", `N:Doe;Jo\,e;;;`},
		{"the same text", "vcard 3.0", func(d *Document) {
			d.Component("VCARD").Get("NOTE").SetText("a long line that is folded at a place of its own")
		}, "", ""},
		{"a parameter", "icalendar", func(d *Document) {
			d.Component("VCALENDAR").Component("VEVENT").Get("ATTENDEE").SetParam("PARTSTAT", "DECLINED")
		}, "PARTSTAT=ACCEPTED:mailto:jane@example.org", "PARTSTAT=DECLINED:mailto:jane@example.org"},
		{"a line behind its like", "vcard 3.0", func(d *Document) { d.Component("VCARD").Add("TEL", "3", P("TYPE", "HOME", "FAX")) },
			"item1.X-", "TEL;TYPE=HOME,FAX:3\r\nitem1.X-"},
		{"a line in front of the children", "icalendar", func(d *Document) { d.Component("VCALENDAR").Component("VEVENT").AddText("SUMMARY", "a, b") },
			"BEGIN:VALARM", "SUMMARY:a\\, b\r\nBEGIN:VALARM"},
		{"a component behind its like", "icalendar", func(d *Document) {
			cal := d.Component("VCALENDAR")
			cal.AddCopy(cal.Components("VEVENT")[1]).Set("UID", "3")
		}, "END:VCALENDAR", "BEGIN:VEVENT\r\nUID:3\r\nEND:VEVENT\r\nEND:VCALENDAR"},
		{"a removed line", "vcard 3.0", func(d *Document) { d.Component("VCARD").RemoveAll("FN") }, "FN:Jane Doe\r\n", ""},
		{"a removed component", "icalendar", func(d *Document) {
			ev := d.Component("VCALENDAR").Component("VEVENT")
			ev.RemoveComponent(ev.Component("VALARM"))
		}, "BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\n", ""},
		{"a list", "vcard 3.0", func(d *Document) { d.Component("VCARD").SetList("CATEGORIES", []string{"Work, too", "x;y"}) },
			`CATEGORIES:Friends,Work\, too`, `CATEGORIES:Work\, too,x\;y`},
		{"a new last line", "lf only, no last ending", func(d *Document) { d.Component("VCARD").Add("TEL", "1") },
			"END:VCARD", "TEL:1\nEND:VCARD"},
		{"quoted-printable in 2.1", "vcard 2.1", func(d *Document) { d.Component("VCARD").All("FN")[0].SetText("Jörg=\nx") },
			"FN:J\r\n", "FN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:J=C3=B6rg=3D=0D=0Ax\r\n"},
		{"plain again in 2.1", "vcard 2.1", func(d *Document) { d.Component("VCARD").Get("NOTE").SetText("x") },
			"NOTE;QUOTED-PRINTABLE:one=0D=0Atwo=\r\n three\r\n", "NOTE:x\r\n"},
		{"a field in 2.1", "vcard 2.1", func(d *Document) { d.Component("VCARD").Get("N").SetField(1, "Ann") },
			"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg=\r\n;;;\r\n",
			"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Ann;;;\r\n"},
		{"a type in 2.1", "vcard 2.1", func(d *Document) { d.Component("VCARD").Add("TEL", "3", P("TYPE", "WORK", "FAX")) },
			"NOTE;Q", "TEL;WORK;FAX:3\r\nNOTE;Q"},
		{"after latin-1", "latin-1", func(d *Document) { d.Component("VCARD").Get("FN").SetText("Jürg") }, "J\xf6rg", "Jürg"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			object := objects[tt.object]
			d := parse(t, object)
			tt.edit(d)
			want := strings.Replace(object, tt.old, tt.new, 1)
			if tt.old != "" && want == object {
				t.Fatal("the test's sample lacks what it wants to replace")
			}
			if got := string(d.Bytes()); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestFolding(t *testing.T) {
	long := strings.Repeat("äöü€😀 ", 40)
	for _, version := range []string{"2.1", "3.0"} {
		t.Run(version, func(t *testing.T) {
			d := parse(t, "BEGIN:VCARD\r\nVERSION:"+version+"\r\nEND:VCARD\r\n")
			d.Component("VCARD").AddText("NOTE", long)
			for line := range bytes.Lines(d.Bytes()) {
				if n := len(bytes.TrimRight(line, "\r\n")); n > 76 {
					t.Errorf("a line has %d octets: %q", n, line)
				}
			}
			if got := parse(t, string(d.Bytes())).Component("VCARD").Get("NOTE").Text(); got != long {
				t.Errorf("got %q, want %q", got, long)
			}
		})
	}
}

func TestParams(t *testing.T) {
	d := New("VEVENT")
	l := d.Component("VEVENT").Add("ATTENDEE", "mailto:x@example.org", P("CN", "He said \"hi\"; ^n:\nbye"))
	if got, want := string(d.Bytes()), crlf("BEGIN:VEVENT\nATTENDEE;CN=\"He said ^'hi^'; ^^n:^nbye\":mailto:x@example.org\nEND:VEVENT\n"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	again := parse(t, string(d.Bytes())).Component("VEVENT").Get("ATTENDEE")
	if got := again.Param("CN"); got != l.Param("CN") {
		t.Errorf("read back %q, want %q (RFC 6868)", got, l.Param("CN"))
	}
}

func TestData(t *testing.T) {
	tests := []struct {
		name, line, kind string
		ok               bool
	}{
		{"3.0", "PHOTO;ENCODING=b;TYPE=JPEG:aGVs\n bG8=", "JPEG", true},
		{"4.0", "PHOTO:data:image/png;base64,aGVsbG8=", "image/png", true},
		{"3.0 with a data URI's escapes", `PHOTO;VALUE=uri:data:image/png\;base64\,aGVsbG8=`, "image/png", true},
		{"2.1", "PHOTO;BASE64;JPEG:aGVsbG8=", "JPEG", true},
		{"address", "PHOTO;VALUE=uri:https://example.org/x.jpg", "", false},
		{"broken", "PHOTO;ENCODING=b:!!!", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, kind, ok := parse(t, crlf("BEGIN:VCARD\n"+tt.line+"\nEND:VCARD\n")).Component("VCARD").Get("PHOTO").Data()
			if ok != tt.ok || ok && (string(data) != "hello" || kind != tt.kind) {
				t.Errorf("got %q, %q, %v", data, kind, ok)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	tests := []struct {
		name   string
		object []byte
		want   error
	}{
		{"size", append([]byte("BEGIN:VCARD\n"), make([]byte, MaxSize)...), ErrLimit},
		{"lines", append([]byte("BEGIN:VCARD\n"), bytes.Repeat([]byte("\n"), MaxLines+1)...), ErrLimit},
		{"folds", append([]byte("BEGIN:VCARD\nX:"), bytes.Repeat([]byte("\n "), MaxLines+1)...), ErrLimit},
		{"depth", bytes.Repeat([]byte("BEGIN:VCARD\n"), MaxDepth+1), ErrLimit},
		{"nothing", nil, ErrNoComponent},
		{"a web page", []byte("<html>\n"), ErrNoComponent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse(tt.object); !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, object := range objects {
		f.Add([]byte(object))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		d, err := Parse(object)
		if err != nil {
			if !errors.Is(err, ErrLimit) && !errors.Is(err, ErrNoComponent) {
				t.Errorf("error is %v", err)
			}
			return
		}
		if got := d.Bytes(); !bytes.Equal(got, object) {
			t.Errorf("got %q, want %q", got, object)
		}
	})
}

// FuzzEdit sets a text in the first component: every other line stays, and the
// text can be read again.
func FuzzEdit(f *testing.F) {
	for _, object := range objects {
		f.Add([]byte(object), "a;b,c\\n\n€")
	}
	f.Fuzz(func(t *testing.T, object []byte, text string) {
		d, err := Parse(object)
		if err != nil {
			return
		}
		c := d.Components()[0]
		before := raws(c, nil)
		l := c.SetText("NOTE", text)
		want := l.Text()
		if strings.ToValidUTF8(text, "") == text && want != normalise(text) {
			t.Errorf("set %q, got %q", text, want)
		}
		d, err = Parse(d.Bytes())
		if err != nil {
			t.Fatalf("after an edit: %v", err)
		}
		after := raws(d.Components()[0], nil)
		for _, raw := range before {
			if i := slices.Index(after, raw); i < 0 {
				t.Errorf("lost %q", raw)
			}
		}
	})
}

// raws are the lines of a component that are not a NOTE, without endings,
// which a last line may be given.
func raws(c *Component, out []string) []string {
	for _, n := range c.nodes {
		if n.comp != nil {
			out = raws(n.comp, out)
		} else if n.line.name != "NOTE" {
			out = append(out, strings.TrimRight(n.line.raw, "\r\n"))
		}
	}
	return out
}

func BenchmarkParse(b *testing.B) {
	object := []byte(objects["vcard 3.0"])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(object); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDamagedTexts: what is no UTF-8 is read as what it most likely was.
func TestDamagedTexts(t *testing.T) {
	for name, tt := range map[string]struct{ raw, want string }{
		"Windows-1252":                {"Gr\xfc\xdfe \x80", "Grüße €"},
		"UTF-8 damaged in places":     {"Grüße \xff", "Grüße \uFFFD"},
		"surrogates one by one":       {"\xED\xA0\xBD\xED\xB8\x80!", "😀!"},
		"a lone surrogate":            {"a\xED\xA0\xBDb", "a\uFFFDb"},
		"surrogates the other way":    {"\xED\xB8\x80\xED\xA0\xBD", "\uFFFD\uFFFD"},
		"half a surrogate at the end": {"ä\xED\xA0", "ä\uFFFD"},
		"controls":                    {"a\x00b\x7f\uFFFEc\uFFFF", "abc"},
		"a mark of the byte order":    {"a\uFEFFb", "a\uFEFFb"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:" + tt.raw + "\r\nEND:VCARD\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Component("VCARD").Get("FN").Text(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
