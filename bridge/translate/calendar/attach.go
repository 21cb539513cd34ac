package calendar

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// Limits on attachments: what a phone is shown, and what it may add.
const (
	maxAttachments    = 100
	maxAttachmentSize = 8 << 20 // bytes; in base64 it still fits into an object
)

// attachmentID names an ATTACH line by its content, so that it keeps its name
// when others come and go.
func attachmentID(l *line) string {
	h := sha256.Sum256([]byte(l.Value()))
	return hex.EncodeToString(h[:8])
}

// inline tells whether the file stands in the object. See RFC 5545, section
// 3.8.1.1.
func inline(l *line) bool {
	return strings.EqualFold(l.Param("VALUE"), "BINARY") || strings.EqualFold(l.Param("ENCODING"), "BASE64")
}

// attachments lists the ATTACH lines that phones are shown.
func (e *event) attachments() []*line {
	var list []*line
	for _, l := range e.c.All("ATTACH") {
		if strings.TrimSpace(l.Value()) != "" && len(list) < maxAttachments {
			list = append(list, l)
		}
	}
	return list
}

// attachmentName is what people call the file: the name that one of the
// programs gave it, the end of its address, or its type.
func attachmentName(l *line) string {
	for _, p := range []string{"FILENAME", "X-FILENAME", "X-APPLE-FILENAME", "X-ORACLE-FILENAME", "X-LABEL", "LABEL"} {
		if name := strings.TrimSpace(l.Param(p)); name != "" {
			return name
		}
	}
	if !inline(l) {
		if u, err := url.Parse(strings.TrimSpace(l.Value())); err == nil {
			if base := path.Base(u.Path); base != "." && base != "/" {
				return base
			}
			if u.Host != "" {
				return u.Host
			}
		}
		return "Link"
	}
	return "Attachment" + extensions[strings.ToLower(l.Param("FMTTYPE"))]
}

