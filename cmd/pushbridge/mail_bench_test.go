package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// startMailWorker starts a worker upon a real mail server.
func startMailWorker(b *testing.B) (*worker, *imaptest.Server) {
	b.Helper()
	s, w := imaptest.Start(b), new(worker)
	w.start(b, fmt.Sprintf("[login]\ndomain = %q\n[backend.mail]\nplugin = \"imap\"\nurl = \"imaps://%s\"\nca_file = %q\n", imaptest.Domain, s.IMAPS, s.CAFile))
	return w, s
}

// annsPhone is a new phone of Ann's that holds her mail.
func (w *worker) annsPhone(device string, window int) (*phone.Phone, *easclient.Client) {
	c := &easclient.Client{
		URL: w.url, User: imaptest.Ann.Name, Password: imaptest.Ann.Password, Version: eas.V161, DeviceID: device, DeviceType: "bench", HTTP: http.DefaultClient,
	}
	return phone.New(c, phone.Settings{WindowSize: window, Classes: []string{eas.ClassEmail}}), c
}

// inboxOf is the phone's inbox.
func inboxOf(b *testing.B, p *phone.Phone) phone.Folder {
	b.Helper()
	for _, f := range p.Folders() {
		if f.Type == eas.FolderInbox {
			return f
		}
	}
	b.Fatal("the phone has no inbox")
	return phone.Folder{}
}

// deliver hands Ann a message on a connection for deliveries.
func deliver(b *testing.B, c *smtp.Client, write func(io.Writer) error) {
	b.Helper()
	deliverTo(b, c, imaptest.Ann, write)
}

// deliverTo is deliver for anybody.
func deliverTo(b *testing.B, c *smtp.Client, to imaptest.User, write func(io.Writer) error) {
	b.Helper()
	err := c.Mail(imaptest.Bob.Address(), nil)
	if err == nil {
		err = c.Rcpt(to.Address(), nil)
	}
	var w io.WriteCloser
	if err == nil {
		w, err = c.Data()
	}
	if err == nil {
		err = write(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
}

const benchHeader = "From: Bob <bob@pushbridge.example>\r\nTo: ann@pushbridge.example\r\nSubject: Letter %d\r\nMessage-ID: <bench-%d@pushbridge.example>\r\nMIME-Version: 1.0\r\n"

// BenchmarkFirstMailSync loads 10,000 messages of some kilobytes, every tenth with a
// picture, from Dovecot into a new phone, through FastCGI, worker and plugin
// process.
func BenchmarkFirstMailSync(b *testing.B) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	w, s := startMailWorker(b)
	fillInbox(b, s, n)
	for _, window := range []int{100, 512} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			device := 0
			for b.Loop() {
				device++
				p, _ := w.annsPhone(fmt.Sprintf("PHONE%dX%d", window, device), window)
				bridgetest.Sync(b, p)
				if got := len(inboxOf(b, p).Items); got != n {
					b.Fatalf("the phone holds %d messages, want %d", got, n)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(w.peak(b)/(1<<20), "peak-MB")
		})
	}
}

func fillInbox(b *testing.B, s *imaptest.Server, n int) {
	text := strings.Repeat("A line of a letter that goes on for a while, as letters do.\r\n", 40)
	picture := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 700)
	c := s.LMTP()
	defer c.Close()
	for i := range n {
		body := "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text
		if i%10 == 0 {
			body = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n" + text +
				"--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + picture + "--x--\r\n"
		}
		deliver(b, c, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, benchHeader+"%s", i, i, body)
			return err
		})
	}
}

// BenchmarkQuietMailSync asks for news of an inbox in which nothing is new.
func BenchmarkQuietMailSync(b *testing.B) {
	sizes := []int{100, 10_000, 100_000}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) {
			w, s := startMailWorker(b)
			fillByCopies(b, s, n)
			p, _ := w.annsPhone("PHONE", 512)
			bridgetest.Sync(b, p)
			inbox := inboxOf(b, p)
			if got := len(inbox.Items); got != n {
				b.Fatalf("the phone holds %d messages, want %d", got, n)
			}
			before := w.cpu(b)
			for b.Loop() {
				if events, err := p.SyncFolders(b.Context(), inbox.ServerID); err != nil || len(events) > 0 {
					b.Fatalf("%d events, error %v", len(events), err)
				}
			}
			b.ReportMetric(float64((w.cpu(b)-before).Microseconds())/float64(b.N), "worker-us/op")
			b.ReportMetric(w.peak(b)/(1<<20), "peak-MB")
		})
	}
}

