package mail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// A letter is a message of a phone on its way to become an Outgoing.
type letter struct {
	s       Sending
	root    *part
	all     []byte
	edits   []edit
	content *content

	// What comes in place of the root's own body, if it is set; and what comes
	// behind the body in a multipart/mixed.
	own    *replaced
	behind [][]piece
	fields []string // that are added to the header
	dated  bool     // its date is another one than that of being sent
}

// An edit replaces bytes of the message.
type edit struct {
	from, to int
	with     piece
}

// A replaced is a part written anew: the fields that describe it, and its body.
type replaced struct{ fields, body []byte }

// Send makes a phone's message ready: it gets the header fields that are
// missing, and lines that every server takes. Its parts stay as they are. The
// error is translate.ErrInvalid, ErrNoRecipients or ErrNotSelf.
//
// See [MS-ASCMD] "SendMail" and RFC 6409, section 8.
func Send(message []byte, s Sending) (*Outgoing, error) {
	return SendDraft(Original{Message: Message{Body: message}}, s)
}

// SendDraft is Send for a message that is stored: parts of it may be elsewhere.
// One with the flag of drafts gets a new date: the old one is that of its last
// edit.
func SendDraft(draft Original, s Sending) (*Outgoing, error) {
	l, err := open(draft, s)
	if err != nil {
		return nil, err
	}
	l.dated = hasFlag(draft.Flags, DraftFlag)
	return l.finish(true)
}

// open reads a message that is to be sent.
func open(m Original, s Sending) (*letter, error) {
	m.Body = networkLines(m.Body)
	root, err := m.tree()
	if err != nil || len(root.header) == 0 {
		return nil, fmt.Errorf("mail: %w: the message has no header", translate.ErrInvalid)
	}
	l := &letter{s: s, all: m.Body, root: root, content: contentOf(root)}
	if err := l.fill(m, root); err != nil {
		return nil, err
	}
	l.boundLines(l.root, false)
	return l, nil
}

// fill puts the parts that are elsewhere into their places.
func (l *letter) fill(m Original, p *part) error {
	if p.left != nil {
		whole, err := m.body(p)
		if err != nil {
			return err
		}
		l.edits = append(l.edits, edit{p.content, p.content + len(p.body), whole})
		return nil
	}
	for _, child := range p.children {
		if err := l.fill(m, child); err != nil {
			return err
		}
	}
	return nil
}

// body is the body of a part as it is transferred, wherever it is.
func (m Original) body(p *part) (piece, error) {
	missing := p.missing()
	if missing == 0 {
		return piece{data: p.body}, nil
	}
	if m.Part == nil {
		return piece{}, fmt.Errorf("mail: part %s of the original is not all here", p.path)
	}
	path := p.path
	return piece{size: int64(len(p.body)) + missing, part: func(ctx context.Context, w io.Writer) error { return m.Part(ctx, path, w) }}, nil
}

// missing is how many bytes of a part, or of those inside it, are elsewhere.
func (p *part) missing() int64 {
	if p.left != nil {
		return max(p.left.Encoded-int64(len(p.body)), 0)
	}
	n := int64(0)
	for _, child := range p.children {
		n += child.missing()
	}
	return n
}

// networkLines makes all line breaks those of the network, and leaves NULs out:
// both are forbidden, and some servers read a bare line feed as a line break
// while others do not. See RFC 5321, section 2.3.8.
func networkLines(b []byte) []byte {
	good := true
	for i, c := range b {
		if c == 0 || c == '\n' && (i == 0 || b[i-1] != '\r') || c == '\r' && (i+1 == len(b) || b[i+1] != '\n') {
			good = false
			break
		}
	}
	if good {
		return b
	}
	out := make([]byte, 0, len(b)+len(b)/32)
	for i, c := range b {
		switch {
		case c == 0, c == '\n' && i > 0 && b[i-1] == '\r':
		case c == '\n', c == '\r':
			out = append(out, '\r', '\n')
		default:
			out = append(out, c)
		}
	}
	return out
}

// maxSentLine is the length of a line without its break. See RFC 5322, section
// 2.1.1.
const maxSentLine = 998

