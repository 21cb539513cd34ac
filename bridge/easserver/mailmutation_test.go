package easserver_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// mutated is a text of which a few bytes are others, gone or there twice.
func mutated(r *rand.Rand, text string) string {
	b := []byte(text)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(b))
		switch end := min(len(b), at+1+r.IntN(8)); r.IntN(5) {
		case 0:
			b[at] = byte(r.IntN(256))
		case 1:
			b[at] = "0123456789:/\r\n <>"[r.IntN(17)]
		case 2:
			b = slices.Delete(b, at, min(end, at+len(b)-1))
		case 3:
			b = slices.Insert(b, at, slices.Clone(b[at:end])...)
		case 4:
			b = b[:max(1, at)]
		}
	}
	return string(b)
}

// Up to 12.1 mails come as they are, and names of files and of mails that are answered
// in the query: whatever comes there is answered by a status, nothing goes out in somebody else's name, and nobody
// gets another person's file.
func TestMutationsOfMail(t *testing.T) {
	for _, v := range []eas.Version{eas.V25, eas.V121} {
		t.Run(v.String(), func(t *testing.T) {
			h := mailHouse(t, self)
			h.Backend.AddUser(neighbour, bridgetest.Password)
			h.Backend.StoreMessage(neighbour, "inbox", "m", []byte(mailWithFile("theirs", []byte(secret))), time.Now())
			inbox(h, map[string]string{"mine": mailWithFile("mine", []byte("my file"))})
			p := mailPhone(h, v, phone.Settings{})
			bridgetest.Sync(t, p)
			box := folderOfType(t, p, eas.FolderInbox)
			id, item := mailNamed(t, box, "mine")
			reference, c, r := fileReference(t, item), h.Client(v, "phone1"), rand.New(rand.NewPCG(1, uint64(v)))
			for range 150 {
				name := mutated(r, reference)
				got, err := c.GetAttachment(t.Context(), name)
				if err == nil && !strings.Contains(mailWithFile("mine", []byte("my file")), string(got.Data)) && string(got.Data) != "my file" {
					t.Errorf("the file %q has %q", name, got.Data)
				}
				if err != nil {
					answeredByStatus(t, fmt.Sprintf("the file %q", name), err)
				}
				mime := mutated(r, newMail)
				if err := c.SendMail(t.Context(), eas.SendMailRequest{SaveInSentItems: true, Mime: []byte(mime)}); err != nil {
					answeredByStatus(t, fmt.Sprintf("the mail %q", mime), err)
				}
				source := &eas.MailSource{FolderID: box.ServerID, ItemID: id}
				if r.IntN(2) == 0 { // else the mail alone is another one
					source.ItemID = mutated(r, id)
				}
				if mime = mutated(r, newMail); r.IntN(2) == 0 {
					err = c.SmartReply(t.Context(), eas.SmartReplyRequest{SaveInSentItems: true, Source: source, Mime: []byte(mime)})
				} else {
					err = c.SmartForward(t.Context(), eas.SmartForwardRequest{SaveInSentItems: true, Source: source, Mime: []byte(mime)})
				}
				if err != nil {
					answeredByStatus(t, fmt.Sprintf("%q, with %+v", mime, source), err)
				}
			}
			sent := h.Backend.Outgoing()
			for _, s := range sent {
				if s.From != annsAddress || len(s.To) == 0 || bytes.ContainsRune(s.Body, 0) || bytes.Contains(bytes.ReplaceAll(s.Body, []byte("\r\n"), nil), []byte("\n")) {
					t.Errorf("sent was %+v\n%q", s.Envelope, s.Body)
				}
			}
			for _, s := range sent {
				if bytes.Contains(s.Body, []byte(secret)) {
					t.Errorf("another person's file went out:\n%q", s.Body)
				}
			}
			if n := len(sent); n < 40 || n > 260 {
				t.Errorf("of 300 mails %d went out; the test tries good ones or bad ones only", n)
			}
			if strings.Contains(h.Log.String(), "panic") {
				t.Error("a command panicked")
			}
		})
	}
}

// answeredByStatus tells whether an error is a status that there is for mail.
func answeredByStatus(t *testing.T, what string, err error) {
	t.Helper()
	if status, _ := httpStatus(t, err); !slices.Contains([]int{400, 403, 404, 409, 413, 500}, status) {
		t.Errorf("%s: answered %d", what, status)
	}
}
