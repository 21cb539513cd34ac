// Package mail translates between messages (RFC 5322 and MIME) and the properties of ActiveSync's Email class, and composes messages for sending.
//
// A message's bytes never change, its flags do: [FromMessage] tells a phone of
// a message, [State] of its flags alone, and [Change] reads what a phone did to
// these. Nothing here fails because a message breaks the rules of its format:
// what can be read is shown.
//
// See [MS-ASEMAIL], [MS-ASAIRS], RFC 5322, RFC 2045 to 2049, RFC 2231.
package mail

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// A Message is a message as it is stored.
type Message struct {
	Body     []byte   // message/rfc822, perhaps with hollow parts
	Flags    []string // as IMAP names them, such as \Seen, and keywords
	Received time.Time
	Size     int64  // of the whole message in bytes; 0 means that of Body
	Left     []Left // which parts of Body are hollow
}

// A Left is a part that is not all in a message: it was too large.
type Left struct {
	Path    string // its number, as IMAP has it, such as "2.1"
	Encoded int64  // its size as it is transferred
	Kept    int64  // how much of it is there, from its beginning
}

// size is that of the whole message. Of one that is all here Body says it
// better than a store, which may count line breaks in another way.
func (m Message) size() int64 {
	if len(m.Left) == 0 {
		return int64(len(m.Body))
	}
	return max(m.Size, int64(len(m.Body)))
}

// tree reads the message. The error is translate.ErrUnreadable for what is
// none: nothing at all, or bytes without a header that are no text either.
func (m Message) tree() (*part, error) {
	if len(bytes.TrimSpace(m.Body)) == 0 {
		return nil, fmt.Errorf("mail: %w: the message is empty", translate.ErrUnreadable)
	}
	root := parse(m.Body)
	if len(root.header) == 0 && !isText(m.Body) {
		return nil, fmt.Errorf("mail: %w: there is no header, and what there is is no text", translate.ErrUnreadable)
	}
	for i := range m.Left {
		if p := find(root, m.Left[i].Path); p != nil {
			p.left = &m.Left[i]
		}
	}
	return root, nil
}

// isText tells whether bytes can be read by people: by their beginning.
func isText(b []byte) bool {
	b = b[:min(len(b), 4<<10)]
	odd := 0
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			odd++
		}
	}
	return odd*10 < len(b)
}

// Facts tells what filters need to know of a message that came at some time.
func Facts(received time.Time) translate.Facts {
	return translate.Facts{Ends: received.Unix()}
}

// FromMessage answers what a phone is shown of a message. The error is
// translate.ErrUnreadable.
func FromMessage(m Message, o translate.Options) (eas.Properties, error) {
	root, err := m.tree()
	if err != nil {
		return nil, err
	}
	s := &shown{Message: m, o: o, version: o.ProtocolVersion(), root: root, content: contentOf(root)}
	s.charset = s.messageCharset()
	s.class, s.contentClass = s.classes()
	s.envelope()
	s.state()
	s.conversation()
	s.meeting()
	s.voice()
	s.body()
	s.attachments()
	return s.ps, nil
}

// shown is what a phone is being shown of a message.
type shown struct {
	Message
	o       translate.Options
	version eas.Version
	root    *part
	content *content
	charset string // of raw bytes in the header, if nothing else is said

	class, contentClass string

	invite  *invite // see invitation
	invited bool

	ps eas.Properties
}

// messageCharset is the charset of the first text that names one.
func (s *shown) messageCharset() string {
	for _, t := range s.content.texts {
		for _, p := range []*part{t.plain, t.html} {
			if p != nil && p.params["charset"] != "" {
				return p.params["charset"]
			}
		}
	}
	return s.root.params["charset"]
}

func (s *shown) header() header { return s.root.header }

func (s *shown) addText(e eas.Element) { s.ps = append(s.ps, e) }

// maxSubject is the length in bytes of the subject that a phone is shown.
const maxSubject = 4 << 10

func (s *shown) subject() string {
	return translate.Truncate(line(textIn(s.header().get("Subject"), s.charset)), maxSubject)
}

