package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A draft is a message that a phone writes by its properties, from 16.0 on.
type draft struct {
	s        Sending
	original Original
	root     *part // of what is edited, nil for a new one
	content  *content

	fields []byte
	text   piece // with the fields that describe it
	inline []draftFile
	beside []draftFile
}

// A draftFile is a file of a draft.
type draftFile struct {
	pieces   []piece
	clientID string // of one that the phone just added
}

// Limits on what a phone may add to a draft.
const (
	maxDraftFiles = 200
	maxDraftText  = translate.MaxBody
)

// NewDraft makes a message of what a phone wrote. Recipients may be missing.
// The error is translate.ErrInvalid.
//
// See [MS-ASEMAIL] "Sending E-Mail Changes to the Server", and [MS-ASCMD] "Sync".
func NewDraft(sent eas.Properties, s Sending) (*Outgoing, error) {
	return (&draft{s: s}).write(sent)
}

// EditDraft makes the message that replaces one which a phone edited: what it
// does not mention stays, header fields that it knows nothing of too. The
// error is translate.ErrInvalid or translate.ErrUnreadable.
func EditDraft(original Original, sent eas.Properties, s Sending) (*Outgoing, error) {
	original.Body = networkLines(original.Body)
	root, err := original.tree()
	if err != nil {
		return nil, err
	}
	return (&draft{s: s, original: original, root: root, content: contentOf(root)}).write(sent)
}

// Attached answers the FileReferences of the files that a phone added to a
// draft, as the answer to its command has to tell them; nil if it added none.
// See [MS-ASAIRS] "ClientId".
func Attached(made *Outgoing, o translate.Options) eas.Properties {
	list := eas.C(tag.AirSyncBaseAttachments)
	for _, f := range made.added {
		if f.clientID != "" && o.Item != "" {
			list.Children = append(list.Children, eas.C(tag.AirSyncBaseAttachment,
				eas.T(tag.AirSyncBaseClientId, f.clientID), eas.T(tag.AirSyncBaseFileReference, translate.FileReference(o.Item, f.path))))
		}
	}
	if len(list.Children) == 0 {
		return nil
	}
	return eas.Properties{list}
}

func (d *draft) write(sent eas.Properties) (*Outgoing, error) {
	for _, step := range []func(eas.Properties) error{d.writeText, d.writeFiles} {
		if err := step(sent); err != nil {
			return nil, err
		}
	}
	d.writeFields(sent)
	l := &letter{s: d.s, all: append(bytes.Clone(d.fields), d.text.data...)}
	l.root = parse(append(bytes.Clone(d.fields), '\r', '\n'))
	o := &Outgoing{Subject: line(text(l.root.header.get("Subject")))}
	from, err := l.sender()
	if err != nil {
		return nil, err
	}
	o.From = from.addr
	o.Recipients = recipientsOf(l.root.header)
	l.writeHeader(o, from)
	o.head, o.bcc = append(o.bcc, o.head...), nil // a draft keeps whom it is for
	d.assemble(o, l.boundary())
	return o, nil
}

// draftFields are the header fields that properties are kept in.
var draftFields = []struct {
	tag  wbxml.Tag
	name string
}{
	{tag.EmailTo, "To"}, {tag.EmailCc, "Cc"}, {tag.Email2Bcc, "Bcc"}, {tag.EmailFrom, "From"}, {tag.EmailReplyTo, "Reply-To"},
}

