package wbxml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// names are those of the examples of WAP-192-WBXML, section 8, and of nothing.
func names(t Tag) string {
	if t.Page() > 1 {
		return ""
	}
	return fmt.Sprintf("page%d:T%d", t.Page(), t.Token())
}

func TestText(t *testing.T) {
	const head = "\x03\x01\x6A\x00"
	for _, c := range []struct{ name, doc, want string }{
		{
			"the first example of the specification",
			"\x01\x01\x03\x00\x47\x46\x03 X & Y\x00\x05\x03 X\x00\x02\x81\x20\x03=\x00\x02\x81\x20\x031 \x00\x01\x01",
			"<T7 xmlns=\"page0\">\n  <T6> X &amp; Y\n    <T5/> X\u00A0=\u00A01 </T6>\n</T7>\n",
		},
		{
			"the second: a string table, attributes",
			"\x01\x01\x6A\x12abc\x00 Enter name: \x00\x47\xC5\x09\x83\x00\x05\x01\x88\x06\x86\x08\x03xyz\x00\x85\x03/s\x00\x01\x83\x04\x86\x07\x0A\x03N\x00\x01\x01\x01",
			"<T7 xmlns=\"page0\">\n  <T5>\n    <T8/> Enter name: \n    <T6/>\n  </T5>\n</T7>\n",
		},
		{"an element without content", head + "\x05", "<T5 xmlns=\"page0\"/>\n"},
		{"an element with empty content", head + "\x45\x01", "<T5 xmlns=\"page0\"></T5>\n"},
		{"an explicit switch to page 0 at the start", head + "\x00\x00\x45\x03a\x00\x01", "<T5 xmlns=\"page0\">a</T5>\n"},
		{"pages that alternate", head + "\x45\x00\x01\x05\x00\x00\x06\x01", "<T5 xmlns=\"page0\">\n  <T5 xmlns=\"page1\"/>\n  <T6/>\n</T5>\n"},
		{"unknown tokens", head + "\x45\x00\x02\x46\x03x\x00\x01\x01", "<T5 xmlns=\"page0\">\n  <_02-06 xmlns=\"unknown\">x</_02-06>\n</T5>\n"},
		{"opaque text", head + "\x45\xC3\x03a&b\x01", "<T5 xmlns=\"page0\"><!--opaque 3-->a&amp;b</T5>\n"},
		{"opaque bytes", head + "\x45\xC3\x02\xFF\x00\x01", "<T5 xmlns=\"page0\"><!--opaque 2-->/wA=</T5>\n"},
		{"a literal tag", "\x03\x01\x6A\x04odd\x00\x45\x44\x00\x01\x01", "<T5 xmlns=\"page0\">\n  <odd xmlns=\"literal\"></odd>\n</T5>\n"},
		{"a literal tag that is no name", "\x03\x01\x6A\x04<\"\x00\x00\x04\x00", "<__ xmlns=\"literal\"/>\n"},
		{"a processing instruction before and after", head + "\x43\x05\x03x\x00\x01\x05\x43\x01", "<T5 xmlns=\"page0\"/>\n"},
		{"extensions", head + "\x45\x40x\x00\x80\x81\x00\xC0\x03a\x00\x01", "<T5 xmlns=\"page0\">a</T5>\n"},
		{"attributes of all kinds", head + "\xC5\x05\x00\x01\x04\x00\x02\x20\x03x\x00\xC3\x01x\x83\x00\x40x\x00\xC1\x01\x03a\x00\x01", "<T5 xmlns=\"page0\">a</T5>\n"},
		{"a public identifier by name", "\x03\x00\x00\x6A\x03x\x00\x00\x05", "<T5 xmlns=\"page0\"/>\n"},
		{"an unknown character set", "\x03\x01\x00\x00\x45\x03\xC3\xA4\x00\x01", "<T5 xmlns=\"page0\">ä</T5>\n"},
		{"broken UTF-8", head + "\x45\x03a\xFFb\x00\x01", "<T5 xmlns=\"page0\">a\uFFFDb</T5>\n"},
		{"characters that XML forbids", head + "\x45\x03a\x01b\r\x00\x01", "<T5 xmlns=\"page0\">a\uFFFDb&#13;</T5>\n"},
		{"an entity beyond Unicode", head + "\x45\x02\xFF\xFF\xFF\x7F\x01", "<T5 xmlns=\"page0\">\uFFFD</T5>\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Text([]byte(c.doc), names)
			if err != nil || got != c.want {
				t.Errorf("got %q, %v\nwant %q", got, err, c.want)
			}
		})
	}
}