// line makes one line of a text.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// maxBcc is what the schema of Bcc allows, in characters. See [MS-ASEMAIL] "Bcc".
const maxBcc = 1024

// envelope appends who wrote to whom, when and what about.
func (s *shown) envelope() {
	to := s.header().addresses("To", s.charset)
	list := func(name string) []address { return s.header().addresses(name, s.charset) }
	if len(to) > 0 {
		s.addText(eas.T(tag.EmailTo, joined(to, ", ", maxList)))
	}
	if cc := list("Cc"); len(cc) > 0 {
		s.addText(eas.T(tag.EmailCc, joined(cc, ", ", maxList)))
	}
	from, sender := list("From"), list("Sender")
	if len(from) == 0 {
		from = sender
	}
	if len(from) == 0 {
		from = list("Return-Path")
	}
	if len(from) > 0 {
		s.addText(eas.T(tag.EmailFrom, joined(from, ", ", maxList)))
	}
	if reply := list("Reply-To"); len(reply) > 0 {
		s.addText(eas.T(tag.EmailReplyTo, joined(reply, "; ", maxList)))
	}
	s.addText(eas.T(tag.EmailSubject, s.subject()))
	s.addText(eas.T(tag.EmailDateReceived, translate.DateTime(s.received())))
	if names := displayTo(to); names != "" {
		s.addText(eas.T(tag.EmailDisplayTo, names))
	}
	s.addText(eas.T(tag.EmailThreadTopic, s.threadTopic()))
	s.addText(eas.T(tag.EmailImportance, s.importance()))
	s.addText(eas.T(tag.EmailMessageClass, s.class))
	s.addText(eas.T(tag.EmailInternetCPID, codePage(s.charset)))
	if s.version >= eas.V120 {
		s.addText(eas.T(tag.EmailContentClass, s.contentClass))
	}
	if s.version >= eas.V140 && len(sender) > 0 && len(from) > 0 && !strings.EqualFold(sender[0].addr, from[0].addr) {
		s.addText(eas.T(tag.Email2Sender, joined(sender[:1], "", maxList)))
	}
	if bcc := list("Bcc"); s.version >= eas.V160 && len(bcc) > 0 {
		s.addText(eas.T(tag.Email2Bcc, joined(bcc, ", ", maxBcc)))
	}
}

// displayTo is the names of the recipients. See [MS-ASEMAIL] "DisplayTo".
func displayTo(to []address) string {
	var names []string
	n := 0
	for _, a := range to {
		name := strings.ReplaceAll(a.shown(), ";", ",")
		if n += len(name) + 2; n > maxList {
			break
		}
		names = append(names, name)
	}
	return strings.Join(names, "; ")
}

// received is when the message came, or what its header says of that.
func (s *shown) received() time.Time {
	if !s.Received.IsZero() {
		return s.Received
	}
	if at, ok := s.date(); ok {
		return at
	}
	for _, v := range s.header().all("Received") {
		if i := bytes.LastIndexByte(v, ';'); i >= 0 {
			if at, ok := parseDate(string(v[i+1:])); ok {
				return at
			}
		}
	}
	return time.Unix(0, 0) // something has to be said
}

// date is when the message was written.
func (s *shown) date() (time.Time, bool) { return parseDate(string(s.header().get("Date"))) }

// importance reads the headers that programs have for it. See [MS-ASEMAIL]
// "Importance".
func (s *shown) importance() string {
	word := func(name string) string {
		return strings.ToLower(strings.TrimSpace(string(withoutComments(s.header().get(name)))))
	}
	switch word("Importance") {
	case "high":
		return "2"
	case "low":
		return "0"
	case "normal":
		return "1"
	}
	switch p := word("X-Priority"); {
	case strings.HasPrefix(p, "1"), strings.HasPrefix(p, "2"), word("Priority") == "urgent", word("X-MSMail-Priority") == "high":
		return "2"
	case strings.HasPrefix(p, "4"), strings.HasPrefix(p, "5"), word("Priority") == "non-urgent", word("X-MSMail-Priority") == "low":
		return "0"
	}
	return "1"
}
