package imap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// oddMessages are such as break programs: each has to come in some form.
var oddMessages = map[string]string{
	"empty":                   "\r\n",
	"no body":                 "Subject: x\r\n",
	"no header":               "\r\njust text",
	"bare line feeds":         "Subject: x\nContent-Type: text/plain\n\nline\nline\n",
	"8 bit header":            "Subject: Zo\xeb \xff\xfe\r\n\r\nx\r\n",
	"no boundary":             "Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\na\r\n--x--\r\n",
	"boundary never there":    "Content-Type: multipart/mixed; boundary=x\r\n\r\nno part\r\n",
	"unfinished multipart":    "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\na\r\n",
	"quotes in a boundary":    "Content-Type: multipart/mixed; boundary=\"a\\\"b c\"\r\n\r\n--a\"b c\r\n\r\na\r\n--a\"b c--\r\n",
	"header without end":      "Subject: x\r\nContent-Type: text/plain\r\nX-Long: " + strings.Repeat("y", 60_000),
	"empty multipart":         "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n",
	"nested for ever":         nested(100),
	"a thousand parts":        "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\npart\r\n", 1000) + "--x--\r\n",
	"message in a message":    "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--\r\n",
	"a type that is none":     "Content-Type: (((\r\n\r\nx\r\n",
	"parameters broken":       "Content-Type: text/plain; charset=\"utf-8; x=;;;=\r\n\r\nx\r\n",
	"base64 that is none":     "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n",
	"a header ten times":      strings.Repeat("Content-Type: multipart/mixed; boundary=x\r\n", 10) + "\r\n--x\r\n\r\na\r\n--x--\r\n",
	"like a literal":          "Subject: {10}\r\n\r\n{99999999}\r\n* BYE\r\nt1 OK\r\n",
	"header with a quote":     "Subject: \"\\\r\nContent-Type: text/plain; name=\"a\\\\\\\"b\r\n\r\nx\r\n",
	"a parameter without end": "Content-Type: text/plain; name=\"" + strings.Repeat("n", 300_000) + "\"\r\n\r\nx\r\n",
	"headers of megabytes":    "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\nX-Long: "+strings.Repeat("y", 400_000)+"\r\n\r\npart\r\n", 30) + "--x--\r\n",
	"values without end":      "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\nContent-Type: text/plain; a=1; b=2; c=3; d=4; e=5; f=6; g=7; h=8; i=9; j=0\r\n\r\npart\r\n", 9000) + "--x--\r\n",
	"attachment of nothing":   "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Disposition: attachment\r\n\r\n\r\n--x--\r\n",
}

func nested(depth int) string {
	var b strings.Builder
	for n := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", n, n)
	}
	b.WriteString("\r\nthe innermost\r\n")
	return b.String()
}

func tellOdd(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Bob)
	trash := folders(t, m)["trash"].ID
	ids := make(map[backend.ItemID]string)
	var all []backend.ItemID
	for name, body := range oddMessages {
		it := put(t, m, trash, "odd-"+strings.ReplaceAll(name, " ", "-"), body)
		ids[it.ID], all = name, append(all, it.ID)
	}
	// With a small limit every larger one is asked for in parts.
	for _, limit := range []int{1, 100, 1 << 20} {
		seen := 0
		err := m.Messages(t.Context(), trash, all, limit, func(got backend.Message) error {
			seen++
			if got.Err != nil || len(got.Body) == 0 {
				t.Errorf("%s, limit %d: %d bytes, error %v", ids[got.ID], limit, len(got.Body), got.Err)
			}
			return nil
		})
		if err != nil || seen != len(oddMessages) {
			t.Errorf("limit %d: %d messages of %d, error %v", limit, seen, len(oddMessages), err)
		}
	}
	big := "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\nContent-Type: text/plain\r\n\r\n"+strings.Repeat("a line of text\r\n", 20)+"\r\n", 300) + "--x--\r\n"
	it := put(t, m, trash, "big", big)
	err := m.Messages(t.Context(), trash, []backend.ItemID{it.ID}, 10_000, func(got backend.Message) error {
		if got.Err != nil || len(got.Body) > 60_000 || len(got.Left) < 200 {
			t.Errorf("of 300 parts come %d bytes, %d are left out, error %v", len(got.Body), len(got.Left), got.Err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
