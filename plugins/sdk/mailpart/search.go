package mailpart

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Matches tells whether a message that was received then meets the conditions
// of a query, its Collections apart.
func Matches(message []byte, received time.Time, q backend.Query) bool {
	if !q.Since.IsZero() && received.Before(q.Since) || !q.Before.IsZero() && !received.Before(q.Before) {
		return false
	}
	root := Parse(message)
	header := message[:root.Body]
	has := func(want string, names ...string) bool {
		for _, name := range names {
			if contains(decodedField(header, name), want) {
				return true
			}
		}
		return want == ""
	}
	if !has(q.From, "From") || !has(q.To, "To", "Cc") || !has(q.Subject, "Subject") {
		return false
	}
	return q.Text == "" || has(q.Text, "From", "To", "Cc", "Subject") || textContains(message, root, q.Text)
}

func contains(text, want string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(want))
}

var words mime.WordDecoder

func decodedField(header []byte, name string) string {
	value := field(header, name)
	if decoded, err := words.DecodeHeader(value); err == nil {
		return decoded
	}
	return value
}

// textContains looks into the texts that people read.
func textContains(message []byte, root *Part, want string) bool {
	for _, p := range root.Leaves() {
		if p.Attachment || !strings.HasPrefix(p.Type, "text/") {
			continue
		}
		var r io.Reader = bytes.NewReader(message[p.Body:p.End])
		switch strings.ToLower(field(message[p.Start:p.Body], "Content-Transfer-Encoding")) {
		case "base64":
			r = base64.NewDecoder(base64.StdEncoding, r)
		case "quoted-printable":
			r = quotedprintable.NewReader(r)
		}
		text, _ := io.ReadAll(r) // what can be read of a broken part is better than nothing
		if contains(string(text), want) {
			return true
		}
	}
	return false
}
