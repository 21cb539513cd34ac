package translate

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	htmlStart = "<html><body>"
	htmlEnd   = "</body></html>"
)

// TextToHTML writes a plain text as an HTML document. Blanks that HTML would
// swallow become &nbsp;, so that HTMLToText gives the text back.
func TextToHTML(text string) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	b.Grow(len(htmlStart) + len(text) + len(text)/16 + len(htmlEnd))
	b.WriteString(htmlStart)
	plain, blank := 0, true // from where nothing is escaped yet; after a blank or at the start of a line
	for i := 0; i < len(text); i++ {
		escaped := htmlEscapes[text[i]]
		switch c := text[i]; {
		case c == ' ' && blank:
			escaped = "&nbsp;"
		case c == ' ' || c == '\n':
			blank = true
		default:
			blank = false
		}
		if escaped != "" {
			b.WriteString(text[plain:i])
			b.WriteString(escaped)
			plain = i + 1
		}
	}
	b.WriteString(text[plain:])
	b.WriteString(htmlEnd)
	return b.String()
}

// htmlEscapes are the characters that cannot stand for themselves.
var htmlEscapes = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\n': "<br>\r\n"}

// htmlLength is the most that TextToHTML makes of a character.
func htmlLength(r rune) int {
	switch {
	case r == ' ':
		return len("&nbsp;")
	case r < 256 && htmlEscapes[byte(r)] != "" && r < utf8.RuneSelf:
		return len(htmlEscapes[byte(r)])
	case r == utf8.RuneError:
		return utf8.UTFMax
	}
	return utf8.RuneLen(r)
}

// truncateHTML cuts a document after at most n bytes, in front of the tag, the
// entity or the character that has no room.
func truncateHTML(document string, n int) string {
	z := html.NewTokenizer(strings.NewReader(document))
	end := 0
	for z.Next() != html.ErrorToken {
		raw := len(z.Raw())
		if end+raw <= n {
			end += raw
			continue
		}
		if z.Token().Type == html.TextToken {
			text := Truncate(document[end:end+raw], n-end)
			if i := strings.LastIndexByte(text, '&'); i >= 0 && !strings.ContainsAny(text[i:], "; \n") {
				text = text[:i]
			}
			end += len(text)
		}
		break
	}
	return document[:end]
}

// looks is a document without anything but its words and what makes them look
// different: bold, links, lists, headings, tables, pictures. Programs write the
// rest anew at every turn.
func looks(document string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(document))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			for _, r := range string(z.Text()) {
				if !unicode.IsSpace(r) {
					b.WriteRune(r)
				}
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if name := looking[t.DataAtom]; name != "" {
				b.WriteString("\n" + name + " " + address(t))
			}
			for _, a := range t.Attr {
				if a.Key == "style" {
					b.WriteString(styling(a.Val))
				}
			}
		case html.EndTagToken:
			if name := looking[z.Token().DataAtom]; name != "" {
				b.WriteString("\n/" + name)
			}
		}
	}
}

// looking are the elements that make a difference, by one name for each.
var looking = map[atom.Atom]string{
	atom.B: "b", atom.Strong: "b", atom.I: "i", atom.Em: "i", atom.U: "u", atom.Ins: "u", atom.S: "s", atom.Del: "s", atom.Strike: "s",
	atom.A: "a", atom.Img: "img", atom.Ul: "ul", atom.Ol: "ol", atom.Li: "li", atom.Blockquote: "q", atom.Pre: "pre",
	atom.H1: "h1", atom.H2: "h2", atom.H3: "h3", atom.H4: "h4", atom.H5: "h5", atom.H6: "h6",
	atom.Table: "table", atom.Tr: "tr", atom.Td: "td", atom.Th: "td", atom.Sub: "sub", atom.Sup: "sup", atom.Mark: "mark",
}

// address is where a link or a picture leads.
func address(t html.Token) string {
	for _, a := range t.Attr {
		if a.Key == "href" && t.DataAtom == atom.A || a.Key == "src" && t.DataAtom == atom.Img {
			return a.Val
		}
	}
	return ""
}

