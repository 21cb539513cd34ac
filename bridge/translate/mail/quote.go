package mail

import (
	"regexp"
	"strings"
)

// quoteLine is a line with which programs begin what they quote.
var quoteLine = regexp.MustCompile(`(?im)^[ \t]*(-{3,} ?(original message|ursprüngliche nachricht|forwarded message|weitergeleitete nachricht|message d'origine)\b.*|_{10,}[ \t]*|on .{5,200} wrote:[ \t]*|am .{5,200} schrieb.{0,100}:[ \t]*|le .{5,200} a écrit ?:[ \t]*)$`)

// withoutQuote is what is new in a text: what stands before the quotation, or
// all of it if there is none, or if people answered in between.
func withoutQuote(text string) string {
	if at := quoteLine.FindStringIndex(text); at != nil && strings.TrimSpace(text[:at[0]]) != "" {
		return strings.TrimRight(text[:at[0]], " \t\n") + "\n"
	}
	lines := strings.SplitAfter(text, "\n")
	end := len(lines)
	for end > 0 && (strings.HasPrefix(lines[end-1], ">") || strings.TrimSpace(lines[end-1]) == "") {
		end--
	}
	if end == 0 {
		return text
	}
	return strings.Join(lines[:end], "")
}

// quotedElement is an element in which programs keep what they quote.
var quotedElement = regexp.MustCompile(`(?i)<(blockquote[^>]{0,200}type="?cite|div[^>]{0,100}(class="?(gmail_quote|yahoo_quoted|moz-cite-prefix)|id="?(divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|mail-editor-reference-message-container)))`)

// withoutQuotedHTML is the same for a document. What is cut off begins with an
// element, so that what is left is still a document to every browser.
func withoutQuotedHTML(document string) string {
	at := quotedElement.FindStringIndex(document)
	if at == nil {
		return document
	}
	return document[:at[0]]
}
