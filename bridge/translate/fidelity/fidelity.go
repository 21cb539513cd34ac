// Package fidelity is the vocabulary of the sheet that says what becomes of each property between a phone and a standard format.
//
// Each class of items answers a [Class] that is built from the very tables its
// code works with, or that its tests hold against what the code does. The
// sheet, FIDELITY.md, is written from them by a test of package translate, and
// that test fails for an element of the class that has no row: there is no
// property of which nobody knows what happens to it.
package fidelity

import (
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A Way says in which directions a property travels.
type Way int

// The ways. There is none for "lost".
const (
	Both    Way = iota // a phone is shown it, and its edit is stored
	Shown              // a phone is shown it; what it sends back is the server's business and not taken
	Taken              // what a phone sends is stored; it is shown as something else
	Refused            // what a phone sends is refused with the row's Status, and nothing is stored
	Foreign            // it is no part of items: it stands in this code page for other purposes
)

// signs are the ways in a cell of the sheet.
var signs = map[Way]string{Both: "↔", Shown: "→", Taken: "←", Foreign: "∅"}

// A Row says what becomes of one element of ActiveSync.
type Row struct {
	Tag    wbxml.Tag
	Way    Way
	Since  eas.Version // the first version with it; 0 means 2.5
	Until  eas.Version // the last version with it; 0 means the newest
	Status int         // of the refusal, if Way is Refused
	Stored string      // the property of the standard format, such as TEL;TYPE=CELL
	Remark string      // what a reader would not guess
}

// In tells whether a version has the element.
func (r Row) In(v eas.Version) bool {
	return v >= r.Since && (r.Until == 0 || v <= r.Until)
}

// A Property says what becomes of one property of the standard format, from
// the other side. All of them are kept byte for byte unless a phone changes
// what it was shown.
type Property struct {
	Name   string
	Shown  string // as what a phone is shown it; "" means that it is not
	Remark string
}

// A Class is all that is to be said of one class of items.
type Class struct {
	Name     string // as ActiveSync calls it
	Document string // that specifies it, such as [MS-ASCNTC]
	Format   string // in which items are stored
	Since    eas.Version
	Pages    []uint8 // code pages each of whose elements must have a row
	Rows     []Row
	Stored   []Property
	Remarks  []string // paragraphs under the tables
}

// Faults lists what is wrong with the tables: elements without a row or with
// two for one version, rows that say nothing.
func (c Class) Faults() []string {
	var faults []string
	rows := map[wbxml.Tag][]Row{}
	for _, r := range c.Rows {
		for _, other := range rows[r.Tag] {
			if slices.ContainsFunc(eas.Versions, func(v eas.Version) bool { return r.In(v) && other.In(v) }) {
				faults = append(faults, tag.Name(r.Tag)+" has two rows for one version")
			}
		}
		rows[r.Tag] = append(rows[r.Tag], r)
		if (r.Way == Refused) != (r.Status != 0) {
			faults = append(faults, tag.Name(r.Tag)+": a status belongs to what is refused, and only to that")
		}
		if r.Stored == "" && r.Remark == "" {
			faults = append(faults, tag.Name(r.Tag)+": its row says neither where it is stored nor why it is not")
		}
	}
	for _, page := range c.Pages {
		for token := range uint16(0x40) {
			t := wbxml.Tag(uint16(page)<<8 | token)
			if tag.Local(t) != "" && rows[t] == nil {
				faults = append(faults, tag.Name(t)+" has no row")
			}
		}
	}
	return faults
}

// cell is what the sheet says of a property in a version.
func (r Row) cell(v eas.Version) string {
	switch {
	case !r.In(v):
		return ""
	case r.Way == Refused:
		return fmt.Sprintf("✗ %d", r.Status)
	}
	return signs[r.Way]
}
