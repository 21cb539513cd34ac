package fidelity

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

const head = `# What becomes of each property

This page is written by a test from the tables that the translations work with or are tested against:
` + "`go test ./bridge/translate -run TestSheet -update`" + `. Do not edit it.

What stands in a standard format is never lost: a phone's edit changes the lines of the properties that the
phone changed, and every other line stays byte for byte as it was, shown or not.

| sign | meaning |
|---|---|
| ↔ | a phone is shown it, and its edit is stored |
| → | a phone is shown it; what it sends back is not taken, because the server decides it |
| ← | what a phone sends is stored; it is shown as something else |
| ✗ N | what a phone sends is refused with Sync status N, and nothing is stored |
| ∅ | it is no part of items: it stands in this code page for other purposes, is never sent, and has no effect |
| (empty) | this version of the protocol does not have it |
`

// Markdown writes the sheet.
func Markdown(classes []Class) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for _, c := range classes {
		c.write(&b)
	}
	return b.Bytes()
}

func (c Class) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## %s\n\nSpecified by %s, stored as %s.\n\n", c.Name, c.Document, c.Format)
	b.WriteString("| property |")
	for _, v := range eas.Versions {
		fmt.Fprintf(b, " %v |", v)
	}
	b.WriteString(" stored as | remark |\n|---|" + strings.Repeat("---|", len(eas.Versions)+2) + "\n")
	for _, r := range c.Rows {
		fmt.Fprintf(b, "| %s |", tag.Name(r.Tag))
		for _, v := range eas.Versions {
			cell := r.cell(v)
			if v < c.Since {
				cell = ""
			}
			fmt.Fprintf(b, " %s |", cell)
		}
		fmt.Fprintf(b, " %s | %s |\n", code(r.Stored), escape(r.Remark))
	}
	if len(c.Stored) > 0 {
		fmt.Fprintf(b, "\nThe other way round, what a phone is shown of %s:\n\n| stored property | shown as | remark |\n|---|---|---|\n", c.Format)
		for _, p := range c.Stored {
			shown := p.Shown
			if shown == "" {
				shown = "kept, not shown"
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", code(p.Name), escape(shown), escape(p.Remark))
		}
	}
	for _, text := range c.Remarks {
		fmt.Fprintf(b, "\n%s\n", text)
	}
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + escape(s) + "`"
}

// escape keeps a text from ending its cell.
func escape(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
