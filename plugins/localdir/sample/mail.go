package sample

import (
	"fmt"
	"strings"
	"time"
)

// mailFolders are the directories of the mail folders.
var mailFolders = []string{"Maildir", "Maildir/.Drafts", "Maildir/.Sent", "Maildir/.Trash"}

// mailFiles are some mails of the last days, two of them unread.
func mailFiles(now time.Time) []file {
	address := map[string]string{
		"Mira Quist": "mira@example.net", "Ono Hart": "ono@example.com", "The library": "library@example.org",
	}
	letter := func(n int, ago time.Duration, from, subject, info, text string) file {
		at := now.Add(-ago)
		directory := "Maildir/cur/"
		if info == "" {
			directory = "Maildir/new/"
		}
		var p page
		for _, l := range []string{
			"From: " + from + " <" + address[from] + ">", "To: " + User + "@example.org", "Subject: " + subject,
			"Date: " + at.UTC().Format(time.RFC1123Z), fmt.Sprintf("Message-ID: <sample-%d@example.org>", n),
			"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "",
		} {
			p.WriteString(l + "\r\n")
		}
		p.WriteString(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
		return file{path: fmt.Sprintf("%s%d.sample-%d.pushbridge%s", directory, at.Unix(), n, info), text: p.String(), at: at}
	}
	return []file{
		letter(1, 30*time.Minute, "Mira Quist", "Rehearsal on Thursday", "", "Can we begin half an hour later?\nThe hall is taken until seven.\n\nMira"),
		letter(2, 5*time.Hour, "Ono Hart", "The ferns", "", "They have been watered.\n\nOno"),
		letter(3, 26*time.Hour, "The library", "A book that you have asked for", ":2,S", "It is here and waits for you until the end of the week."),
		letter(4, 75*time.Hour, "Mira Quist", "Names for the hens", ":2,RS", "Agatha, Berta and Clara.\n\nMira"),
	}
}
