package translate

// Mail says how a phone wants messages. The zero value is a phone that takes
// them in the form of Options.Body and no MIME.
type Mail struct {
	// MIMESupport is 1 for a phone that takes S/MIME messages as they are, 2 for
	// one that takes all messages so, if it can have them in that form at all:
	// Bodies has to have one of type MIME. See [MS-ASCMD] "MIMESupport".
	MIMESupport int

	// Bodies are the forms that the phone takes, the first ones preferred; nil
	// means Options.Body alone. In 2.5 there are two: PlainText, cut by
	// Truncation, and MIME, cut by MIMETruncation.
	Bodies []Body

	// Part is the form in which the phone wants what is new in a conversation,
	// from 14.1 on; nil means that it does not. See [MS-ASAIRS]
	// "BodyPartPreference".
	Part *Body
}

// A Shown is what a phone gets of a text.
type Shown struct {
	Type    BodyType
	Data    string
	Size    int    // of all of it, in bytes
	Cut     bool   // Data is not all of it
	Absent  bool   // there is no data at all, not even empty data
	Preview string // "" if the phone wants none, or gets the text in plain
}

// Show tells what AppendText sends of a text in a form.
func (t Text) Show(b Body, o Options) Shown {
	o.Body = b
	v := o.view(t)
	return Shown{Type: v.kind, Data: v.data, Size: v.size, Cut: v.cut, Absent: v.absent, Preview: o.preview(t, v)}
}

// TruncateHTML cuts a document after at most n bytes, in front of the tag, the
// entity or the character that has no room.
func TruncateHTML(document string, n int) string { return truncateHTML(document, n) }