func TestSyntaxErrorsKnowWhere(t *testing.T) {
	const head = "\x03\x01\x6A\x00"
	for _, c := range []struct {
		name, doc string
		offset    int64
		why       string
	}{
		{"nothing", "", 0, "the version is due"},
		{"XML", "<?xml version", 0, "version 0x3C"},
		{"version 1.0, which has no character set", "\x00\x01\x6A\x00\x05", 0, "version 0x00"},
		{"only a version", "\x03", 1, "the public identifier is due"},
		{"a strange character set", "\x03\x01\x04\x00\x05", 2, "character set 4"},
		{"a string table that is cut off", "\x03\x01\x6A\x05ab", 4, "5 bytes"},
		{"a string table that is too long", "\x03\x01\x6A\x88\x80\x00", 3, "longer than"},
		{"no element", head, 4, "no element"},
		{"an end too many", head + "\x01", 4, "end without a beginning"},
		{"text outside", head + "\x03a\x00", 4, "outside the root"},
		{"two roots", head + "\x05\x06", 5, "follows the root"},
		{"text after the root", head + "\x05\x03a\x00", 5, "outside the root"},
		{"an element that stays open", head + "\x45\x46\x01", 7, "1 open"},
		{"a string that stays open", head + "\x45\x03abc", 6, "does not end"},
		{"opaque data that is cut off", head + "\x45\xC3\x05ab", 7, "5 bytes"},
		{"opaque data that is too long", head + "\x45\xC3\x92\x80\x80\x01", 6, "longer than"},
		{"a number that does not end", head + "\x45\xC3\xFF\xFF\xFF\xFF\xFF\x01", 6, "32 bits"},
		{"a number beyond 32 bits", head + "\x45\xC3\x9F\xFF\xFF\xFF\x7F\x01", 6, "32 bits"},
		{"a place beyond the string table", head + "\x45\x83\x00\x01", 5, "no string at 0"},
		{"a page switch at the end", head + "\x45\x00", 6, "code page"},
		{"attributes that do not end", head + "\x85\x05", 6, "an attribute"},
		{"too deep", head + strings.Repeat("\x45", MaxDepth+1), 4 + MaxDepth, "deeper than"},
		{"too many elements", head + "\x45" + strings.Repeat("\x05", MaxElements), 4 + MaxElements, "more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Text([]byte(c.doc), names)
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("got %v, want a *SyntaxError", err)
			}
			if se.Offset != c.offset || !strings.Contains(se.Why, c.why) {
				t.Errorf("got %q at %d, want %q at %d", se.Why, se.Offset, c.why, c.offset)
			}
			if !strings.HasPrefix(se.Error(), "wbxml: ") {
				t.Errorf("got %q, which does not say whose error it is", se)
			}
		})
	}
}

func TestLongDocumentsAreRefusedUnread(t *testing.T) {
	_, err := NewDecoder(make([]byte, MaxDocument+1))
	var se *SyntaxError
	if !errors.As(err, &se) || se.Offset != MaxDocument {
		t.Errorf("got %v, want a *SyntaxError at %d", err, MaxDocument)
	}
}