// styling is what a style attribute does that makes a difference.
func styling(css string) string {
	found := ""
	for _, word := range []string{"bold", "italic", "underline", "line-through"} {
		if strings.Contains(strings.ToLower(css), word) {
			found += "\n" + word
		}
	}
	return found
}

// HTMLToText reads the text of an HTML document: blocks and <br> are lines,
// list items get a dash, links whose text is not their address get it in
// parentheses, scripts and styles are left out. It reads tokens, not a tree,
// so that nesting costs nothing.
func HTMLToText(document string) string {
	w := textWriter{}
	z := html.NewTokenizer(strings.NewReader(document))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end: a reader of a string has no other
			return w.String()
		case html.TextToken:
			if w.hidden == 0 {
				w.text(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z.Token())
		case html.EndTagToken:
			w.end(z.Token().DataAtom)
		}
	}
}

// A textWriter gathers what a browser would show. Blanks and line breaks are
// held back until something follows them.
type textWriter struct {
	b      strings.Builder
	breaks int  // line breaks that are due
	blank  bool // a blank is due
	hidden int  // inside so many elements whose text is not shown
	pre    int  // inside so many elements that keep blanks
	link   string
	label  int // where the link's text begins
}

func (w *textWriter) String() string { return strings.TrimRight(w.b.String(), " \n") }

func (w *textWriter) flush() {
	if w.b.Len() > 0 {
		for ; w.breaks > 0; w.breaks-- {
			w.b.WriteByte('\n')
			w.blank = false
		}
		if w.blank {
			w.b.WriteByte(' ')
		}
	}
	w.breaks, w.blank = 0, false
}

func (w *textWriter) text(s string) {
	if w.pre > 0 {
		w.flush()
		w.b.WriteString(clean(s))
		return
	}
	for _, r := range s {
		switch r {
		case ' ', '\t', '\n', '\r', '\f':
			w.blank = true
		case '\u00A0':
			w.flush()
			w.b.WriteByte(' ')
		default:
			w.flush()
			w.b.WriteRune(r)
		}
	}
}

// block makes sure that what follows begins a line, after so many breaks.
func (w *textWriter) block(breaks int) {
	if s := w.b.String(); len(s) > 0 && s[len(s)-1] == '\n' && w.pre > 0 {
		breaks--
	}
	w.breaks = max(w.breaks, breaks)
}

func (w *textWriter) start(t html.Token) {
	switch t.DataAtom {
	case atom.Br:
		w.breaks++
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol, atom.Table:
		w.block(2)
	case atom.Div, atom.Tr, atom.Hr, atom.Dt, atom.Dd, atom.Section, atom.Article:
		w.block(1)
	case atom.Li:
		w.block(1)
		w.text("- ")
	case atom.Td, atom.Th:
		w.blank = true
	case atom.Pre, atom.Textarea:
		w.block(1)
		w.pre++
	case atom.Head, atom.Script, atom.Style, atom.Title:
		if t.Type == html.StartTagToken {
			w.hidden++
		}
	case atom.Body:
		w.hidden = 0 // an unclosed head must not hide everything
	case atom.A:
		w.link = ""
		for _, a := range t.Attr {
			if a.Key == "href" && (strings.HasPrefix(a.Val, "http:") || strings.HasPrefix(a.Val, "https:")) {
				w.link, w.label = a.Val, w.b.Len()
			}
		}
	}
}

func (w *textWriter) end(a atom.Atom) {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol, atom.Table:
		w.block(2)
	case atom.Div, atom.Tr, atom.Li, atom.Dt, atom.Dd, atom.Section, atom.Article:
		w.block(1)
	case atom.Pre, atom.Textarea:
		w.pre = max(w.pre-1, 0)
		w.block(1)
	case atom.Head, atom.Script, atom.Style, atom.Title:
		w.hidden = max(w.hidden-1, 0)
	case atom.A:
		if w.link != "" && !strings.Contains(w.b.String()[w.label:], w.link) {
			w.text(" (" + w.link + ")")
		}
		w.link = ""
	}
}