// boundLines encodes parts with longer lines, but those that are signed: these
// have to stay.
func (l *letter) boundLines(p *part, signed bool) {
	signed = signed || p.mediaType == "multipart/signed"
	for _, child := range p.children {
		l.boundLines(child, signed)
	}
	if len(p.children) > 0 || signed || p.left != nil || !longLines(p.body) {
		return
	}
	if identity(p.encoding) || strings.HasPrefix(p.mediaType, "text/") {
		data, _ := p.decoded(len(p.body))
		l.replace(p, encodePart(p.fields(), data, strings.HasPrefix(p.mediaType, "text/")))
		return
	}
	l.replace(p, replaced{fields: p.describing(nil), body: wrapLines(p.body)})
}

func longLines(b []byte) bool {
	for len(b) > maxSentLine {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return true
		}
		if i > maxSentLine+1 {
			return true
		}
		b = b[i+1:]
	}
	return false
}

// wrapLines breaks base64 anew: it is the only encoding with lines of any
// length.
func wrapLines(b []byte) []byte {
	var out []byte
	n := 0
	for _, c := range b {
		if isBase64(c) || c == '=' {
			if n == 76 {
				out, n = append(out, '\r', '\n'), 0
			}
			out, n = append(out, c), n+1
		}
	}
	return out
}

// replace writes a part anew.
func (l *letter) replace(p *part, by replaced) {
	if p == l.root {
		l.own = &by
		return
	}
	l.edits = slices.DeleteFunc(l.edits, func(e edit) bool { return e.from == p.start })
	l.edits = append(l.edits, edit{p.start, p.content + len(p.body), piece{data: slices.Concat(by.fields, []byte("\r\n"), by.body)}})
}

// fields are those of the part that say what it is.
func (p *part) fields() header {
	var list header
	for _, f := range p.header {
		if strings.HasPrefix(strings.ToLower(f.name), "content-") {
			list = append(list, f)
		}
	}
	return list
}

// describing writes these fields but for those that are given by name.
func (p *part) describing(without []string) []byte {
	var out []byte
	for _, f := range p.fields() {
		if !slices.ContainsFunc(without, f.is) {
			out = append(out, sentField(f)...)
		}
	}
	return out
}

// finish writes the header and puts everything together.
func (l *letter) finish(recipients bool) (*Outgoing, error) {
	o := &Outgoing{Subject: line(text(l.root.header.get("Subject")))}
	from, err := l.sender()
	if err != nil {
		return nil, err
	}
	o.From = from.addr
	o.Recipients = recipientsOf(l.root.header)
	if recipients && len(o.Recipients) == 0 {
		return nil, fmt.Errorf("mail: %w", ErrNoRecipients)
	}
	l.writeHeader(o, from)
	l.writeBody(o)
	return o, nil
}

// writeBody writes the fields that describe the body, and the body.
func (l *letter) writeBody(o *Outgoing) {
	add := func(data ...[]byte) {
		for _, d := range data {
			if len(d) > 0 {
				o.pieces = append(o.pieces, piece{data: d})
			}
		}
	}
	end := "\r\n--" + l.boundary() + "--\r\n"
	if len(l.behind) > 0 {
		add([]byte("Content-Type: multipart/mixed; boundary=\"" + l.boundary() + "\"\r\n\r\n--" + l.boundary() + "\r\n"))
	}
	if l.own != nil {
		add(l.own.fields, []byte("\r\n"), l.own.body)
	} else {
		add(l.root.describing(nil), []byte("\r\n"))
		slices.SortFunc(l.edits, func(a, b edit) int { return a.from - b.from })
		at := l.root.content
		for _, e := range l.edits {
			if e.from < at {
				continue // inside another one
			}
			add(l.all[at:e.from])
			o.pieces = append(o.pieces, e.with)
			at = e.to
		}
		add(l.all[at:])
	}
	for _, pieces := range l.behind {
		add([]byte("\r\n--" + l.boundary() + "\r\n"))
		o.pieces = append(o.pieces, pieces...)
	}
	if len(l.behind) > 0 {
		add([]byte(end))
	}
}

// boundary occurs nowhere in the message: it is made of it.
func (l *letter) boundary() string {
	sum := sha256.Sum256(l.all)
	return "=_" + hex.EncodeToString(sum[:16])
}
