package note

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
)

// Sheet says what becomes of each property of a note. The tests hold it
// against what this package does.
func Sheet() fidelity.Class {
	const since = eas.V140
	return fidelity.Class{
		Name: "Notes", Document: "[MS-ASNOTE]", Format: "iCalendar's VJOURNAL", Since: since,
		Pages: []uint8{tag.NotesSubject.Page()},
		Rows: append([]fidelity.Row{
			{Tag: tag.NotesSubject, Since: since, Stored: "SUMMARY", Remark: "without a SUMMARY the first line of the text is shown, and stored only once somebody changes it"},
			{Tag: tag.NotesMessageClass, Way: fidelity.Shown, Since: since, Remark: "always IPM.StickyNote; a class of another kind is refused with status 6"},
			{Tag: tag.NotesLastModifiedDate, Way: fidelity.Shown, Since: since, Stored: "LAST-MODIFIED", Remark: "the server's clock counts, see [MS-ASNOTE] \"LastModifiedDate\""},
			{Tag: tag.NotesCategories, Since: since, Stored: "CATEGORIES"},
			{Tag: tag.NotesCategory, Since: since, Stored: "CATEGORIES", Remark: "at most 300; more are refused with status 6"},
		}, translate.BodyRows(noBodyTags, "DESCRIPTION")...),
		Stored: []fidelity.Property{
			{Name: "SUMMARY", Shown: "Subject"},
			{Name: "DESCRIPTION", Shown: "Body"},
			{Name: "X-ALT-DESC, STYLED-DESCRIPTION, DESCRIPTION;ALTREP=data:", Shown: "Body of Type 2", Remark: "an edit as plain text takes the HTML away, for it says something else then"},
			{Name: "CATEGORIES", Shown: "Categories"},
			{Name: "LAST-MODIFIED", Shown: "LastModifiedDate", Remark: "else DTSTAMP, else CREATED"},
			{Name: "DTSTART, STATUS, CLASS, ATTACH, RELATED-TO, RRULE, X-, everything else"},
		},
		Remarks: []string{"Of a recurring VJOURNAL the master is shown, its exceptions are kept. Phones that speak less than 14.0 have no notes."},
	}
}