func TestDecoderStaysAtItsError(t *testing.T) {
	d, err := NewDecoder([]byte("\x03\x01\x6A\x00\x45\x46"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
	}
	_, first := d.Next()
	_, second := d.Next()
	if first == nil || first != second {
		t.Errorf("got %v, then %v", first, second)
	}
}

func TestEncoder(t *testing.T) {
	for _, c := range []struct {
		name   string
		encode func(*Encoder)
		want   string
	}{
		{"an element with text", func(e *Encoder) { e.Element(0x0005, "a") }, "\x45\x03a\x00\x01"},
		{"an element with empty text", func(e *Encoder) { e.Element(0x0005, "") }, "\x05"},
		{"pages are switched when they change", func(e *Encoder) {
			e.Start(0x0105)
			e.Empty(0x0106)
			e.Empty(0x0006)
			e.End()
		}, "\x00\x01\x45\x06\x00\x00\x06\x01"},
		{"NULs are left out", func(e *Encoder) { e.Element(0x0005, "\x00a\x00\x00b") }, "\x45\x03ab\x00\x01"},
		{"opaque data", func(e *Encoder) {
			e.Start(0x0005)
			e.Opaque(make([]byte, 200))
			e.End()
		}, "\x45\xC3\x81\x48" + strings.Repeat("\x00", 200) + "\x01"},
		{"a fragment, and what follows it", func(e *Encoder) {
			f := NewFragment(nil)
			f.Empty(0x0106)
			e.Start(0x0005)
			e.Fragment(f.Bytes())
			e.Fragment(nil)
			e.Empty(0x0006)
			e.Empty(0x0007)
			e.End()
		}, "\x45\x00\x01\x06\x00\x00\x06\x07\x01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := NewEncoder(nil)
			c.encode(&e)
			if got, want := string(e.Bytes()), "\x03\x01\x6A\x00"+c.want; got != want {
				t.Errorf("got %x, want %x", got, want)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	for _, c := range []struct {
		name  string
		h     Header
		bytes string
		want  Header
	}{
		{"none", Header{}, "\x03\x01\x6A\x00", Header{PublicID: PublicUnknown}},
		{"a number", Header{PublicID: 0x1201}, "\x03\xA4\x01\x6A\x00", Header{PublicID: 0x1201}},
		{"a name", Header{PublicName: "-//X"}, "\x03\x00\x00\x6A\x05-//X\x00", Header{PublicName: "-//X"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := NewEncoderFor(c.h, nil)
			if got := string(e.Bytes()); got != c.bytes {
				t.Errorf("got %x, want %x", got, c.bytes)
			}
			d, err := NewDecoder(e.Bytes())
			if err != nil || d.Header() != c.want {
				t.Errorf("got %+v, %v, want %+v", d.Header(), err, c.want)
			}
		})
	}
}

// tokens are all of a document, without those that share its memory.
func tokens(doc []byte) ([]Token, error) {
	d, err := NewDecoder(doc)
	if err != nil {
		return nil, err
	}
	var list []Token
	for {
		t, err := d.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
}

// encode writes tokens; it answers false for a literal tag, which it cannot.
func encode(list []Token) ([]byte, bool) {
	e := NewEncoder(nil)
	var empty []bool
	for _, t := range list {
		switch t.Kind {
		case Start:
			if t.Tag&tokenMask == Literal {
				return nil, false
			}
			if empty = append(empty, t.Empty); t.Empty {
				e.Empty(t.Tag)
			} else {
				e.Start(t.Tag)
			}
		case End:
			if !empty[len(empty)-1] {
				e.End()
			}
			empty = empty[:len(empty)-1]
		case Chars:
			e.Text(string(t.Data))
		case Opaque:
			e.Opaque(t.Data)
		}
	}
	return e.Bytes(), true
}

// FuzzDecode: arbitrary bytes give a *SyntaxError or a document, and what a
// document says survives being written and read again.
func FuzzDecode(f *testing.F) {
	for _, doc := range []string{
		"\x01\x01\x03\x00\x47\x46\x03 X & Y\x00\x05\x03 X\x00\x02\x81\x20\x03=\x00\x02\x81\x20\x031 \x00\x01\x01",
		"\x01\x01\x6A\x12abc\x00 Enter name: \x00\x47\xC5\x09\x83\x00\x05\x01\x88\x06\x86\x08\x03xyz\x00\x85\x03/s\x00\x01\x83\x04\x86\x07\x0A\x03N\x00\x01\x01\x01",
		"\x03\x01\x6A\x00\x45\x00\x02\x46\xC3\x02\xFF\x00\x01\x06\x40x\x00\x80\x81\x00\xC0\x01",
		"\x03\x01\x6A\x04odd\x00\x45\x44\x00\x01\x01",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		before := bytes.Clone(doc)
		list, err := tokens(doc)
		if !bytes.Equal(before, doc) {
			t.Fatal("reading changed the document")
		}
		if _, textErr := Text(doc, names); (textErr == nil) != (err == nil) {
			t.Fatalf("tokens: %v, text: %v", err, textErr)
		}
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("error is a %T, want a *SyntaxError", err)
			}
			if se.Offset < 0 || se.Offset > int64(len(doc)) {
				t.Fatalf("offset %d of %d", se.Offset, len(doc))
			}
			return
		}
		again, ok := encode(list)
		if !ok {
			return
		}
		got, err := tokens(again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if fmt.Sprint(got) != fmt.Sprint(list) {
			t.Fatalf("got %v, want %v", got, list)
		}
	})
}

// benchmarkDocument is a window of contacts, as far as a codec can see.
func benchmarkDocument(e *Encoder) (elements int) {
	e.Start(0x0005)
	for range 512 {
		e.Start(0x0007)
		e.Element(0x000D, "7:123")
		e.Start(0x001D)
		for i := range Tag(20) {
			e.Element(0x0105+i, "Something to say")
		}
		e.Start(0x110A)
		e.Element(0x1106, "1")
		e.Element(0x110B, "A note of some length, as people write them.")
		e.End()
		e.End()
		e.End()
		elements += 26
	}
	e.End()
	return elements + 1
}

func BenchmarkEncode(b *testing.B) {
	var buf []byte
	elements := 0
	for b.Loop() {
		e := NewEncoder(buf[:0])
		elements += benchmarkDocument(&e)
		buf = e.Bytes()
	}
	b.ReportMetric(float64(elements)/b.Elapsed().Seconds()/1e6, "Melements/s")
}

func BenchmarkDecode(b *testing.B) {
	e := NewEncoder(nil)
	elements := benchmarkDocument(&e)
	b.SetBytes(int64(e.Len()))
	for b.Loop() {
		d, err := NewDecoder(e.Bytes())
		for err == nil {
			_, err = d.Next()
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(elements*b.N)/b.Elapsed().Seconds()/1e6, "Melements/s")
}
