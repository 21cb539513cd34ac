package storm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// checkServer compares what the server holds in a place with what people
// wanted.
func (w *world) checkServer(p *place, list []stored) {
	seen := make(map[int]bool)
	for _, s := range list {
		o, e := w.found(s)
		switch {
		case o == nil:
			w.problem("the server holds %s as %q, which nobody made", s.id, s.label)
			continue
		case o.where != p:
			w.problem("the server holds %q in %s, and it was made for %s", s.label, p.id, o.where.id)
		case seen[o.number]:
			w.problem("the server holds object %d twice, as %q", o.number, s.label)
		case o.gone != "" && !o.perhaps:
			w.problem("the server holds %q, which %s deleted", s.label, o.gone)
		case e == nil || !o.mayBe(e.serial):
			w.problem("the server holds %q, but the last editions are %+v, after %+v", s.label, o.editions, o.base)
		case !o.mayLie(serialOf(s.side)):
			w.problem("the server holds %q with %q, but the last ones are %+v, after %d", s.label, s.side, o.sides, o.sideBase)
		case !o.mayTurn(e.value(o.kind)):
			w.problem("the server holds %q with %s, but the last ones are %+v, after %s", s.label, e.value(o.kind), o.turns, o.turnBase)
		}
		seen[o.number] = true
		w.checkDays(o, s)
		w.checkLines(o, s)
	}
	for _, o := range w.objects {
		if o.where == p && o.gone == "" && !seen[o.number] {
			w.problem("object %d, which %s made, is not on the server, and nobody deleted it", o.number, o.by)
		}
	}
}

func serialOf(side string) int {
	var serial int
	fmt.Sscanf(side, "side %d", &serial) //nolint:errcheck // none is 0
	return serial
}

// checkDays looks for the occurrences that were edited. Where others edited the
// same one, theirs may be what stayed; what is there once stays.
func (w *world) checkDays(o *object, s stored) {
	for at, d := range o.days {
		switch {
		case slices.Contains(o.keep, d.line):
		case slices.Contains(s.lines, d.line):
			o.keep = append(o.keep, d.line)
		case o.excused(d):
			delete(o.days, at)
		default:
			w.problem("%q lost its occurrence %q:\n%s", s.label, d.line, strings.Join(s.lines, "\n"))
		}
	}
}

// checkLines looks whether what nobody touched is as it was, byte for byte.
func (w *world) checkLines(o *object, s stored) {
	for _, line := range o.keep {
		if !slices.Contains(s.lines, line) {
			w.problem("%q lost the line %q:\n%s", s.label, line, strings.Join(s.lines, "\n"))
		}
	}
	is := s.rest
	if w.rewrites {
		is = slices.Sorted(slices.Values(is))
	}
	if o.lines != nil && !slices.Equal(is, o.lines) {
		w.problem("%q has other lines than it had, though nobody touched them:\n%s\nbefore:\n%s",
			s.label, strings.Join(is, "\n"), strings.Join(o.lines, "\n"))
	}
	if len(o.beside) > 0 {
		return
	}
	for at, block := range o.blocks {
		if !slices.Equal(block, s.blocks[at]) {
			w.problem("the occurrence %s of %q is other than it was, though nobody touched it:\n%s\nbefore:\n%s",
				at, s.label, strings.Join(s.blocks[at], "\n"), strings.Join(block, "\n"))
		}
	}
}

// check compares what a phone holds with what the server holds.
func (h *handset) check(there inventory) {
	w := h.world
	h.checkFolders()
	for _, f := range h.folders() {
		want := make(map[string]stored)
		for _, p := range h.stands(f) {
			for _, s := range there[p] {
				if o, e := w.found(s); e != nil && h.shows(o, e) {
					want[s.label] = s
				}
			}
		}
		for id, item := range f.Items {
			label := labels.FindString(phone.Title(item))
			s, ok := want[label]
			if !ok {
				h.problem("holds %s as %q, which it should not, or twice", id, label)
				continue
			}
			delete(want, label)
			h.checkItem(item, s)
		}
		for label := range want {
			h.problem("does not hold %q", label)
		}
	}
}

// checkItem compares an item with the object on the server.
func (h *handset) checkItem(item eas.Properties, s stored) {
	o, e := h.world.found(s)
	t, detail := o.detail(e)
	if got := textOf(item, t); got != detail && (o.kind.class != eas.ClassCalendar || compact(got) != detail) {
		h.problem("holds %q with %v = %q, want %q", s.label, t, got, detail)
	}
	if k := o.kind; k.side != nil && k.side.read(item) != s.side {
		h.problem("holds %q with %s = %q, want %q", s.label, k.side.name, k.side.read(item), s.side)
	}
	for at, d := range o.days {
		title, named := strings.CutPrefix(d.line, "SUMMARY:")
		if named && d.by != h.String() && !says(item, title) { // its own is not told to it
			h.problem("holds %q without the occurrence %q at %s", s.label, title, at)
		}
	}
}

// says tells whether a text stands anywhere in an item.
func says(p eas.Properties, text string) bool {
	return slices.ContainsFunc(p, func(e eas.Element) bool { return e.Text == text || says(e.Children, text) })
}
