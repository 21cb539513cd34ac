package notice

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
	"unicode"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// maxTheirs bounds how much of a text is mailed that a phone chose, in characters.
const maxTheirs = 100

// words are what a mail says.
type words struct{ subject, text string }

// theirs makes a text harmless that a phone, a person or a server chose: it stays
// in its line.
func theirs(s string) string {
	s = line(s)
	if cut := []rune(s); len(cut) > maxTheirs {
		s = string(cut[:maxTheirs]) + "..."
	}
	return cmp.Or(strings.TrimSpace(s), "-")
}

// line keeps a text in its line.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// minute is a time for people, anywhere.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// facts says which phone it is.
func facts(p device.Phone) string {
	var text strings.Builder
	for _, f := range [][2]string{{"Owner", p.User}, {"Name", p.FriendlyName}, {"Model", p.Model}, {"Type", p.Type},
		{"Program", p.UserAgent}, {"DeviceId", p.Device}} {
		if f[1] != "" {
			fmt.Fprintf(&text, "    %-9s %s\n", f[0], theirs(f[1]))
		}
	}
	fmt.Fprintf(&text, "    %-9s %s\n", "Came", minute(p.FirstSeen))
	return text.String()
}

func arrivedForOwner(p device.Phone) words {
	return words{"A new phone uses your account", "A phone that was not here before logged in with your name and password. It gets\n" +
		"nothing before an administrator lets it in, which needs nothing from you.\n\n" + facts(p) + "\n" +
		"If this is not a phone of yours, somebody knows your password: change it now, and\ntell an administrator.\n"}
}

// arrivedForAdministrators has a link, if there are pages that it could lead to.
func arrivedForAdministrators(p device.Phone, why, url, link string) words {
	text := "A phone that was not here before waits to be let in: " + theirs(why) + ".\n" +
		"What it says of itself is not proved; ask its owner whether it is theirs.\n\n" + facts(p) + "\n"
	if url != "" {
		text += "This page lets it in or keeps it out, after it has asked once more:\n\n" + url + ApprovePath + "?link=" + link + "\n\n" +
			"The link is for this phone alone, works once, and for " + fmt.Sprint(int(linkLife.Hours()/24)) + " days, for everybody who has it: do\nnot pass it on. "
	}
	return words{"A phone waits to be let in: " + theirs(p.User), text + "On the server, \"pushbridge admin admission queue\" lists the phones that wait.\n"}
}

func manyArrived(count int, url string) words {
	text := fmt.Sprintf("Beside those that you were told of, %d phones came for the first time and wait to be\nlet in. Somebody may be inventing them: look whether they are of one owner.\n\n", count)
	if url != "" {
		text += url + "/admin/\n\n"
	}
	return words{"More phones wait to be let in", text + "On the server, \"pushbridge admin admission queue\" lists them.\n"}
}

// incident says what was done about a phone.
func incident(i admin.Notice) words {
	phone := fmt.Sprintf("%s (%s)", theirs(i.Phone), theirs(i.Device))
	end := "\nIf you do not know why, ask an administrator.\n"
	switch i.What {
	case admin.WipeOrdered:
		return words{"Your phone is to be erased", fmt.Sprintf("%s ordered your phone %s to be erased as a whole, with everything\nthat is on it, when it comes next. Nothing is deleted on the server.\n", theirs(i.By), phone) + end}
	case admin.AccountWipeOrdered:
		return words{"Your account is to be removed from your phone", fmt.Sprintf("%s ordered this account to be removed from your phone %s, with what the\nphone has of it, when it comes next. Nothing is deleted on the server.\n", theirs(i.By), phone) + end}
	case admin.RecoveryRevealed:
		return words{"The recovery password of your phone was shown", fmt.Sprintf("%s was shown the recovery password of your phone %s. Whoever has it and\nthe phone can unlock it. If you forgot the password of your phone and asked for this,\nall is well; the phone makes a new one.\n", theirs(i.By), phone) + end}
	}
	panic("notice: nobody wrote what to say of " + string(i.What))
}

// compose writes a mail. See RFC 5322, and RFC 3834 for Auto-Submitted, which keeps
// others from answering.
func compose(from, to string, w words) ([]byte, error) {
	var b bytes.Buffer
	_, domain, _ := strings.Cut(from, "@")
	for _, h := range [][2]string{
		{"From", "pushbridge <" + from + ">"}, {"To", "<" + to + ">"}, {"Subject", mime.QEncoding.Encode("utf-8", w.subject)},
		{"Date", time.Now().UTC().Format(time.RFC1123Z)}, {"Message-ID", "<" + rand.Text() + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	text := quotedprintable.NewWriter(&b)
	if _, err := text.Write([]byte(strings.ReplaceAll(w.text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	return b.Bytes(), text.Close()
}
