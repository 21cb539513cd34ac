package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

const (
	pushPeople = 20
	pushPhones = 50 // of each
)

// BenchmarkDeliveryToPing delivers a mail to one of 20 people with 50 phones each, all
// of which wait: how long it takes from the beginning of the delivery until the
// person's phones have their answers, and until an IMAP client hears of it by NOTIFY.
// Dovecot itself waits half a second before it tells of a change; "hook" has its
// delivery tell pushbridge besides.
func BenchmarkDeliveryToPing(b *testing.B) {
	for _, hook := range []bool{false, true} {
		b.Run(fmt.Sprintf("hook=%t", hook), func(b *testing.B) {
			socket := filepath.Join(b.TempDir(), "notify.sock")
			options := []imaptest.Option{imaptest.Crowd(pushPeople)}
			if hook {
				options = append(options, imaptest.Hook(tellingScript(b, socket)))
			}
			s, w := imaptest.Start(b, options...), new(worker)
			w.start(b, fmt.Sprintf("notify = \"unixgram:%s?mode=0666\"\n[login]\ndomain = %q\n[backend.mail]\nplugin = \"imap\"\nurl = \"imaps://%s\"\nca_file = %q\n",
				socket, imaptest.Domain, s.IMAPS, s.CAFile))
			benchmarkPush(b, s, w)
		})
	}
}

func benchmarkPush(b *testing.B, s *imaptest.Server, w *worker) {
	phones := make([][]*phone.Phone, len(s.People))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * pushPeople * pushPhones}}
	for i, u := range s.People {
		for n := range pushPhones {
			c := &easclient.Client{URL: w.url, User: u.Name, Password: u.Password, Version: eas.V161, DeviceID: fmt.Sprintf("P%dX%d", i, n), DeviceType: "bench", HTTP: client}
			p := phone.New(c, phone.Settings{Classes: []string{eas.ClassEmail}})
			bridgetest.Sync(b, p)
			phones[i] = append(phones[i], p)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var others sync.WaitGroup
	for i := 1; i < len(phones); i++ { // the first person's are measured, the others wait
		for _, p := range phones[i] {
			others.Go(func() { p.Ping(ctx, 50*time.Minute) })
		}
	}
	defer others.Wait()
	defer stop()
	told := listen(b, s, s.People[0])
	c := s.LMTP()
	defer c.Close()
	var answers, direct []time.Duration
	for i := 0; b.Loop(); i++ {
		heard := make(chan time.Time, pushPhones)
		for _, p := range phones[0] {
			go func() {
				if r, err := p.Ping(b.Context(), 50*time.Minute); err != nil || r.Status != eas.PingChanges {
					b.Errorf("Ping: %v, %v", r.Status, err)
				}
				heard <- time.Now()
			}()
		}
		time.Sleep(3 * time.Second) // so that they wait, and mails come singly
		for len(told) > 0 {
			<-told
		}
		began := time.Now()
		deliverTo(b, c, s.People[0], func(w io.Writer) error {
			_, err := fmt.Fprintf(w, benchHeader+"\r\nA short letter.\r\n", i, i)
			return err
		})
		for range pushPhones {
			answers = append(answers, (<-heard).Sub(began))
		}
		direct = append(direct, (<-told).Sub(began))
		for _, p := range phones[0] {
			bridgetest.Sync(b, p)
		}
	}
	reportSpread(b, "ping-", answers)
	reportSpread(b, "imap-", direct)
}

// listen is an IMAP client that tells when it hears of a person's inbox by NOTIFY.
func listen(b *testing.B, s *imaptest.Server, u imaptest.User) chan time.Time {
	b.Helper()
	c, err := net.Dial("tcp", s.IMAP)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "a LOGIN %s %q\r\nb NOTIFY SET (mailboxes INBOX (MessageNew MessageExpunge))\r\n", u.Name, u.Password)
	told, ready := make(chan time.Time, 100), make(chan bool, 1)
	go func() { // ends with the connection
		for lines := bufio.NewScanner(c); lines.Scan(); {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "b "):
				ready <- strings.HasPrefix(line, "b OK")
			case strings.HasPrefix(line, "* STATUS"):
				select {
				case told <- time.Now():
				default:
				}
			}
		}
	}()
	if !<-ready {
		b.Fatal("NOTIFY is refused")
	}
	return told
}
