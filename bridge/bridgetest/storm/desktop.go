package storm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// desktop is who edits on the server.
const desktop = "the desktop"

// somePlace is a collection by chance.
func (w *world) somePlace() *place {
	open := slices.DeleteFunc(slices.Clone(w.places), func(p *place) bool { return p.gone })
	return open[w.rng.IntN(len(open))]
}

// desktopAdds puts a new object onto the server.
func (w *world) desktopAdds() { w.desktopAddsTo(w.somePlace()) }

func (w *world) desktopAddsTo(p *place) (*object, edition) {
	k := p.kind
	o, e := w.newObject(p, desktop)
	o.sure = true
	o.keep = []string{
		fmt.Sprintf("X-KEEP:as it is in %d", o.number),
		fmt.Sprintf("X-KEEP;X-HOW=\"a;b\":a long one of %d, %s", o.number, strings.Repeat("word ", 4)+"end"),
	}
	if w.rewrites { // and cuts what it does not know at a comma
		o.keep = o.keep[:1]
	}
	lines := slices.Concat(k.body(o, e), k.titles(e), o.keep)
	if k.side != nil && w.rng.IntN(2) == 0 {
		lines = append(lines, k.side.name+":"+w.sided(o, edit{by: desktop}))
	}
	lines = append(lines, k.end)
	if strings.HasPrefix(lines[0], "BEGIN:VCALENDAR") {
		lines = append(lines, "END:VCALENDAR")
	}
	s := stored{id: backend.ItemID(fmt.Sprintf("desk%d%s", o.number, k.extension)), where: p, lines: lines}
	if !w.rewrites {
		s.read(k)
		o.lines = s.rest
	}
	w.note("%s adds %q as %s in %s", desktop, e.label(), s.id, p.id)
	w.store(s, lines)
	return o, e
}

func (w *world) store(s stored, lines []string) {
	if err := w.shelf.Store(s.where.id, s.id, []byte(join(lines))); err != nil {
		w.problem("%s writes %s: %v", desktop, s.id, err)
	}
}

// imports puts a lot onto the server at once, and cleansOut takes a lot away,
// which is more than the bridge believes at first.
func (w *world) imports() {
	p := w.place(w.shelf.Collection(kinds[0].kind))
	for n := len(w.holds(p)); n < 2*enough; n++ {
		w.desktopAddsTo(p)
	}
}

func (w *world) cleansOut() {
	p := w.place(w.shelf.Collection(kinds[0].kind))
	list := w.holds(p)
	if len(list) < enough || w.options.Awake { // nobody can wait until it is believed
		return
	}
	for _, s := range list[w.rng.IntN(3):] {
		if o, _ := w.parse(s.label); o != nil {
			w.desktopDeletes(o, s)
		}
	}
}

// desktopActs edits or deletes something on the server.
func (w *world) desktopActs() {
	if w.mail != nil && w.rng.IntN(2) == 0 {
		w.mail.desktopActs()
		return
	}
	w.desktopActsIn(w.somePlace())
}

func (w *world) desktopActsIn(p *place) {
	list := w.holds(p)
	if len(list) == 0 {
		return
	}
	s := list[w.rng.IntN(len(list))]
	o, was := w.found(s)
	switch n := w.rng.IntN(20); {
	case o == nil || was == nil:
		w.problem("%s holds %q as %q, which nobody made", p.id, s.id, s.label)
	case o.gone != "" && w.weather.crowds():
		// It may be deleted at this moment, and would be written anew.
	case n < 3:
		w.desktopDeletes(o, s)
	case n < 4:
		w.desktopMoves(o, s)
	case n < 7:
		w.deskLine(o, was, s)
	case n < 10 && o.kind.side != nil:
		text := w.sided(o, w.theirs())
		w.note("%s gives %q the %s", desktop, s.label, text)
		w.rewrite(o, s, o.kind.side.lines, []string{o.kind.side.name + ":" + text})
	case n < 14 && o.series:
		w.deskDay(o, was, s)
	default:
		e := w.edited(o, *was, w.turned(o, *was), w.theirs())
		w.note("%s makes %q of %q", desktop, e.label(), s.label)
		w.rewrite(o, s, o.kind.title, o.kind.titles(e))
	}
}

