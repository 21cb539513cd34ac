package translatetest

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// An Object is one object of the corpus, as a server would hold it.
type Object struct {
	Name string // of its file, and its number in it
	Body []byte
}

// Objects cuts the files of a kind into objects with one component each:
// "vcf" and VCARD, "ics" and VTODO. What stands beside it in its calendar, time
// zones above all, stays with it. Files that cannot be read at all are one
// object. It skips the test without a corpus.
func Objects(t testing.TB, kind, component string) []Object {
	t.Helper()
	var all []Object
	for _, path := range corpusFiles(t, kind) {
		file := readFile(t, path)
		name := filepath.Base(path)
		d, err := contentline.Parse(file)
		if err != nil {
			all = append(all, Object{name, file})
			continue
		}
		for i := range positions(d, component) {
			d, err := contentline.Parse(file)
			if err != nil {
				t.Fatal(err)
			}
			for j, at := range positions(d, component) {
				if i != j {
					at.remove()
				}
			}
			all = append(all, Object{name + " " + strconv.Itoa(i), d.Bytes()})
		}
	}
	return all
}

// A position is a component and what takes it away.
type position struct{ remove func() }

// positions finds the components of a name, and those of its kind, for only
// one of them is to be left.
func positions(d *contentline.Document, component string) []position {
	var list []position
	if component == "VCARD" {
		for _, c := range d.Components("VCARD") {
			list = append(list, position{func() { d.RemoveComponent(c) }})
		}
		return list
	}
	for _, calendar := range d.Components("VCALENDAR") {
		for _, c := range calendar.Components(component) {
			list = append(list, position{func() { calendar.RemoveComponent(c) }})
		}
	}
	return list
}
