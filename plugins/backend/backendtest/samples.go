package backendtest

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// marker begins the text that tells two bodies of one item apart.
const marker = "the text is "

// sample answers a body whose UID is uid, with lines ending in CRLF.
func sample(k backend.CollectionKind, uid, text string) []byte {
	return sampleWith(k, uid, text, nil)
}

// sampleWith is sample with more content lines, given without line ends. They
// become header lines of a mail.
func sampleWith(k backend.CollectionKind, uid, text string, more []string) []byte {
	var lines []string
	switch k {
	case backend.Contacts:
		lines = []string{"BEGIN:VCARD", "VERSION:3.0", "UID:" + uid, "FN:Mira Quist", "N:Quist;Mira;;;",
			"TEL;TYPE=CELL:+49 30 5550100", "NOTE:" + marker + text}
		lines = append(append(lines, more...), "END:VCARD")
	case backend.Events:
		lines = []string{"UID:" + uid, "DTSTAMP:20260105T080000Z", "DTSTART:20260112T090000Z", "DTEND:20260112T100000Z",
			"SUMMARY:Choir rehearsal", "DESCRIPTION:" + marker + text}
		lines = calendar("VEVENT", append(lines, more...))
	case backend.Tasks:
		lines = []string{"UID:" + uid, "DTSTAMP:20260105T080000Z", "DUE;VALUE=DATE:20260120",
			"SUMMARY:Water the ferns", "STATUS:NEEDS-ACTION", "DESCRIPTION:" + marker + text}
		lines = calendar("VTODO", append(lines, more...))
	case backend.Notes:
		lines = []string{"UID:" + uid, "DTSTAMP:20260105T080000Z", "DTSTART;VALUE=DATE:20260105",
			"SUMMARY:Names of the hens", "DESCRIPTION:" + marker + text}
		lines = calendar("VJOURNAL", append(lines, more...))
	case backend.Mail:
		lines = []string{"Message-ID: <" + uid + "@pushbridge.example>", "Date: Mon, 5 Jan 2026 08:00:00 +0000",
			"From: Mira Quist <mira@pushbridge.example>", "To: Ono Hart <ono@pushbridge.example>", "Subject: The hens",
			"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"}
		lines = append(append(lines, more...), "", marker+text)
	default:
		panic(fmt.Sprintf("backendtest: no samples of kind %q", k))
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n")
}

func calendar(component string, lines []string) []string {
	head := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//pushbridge//backendtest//EN", "BEGIN:" + component}
	return append(append(head, lines...), "END:"+component, "END:VCALENDAR")
}

// oddLines are content lines that careless programs lose or alter, each with a
// part that must survive even where a store writes lines anew.
func oddLines(k backend.CollectionKind) (lines, survive []string) {
	if k == backend.Mail {
		return []string{"X-Odd: =?utf-8?q?Zo=C3=AB?= and more", "x-lower:  two blanks", "X-Folded: one", "\ttwo"},
			[]string{"=?utf-8?q?Zo=C3=AB?="}
	}
	long := strings.Repeat("long ", 60)
	return []string{
		"X-ODD-TEXT:commas\\, semicolons\\; and a line\\nbreak",
		"X-ODD-UNICODE:Zoë 𝄞 日本語 עברית",
		"X-ODD-PARAMETER;X-LABEL=\"quoted: a,b;c\":value",
		"X-ODD-LONG:" + long + "line",
		"X-ODD-FOLDED:a line that is fol",
		" ded by hand",
		"X-ODD-BLANKS:  leading and trailing  ",
	}, []string{"Zoë 𝄞 日本語 עברית", long + "line", "a line that is folded by hand"}
}

// bigLines are a little more than size bytes of harmless base64.
func bigLines(k backend.CollectionKind, size int) []string {
	data := make([]byte, size*3/4)
	for n := range data {
		data[n] = byte(n * 7)
	}
	text := base64.StdEncoding.EncodeToString(data)
	name := "ATTACH;ENCODING=BASE64;VALUE=BINARY:"
	switch k {
	case backend.Contacts:
		name = "PHOTO;ENCODING=b;TYPE=JPEG:"
	case backend.Mail:
		name = "X-Big: "
	}
	lines := []string{name}
	for len(text) > 0 {
		n := min(74, len(text))
		lines = append(lines, " "+text[:n])
		text = text[n:]
	}
	return lines
}
