package mail

import (
	"bytes"
	"cmp"
	"strconv"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// wishes are the forms that the phone takes.
func (s *shown) wishes() []translate.Body {
	if len(s.o.Mail.Bodies) > 0 {
		return s.o.Mail.Bodies
	}
	return []translate.Body{s.o.Body}
}

func wish(list []translate.Body, t translate.BodyType) (translate.Body, bool) {
	for _, b := range list {
		if cmp.Or(b.Type, translate.PlainText) == t {
			return b, true
		}
	}
	return translate.Body{}, false
}

// body appends the text in the form that suits the phone and the message. See
// [MS-ASAIRS] "Body", and [MS-ASEMAIL] "Body" for 2.5.
func (s *shown) body() {
	if b, ok := wish(s.wishes(), translate.MIME); ok && (s.o.Mail.MIMESupport == 2 || s.o.Mail.MIMESupport == 1 && s.smime()) {
		s.mime(b)
		return
	}
	b := s.content.text(s.charset)
	v := s.choose(b)
	if b.size > 0 { // there is more of it than we have
		v.Cut = true
		v.Size += int(b.size)
	}
	if s.version < eas.V120 {
		s.oldBody(v)
		return
	}
	s.addText(eas.C(tag.AirSyncBaseBody, bodyElements(v, false)...))
	s.addText(eas.T(tag.AirSyncBaseNativeBodyType, strconv.Itoa(int(b.native))))
	s.bodyPart(b)
}

// choose takes the form in which the message was written, if the phone takes
// that, else the first that it takes. One that has no room in a form of which
// the phone wants all or nothing is looked for in the others.
func (s *shown) choose(b body) translate.Shown {
	order := []translate.BodyType{translate.PlainText, translate.HTML, translate.RTF}
	if b.native == translate.HTML {
		order = []translate.BodyType{translate.HTML, translate.PlainText, translate.RTF}
	}
	if s.version < eas.V120 {
		order = order[:0]
		order = append(order, translate.PlainText)
	}
	var first *translate.Shown
	for _, t := range order {
		w, ok := wish(s.wishes(), t)
		if !ok {
			continue
		}
		v := b.Show(w, s.o)
		if !v.Absent || !w.AllOrNone {
			return v
		}
		if first == nil {
			first = &v
		}
	}
	if first != nil {
		return *first
	}
	w := s.wishes()[0]
	w.Type = translate.PlainText // a phone that takes nothing but MIME, and none of that
	return b.Show(w, s.o)
}

func bodyElements(v translate.Shown, opaque bool) []eas.Element {
	list := []eas.Element{
		eas.T(tag.AirSyncBaseType, strconv.Itoa(int(v.Type))),
		eas.T(tag.AirSyncBaseEstimatedDataSize, strconv.Itoa(v.Size)),
	}
	if v.Cut {
		list = append(list, eas.T(tag.AirSyncBaseTruncated, "1"))
	}
	switch {
	case v.Absent:
	case opaque:
		list = append(list, eas.Element{Tag: tag.AirSyncBaseData, Opaque: []byte(v.Data)})
	default:
		list = append(list, eas.T(tag.AirSyncBaseData, v.Data))
	}
	if v.Preview != "" {
		list = append(list, eas.T(tag.AirSyncBasePreview, v.Preview))
	}
	return list
}

// oldBody appends the text as 2.5 has it.
func (s *shown) oldBody(v translate.Shown) {
	s.addText(eas.T(tag.EmailBodySize, strconv.Itoa(v.Size)))
	s.addText(eas.T(tag.EmailBodyTruncated, bit(v.Cut)))
	if !v.Absent {
		s.addText(eas.T(tag.EmailBody, v.Data))
	}
}

// mime appends the message as it is, byte for byte, as far as the phone takes
// it. What is cut ends before the first hollow part.
func (s *shown) mime(wanted translate.Body) {
	v := translate.Shown{Type: translate.MIME, Size: int(min(s.size(), 1<<31-1))}
	whole := s.Body[:s.firstHole()]
	limit := len(whole)
	switch {
	case wanted.Truncate < 0:
		limit = 0
	case wanted.Truncate > 0:
		limit = min(limit, wanted.Truncate)
	}
	v.Cut = limit < int(s.size())
	v.Absent = v.Cut && (limit == 0 || wanted.AllOrNone)
	data := whole[:limit]
	if end := runeEnd(data); v.Cut && travels(data[:end]) {
		data = data[:end]
	}
	opaque := !travels(data)
	v.Data = string(data)
	if wanted.Preview > 0 && s.version >= eas.V140 {
		v.Preview = s.content.text(s.charset).Show(translate.Body{Truncate: -1, Preview: wanted.Preview}, s.o).Preview
	}
	if s.version < eas.V120 {
		s.oldMIME(v, opaque)
		return
	}
	s.addText(eas.C(tag.AirSyncBaseBody, bodyElements(v, opaque)...))
	s.addText(eas.T(tag.AirSyncBaseNativeBodyType, strconv.Itoa(int(s.native()))))
	if s.o.Mail.Part != nil {
		s.bodyPart(s.content.text(s.charset))
	}
}

func (s *shown) oldMIME(v translate.Shown, opaque bool) {
	s.addText(eas.T(tag.EmailMIMETruncated, bit(v.Cut)))
	s.addText(eas.T(tag.EmailMIMESize, strconv.Itoa(v.Size)))
	switch {
	case v.Absent:
	case opaque:
		s.addText(eas.Element{Tag: tag.EmailMIMEData, Opaque: []byte(v.Data)})
	default:
		s.addText(eas.T(tag.EmailMIMEData, v.Data))
	}
}

// runeEnd is where a text ends whose last character was cut.
func runeEnd(b []byte) int {
	for n := len(b); n > 0 && n > len(b)-utf8.UTFMax; n-- {
		if r, size := utf8.DecodeLastRune(b[:n]); r != utf8.RuneError || size != 1 {
			return n
		}
	}
	return len(b)
}

// travels tells whether bytes can be sent as a string: what is not UTF-8, or
// has NULs, travels as opaque data, for its bytes have to stay.
func travels(b []byte) bool { return utf8.Valid(b) && !bytes.ContainsFunc(b, forbidden) }

func (s *shown) native() translate.BodyType {
	for _, t := range s.content.texts {
		if t.html != nil {
			return translate.HTML
		}
	}
	return translate.PlainText
}

// firstHole is how much of the message is here without a gap.
func (s *shown) firstHole() int {
	end := len(s.Body)
	var look func(p *part)
	look = func(p *part) {
		if p.left != nil && p.left.Kept < p.left.Encoded {
			end = min(end, p.content+int(min(max(p.left.Kept, 0), int64(len(p.body)))))
		}
		for _, child := range p.children {
			look(child)
		}
	}
	look(s.root)
	return max(end, 0)
}

// bodyPart appends what is new in this message of a conversation, if the phone
// wants that. See [MS-ASAIRS] "BodyPart".
func (s *shown) bodyPart(b body) {
	w := s.o.Mail.Part
	if w == nil || s.version < eas.V141 {
		return
	}
	fresh := translate.Text{Plain: withoutQuote(b.Plain), HTML: withoutQuotedHTML(b.HTML)}
	v := fresh.Show(*w, s.o)
	if b.size > 0 {
		v.Cut = true
	}
	el := eas.C(tag.AirSyncBaseBodyPart, eas.T(tag.AirSyncBaseStatus, "1"))
	el.Children = append(el.Children, bodyElements(v, false)...)
	s.addText(el)
}

// maxAttachments is how many files of a message a phone is shown.
const maxAttachments = 500

// attachments appends the files. See [MS-ASAIRS] "Attachments", and
// [MS-ASEMAIL] "Attachments" for 2.5.
func (s *shown) attachments() {
	if s.o.Item == "" {
		return
	}
	var list []eas.Element
	for _, p := range s.content.files[:min(len(s.content.files), maxAttachments)] {
		if p.path == "" {
			continue
		}
		method := methodNormal
		if p.embedded() {
			method = methodEmbedded
		}
		reference := translate.FileReference(s.o.Item, p.path)
		size := strconv.FormatInt(min(p.decodedSize(), 1<<31-1), 10)
		if s.version < eas.V120 {
			list = append(list, eas.C(tag.EmailAttachment, eas.T(tag.EmailAttName, reference), eas.T(tag.EmailAttSize, size),
				eas.T(tag.EmailAttMethod, method), eas.T(tag.EmailDisplayName, p.fileName())))
			continue
		}
		el := eas.C(tag.AirSyncBaseAttachment, eas.T(tag.AirSyncBaseDisplayName, p.fileName()), eas.T(tag.AirSyncBaseFileReference, reference),
			eas.T(tag.AirSyncBaseMethod, method), eas.T(tag.AirSyncBaseEstimatedDataSize, size))
		if id := p.contentID(); id != "" {
			el.Children = append(el.Children, eas.T(tag.AirSyncBaseContentId, id))
		}
		if location := line(text(p.header.get("Content-Location"))); location != "" {
			el.Children = append(el.Children, eas.T(tag.AirSyncBaseContentLocation, location))
		}
		if s.isInline(p) {
			el.Children = append(el.Children, eas.T(tag.AirSyncBaseIsInline, "1"))
		}
		el.Children = append(el.Children, s.voiceElements(p)...)
		list = append(list, el)
	}
	switch {
	case len(list) == 0:
	case s.version < eas.V120:
		s.addText(eas.C(tag.EmailAttachments, list...))
	default:
		s.addText(eas.C(tag.AirSyncBaseAttachments, list...))
	}
}

// isInline tells whether the text shows the file.
func (s *shown) isInline(p *part) bool {
	return p.disposition != "attachment" && p.contentID() != "" && !p.embedded() || p.related && p.disposition == ""
}