// writeFields writes the header: what the phone says, and what else there was.
func (d *draft) writeFields(sent eas.Properties) {
	var b bytes.Buffer
	replaced := []string{"Date", "Bcc"} // the time is that of the edit
	for _, f := range draftFields {
		value, ok := sent.Text(f.tag)
		if !ok {
			if f.tag == tag.Email2Bcc && d.root != nil {
				b.WriteString(keptBcc(d.root.header))
			}
			continue
		}
		replaced = append(replaced, f.name)
		if list := sentAddresses(value); len(list) > 0 {
			b.WriteString(addressField(f.name, list))
		}
	}
	if subject, ok := sent.Text(tag.EmailSubject); ok {
		replaced = append(replaced, "Subject")
		b.WriteString(textField("Subject", subject))
	}
	if importance, ok := sent.Text(tag.EmailImportance); ok {
		replaced = append(replaced, "Importance", "X-Priority", "Priority", "X-MSMail-Priority")
		switch strings.TrimSpace(importance) {
		case "0":
			b.WriteString("Importance: low\r\n")
		case "2":
			b.WriteString("Importance: high\r\n")
		}
	}
	if d.root != nil {
		for _, f := range d.root.header {
			if !strings.HasPrefix(strings.ToLower(f.name), "content-") && !slices.ContainsFunc(replaced, f.is) {
				b.Write(sentField(f))
			}
		}
	}
	d.fields = b.Bytes()
}

func keptBcc(h header) string {
	if list := h.addresses("Bcc", ""); len(list) > 0 {
		return addressField("Bcc", list)
	}
	return ""
}

// sentAddresses reads a list of addresses that a phone sent.
func sentAddresses(value string) []address {
	h := header{{name: "To", raw: []byte("To: " + strings.NewReplacer("\r", " ", "\n", " ").Replace(value))}}
	return h.addresses("To", "")
}

// writeText writes the text: what the phone says, or what there was.
func (d *draft) writeText(sent eas.Properties) error {
	body, ok := sent.Find(tag.AirSyncBaseBody)
	children := eas.Properties(body.Children)
	data, hasData := children.Find(tag.AirSyncBaseData)
	if !ok || !hasData {
		if d.root == nil {
			d.text = piece{data: partBytes(textPartOf("text/plain", ""))}
			return nil
		}
		return d.keepText()
	}
	words := clean(decodeCharset([]byte(data.Content()), "utf-8", ""))
	if len(words) > maxDraftText {
		return invalid("a text of %d bytes, the limit is %d", len(words), maxDraftText)
	}
	kind, _ := children.Text(tag.AirSyncBaseType)
	switch n, err := strconv.Atoi(strings.TrimSpace(kind)); {
	case err != nil, translate.BodyType(n) == translate.PlainText:
		d.text = piece{data: partBytes(textPartOf("text/plain", words))}
	case translate.BodyType(n) == translate.HTML:
		d.text = piece{data: alternatives(translate.HTMLToText(words), words)}
	default:
		return invalid("a draft's body of type %d", n)
	}
	return nil
}

func partBytes(r replaced) []byte { return slices.Concat(r.fields, []byte("\r\n"), r.body) }

// alternatives is a text in both forms.
func alternatives(plain, document string) []byte {
	first, second := partBytes(textPartOf("text/plain", plain)), partBytes(textPartOf("text/html", document))
	b := (&letter{all: append(bytes.Clone(first), second...)}).boundary() + "a"
	return slices.Concat([]byte("Content-Type: multipart/alternative; boundary=\""+b+"\"\r\n\r\n--"+b+"\r\n"), first,
		[]byte("\r\n--"+b+"\r\n"), second, []byte("\r\n--"+b+"--\r\n"))
}

// keepText writes the text that there was, in the forms that it had.
func (d *draft) keepText() error {
	b := d.content.text("")
	if b.size > 0 {
		return fmt.Errorf("mail: %w: the draft's text is longer than what is here", translate.ErrInvalid)
	}
	if b.HTML != "" {
		d.text = piece{data: alternatives(b.Plain, b.HTML)}
	} else {
		d.text = piece{data: partBytes(textPartOf("text/plain", b.Plain))}
	}
	return nil
}