// extensions are for files without a name: phones choose the viewer by it.
var extensions = map[string]string{
	"application/pdf": ".pdf", "application/zip": ".zip", "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif",
	"text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "text/vcard": ".vcf", "audio/basic": ".au",
	"application/msword": ".doc", "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}

// A link is shown as a small page that leads to it: phones only know files,
// and we fetch nothing from addresses that somebody wrote into an event.
const linkPage = "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>%[2]s</title></head><body><p><a href=\"%[1]s\">%[2]s</a></p></body></html>"

func linkData(l *line) []byte {
	return fmt.Appendf(nil, linkPage, html.EscapeString(strings.TrimSpace(l.Value())), html.EscapeString(attachmentName(l)))
}

func linkName(l *line) string { return attachmentName(l) + ".html" }

// showAttachments lists the files, from 16.0 on. See [MS-ASAIRS] "Attachments".
func showAttachments(e *event) (eas.Element, bool) {
	el := eas.C(tag.AirSyncBaseAttachments)
	if e.o.Item == "" {
		return el, false
	}
	for _, l := range e.attachments() {
		name, size := attachmentName(l), base64.StdEncoding.DecodedLen(len(l.Value()))
		if !inline(l) {
			name, size = linkName(l), len(linkData(l))
		}
		el.Children = append(el.Children, eas.C(tag.AirSyncBaseAttachment,
			eas.T(tag.AirSyncBaseDisplayName, valid(name)),
			eas.T(tag.AirSyncBaseFileReference, translate.FileReference(e.o.Item, attachmentID(l))),
			eas.T(tag.AirSyncBaseMethod, "1"),
			eas.T(tag.AirSyncBaseEstimatedDataSize, strconv.Itoa(size)),
			eas.T(tag.AirSyncBaseIsInline, "0")))
	}
	return el, len(el.Children) > 0
}

// Attachment reads a file of an event; part is what follows the item in its
// FileReference. The error is translate.ErrNoAttachment if it is gone, and
// translate.ErrUnreadable if it cannot be decoded. A link is a small HTML page.
func Attachment(ics []byte, part string) (translate.Attachment, error) {
	obj, err := read(ics, translate.Options{})
	if err != nil {
		return translate.Attachment{}, err
	}
	for _, c := range obj.components() {
		for _, l := range c.All("ATTACH") {
			if attachmentID(l) != part {
				continue
			}
			if !inline(l) {
				return translate.Attachment{Name: linkName(l), MediaType: "text/html; charset=utf-8", Data: linkData(l)}, nil
			}
			data, err := base64.StdEncoding.DecodeString(strings.Map(withoutBlanks, l.Value()))
			if err != nil {
				return translate.Attachment{}, unreadable("an attachment: %v", err)
			}
			kind := l.Param("FMTTYPE")
			if _, _, err := mime.ParseMediaType(kind); err != nil {
				kind = "application/octet-stream"
			}
			return translate.Attachment{Name: attachmentName(l), MediaType: kind, Data: data}, nil
		}
	}
	return translate.Attachment{}, translate.ErrNoAttachment
}

func withoutBlanks(r rune) rune {
	if r == ' ' || r == '\t' {
		return -1
	}
	return r
}

// mergeAttachments takes away and adds what a phone says; a mere list of what
// is there changes nothing. See [MS-ASAIRS] "Add" and "Delete" of Attachments.
func mergeAttachments(e *event, el eas.Element) error {
	for _, child := range el.Children {
		ps := eas.Properties(child.Children)
		switch child.Tag {
		case tag.AirSyncBaseDelete:
			reference, _ := ps.Text(tag.AirSyncBaseFileReference)
			_, part, _ := translate.SplitFileReference(reference)
			for _, l := range e.c.All("ATTACH") {
				if attachmentID(l) == part {
					e.c.Remove(l)
				}
			}
		case tag.AirSyncBaseAdd:
			if err := e.attach(ps); err != nil {
				return err
			}
		}
	}
	return nil
}

// attach adds one file. Some phones announce a file while an event is still
// being written, and send its content later: without content nothing is added.
func (e *event) attach(sent eas.Properties) error {
	value, _, ok := sentFile(sent)
	if !ok {
		return nil
	}
	if len(value) > base64.StdEncoding.EncodedLen(maxAttachmentSize) {
		return invalid("an attachment of more than %d bytes", maxAttachmentSize)
	}
	if len(e.c.All("ATTACH")) >= maxAttachments {
		return invalid("more than %d attachments", maxAttachments)
	}
	name, _ := sent.Text(tag.AirSyncBaseDisplayName)
	if e.hasFile(value, tidy(name)) {
		return nil
	}
	l := e.c.Add("ATTACH", value)
	if kind, _ := sent.Text(tag.AirSyncBaseContentType); strings.TrimSpace(kind) != "" {
		l.SetParam("FMTTYPE", strings.TrimSpace(kind))
	}
	if tidy(name) != "" {
		l.SetParam("FILENAME", tidy(name)) // RFC 8607, section 4.2
	}
	l.SetParam("ENCODING", "BASE64")
	l.SetParam("VALUE", "BINARY")
	return nil
}

// hasFile tells whether the file is there already: the phone adds it again when
// it never heard what came of the first time.
func (e *event) hasFile(value, name string) bool {
	for _, l := range e.c.All("ATTACH") {
		if inline(l) && l.Value() == value && tidy(l.Param("FILENAME")) == name {
			return true
		}
	}
	return false
}

// sentFile is the content of an Add in base64, and the phone's name for it.
// Content is a byte array, which travels as opaque data; where it travels as
// text that can only be base64. See [MS-ASDTYPE] "Byte Array".
func sentFile(sent eas.Properties) (value, clientID string, ok bool) {
	content, _ := sent.Find(tag.AirSyncBaseContent)
	clientID, _ = sent.Text(tag.AirSyncBaseClientId)
	if content.Opaque != nil {
		value = base64.StdEncoding.EncodeToString(content.Opaque)
		return value, clientID, value != ""
	}
	value = strings.Join(strings.Fields(content.Text), "")
	_, err := base64.StdEncoding.DecodeString(value)
	return value, clientID, value != "" && err == nil
}

// Attached answers the FileReferences of the files that a phone added, as the
// answer to its command has to tell them; nil if it added none. See [MS-ASAIRS]
// "ClientId".
func Attached(sent eas.Properties, o translate.Options) eas.Properties {
	el, _ := sent.Find(tag.AirSyncBaseAttachments)
	list := eas.C(tag.AirSyncBaseAttachments)
	for _, child := range el.Children {
		value, clientID, ok := sentFile(child.Children)
		if child.Tag != tag.AirSyncBaseAdd || !ok || clientID == "" || o.Item == "" {
			continue
		}
		h := sha256.Sum256([]byte(value))
		list.Children = append(list.Children, eas.C(tag.AirSyncBaseAttachment,
			eas.T(tag.AirSyncBaseClientId, clientID),
			eas.T(tag.AirSyncBaseFileReference, translate.FileReference(o.Item, hex.EncodeToString(h[:8])))))
	}
	if len(list.Children) == 0 {
		return nil
	}
	return eas.Properties{list}
}
