package mail

import (
	"regexp"
	"strings"
)

// reflow joins the lines that a program broke. See RFC 3676, section 4.
func reflow(s string, deleteSpace bool) string {
	var out strings.Builder
	flowing, depth := false, 0
	for line := range strings.Lines(s) {
		text := strings.TrimSuffix(line, "\n")
		quoted := len(text) - len(strings.TrimLeft(text, ">"))
		text = strings.TrimPrefix(text[quoted:], " ") // stuffed
		signature := text == "-- "
		if flowing && (quoted != depth || signature) {
			out.WriteByte('\n')
			flowing = false
		}
		if !flowing && quoted > 0 {
			out.WriteString(strings.Repeat(">", quoted) + " ")
		}
		flowing, depth = strings.HasSuffix(text, " ") && !signature, quoted
		if flowing && deleteSpace {
			text = text[:len(text)-1]
		}
		out.WriteString(text)
		if !flowing && strings.HasSuffix(line, "\n") {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// maxCommand is the length of a command of text/enriched with its ">". See RFC
// 1896, "Formatting Commands".
const maxCommand = 61

var paramEnd = regexp.MustCompile(`(?i)</param>`)

// withoutCommands reads text/enriched, RFC 1896, as far as its words.
func withoutCommands(s string) string {
	var out strings.Builder
	open := true // a parameter may end
	for len(s) > 0 {
		at := strings.IndexByte(s, '<')
		if at < 0 {
			out.WriteString(s)
			break
		}
		out.WriteString(s[:at])
		s = s[at+1:]
		if strings.HasPrefix(s, "<") {
			out.WriteByte('<')
			s = s[1:]
			continue
		}
		end := strings.IndexByte(s[:min(len(s), maxCommand)], '>')
		if end < 0 {
			out.WriteByte('<')
			continue
		}
		if command := s[:end]; open && strings.EqualFold(command, "param") {
			if at := paramEnd.FindStringIndex(s); at != nil {
				end = at[1] - 1
			} else {
				open = false // nor behind any other one
			}
		}
		s = s[end+1:]
	}
	return out.String()
}

// Where a document names its charset, which is UTF-8 by the time a phone gets
// it: in the beginning, as HTML has it.
const metaWithin = 4 << 10

var metaPattern = regexp.MustCompile(`(?i)(<meta[^>]{0,200}?charset\s*=\s*["']?\s*)([a-z0-9_:.+-]{2,40})`)

// metaCharset is the charset that a document names itself, "" if none.
func metaCharset(document []byte) string {
	if m := metaPattern.FindSubmatch(document[:min(len(document), metaWithin)]); m != nil {
		return string(m[2])
	}
	return ""
}

// saysUTF8 lets a document name the charset that it has now.
func saysUTF8(document string) string {
	head := document[:min(len(document), metaWithin)]
	if !strings.Contains(strings.ToLower(head), "charset") {
		return document
	}
	m := metaPattern.FindStringSubmatchIndex(head)
	if m == nil || strings.EqualFold(head[m[4]:m[5]], "utf-8") {
		return document
	}
	return document[:m[4]] + "utf-8" + document[m[5]:]
}
