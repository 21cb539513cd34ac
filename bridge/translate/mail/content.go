package mail

import (
	"bytes"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// A content is what people see of a message: its text, and the files with it.
type content struct {
	texts    []textPart
	files    []*part
	calendar *part // an invitation or an answer to one
	signed   bool  // multipart/signed with S/MIME
	report   string
}

// A textPart is a piece of the text, in one form or two.
type textPart struct{ plain, html *part }

// maxTexts bounds of how many pieces the text is put together: programs that
// write text between pictures make a few.
const maxTexts = 50

// contentOf sorts the parts of a message.
func contentOf(root *part) *content {
	c := &content{}
	c.add(root, false)
	for _, t := range c.texts {
		if t.plain != nil && t.plain.mediaType == "text/plain" {
			_, files := t.plain.uuFiles(t.plain.uuText())
			c.files = append(c.files, files...)
		}
	}
	for _, p := range c.files {
		c.files = append(c.files, p.tnefFiles()...)
	}
	return c
}

// add takes a part; inline says that it is in a multipart/related beside the
// text.
func (c *content) add(p *part, related bool) {
	switch {
	case p.multipart():
		c.addMultipart(p)
	case p.isCalendar():
		if c.calendar == nil {
			c.calendar = p
		}
		if p.filename != "" || p.disposition == "attachment" {
			c.files = append(c.files, p)
		}
	case !related && p.isText() && (p.disposition != "attachment") && (p.filename == "" || len(c.texts) == 0 && p.disposition == "") && len(c.texts) < maxTexts:
		if p.mediaType == "text/html" {
			c.texts = append(c.texts, textPart{html: p})
		} else {
			c.texts = append(c.texts, textPart{plain: p})
		}
	case p.empty():
	default:
		c.files = append(c.files, p)
	}
}

func (c *content) addMultipart(p *part) {
	switch p.mediaType {
	case "multipart/alternative":
		c.addAlternatives(p)
		return
	case "multipart/related":
		c.addRelated(p)
		return
	case "multipart/signed":
		kind := strings.ToLower(p.params["protocol"])
		c.signed = c.signed || strings.HasSuffix(kind, "pkcs7-signature")
	case "multipart/report":
		if c.report == "" {
			c.report = strings.ToLower(p.params["report-type"])
		}
	}
	for _, child := range p.children {
		if child.mediaType == "application/applefile" && p.mediaType == "multipart/appledouble" {
			continue // what a Macintosh keeps beside a file
		}
		c.add(child, false)
	}
}

// addAlternatives takes the best of each form, which is the last one. See RFC
// 2046, section 5.1.4.
func (c *content) addAlternatives(p *part) {
	var best textPart
	var rest []*part
	for _, child := range p.children {
		switch {
		case child.mediaType == "text/html":
			best.html = child
		case child.isText():
			if best.plain == nil || child.mediaType == "text/plain" {
				best.plain = child
			}
		case child.isCalendar():
			if c.calendar == nil {
				c.calendar = child
			}
		case child.multipart():
			inner := &content{}
			inner.add(child, false)
			for _, t := range inner.texts {
				if t.html != nil && best.html == nil || child.mediaType == "multipart/related" && t.html != nil {
					best.html = t.html
				}
				if t.plain != nil && best.plain == nil {
					best.plain = t.plain
				}
			}
			if c.calendar == nil {
				c.calendar = inner.calendar
			}
			rest = append(rest, inner.files...)
		case strings.HasPrefix(child.mediaType, "text/") && child.disposition != "attachment":
			// Such as text/x-amp-html: the same again for a program that we are not.
		case !child.empty():
			rest = append(rest, child)
		}
	}
	if best.html != nil || best.plain != nil {
		c.texts = append(c.texts, best)
	}
	c.files = append(c.files, rest...)
}

// addRelated takes the root, and the files that it shows. See RFC 2387.
func (c *content) addRelated(p *part) {
	root := 0
	if start := strings.Trim(p.params["start"], "<> "); start != "" {
		for i, child := range p.children {
			if child.contentID() == start {
				root = i
			}
		}
	}
	for i, child := range p.children {
		if i == root {
			c.add(child, false)
		}
	}
	for i, child := range p.children {
		if i != root {
			child.related = true
			c.add(child, true)
		}
	}
}

func (p *part) isText() bool {
	switch p.mediaType {
	case "text/plain", "text/html", "text/enriched", "text/richtext":
		return true
	}
	return false
}

func (p *part) isCalendar() bool {
	return p.mediaType == "text/calendar" && (p.disposition != "attachment" || p.params["method"] != "")
}

// empty tells whether there is nothing at all in a part that nobody named.
func (p *part) empty() bool {
	return p.left == nil && p.filename == "" && len(bytes.TrimSpace(p.body)) == 0 && len(p.children) == 0
}

// contentID is the Content-ID without its brackets.
func (p *part) contentID() string {
	return clean(strings.Trim(string(p.header.get("Content-ID")), "<> \t"))
}

// maxText bounds how much of a text is decoded, in bytes: twice of what phones
// are shown, for HTML has more tags than words.
const maxText = 2 * translate.MaxBody

// A body is the text of a message.
type body struct {
	translate.Text
	native translate.BodyType // in which it was written
	size   int64              // about how many bytes there are, if some are not here
	parts  []*part            // that it was read from
}

// text reads the text.
func (c *content) text(charset string) body {
	b := body{native: translate.PlainText}
	for _, t := range c.texts {
		if t.html != nil {
			b.native = translate.HTML
		}
	}
	var plain, html strings.Builder
	for _, t := range c.texts {
		room := maxText - max(plain.Len(), html.Len())
		words, document := "", ""
		if t.plain != nil {
			words = b.read(t.plain, charset, room)
		}
		if t.html != nil {
			document = b.read(t.html, charset, room)
		}
		if b.native == translate.HTML {
			appendHTML(&html, document, words)
		}
		if words == "" && document != "" {
			words = translate.HTMLToText(document)
		}
		if plain.Len() > 0 && words != "" && !strings.HasSuffix(plain.String(), "\n") {
			plain.WriteByte('\n')
		}
		plain.WriteString(words)
	}
	b.Plain, b.HTML = plain.String(), html.String()
	return b
}

// appendHTML puts a further piece behind a document.
func appendHTML(to *strings.Builder, document, words string) {
	if document == "" && words != "" {
		document = translate.TextToHTML(words)
	}
	to.WriteString(document) // browsers read one document behind the other as one
}

// read decodes one part of the text, of which at most so much is kept.
func (b *body) read(p *part, charset string, room int) string {
	b.parts = append(b.parts, p)
	data, all := p.decoded(max(room, 0))
	if p.mediaType == "text/plain" {
		data, _ = p.uuFiles(data)
	}
	if !all || p.left != nil {
		b.size += p.decodedSize() - int64(len(data))
	}
	own := p.params["charset"]
	if own != "" {
		charset = ""
	}
	s := decodeCharset(data, own, charset)
	if p.mediaType == "text/html" {
		if own == "" || strings.EqualFold(own, "us-ascii") {
			s = decodeCharset(data, metaCharset(data), charset)
		}
		return clean(saysUTF8(s))
	}
	s = strings.ReplaceAll(strings.ReplaceAll(clean(s), "\r\n", "\n"), "\r", "\n")
	switch {
	case p.mediaType != "text/plain":
		s = withoutCommands(s)
	case strings.EqualFold(p.params["format"], "flowed"):
		s = reflow(s, strings.EqualFold(p.params["delsp"], "yes"))
	}
	return s
}
