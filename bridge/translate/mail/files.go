package mail

import (
	"bytes"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// The methods of attachments. See [MS-ASAIRS] "Method (Attachment)".
const (
	methodNormal   = "1"
	methodEmbedded = "5"
)

// A Part is a part of a message that a phone may ask for by its FileReference.
type Part struct {
	Path      string // its number, as IMAP has it
	Name      string // as people see it, never empty
	MediaType string // never empty
	Encoding  string // in which it is transferred, in lower case
	Encoded   int64  // its size in that encoding
	Message   bool   // a message inside the message: what its number names is that message

	nth    int    // of the files that are uuencoded in the text of the part; 0: the part itself
	inTNEF string // its number, for a file in winmail.dat
}

// FindPart tells of the part that has a number; the message may be hollow. The
// error is translate.ErrNoAttachment, or translate.ErrUnreadable.
func FindPart(m Message, number string) (Part, error) {
	root, err := m.tree()
	if err != nil {
		return Part{}, err
	}
	p := find(root, number)
	if of, nth, ok := cutUUPath(number); ok && p == nil {
		if text := find(root, of); text != nil && text.left != nil { // who asks has seen it
			file := (&part{path: number, mediaType: "application/octet-stream"}).public()
			file.Path, file.Encoding, file.Encoded, file.nth = text.path, text.encoding, text.size(), nth
			return file, nil
		}
	}
	if p == nil {
		return Part{}, translate.ErrNoAttachment
	}
	if p.within == nil {
		return p.public(), nil
	}
	file := p.public()
	file.Path, file.Encoding, file.Encoded = p.within.path, p.within.encoding, p.within.size()
	if _, nth, ok := cutUUPath(p.path); ok {
		file.nth = nth
	} else {
		file.inTNEF = p.path
	}
	return file, nil
}

// Decode reads the bytes of the part as they are transferred, and answers what
// is in them.
func (p Part) Decode(r io.Reader) io.Reader {
	r = decoder(p.Encoding, r)
	switch {
	case p.nth > 0:
		return uuFile(r, p.nth)
	case p.inTNEF != "":
		return tnefReaderOf(r, p.inTNEF)
	}
	return r
}

// Attachment reads a file of a message that is all here. The error is
// translate.ErrNoAttachment if there is no such part, or it is not all here.
func Attachment(m Message, number string) (translate.Attachment, error) {
	root, err := m.tree()
	if err != nil {
		return translate.Attachment{}, err
	}
	p := find(root, number)
	if p == nil || p.left != nil {
		return translate.Attachment{}, translate.ErrNoAttachment
	}
	data, _ := p.decoded(len(p.body))
	return translate.Attachment{Name: p.fileName(), MediaType: p.fileType(), Data: data}, nil
}

// Content reads a file of a message as it was before it was encoded; false if
// it is not all here.
func Content(m Message, number string) (io.Reader, bool) {
	root, err := m.tree()
	if err != nil {
		return nil, false
	}
	p := find(root, number)
	if p == nil || p.missing() > 0 {
		return nil, false
	}
	return decoder(p.encoding, bytes.NewReader(p.body)), true
}

func (p *part) public() Part {
	encoding := p.encoding
	return Part{Path: p.path, Name: p.fileName(), MediaType: p.fileType(), Encoding: encoding, Encoded: p.size(), Message: p.embedded()}
}

// find is the part with a number, nil if there is none. The outer one of two
// with the same number is it.
func find(p *part, number string) *part {
	if of, n, ok := strings.Cut(number, ".t"); ok {
		nth, err := strconv.Atoi(n)
		if outer := find(p, of); outer != nil && err == nil {
			if files := outer.tnefFiles(); nth > 0 && nth <= len(files) {
				return files[nth-1]
			}
		}
		return nil
	}
	if of, nth, ok := cutUUPath(number); ok {
		if text := find(p, of); text != nil {
			if _, files := text.uuFiles(text.uuText()); nth <= len(files) {
				return files[nth-1]
			}
		}
		return nil
	}
	if p.path == number && number != "" && !p.multipart() {
		return p
	}
	for _, child := range p.children {
		if found := find(child, number); found != nil {
			return found
		}
	}
	return nil
}

// fileType is the type that a phone may be told.
func (p *part) fileType() string {
	if p.mediaType == "application/octet-stream" {
		if byName := types[strings.ToLower(path.Ext(p.filename))]; byName != "" {
			return byName
		}
	}
	return p.mediaType
}

// maxName is the length in bytes of a name that a phone is shown.
const maxName = 255

// fileName is what people call the part. Directories are no part of a name,
// whoever wrote them.
func (p *part) fileName() string {
	name := strings.TrimSpace(clean(p.filename))
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, name)
	if name = strings.TrimSpace(name); strings.Trim(name, ".") != "" {
		return shorten(name)
	}
	switch {
	case p.embedded():
		if subject := strings.TrimSpace(text(p.children[0].header.get("Subject"))); subject != "" {
			return shorten(strings.NewReplacer("/", "_", `\`, "_", ":", "_").Replace(subject) + ".eml")
		}
		return "message.eml"
	case p.contentID() != "" && strings.HasPrefix(p.mediaType, "image/"):
		return "image" + extension(p.mediaType)
	}
	return "attachment" + extension(p.mediaType)
}

// shorten keeps the extension of a name that is too long.
func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	return strings.TrimSpace(translate.Truncate(name, maxName-len(ext))) + ext
}

// extensions are for files without a name: phones choose the viewer by it. The
// system's table would be another one on every machine.
var extensions = map[string]string{
	"application/pdf": ".pdf", "application/zip": ".zip", "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/svg+xml": ".svg", "image/webp": ".webp",
	"text/plain": ".txt", "text/html": ".html", "text/csv": ".csv", "text/calendar": ".ics", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/rtf": ".rtf", "application/rtf": ".rtf",
	"application/msword": ".doc", "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
	"application/pkcs7-mime": ".p7m", "application/x-pkcs7-mime": ".p7m", "application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s",
	"application/pgp-signature": ".asc", "application/pgp-encrypted": ".asc", "application/ms-tnef": ".dat", "application/ics": ".ics",
	"message/rfc822": ".eml", "message/global": ".eml", "message/delivery-status": ".txt", "message/disposition-notification": ".txt", "text/rfc822-headers": ".txt",
	"audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/amr": ".amr", "video/mp4": ".mp4",
}

// types are the other way round, for programs that call every file a stream of
// bytes.
var types = map[string]string{
	".pdf": "application/pdf", ".zip": "application/zip", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif",
	".txt": "text/plain", ".csv": "text/csv", ".ics": "text/calendar", ".vcf": "text/vcard", ".doc": "application/msword",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".eml": "message/rfc822",
}

func extension(mediaType string) string { return extensions[mediaType] }

// decodedSize is about how many bytes a part has when it is decoded.
func (p *part) decodedSize() int64 {
	n := p.size()
	switch {
	case p.encoding == "base64":
		return n * 57 / 78 // lines of 57 bytes in 76 characters and a break: RFC 2045, section 6.8
	case uuencoded(p.encoding):
		return n * 45 / 63
	}
	return n
}
