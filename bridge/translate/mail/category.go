package mail

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf16"
)

// labels are the keywords of Thunderbird's own tags, and what it calls them.
var labels = map[string]string{
	"$label1": "Important", "$label2": "Work", "$label3": "Personal", "$label4": "To Do", "$label5": "Later",
}

// technical are keywords that programs set for each other, beside those that
// begin with $. See the IANA registry "IMAP and JMAP Keywords".
var technical = []string{
	"junk", "nonjunk", "notjunk", "junkrecorded", "forwarded", "redirected", "mdnsent", "hasattachment", "hasnoattachment", "unread", "recent",
	"receipthandled", "filtered", "oldfiltered", "replied", "passed",
}

// isCategory tells whether a flag is a keyword that people chose.
func isCategory(flag string) bool {
	lower := strings.ToLower(flag)
	if labels[lower] != "" {
		return true
	}
	return flag != "" && flag[0] != '\\' && flag[0] != '$' && !slices.Contains(technical, lower) && !isFollowUp(flag)
}

// categories are the names that a message's keywords stand for.
func categories(flags []string) []string {
	var list []string
	for _, f := range flags {
		if !isCategory(f) {
			continue
		}
		name := labels[strings.ToLower(f)]
		if name == "" {
			name = strings.TrimSpace(clean(decodeKeyword(f)))
		}
		if name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// categoryKeywords are the keywords for names: those that a message has stay
// as they are.
func categoryKeywords(names, flags []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, categoryKeyword(name, flags))
	}
	return list
}

func categoryKeyword(name string, flags []string) string {
	for _, f := range flags {
		if isCategory(f) && slices.Contains(categories([]string{f}), name) {
			return f
		}
	}
	for keyword, label := range labels {
		if strings.EqualFold(label, name) {
			return keyword
		}
	}
	keyword := encodeKeyword(name)
	if !isCategory(keyword) { // somebody calls a category Junk
		keyword = "&" + encodeUTF16(name) + "-"
	}
	return keyword
}

// Keywords are atoms: no blanks, no control characters, none of these. What
// does not go is written as IMAP writes names of mailboxes, which Thunderbird
// does with its tags, too. See RFC 9051, section 9, "atom-specials", and RFC
// 3501, section 5.1.3.
const notInAtoms = `(){ %*"\]&`

func encodeKeyword(name string) string {
	var out strings.Builder
	var odd []rune
	flush := func() {
		if len(odd) > 0 {
			out.WriteString("&" + encodeUTF16(string(odd)) + "-")
			odd = nil
		}
	}
	for i, r := range name {
		if r <= ' ' || r > '~' || strings.ContainsRune(notInAtoms, r) || i == 0 && r == '$' {
			odd = append(odd, r)
			continue
		}
		flush()
		out.WriteRune(r)
	}
	flush()
	return out.String()
}

var mailboxEncoding = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

func encodeUTF16(s string) string {
	units := utf16.Encode([]rune(s))
	raw := make([]byte, 0, 2*len(units))
	for _, u := range units {
		raw = append(raw, byte(u>>8), byte(u))
	}
	return mailboxEncoding.EncodeToString(raw)
}

// decodeKeyword is the inverse of encodeKeyword; what it did not write stands
// for itself.
func decodeKeyword(keyword string) string {
	var out strings.Builder
	for rest := keyword; rest != ""; {
		plain, more, ok := strings.Cut(rest, "&")
		out.WriteString(plain)
		if !ok {
			break
		}
		coded, after, closed := strings.Cut(more, "-")
		units, good := utf16Of(coded, mailboxEncoding)
		switch {
		case closed && coded == "":
			out.WriteByte('&')
		case !closed || !good:
			return keyword
		default:
			out.WriteString(string(utf16.Decode(units)))
		}
		rest = after
	}
	return out.String()
}