// writeFiles keeps the files that there were, but those that the phone takes
// away, and adds its new ones.
func (d *draft) writeFiles(sent eas.Properties) error {
	el, _ := sent.Find(tag.AirSyncBaseAttachments)
	gone := map[string]bool{}
	for _, child := range el.Children {
		if child.Tag == tag.AirSyncBaseDelete {
			reference, _ := eas.Properties(child.Children).Text(tag.AirSyncBaseFileReference)
			if _, path, ok := translate.SplitFileReference(reference); ok {
				gone[path] = true
			}
		}
	}
	if d.content != nil {
		for _, p := range d.content.files {
			if gone[p.path] || p.within != nil && p.within.isTNEF() {
				continue
			}
			l := &letter{}
			if err := l.attach(d.original, p, p.related); err != nil {
				return err
			}
			d.place(draftFile{pieces: l.behind[0]}, p.contentID() != "" && p.disposition != "attachment")
		}
	}
	for _, child := range el.Children {
		if child.Tag == tag.AirSyncBaseAdd {
			if err := d.addFile(child.Children); err != nil {
				return err
			}
		}
	}
	if len(d.inline)+len(d.beside) > maxDraftFiles {
		return invalid("%d files in a draft, the limit is %d", len(d.inline)+len(d.beside), maxDraftFiles)
	}
	return nil
}

func (d *draft) place(f draftFile, inline bool) {
	if inline {
		d.inline = append(d.inline, f)
	} else {
		d.beside = append(d.beside, f)
	}
}

// addFile adds one file. Without content nothing is added: some phones announce
// a file and send its content later. See [MS-ASAIRS] "Add".
func (d *draft) addFile(sent eas.Properties) error {
	content, ok := sent.Find(tag.AirSyncBaseContent)
	if !ok {
		return nil
	}
	data := content.Opaque
	if data == nil { // where it travels as text it is base64
		var err error
		if data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content.Text), "")); err != nil {
			return invalid("the content of a file is not base64")
		}
	}
	value := func(t wbxml.Tag) string { s, _ := sent.Text(t); return line(clean(s)) }
	kind, _, err := mime.ParseMediaType(value(tag.AirSyncBaseContentType))
	if err != nil || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") {
		kind = "application/octet-stream"
	}
	name := value(tag.AirSyncBaseDisplayName)
	id := strings.Trim(value(tag.AirSyncBaseContentId), "<>")
	inline := id != "" && value(tag.AirSyncBaseIsInline) != "0"
	var head bytes.Buffer
	head.WriteString("Content-Type: " + kind + param("name", name) + "\r\n")
	disposition := "attachment"
	if inline {
		disposition = "inline"
	}
	head.WriteString("Content-Disposition: " + disposition + param("filename", name) + "\r\n")
	if id != "" && isASCII([]byte(id)) && !strings.ContainsAny(id, "<> ") {
		head.WriteString("Content-ID: <" + id + ">\r\n")
	}
	var body []byte
	if kind == "message/rfc822" {
		body = networkLines(data)
	} else {
		head.WriteString("Content-Transfer-Encoding: base64\r\n")
		body = base64Lines(data)
	}
	head.WriteString("\r\n")
	d.place(draftFile{pieces: []piece{{data: head.Bytes()}, {data: body}}, clientID: value(tag.AirSyncBaseClientId)}, inline)
	return nil
}

// assemble puts text and files together: pictures that the text shows beside it
// in a multipart/related, everything else behind it in a multipart/mixed.
func (d *draft) assemble(o *Outgoing, boundary string) {
	inner := []piece{d.text}
	prefix := ""
	if len(d.beside) > 0 {
		prefix = "1."
	}
	if len(d.inline) > 0 {
		inner = d.container(o, "multipart/related", boundary+"r", prefix, inner, d.inline)
	}
	if len(d.beside) > 0 {
		inner = d.container(o, "multipart/mixed", boundary, "", inner, d.beside)
	}
	o.pieces = inner
}

func (d *draft) container(o *Outgoing, kind, boundary, prefix string, first []piece, files []draftFile) []piece {
	list := []piece{{data: []byte("Content-Type: " + kind + "; boundary=\"" + boundary + "\"\r\n\r\n--" + boundary + "\r\n")}}
	list = append(list, first...)
	for i, f := range files {
		list = append(list, piece{data: []byte("\r\n--" + boundary + "\r\n")})
		list = append(list, f.pieces...)
		if f.clientID != "" {
			o.added = append(o.added, addedFile{f.clientID, prefix + strconv.Itoa(i+2)})
		}
	}
	return append(list, piece{data: []byte("\r\n--" + boundary + "--\r\n")})
}
