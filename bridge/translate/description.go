package translate

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
)

// AppendDescription is AppendText for the description of an iCalendar
// component: DESCRIPTION, and the same as HTML where the component has it.
func AppendDescription(ps eas.Properties, c *contentline.Component, o Options, old BodyTags) eas.Properties {
	return AppendText(ps, description(c, o.Body.Type == HTML), o, old)
}

// MergeDescription is MergeText for the description of an iCalendar component,
// and writes the result. HTML goes where the component has it, or into
// X-ALT-DESC if it says more than the plain text; where only the plain text is
// new the HTML goes, for it says something else then.
func MergeDescription(c *contentline.Component, sent eas.Properties, o Options, old BodyTags) (changed bool, err error) {
	stored := description(c, true)
	text, changed, err := MergeText(stored, sent, o, old)
	if err != nil || !changed {
		return false, err
	}
	if text.Plain != stored.Plain || c.Get("DESCRIPTION") == nil && text.Plain != "" {
		setText(c, "DESCRIPTION", text.Plain)
		if l := c.Get("DESCRIPTION"); l != nil {
			l.SetParam(altRep) // wherever it leads, it says something else now
		}
	}
	if text.HTML != stored.HTML {
		setHTML(c, text.HTML)
	}
	return true, nil
}

// Where programs keep a description as HTML: RFC 9073, section 6.5; Outlook and
// all that follow it; Thunderbird.
const (
	styledDescription = "STYLED-DESCRIPTION"
	altDescription    = "X-ALT-DESC"
	altRep            = "ALTREP"
)

// description reads the description; its HTML only where it is wanted, or
// where there is nothing else.
func description(c *contentline.Component, withHTML bool) Text {
	t := Text{Plain: c.Get("DESCRIPTION").Text()}
	if withHTML || t.Plain == "" {
		t.HTML = storedHTML(c)
	}
	return t
}

func storedHTML(c *contentline.Component) string {
	for _, name := range []string{styledDescription, altDescription} {
		for _, l := range c.All(name) {
			if isHTML(l) && !strings.EqualFold(l.Param("VALUE"), "URI") {
				return l.Text()
			}
		}
	}
	return altRepHTML(c.Get("DESCRIPTION"))
}

func isHTML(l *contentline.Line) bool {
	kind := l.Param("FMTTYPE")
	_, html := cutPrefixFold(kind, "text/html")
	return html || kind == "" && l.Name() == altDescription
}

// altRepHTML reads DESCRIPTION;ALTREP="data:text/html,...". Another URI is not
// fetched.
func altRepHTML(l *contentline.Line) string {
	rest, ok := cutPrefixFold(l.Param(altRep), "data:text/html")
	if !ok {
		return ""
	}
	head, data, ok := strings.Cut(rest, ",")
	if !ok {
		return ""
	}
	text, err := url.PathUnescape(data)
	if err != nil {
		return ""
	}
	if strings.HasSuffix(strings.ToLower(head), ";base64") {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return ""
		}
		text = string(b)
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// setHTML writes the HTML of a description where the component has it, else
// into X-ALT-DESC; "" removes it everywhere.
func setHTML(c *contentline.Component, text string) {
	done := text == ""
	for _, name := range []string{styledDescription, altDescription} {
		for _, l := range c.All(name) {
			switch {
			case !isHTML(l):
			case !done:
				l.SetText(text)
				done = true
			default:
				c.Remove(l)
			}
		}
	}
	if l := c.Get("DESCRIPTION"); l != nil && l.HasParam(altRep) {
		l.SetParam(altRep)
	}
	if !done {
		c.AddText(altDescription, text, contentline.P("FMTTYPE", "text/html"))
	}
}

func setText(c *contentline.Component, name, text string) {
	if text == "" {
		c.RemoveAll(name)
		return
	}
	c.SetText(name, text)
}

// BodyRows are the rows of a class's text in the sheet: Body and its children,
// and the elements of version 2.5; stored is where the text is kept.
func BodyRows(old BodyTags, stored string) []fidelity.Row {
	const since = eas.V120
	rows := []fidelity.Row{
		{Tag: tag.AirSyncBaseBody, Since: since, Stored: stored, Remark: "an edit of a text that was cut keeps the rest of it"},
		{Tag: tag.AirSyncBaseType, Since: since, Remark: "1 plain text, 2 HTML, 3 rich text, of which the words are kept; 4 is refused with status 6"},
		{Tag: tag.AirSyncBaseData, Since: since, Stored: stored, Remark: "at most 1 MB; more is refused with status 6"},
		{Tag: tag.AirSyncBaseEstimatedDataSize, Way: fidelity.Shown, Since: since, Remark: "of the whole text in that form"},
		{Tag: tag.AirSyncBaseTruncated, Way: fidelity.Shown, Since: since, Remark: "cut between characters, never inside a tag"},
		{Tag: tag.AirSyncBasePreview, Way: fidelity.Shown, Since: eas.V140, Remark: "where the phone wants one and does not get the text in plain"},
	}
	for _, r := range []fidelity.Row{
		{Tag: old.Body, Stored: stored},
		{Tag: old.Size, Way: fidelity.Shown, Remark: "where the text is cut"},
		{Tag: old.Truncated, Way: fidelity.Shown, Remark: "where the text is cut"},
		{Tag: old.RTF, Way: fidelity.Taken, Stored: stored, Remark: "the words of it; shown as Body"},
	} {
		if r.Tag != 0 {
			r.Until = eas.V25
			rows = append(rows, r)
		}
	}
	return rows
}
