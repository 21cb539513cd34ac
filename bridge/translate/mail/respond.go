package mail

import (
	"bytes"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// Reply makes a phone's answer to a message ready. The phone wrote only what is
// new; the original's text is put behind it, unless the phone says that it sent
// everything itself (ReplaceMime). The errors are those of Send.
//
// See [MS-ASCMD] "SmartReply".
func Reply(message []byte, original Original, replace bool, s Sending) (*Outgoing, error) {
	return respond(message, original, replace, false, s)
}

// Forward is Reply for a message that is sent on to others: the original's
// files go with it, as they are. What cannot be taken apart, because it is
// signed, encrypted or not all here, goes as a message in the message.
//
// See [MS-ASCMD] "SmartForward".
func Forward(message []byte, original Original, replace bool, s Sending) (*Outgoing, error) {
	return respond(message, original, replace, true, s)
}

func respond(message []byte, original Original, replace, forward bool, s Sending) (*Outgoing, error) {
	l, err := open(Original{Message: Message{Body: message}}, s)
	if err != nil {
		return nil, err
	}
	root, unreadable := original.tree()
	if unreadable == nil {
		l.thread(root.header)
	}
	q := &quotation{original: original}
	switch {
	case replace:
	case unreadable != nil:
		if forward {
			err = l.attachWhole(original, nil)
		}
	default:
		q.read(root)
		err = l.include(q, root, forward)
	}
	if err != nil {
		return nil, err
	}
	return l.finish(true)
}

// thread says which message the new one belongs to, if the phone does not. See
// RFC 5322, section 3.6.4.
func (l *letter) thread(original header) {
	ids := messageIDs(original.get("Message-ID"))
	if len(ids) == 0 {
		return
	}
	references := messageIDs(original.get("References"))
	if len(references) == 0 {
		references = messageIDs(original.get("In-Reply-To"))
	}
	if n := len(references); n > maxReferences {
		references = append(references[:1:1], references[n-maxReferences+1:]...)
	}
	var words []string
	for _, id := range append(references, ids[0]) {
		words = append(words, "<"+clean(id)+">")
	}
	l.fields = append(l.fields, foldedField("In-Reply-To", words[len(words)-1:]), foldedField("References", words))
}

// maxReferences is how many messages of a conversation are named: the first and
// the last ones.
const maxReferences = 50

// include puts the original into the message.
func (l *letter) include(q *quotation, root *part, forward bool) error {
	quotable := l.quotable()
	if forward && (!quotable || q.sealed || q.cut) {
		return l.attachWhole(q.original, root)
	}
	if !quotable {
		return nil
	}
	asHTML := l.quote(q, forward)
	for _, p := range q.files {
		shown := asHTML && p.within == nil && p.contentID() != "" && strings.Contains(q.html, "cid:"+p.contentID())
		if !forward && !shown {
			continue
		}
		if err := l.attach(q.original, p, shown); err != nil {
			return err
		}
	}
	return nil
}

// quotable tells whether something may be put into the phone's message: not
// into one that is signed or encrypted.
func (l *letter) quotable() bool {
	kind := l.root.mediaType
	return kind != "multipart/signed" && kind != "multipart/encrypted" && kind != "application/pkcs7-mime" && kind != "application/x-pkcs7-mime"
}

// A quotation is what is taken of an original.
type quotation struct {
	original Original
	fields   [][2]string // of the header, for people
	plain    string
	html     string // "" if it was not written in HTML
	files    []*part
	cut      bool // there is more text
	sealed   bool // signed or encrypted
}

func (q *quotation) read(root *part) {
	s := &shown{Message: q.original.Message, root: root, content: contentOf(root)}
	s.charset = s.messageCharset()
	class, _ := s.classes()
	q.sealed = strings.HasPrefix(class, "IPM.Note.SMIME") || root.mediaType == "multipart/encrypted" || root.mediaType == "multipart/signed"
	b := s.content.text(s.charset)
	q.plain, q.html, q.cut = b.Plain, b.HTML, b.size > 0
	q.files = s.content.files
	if c := s.content.calendar; c != nil && !slices.Contains(q.files, c) {
		q.files = append(q.files, c)
	}
	for _, name := range []string{"From", "Date", "To", "Cc"} {
		value := joined(root.header.addresses(name, s.charset), ", ", maxList)
		if name == "Date" {
			value = line(text(root.header.get(name)))
		}
		if value != "" {
			q.fields = append(q.fields, [2]string{name, value})
		}
	}
	q.fields = append(q.fields, [2]string{"Subject", s.subject()})
}

const originalLine = "-----Original Message-----"

// text is the quotation behind a plain text.
func (q *quotation) text() string {
	var b strings.Builder
	b.WriteString("\n\n" + originalLine + "\n")
	for _, f := range q.fields {
		b.WriteString(f[0] + ": " + f[1] + "\n")
	}
	b.WriteString("\n" + q.plain)
	if q.cut {
		b.WriteString("\n[...]\n")
	}
	return b.String()
}

// document is the quotation inside a document.
func (q *quotation) document() string {
	var b strings.Builder
	b.WriteString("<br><hr><div>")
	for _, f := range q.fields {
		b.WriteString("<b>" + f[0] + ":</b> " + html.EscapeString(f[1]) + "<br>\r\n")
	}
	b.WriteString("<br></div>\r\n<div>")
	if q.html != "" {
		b.WriteString(innerHTML(q.html))
	} else {
		b.WriteString(innerHTML(translate.TextToHTML(q.plain)))
	}
	if q.cut {
		b.WriteString("<br>[...]")
	}
	b.WriteString("</div>")
	return b.String()
}

var (
	styleElement = regexp.MustCompile(`(?is)<style[^>]*>.*?</style>`)
	bodyStart    = regexp.MustCompile(`(?i)<body[^>]*>`)
	bodyEnd      = regexp.MustCompile(`(?i)</body\s*>`)
)

// innerHTML is a document without what only a whole document has.
func innerHTML(document string) string {
	start := bodyStart.FindStringIndex(document)
	if start == nil {
		return document
	}
	head, rest := document[:start[0]], document[start[1]:]
	if ends := bodyEnd.FindAllStringIndex(rest, -1); len(ends) > 0 {
		rest = rest[:ends[len(ends)-1][0]]
	}
	return strings.Join(styleElement.FindAllString(head, -1), "\r\n") + rest
}

// quote writes the quotation behind the phone's text, and tells whether it was
// put into a document. A plain text becomes a document where a message in HTML
// is sent on: its looks would be lost.
func (l *letter) quote(q *quotation, forward bool) (asHTML bool) {
	if len(l.content.texts) == 0 {
		l.behind = append(l.behind, pieces(textPartOf("text/plain", strings.TrimLeft(q.text(), "\n"))))
		return false
	}
	t := l.content.texts[len(l.content.texts)-1]
	b := &body{}
	if t.plain != nil {
		words := b.read(t.plain, "", maxText)
		if t.html == nil && forward && q.html != "" {
			document := translate.TextToHTML(words)
			if document == "" {
				document = "<html><body></body></html>"
			}
			l.replace(t.plain, textPartOf("text/html", withQuotation(document, q.document())))
			return true
		}
		l.replace(t.plain, textPartOf("text/plain", words+q.text()))
	}
	if t.html != nil {
		document := b.read(t.html, "", maxText)
		l.replace(t.html, textPartOf("text/html", withQuotation(document, q.document())))
	}
	return t.html != nil
}

// withQuotation puts a piece in front of the end of a document.
func withQuotation(document, quotation string) string {
	at := len(document)
	if ends := bodyEnd.FindAllStringIndex(document, -1); len(ends) > 0 {
		at = ends[len(ends)-1][0]
	}
	return document[:at] + quotation + document[at:]
}

// textPartOf is a text as a part of a message.
func textPartOf(kind, content string) replaced {
	fields := header{{name: "Content-Type", raw: []byte("Content-Type: " + kind + "; charset=utf-8\r\n")}}
	return encodePart(fields, []byte(content), true)
}

func pieces(r replaced) []piece {
	return []piece{{data: slices.Concat(r.fields, []byte("\r\n"), r.body)}}
}

// attachWhole puts the original into the message as a message; root is its
// tree, nil if it cannot be read.
func (l *letter) attachWhole(m Original, root *part) error {
	name, whole := "message.eml", &part{body: networkLines(m.Body)}
	if root != nil {
		whole.children = []*part{root} // whatever is missing in it
		name = (&part{mediaType: "message/rfc822", children: []*part{root}}).fileName()
	}
	head := "Content-Type: message/rfc822\r\nContent-Disposition: attachment" + param("filename", name) + "\r\n\r\n"
	body, err := m.body(whole)
	if err != nil {
		return err
	}
	if body.part != nil && m.Size > 0 {
		body.size = m.Size // what stands between the parts may be missing here, too
	}
	l.behind = append(l.behind, []piece{{data: []byte(head)}, body})
	return nil
}

// attach puts a file of the original behind the message, as it is transferred;
// shown says that the text shows it.
func (l *letter) attach(m Original, p *part, shown bool) error {
	if p.within != nil && p.within.isTNEF() {
		return nil // it goes inside of the other
	}
	if p.within != nil { // as files are sent today
		data, _ := p.decoded(len(p.body))
		head := header{{name: "Content-Type", raw: []byte("Content-Type: " + p.fileType() + param("name", p.fileName()) + "\r\n")}}
		l.behind = append(l.behind, pieces(encodePart(head, data, false)))
		return nil
	}
	body, err := m.body(p)
	if err != nil {
		return err
	}
	if body.part == nil && identity(p.encoding) && (longLines(p.body) || !isASCII(p.body) || bytes.IndexByte(p.body, 0) >= 0) {
		if len(p.children) == 0 && !strings.HasPrefix(p.mediaType, "message/") {
			l.behind = append(l.behind, pieces(encodePart(p.fields(), p.body, false)))
			return nil
		}
		body.data = networkLines(p.body) // nothing else is allowed for messages: RFC 2046, section 5.2.1
	}
	var head bytes.Buffer
	for _, f := range p.fields() {
		head.Write(sentField(f))
	}
	if p.disposition == "" && !shown {
		head.WriteString("Content-Disposition: attachment" + param("filename", p.fileName()) + "\r\n")
	}
	head.WriteString("\r\n")
	l.behind = append(l.behind, []piece{{data: head.Bytes()}, body})
	return nil
}
