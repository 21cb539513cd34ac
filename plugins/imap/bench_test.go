package imap_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
)

// BenchmarkFirstListing lists folders of Dovecot's for the first time, with the
// bodies that a first sync asks for, as the host sees them.
func BenchmarkFirstListing(b *testing.B) {
	messages := 10_000
	if testing.Short() {
		messages = 500
	}
	s := imaptest.Start(b)
	fill(b, s, messages)
	m := login(b, wiretest.OverWire(b, open(b, settings(s))), imaptest.Bob)
	inbox := folders(b, m)["inbox"].ID
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			var ids []backend.ItemID
			_, err := m.Changes(b.Context(), inbox, "", func(cs []backend.Change) error {
				for _, c := range cs {
					ids = append(ids, c.ID)
				}
				return nil
			})
			seen := 0
			for n := 0; n < len(ids) && err == nil; n += 512 {
				err = m.Messages(b.Context(), inbox, ids[n:min(n+512, len(ids))], 16<<10, func(m backend.Message) error { seen++; return m.Err })
			}
			if err != nil || seen != messages {
				b.Fatalf("%d messages, error %v", seen, err)
			}
		}
		b.ReportMetric(float64(messages*b.N)/b.Elapsed().Seconds(), "messages/s")
	})
	_, cursor := list(b, m, inbox, "")
	b.Run("nothing new", func(b *testing.B) {
		for b.Loop() {
			if news, _ := list(b, m, inbox, cursor); len(news) > 0 {
				b.Fatalf("%d changes", len(news))
			}
		}
	})
}

// BenchmarkPush measures from the moment when a mail is delivered to the one when
// a watcher is told.
func BenchmarkPush(b *testing.B) {
	s := imaptest.Start(b)
	m := login(b, wiretest.OverWire(b, open(b, settings(s))), imaptest.Bob)
	inbox := folders(b, m)["inbox"].ID
	w, _ := backend.As[backend.Watcher](m)
	ctx, cancel := context.WithCancel(b.Context())
	ready, told, ended := make(chan struct{}), make(chan struct{}, 100), make(chan error, 1)
	go func() {
		ended <- w.Watch(ctx, []backend.CollectionID{inbox}, func() { close(ready) }, func(backend.CollectionID) { told <- struct{}{} })
	}()
	select {
	case <-ready:
	case err := <-ended:
		b.Fatal(err)
	}
	var slowest time.Duration
	for b.Loop() {
		start := time.Now()
		s.Deliver(imaptest.Bob, []byte(small))
		<-told
		slowest = max(slowest, time.Since(start))
		for len(told) > 0 {
			<-told
		}
	}
	b.ReportMetric(float64(slowest.Milliseconds()), "ms-slowest")
	cancel()
	<-ended
}

// fill delivers messages of some kilobytes, every tenth of them with a picture.
func fill(b *testing.B, s *imaptest.Server, messages int) {
	text := strings.Repeat("A line of a letter that goes on for a while, as letters do.\r\n", 40)
	picture := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 700)
	c := s.LMTP()
	defer c.Close()
	for n := range messages {
		body := fmt.Sprintf("From: Ono <ono@pushbridge.example>\r\nTo: bob@pushbridge.example\r\nSubject: Letter %d\r\nMessage-ID: <bench-%d@pushbridge.example>\r\nMIME-Version: 1.0\r\n", n, n)
		if n%10 > 0 {
			body += "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text
		} else {
			body += "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n" + text +
				"--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + picture + "--x--\r\n"
		}
		if err := hand(c, body); err != nil {
			b.Fatal(err)
		}
	}
}

func hand(c *smtp.Client, body string) error {
	if err := c.Mail("ono@pushbridge.example", nil); err != nil {
		return err
	}
	if err := c.Rcpt(imaptest.Bob.Address(), nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(body)); err != nil {
		return err
	}
	return w.Close()
}