// fillByCopies has an inbox of n messages, of which the most are copies of others.
func fillByCopies(b *testing.B, s *imaptest.Server, n int) {
	b.Helper()
	c := s.LMTP()
	defer c.Close()
	have := min(n, 1000)
	for i := range have {
		deliver(b, c, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, benchHeader+"\r\nA short letter.\r\n", i, i)
			return err
		})
	}
	for have < n {
		more := min(have, n-have)
		s.Doveadm("copy", "-u", imaptest.Ann.Name, "INBOX", "mailbox", "INBOX", "uid", fmt.Sprintf("1:%d", more))
		have += more
	}
}

// BenchmarkLargeAttachment opens a file of 50 MB that came with a message. The
// figure that matters is peak-MB: the file has to go through the worker without
// ever being in it.
func BenchmarkLargeAttachment(b *testing.B) {
	size := 50 << 20
	if testing.Short() {
		size = 5 << 20
	}
	w, s := startMailWorker(b)
	c := s.LMTP()
	defer c.Close()
	deliver(b, c, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, benchHeader, 1, 1)
		if err == nil {
			_, err = io.WriteString(w, "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee the file.\r\n--x\r\nContent-Type: application/zip; name=large.zip\r\n"+
				"Content-Disposition: attachment; filename=large.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		}
		lines := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1000) // of 57 bytes each
		for n := 0; n < size && err == nil; n += 57_000 {
			_, err = io.WriteString(w, lines)
		}
		if err == nil {
			_, err = io.WriteString(w, "\r\n--x--\r\n")
		}
		return err
	})
	p, client := w.annsPhone("PHONE", 100)
	bridgetest.Sync(b, p)
	reference := ""
	for _, item := range inboxOf(b, p).Items {
		list, _ := item.Find(tag.AirSyncBaseAttachments)
		for _, a := range list.Children {
			reference, _ = eas.Properties(a.Children).Text(tag.AirSyncBaseFileReference)
		}
	}
	if reference == "" {
		b.Fatal("the phone is shown no file")
	}
	before := w.peak(b)
	for _, multipart := range []bool{true, false} {
		b.Run(fmt.Sprintf("multipart=%t", multipart), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if n, err := download(b.Context(), client, reference, multipart); err != nil || n < int64(size) {
					b.Fatalf("%d bytes come, error %v", n, err)
				}
			}
			b.ReportMetric(before/(1<<20), "before-MB")
			b.ReportMetric(w.peak(b)/(1<<20), "peak-MB")
		})
	}
}

// download opens a file as a phone does that writes it to its disk, and answers how
// many bytes come. See [MS-ASHTTP] "MS-ASAcceptMultiPart".
func download(ctx context.Context, c *easclient.Client, reference string, multipart bool) (int64, error) {
	doc, err := eas.Marshal(eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: eas.StoreMailbox, FileReference: reference}}}, c.Version)
	if err != nil {
		return 0, err
	}
	query := fmt.Sprintf("?Cmd=ItemOperations&User=%s&DeviceId=%s&DeviceType=%s", c.User, c.DeviceID, c.DeviceType)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/Microsoft-Server-ActiveSync"+query, bytes.NewReader(doc))
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth(c.User, c.Password)
	req.Header.Set("Content-Type", "application/vnd.ms-sync.wbxml")
	req.Header.Set("MS-ASProtocolVersion", c.Version.String())
	req.Header.Set("X-MS-PolicyKey", fmt.Sprint(c.PolicyKey))
	if multipart {
		req.Header.Set("MS-ASAcceptMultiPart", "T")
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("ItemOperations is answered with %s", res.Status)
	}
	return io.Copy(io.Discard, res.Body)
}