// theirs is an edit of the desktop. It reads an object and writes it whole, so
// that what happens between the two is lost.
func (w *world) theirs() edit { return edit{by: desktop, raced: w.weather.crowds()} }

func (w *world) desktopDeletes(o *object, s stored) {
	w.note("%s deletes %q", desktop, s.label)
	w.deleted(o, desktop)
	if err := w.shelf.Remove(s.where.id, s.id); err != nil {
		w.problem("%s deletes %q: %v", desktop, s.label, err)
	}
}

var deskLines = regexp.MustCompile(`^X-DESK:`)

// deskLine changes what no phone sees.
func (w *world) deskLine(o *object, was *edition, s stored) {
	w.desk++
	line := fmt.Sprintf("X-DESK:%d", w.desk)
	w.note("%s writes %s into %q", desktop, line, s.label)
	o.keep = append(slices.DeleteFunc(o.keep, deskLines.MatchString), line)
	w.besides(o, was, w.theirs())
	w.rewrite(o, s, deskLines, []string{line})
}

// besides notes an edit that leaves title and side as they are. As long as the
// bridge does not merge, whose title was there then may have won.
func (w *world) besides(o *object, was *edition, how edit) {
	o.beside = append(o.beside, how)
	if !merges {
		again := *was
		again.edit = how
		again.serial = was.serial
		o.editions = append(o.editions, again)
	}
}

// deskDay renames an occurrence of a series, or takes it out.
func (w *world) deskDay(o *object, was *edition, s stored) {
	at := w.someDay(was)
	name := at.Format(form)
	for _, l := range s.lines {
		if strings.Contains(l, name) { // somebody did something to it
			return
		}
	}
	w.besides(o, was, w.theirs())
	if w.rng.IntN(3) == 0 {
		w.note("%s takes %s out of %q", desktop, name, s.label)
		w.occurrence(o, name, "EXDATE:"+name, w.theirs())
		w.rewrite(o, s, regexp.MustCompile("^$"), []string{"EXDATE:" + name})
		return
	}
	w.serial++
	title := fmt.Sprintf("day %d of %d", w.serial, o.number)
	w.note("%s calls the occurrence of %q at %s %q", desktop, s.label, name, title)
	w.occurrence(o, name, "SUMMARY:"+title, w.theirs())
	uid := s.lines[slices.IndexFunc(s.lines, func(l string) bool { return strings.HasPrefix(l, "UID:") })]
	block := []string{"BEGIN:VEVENT", uid, "DTSTAMP:20260101T000000Z", "RECURRENCE-ID:" + name,
		"DTSTART:" + name, "DTEND:" + at.Add(length).Format(form), "SUMMARY:" + title, "X-KEEP:as it was that day", "END:VEVENT"}
	w.store(s, slices.Insert(slices.Clone(s.lines), len(s.lines)-1, block...))
}

// rewrite replaces lines of an object outside of what lies inside of it.
func (w *world) rewrite(o *object, s stored, old *regexp.Regexp, lines []string) {
	var out []string
	depth, zone := 0, 1
	if s.lines[0] == "BEGIN:VCALENDAR" {
		zone = 2
	}
	skipping := ""
	for i, l := range s.lines {
		switch {
		case strings.HasPrefix(l, "BEGIN:VTIMEZONE"):
			skipping = "END:VTIMEZONE"
		case skipping == "" && l == "BEGIN:VEVENT" && isOccurrence(s.lines[i:]):
			skipping = "END:VEVENT"
			out = append(out, l)
			continue
		case skipping != "":
			if l == skipping {
				skipping = ""
			}
			out = append(out, l)
			continue
		case strings.HasPrefix(l, "BEGIN:"):
			depth++
		case l == o.kind.end:
			out = append(out, lines...)
			depth--
		case strings.HasPrefix(l, "END:"):
			depth--
		case depth == zone && old.MatchString(l):
			continue
		}
		out = append(out, l)
	}
	w.store(s, out)
}
