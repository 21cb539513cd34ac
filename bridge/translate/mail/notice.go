package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// maxNoticed is how many recipients a notice names.
const maxNoticed = 20

// Unsure is the message that tells a person that nobody knows whether another one
// went out: that one has the recipients and the subject of o, and a copy of it is in
// the folder for sent mail. The same letter gets the same notice, but for its Date.
func Unsure(o *Outgoing, s Sending) []byte {
	return unsure(o, s, "A copy is in the folder for sent mail, if there is room for it. If the mail did not arrive, send it once more.")
}

// UnsureGone is Unsure for a draft that somebody took away meanwhile.
func UnsureGone(o *Outgoing, s Sending) []byte {
	return unsure(o, s, "There is no copy: the draft was moved or deleted meanwhile. If the mail did not arrive, write it once more.")
}

func unsure(o *Outgoing, s Sending, remedy string) []byte {
	host := s.Host
	if _, domain, ok := strings.Cut(o.From, "@"); ok && host == "" {
		host = domain
	}
	to := o.Recipients
	more := ""
	if len(to) > maxNoticed {
		to, more = to[:maxNoticed], ", ..."
	}
	subject := line(clean(o.Subject))
	text := "It is not known whether this mail went out:\r\n\r\n" +
		"Subject: " + subject + "\r\nTo: " + clean(strings.Join(to, ", ")) + more + "\r\n\r\n" +
		"The connection to the mail server ended after all of the mail was handed over, and before the mail server could say that it took it. " +
		"So that nobody gets it twice, it was not sent again.\r\n\r\n" +
		remedy + "\r\n"
	sum := sha256.Sum256([]byte("unsure\x00" + o.MessageID))
	id := "<" + hex.EncodeToString(sum[:16]) + "@" + host + ">"
	head := addressField("From", []address{{name: "Mail delivery", addr: "mailer-daemon@" + host}}) + addressField("To", []address{{addr: o.From}}) +
		textField("Subject", "Sent or not? "+subject) + "Date: " + s.Now.Format(time.RFC1123Z) + "\r\nMessage-ID: " + id +
		"\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n" // RFC 3834, section 5
	return append([]byte(head), partBytes(textPartOf("text/plain", text))...)
}
