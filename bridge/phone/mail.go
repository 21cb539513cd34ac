package phone

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// PrintMail syncs mail and writes a line for each message, the latest first, folder
// by folder. filter is a FilterType: 0 means all, 3 the last week.
func PrintMail(ctx context.Context, w io.Writer, c Config, filter int) error {
	c.Classes = []string{eas.ClassEmail}
	c.Filters = map[string]int{eas.ClassEmail: filter}
	p, err := c.connect(ctx, "mail")
	if err != nil {
		return err
	}
	if _, err := p.Sync(ctx); err != nil {
		return Explain(err)
	}
	for _, f := range p.Folders() {
		if f.Class != eas.ClassEmail {
			continue
		}
		fmt.Fprintf(w, "%s (folder %s, type %d): %s\n", f.DisplayName, f.ServerID, f.Type, count(len(f.Items), "message"))
		for _, id := range byDate(f.Items) {
			printMessage(w, id, f.Items[id])
		}
	}
	return beware(w, p)
}

// byDate are the ids of messages, the latest first.
func byDate(items map[string]eas.Properties) []string {
	ids := make([]string, 0, len(items))
	for id := range items {
		ids = append(ids, id)
	}
	received := func(id string) string { s, _ := items[id].Text(tag.EmailDateReceived); return s }
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(received(b), received(a)), cmp.Compare(a, b)) })
	return ids
}

func printMessage(w io.Writer, id string, m eas.Properties) {
	text := func(of func() (string, bool)) string { s, _ := of(); return shown(s) }
	mark := " "
	if read, _ := m.Text(tag.EmailRead); read == "0" {
		mark = "*" // as in the list of a phone
	}
	date, _ := m.Text(tag.EmailDateReceived)
	if at, err := time.Parse(time.RFC3339, date); err == nil {
		date = at.Local().Format("2006-01-02 15:04")
	}
	fmt.Fprintf(w, "%s %s  %s  %s  %s\n", mark, id, shown(date),
		text(func() (string, bool) { return m.Text(tag.EmailFrom) }), text(func() (string, bool) { return m.Text(tag.EmailSubject) }))
}

// maxText bounds the text of a mail that is sent, in bytes.
const maxText = 1 << 20

// SendMail sends a mail with a text, as the version does, and keeps a copy. The
// server says whom it is from.
func SendMail(ctx context.Context, w io.Writer, c Config, to []string, subject string, text io.Reader) error {
	client, err := c.asking(ctx, "send")
	if err != nil {
		return err
	}
	message, err := compose(to, subject, text)
	if err != nil {
		return err
	}
	if err := client.SendMail(ctx, eas.SendMailRequest{ClientID: rand.Text(), SaveInSentItems: true, Mime: message}); err != nil {
		return fmt.Errorf("phone: SendMail: %w", Explain(err))
	}
	_, err = fmt.Fprintf(w, "sent to %s, by version %s\n", shown(strings.Join(to, ", ")), client.Version)
	return err
}

// compose makes a mail.
func compose(to []string, subject string, text io.Reader) ([]byte, error) {
	var b bytes.Buffer
	var list []string
	for _, one := range to {
		a, err := mail.ParseAddress(one)
		if err != nil {
			return nil, fmt.Errorf("phone: %q is no mail address: %w", one, err)
		}
		list = append(list, a.String())
	}
	fmt.Fprintf(&b, "To: %s\r\nSubject: %s\r\nDate: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
		strings.Join(list, ",\r\n "), mime.QEncoding.Encode("utf-8", shown(subject)), time.Now().Format(time.RFC1123Z))
	q := quotedprintable.NewWriter(&b)
	n, err := io.Copy(q, io.LimitReader(text, maxText+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("phone: reading the text: %w", err)
	case n > maxText:
		return nil, fmt.Errorf("phone: the text is longer than %d bytes", maxText)
	}
	if err := q.Close(); err != nil { // which writes what is left
		return nil, fmt.Errorf("phone: writing the text: %w", err)
	}
	return b.Bytes(), nil
}
