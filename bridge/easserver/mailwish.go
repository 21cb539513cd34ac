package easserver

import (
	"cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// leastMail is how much of a message is fetched at least, in bytes of its parts:
	// a text that is shown short may stand in a long form, as HTML does.
	leastMail = 64 << 10

	// mostText is how much of a message is fetched for a text without a limit.
	mostText = 2 * translate.MaxBody

	// formFactor is by how much a text is longer in a message than on a phone:
	// base64, quoted-printable, and all that HTML is made of.
	formFactor = 8
)

// A mailWish is the form in which a phone takes messages.
type mailWish struct {
	body  translate.Body
	mail  translate.Mail
	limit int // how much of a message that takes, in bytes of its parts
}

// into puts the wish into the options of a translation.
func (w mailWish) into(o *translate.Options) { o.Body, o.Mail = w.body, w.mail }

// A mailForm is what a phone says of the form of messages.
type mailForm struct {
	Bodies         []eas.BodyPreference
	Part           *eas.BodyPartPreference
	MIMESupport    *int
	Truncation     *int // of 2.5
	MIMETruncation *int // of 2.5
}

// mimeTruncations are the sizes of a MIME body that 2.5 names by number, in
// characters. See [MS-ASCMD] "MIMETruncation".
var mimeTruncations = [...]int{0: -1, 1: 4096, 2: 5120, 3: 7168, 4: 10240, 5: 20480, 6: 51200, 7: 102400, 8: 0}

// wish is what a form comes to in a version.
func (f mailForm) wish(v eas.Version) mailWish {
	var w mailWish
	if f.MIMESupport != nil {
		w.mail.MIMESupport = *f.MIMESupport
	}
	if v < eas.V120 {
		w.body = bodyWish(v, nil, f.Truncation)
		mime := translate.Body{Type: translate.MIME}
		if n := f.MIMETruncation; n != nil && *n >= 0 && *n < len(mimeTruncations) {
			mime.Truncate = mimeTruncations[*n]
		}
		w.mail.Bodies = []translate.Body{w.body, mime}
	} else {
		for _, p := range onePerType(f.Bodies) {
			w.mail.Bodies = append(w.mail.Bodies, bodyOf(p))
		}
		if len(w.mail.Bodies) > 0 {
			w.body = w.mail.Bodies[0]
		} else {
			w.body = translate.Body{Type: translate.PlainText, Omit: true}
		}
		if f.Part != nil && v >= eas.V141 {
			part := bodyOf(eas.BodyPreference{Type: f.Part.Type, TruncationSize: f.Part.TruncationSize, AllOrNone: f.Part.AllOrNone, Preview: f.Part.Preview})
			w.mail.Part = &part
		}
	}
	w.limit = w.fetches()
	return w
}

// bodyOf is what a preference comes to.
func bodyOf(p eas.BodyPreference) translate.Body {
	b := translate.Body{Type: translate.BodyType(p.Type), AllOrNone: p.AllOrNone}
	if p.TruncationSize != nil {
		if b.Truncate = *p.TruncationSize; b.Truncate <= 0 {
			b.Truncate = -1
		}
	}
	if p.Preview != nil {
		b.Preview = *p.Preview
	}
	return b
}

// fetches is how much of a message has to be fetched for the wish.
func (w mailWish) fetches() int {
	limit := leastMail
	forms := append([]translate.Body{w.body}, w.mail.Bodies...)
	if w.mail.Part != nil {
		forms = append(forms, *w.mail.Part)
	}
	for _, b := range forms {
		limit = max(limit, w.fetchesFor(b))
	}
	return limit
}

func (w mailWish) fetchesFor(b translate.Body) int {
	switch {
	case b.Truncate < 0 || b.Omit:
		return leastMail
	case b.Type == translate.MIME && w.mail.MIMESupport == 0:
		return leastMail // nobody gets it
	case b.Type == translate.MIME && b.Truncate == 0:
		return backend.MaxItemSize
	case b.Type == translate.MIME:
		return min(b.Truncate+leastMail, backend.MaxItemSize)
	case b.Truncate == 0:
		return mostText
	}
	return min(max(formFactor*b.Truncate, leastMail), mostText)
}

// whole asks for all of a message.
func (w mailWish) whole() mailWish {
	w.limit = backend.MaxItemSize
	return w
}

// messageOf is a message as the translators have it.
func messageOf(m backend.Message) mail.Message {
	out := mail.Message{Body: m.Body, Flags: m.Flags, Received: m.Received, Size: m.Size}
	for _, l := range m.Left {
		out.Left = append(out.Left, mail.Left{Path: l.Path, Encoded: l.Encoded, Kept: l.Kept})
	}
	return out
}

// batch is how many messages are fetched at a time: as many as take about as much
// memory as an answer may have.
func (w mailWish) batch() int { return max(1, min(newsBatch, cmp.Or(4*MaxAnswer/max(w.limit, 1), 1))) }
