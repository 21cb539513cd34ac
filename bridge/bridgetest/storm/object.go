package storm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// merges says that two people's edits of different properties of one object
// both survive. Without it whoever edits beside somebody else may lose.
const merges = true

// A place is a collection on the server.
type place struct {
	id       backend.CollectionID
	kind     *kind
	name     string // what it is called now; of the first of each kind the storm does not care
	extra    bool   // it is not the first of its kind
	readOnly bool
	gone     bool
	vanished bool // at some time
}

// An object is one contact, event, task or note, wherever it came from.
type object struct {
	number  int
	kind    *kind
	where   *place
	series  bool     // an event that recurs
	by      string   // who made it
	keep    []string // lines that nobody but the desktop touches
	sure    bool     // its maker knows that the server has it
	gone    string   // who deleted it; empty if nobody did
	perhaps bool     // before its maker knew: the maker's next try makes it again

	moves, movesBase int // of all times, and until the last rest

	base     *edition // as it was at the last rest; nil if it was made since
	editions []edition
	sideBase int // the same of the side; 0 is none
	sides    []edit
	turnBase string // and of the time, or whether it is done
	turns    []turn
	beside   []edit // of occurrences, and of what phones do not see

	lines  []string            // as they were at the last rest, without those that edits touch; nil if that is not known
	blocks map[string][]string // the occurrences', by their RECURRENCE-ID
	days   map[string]day      // of a series: the newest of single occurrences, by their InstanceId
}

// An edit is what somebody did to one side of an object.
type edit struct {
	serial  int
	by      string
	rebuilt bool // by a phone that rebuilds its requests
	void    bool // where nobody may write: it must not be seen on the server
	refused bool // the server said so; it may have been seen before that
	raced   bool // it wrote over whatever somebody else did at the same moment
}

// An edition is what somebody made of an object's title and what belongs to
// it. Its label is the title, so that it can be found again wherever it went.
type edition struct {
	edit
	object int
	start  time.Time // of an event; one of a series is its first
	done   bool      // of a task
	detail string    // a contact's number
}

// A turn is an edit of an event's time, or of whether a task is done. It is
// a property of its own.
type turn struct {
	edit
	value string
}

// A day is what became of one occurrence.
type day struct {
	line   string // that the server has to hold
	by     string
	rest   int  // the last one before
	shared bool // others edited the same one since that
}

// value is what a turn changes.
func (e edition) value(k *kind) string {
	switch k.class {
	case eas.ClassCalendar:
		return e.start.Format(form)
	case eas.ClassTasks:
		return fmt.Sprint(e.done)
	}
	return ""
}

// turns tells whether objects of a kind have a time, or are done or not.
func (k *kind) turns() bool { return k.class == eas.ClassCalendar || k.class == eas.ClassTasks }

func (e edition) label() string { return fmt.Sprintf("o%d e%d", e.object, e.serial) }

var (
	labels = regexp.MustCompile(`o\d+ e\d+`)
	asides = regexp.MustCompile(`side \d+`)
)

func aside(serial int) string { return fmt.Sprintf("side %d", serial) }

// parse finds an edition by its label, and its object.
func (w *world) parse(label string) (*object, *edition) {
	var number, serial int
	if _, err := fmt.Sscanf(label, "o%d e%d", &number, &serial); err != nil {
		return nil, nil
	}
	o := w.objects[number]
	if o == nil {
		return nil, nil
	}
	if o.base != nil && o.base.serial == serial {
		return o, o.base
	}
	for i := range o.editions {
		if o.editions[i].serial == serial {
			return o, &o.editions[i]
		}
	}
	return o, nil
}

// deleted notes that somebody deletes an object.
func (w *world) deleted(o *object, by string) {
	o.gone, o.perhaps = by, !o.sure
	w.count(func(r *Report) { r.Deletions++ })
}

// newObject is made by somebody, in its first edition.
func (w *world) newObject(p *place, by string) (*object, edition) {
	o := &object{number: len(w.objects) + 1, kind: p.kind, where: p, by: by, days: make(map[string]day)}
	if o.kind.class == eas.ClassCalendar {
		o.series = w.rng.IntN(2) == 0
	}
	w.objects[o.number] = o
	w.count(func(r *Report) { r.Objects++ })
	return o, w.edited(o, edition{}, edition{object: o.number, start: w.someTime()}, edit{by: by})
}

// edited makes an edition of another one, gives it a new label and remembers it.
func (w *world) edited(o *object, was, e edition, how edit) edition {
	w.serial++
	e.edit = how
	e.serial = w.serial
	if was.object == 0 || was.value(o.kind) != e.value(o.kind) {
		o.turns = append(o.turns, turn{e.edit, e.value(o.kind)})
	}
	if o.kind.class == eas.ClassContacts {
		e.detail = fmt.Sprintf("+49 30 %06d", w.serial)
	}
	o.editions = append(o.editions, e)
	w.count(func(r *Report) { r.Edits++ })
	return e
}

// sided gives an object another side.
func (w *world) sided(o *object, how edit) string {
	w.serial++
	how.serial = w.serial
	o.sides = append(o.sides, how)
	w.count(func(r *Report) { r.Edits++ })
	return aside(how.serial)
}

