package storm

import (
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// maxPasses is how many times all phones may need to synchronize until nobody
// has anything to say: an edit, what others make of it, and that again.
const maxPasses = 6

// calm turns the faults off, or on again.
func (w *world) calm(calm bool) {
	w.weather.still(calm)
	w.wire.still(calm)
}

// rest lets every phone synchronize until nothing is new, and checks.
func (w *world) rest() {
	w.note("rest")
	w.calm(true)
	defer w.calm(false)
	w.pass(time.Hour)
	if err := w.shelf.Recover(); err != nil {
		w.problem("the shelf is broken: %v", err)
	}
	w.count(func(r *Report) { r.Rests++ })
	for pass := 1; ; pass++ {
		news := 0
		for _, h := range w.phones {
			n, err := h.synced(h.phone.Sync(w.t.Context()))
			if err != nil {
				h.problem("synchronizing in calm weather: %v", err)
			}
			news += n
		}
		if news == 0 && pass > 1 {
			break
		}
		if pass == maxPasses {
			w.problem("after %d passes the phones are still told news", pass)
			break
		}
	}
	for _, k := range kinds {
		w.checkServer(k)
		for _, h := range w.phones {
			if h.version >= k.min {
				h.check(k)
			}
		}
	}
	w.settle()
}

// checkServer compares what the server holds with what people wanted.
func (w *world) checkServer(k *kind) {
	seen := make(map[int]bool)
	for _, s := range w.holds(k) {
		o, e := w.parse(s.label)
		switch {
		case o == nil:
			w.problem("the server holds %s as %q, which nobody made", s.id, s.label)
			continue
		case seen[o.number]:
			w.problem("the server holds object %d twice, as %q", o.number, s.label)
		case o.gone != "" && !o.perhaps:
			w.problem("the server holds %q, which %s deleted", s.label, o.gone)
		case e == nil || !o.mayBe(e.serial):
			w.problem("the server holds %q, but the last editions are %v, after %v", s.label, o.editions, o.base)
		}
		seen[o.number] = true
		w.checkDays(o, s)
		for _, line := range o.keep {
			if !slices.Contains(s.lines, line) {
				w.problem("%q lost the line %q:\n%s", s.label, line, strings.Join(s.lines, "\n"))
			}
		}
	}
	for _, o := range w.objects {
		if o.kind == k && o.gone == "" && !seen[o.number] {
			w.problem("object %d, which %s made, is not on the server, and nobody deleted it", o.number, o.by)
		}
	}
}

// checkDays looks for the occurrences that were edited. Where others edited the
// series at the same time, theirs may be what stayed; what is there once stays.
func (w *world) checkDays(o *object, s stored) {
	authors := make(map[string]bool)
	for _, e := range o.editions {
		authors[e.by] = true
	}
	for day, title := range o.days {
		line := "SUMMARY:" + title
		switch {
		case slices.Contains(o.keep, line):
		case slices.Contains(s.lines, line):
			o.keep = append(o.keep, line)
		case len(authors) > 1:
			delete(o.days, day)
		default:
			w.problem("%q lost its occurrence %q:\n%s", s.label, title, strings.Join(s.lines, "\n"))
		}
	}
}

// mayBe tells whether an edition can be what is left of all since the last
// rest: somebody's last one; and if there was but one person, that one's. A
// phone that rebuilds its requests may lose an edit to an earlier one of its
// own that the server stored and could not say so: what comes then is another
// edit, upon something that the phone was never told.
func (o *object) mayBe(serial int) bool {
	if len(o.editions) == 0 {
		return o.base != nil && o.base.serial == serial
	}
	last := make(map[string]int)
	for _, e := range o.editions {
		if last[e.by] = e.serial; e.serial == serial && e.rebuilt {
			return true
		}
	}
	for _, s := range last {
		if s == serial {
			return true
		}
	}
	return false
}

// check compares what a phone holds with what the server holds.
func (h *handset) check(k *kind) {
	w := h.world
	want := make(map[string]bool)
	for _, s := range w.holds(k) {
		if o, e := w.parse(s.label); e != nil && h.shows(o, e) {
			want[s.label] = true
		}
	}
	for _, f := range h.folders() {
		if f.kind != k || f.Type >= eas.FolderUserMail {
			continue
		}
		for id, item := range f.Items {
			label := labels.FindString(phone.Title(item))
			if !want[label] {
				h.problem("holds %s as %q, which it should not, or twice", id, label)
				continue
			}
			delete(want, label)
			o, e := w.parse(label)
			t, detail := o.detail(e)
			if got, _ := item.Text(t); strings.NewReplacer("-", "", ":", "", ".000", "").Replace(got) != detail && got != detail {
				h.problem("holds %q with %v = %q, want %q", label, t, got, detail)
			}
		}
	}
	for label := range want {
		h.problem("does not hold %q", label)
	}
}

// settle makes what is now the beginning of what comes.
func (w *world) settle() {
	for _, k := range kinds {
		for _, s := range w.holds(k) {
			if o, e := w.parse(s.label); e != nil {
				base := *e
				o.base, o.editions = &base, nil
			}
		}
	}
}
