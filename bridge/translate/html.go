package translate

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "\r\n", "<br>\r\n", "\n", "<br>\r\n")

// TextToHTML writes a plain text as an HTML document.
func TextToHTML(text string) string {
	if text == "" {
		return ""
	}
	return "<html><body>" + htmlEscaper.Replace(text) + "</body></html>"
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