// turned is an edition with another time, or done, perhaps.
func (w *world) turned(o *object, e edition) edition {
	if w.rng.IntN(3) == 0 {
		switch o.kind.class {
		case eas.ClassCalendar:
			if !o.series {
				e.start = w.someTime()
			}
		case eas.ClassTasks:
			e.done = !e.done
		}
	}
	return e
}

// someTime is around now, and never at the edge of a filter, which is midnight.
func (w *world) someTime() time.Time {
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, w.rng.IntN(60)-40)
	return day.Add(time.Duration(1+w.rng.IntN(20))*time.Hour + 15*time.Minute)
}

// length is how long every event takes.
const length = time.Hour

// someDay is one of the first occurrences of a series.
func (w *world) someDay(e *edition) time.Time { return e.start.AddDate(0, 0, 3*(1+w.rng.IntN(4))) }

// occurrence notes what somebody made of an occurrence.
func (w *world) occurrence(o *object, at, line string, how edit) {
	before := o.days[at]
	o.keep = slices.DeleteFunc(o.keep, func(l string) bool { return l == before.line })
	rest := w.report.Rests
	o.days[at] = day{line, how.by, rest, before.rest == rest && (before.shared || before.by != "" && before.by != how.by)}
	o.beside = append(o.beside, how)
	w.count(func(r *Report) { r.Days++ })
}

// excused tells whether what somebody made of an occurrence may be lost: others
// edited the same one, or wrote over the whole series at the same moment, or its
// maker was told that the edit is refused because the series is elsewhere.
func (o *object) excused(d day) bool {
	for _, list := range o.aspects() {
		if slices.ContainsFunc(list, func(e edit) bool { return e.raced || e.refused && e.by == d.by }) {
			return true
		}
	}
	return d.shared
}

// aspects are the edits of what can be edited apart: the title, the side, the
// time, and all else.
func (o *object) aspects() [4][]edit {
	var titles, turns []edit
	for _, e := range o.editions {
		titles = append(titles, e.edit)
	}
	for _, t := range o.turns {
		turns = append(turns, t.edit)
	}
	return [...][]edit{titles, o.sides, turns, o.beside}
}

// mayBe tells whether an edition can be what is left of all since the last
// rest; mayLie the same of the side, mayTurn of the time.
func (o *object) mayBe(serial int) bool {
	base := 0
	if o.base != nil {
		base = o.base.serial
	}
	return o.left(0, serial, base)
}

func (o *object) mayLie(serial int) bool { return o.left(1, serial, o.sideBase) }

func (o *object) mayTurn(value string) bool {
	if value == o.turnBase && o.left(2, 0, 0) {
		return true
	}
	return slices.ContainsFunc(o.turns, func(t turn) bool { return t.value == value && o.left(2, t.serial, 0) })
}

// left tells whether something can be what is left of edits: somebody's last
// one; and if there was but one person, that one's. Where the object was
// contested, everybody may have lost to what was there before.
//
// A phone that rebuilds its requests may lose an edit to an earlier one of its
// own that the server stored and could not say so: what comes then is another
// edit, upon something that the phone was never told.
func (o *object) left(aspect, serial, base int) bool {
	last := make(map[string]int)
	for _, e := range o.aspects()[aspect] {
		switch {
		case e.void:
		case e.serial == serial && (e.rebuilt || e.refused):
			return true
		case !e.refused:
			last[e.by] = e.serial
		}
	}
	for _, s := range last {
		if s == serial {
			return true
		}
	}
	return serial == base && (len(last) == 0 || o.contested(aspect))
}

// contested tells whether those who edited one aspect may have lost it for what
// others did to another one.
func (o *object) contested(aspect int) bool {
	all := o.aspects()
	if !merges {
		return len(o.authors()) > 1
	}
	for i, edits := range all {
		if slices.ContainsFunc(edits, func(e edit) bool { return e.raced }) {
			return true
		}
		authors := people(edits)
		if i == aspect || len(authors) < 2 {
			continue
		}
		for by := range people(all[aspect]) {
			if authors[by] { // a refused edit is refused as a whole
				return true
			}
		}
	}
	return false
}

// authors are all who did something to the object since the last rest.
func (o *object) authors() map[string]bool {
	all := o.aspects()
	return people(all[:]...)
}

func people(lists ...[]edit) map[string]bool {
	authors := make(map[string]bool)
	for _, e := range slices.Concat(lists...) {
		if !e.void {
			authors[e.by] = true
		}
	}
	return authors
}

// refuse notes that a phone's edits since the last rest may be lost.
func (o *object) refuse(by string) {
	for i := range o.editions {
		o.editions[i].refused = o.editions[i].refused || o.editions[i].by == by
	}
	for i := range o.turns {
		o.turns[i].refused = o.turns[i].refused || o.turns[i].by == by
	}
	for _, list := range [][]edit{o.sides, o.beside} {
		for i := range list {
			list[i].refused = list[i].refused || list[i].by == by
		}
	}
}

func join(lines []string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func split(body []byte) []string {
	unfolded := strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n ", ""), "\r\n\t", "")
	return strings.Split(strings.TrimSuffix(unfolded, "\r\n"), "\r\n")
}
