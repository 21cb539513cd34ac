package storm

import (
	"errors"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// moved notes that somebody moves an object. Who did not hear of it may delete it
// where it is no more, and it stays where it is.
func (w *world) moved(o *object) {
	o.moves++
	if o.gone != desktop {
		o.perhaps = o.perhaps || o.gone != ""
	}
	w.count(func(r *Report) { r.Moves++ })
}

// wanders tells whether an object was moved since the last rest, so that not
// everybody knows.
func (o *object) wanders() bool { return o.moves > o.movesBase }

// absorbs tells whether the phone sees a folder, which it may have made itself, as
// a part of another one.
func (h *handset) absorbs(p *place) bool { return h.merges && p.extra }

// tooLate says that what a phone's owner edited in a folder that is gone may have
// been moved out of it before.
func (h *handset) tooLate() {
	for _, o := range h.world.objects {
		if o.wanders() {
			o.refuse(h.String())
		}
	}
}

// lies lists the places in which the server holds an object, each as often as it
// does.
func (w *world) lies(o *object) []*place {
	var in []*place
	for _, p := range w.places {
		if p.gone || p.kind != o.kind {
			continue
		}
		for _, s := range w.holds(p) {
			if other, _ := w.parse(s.label); other == o {
				in = append(in, p)
			}
		}
	}
	return in
}

// desktopMoves takes an object to another collection of its kind, if there is
// one: it is written there first, and then removed.
func (w *world) desktopMoves(o *object, s stored) {
	var others []*place
	for _, p := range w.places {
		if p != s.where && p.kind == o.kind && !p.gone && !p.readOnly {
			others = append(others, p)
		}
	}
	if len(others) == 0 || s.where.readOnly || !o.sure || o.gone != "" {
		return
	}
	from := s.where
	s.where = others[w.rng.IntN(len(others))]
	w.note("%s moves %q from %s to %s", desktop, s.label, from.id, s.where.id)
	w.moved(o)
	o.where = s.where
	w.store(s, s.lines)
	if err := w.shelf.Remove(from.id, s.id); err != nil {
		w.problem("%s removes %q: %v", desktop, s.label, err)
	}
}

// insist does something until it is known what came of it: what fails in bad
// weather is tried again in good weather.
func (h *handset) insist(do func() error) error {
	err := do()
	if err == nil || !h.forgives(err) {
		return err
	}
	h.world.note("%s tries again, after: %v", h, err)
	defer h.world.calmly()()
	if err = do(); err != nil && h.forgives(err) { // it may share the trouble that the first one is still in
		err = do()
	}
	return err
}

// move lets the phone's owner move something to another folder of its kind.
func (h *handset) move() {
	w := h.world
	all := h.folders()
	siblings := slices.DeleteFunc(slices.Clone(all), func(f folder) bool { return len(f.others(all)) == 0 || len(f.Items) == 0 })
	if len(siblings) == 0 {
		return
	}
	f, id, o, was := h.someItemOf(siblings[w.rng.IntN(len(siblings))], func(o *object) bool { return o.sure }) // else its maker's next try makes it again
	if o == nil {
		return
	}
	others := f.others(all)
	to := others[w.rng.IntN(len(others))]
	w.note("%s moves %q (%s) from %s to %s", h, was.label(), id, f.place.id, to.place.id)
	wandered := o.wanders() // away and back: it has another ServerId now, which the phone may not know
	w.moved(o)
	before, refusals, gone := o.moves, w.report.Refusals, o.gone
	var out []eas.MoveOutcome
	err := h.insist(func() (err error) {
		out, err = h.phone.Move(w.t.Context(), f.ServerID, to.ServerID, id)
		return err
	})
	w.note("%s is told of the move: %+v, error %v", h, out, err)
	if gone == "" && o.gone == desktop { // while it was copied: the desktop saw two, and deleted one
		o.perhaps = true
	}
	if err != nil || len(out) != 1 {
		h.problem("moving %q: %v, with %d answers", was.label(), err, len(out))
		return
	}
	elsewhere := o.moves != before || o.where != f.place // somebody else was faster
	excused := elsewhere || o.gone != "" || f.place.stale() || to.place.stale() || f.place.readOnly || to.place.readOnly ||
		w.report.Refusals > refusals || out[0].Status == eas.MoveLocked || wandered && out[0].Status == eas.MoveBadSource
	h.checkMove(o, to.place, out[0].Status, elsewhere, excused)
	w.forgave += w.report.Refusals - refusals
}

// others are the folders to which things of a folder can be moved.
func (f folder) others(all []folder) []folder {
	return slices.DeleteFunc(slices.Clone(all), func(to folder) bool { return to.place == f.place || to.place.kind != f.place.kind })
}

// checkMove looks for an object where it has to be after a move, and only there.
func (h *handset) checkMove(o *object, to *place, status eas.MoveStatus, elsewhere, excused bool) {
	in := h.world.lies(o)
	switch {
	case status != eas.MoveOK && !excused:
		h.problem("the move of object %d was refused with status %d", o.number, status)
	case len(in) > 1:
		h.problem("object %d was moved, and is there %d times: %v", o.number, len(in), names(in))
	case len(in) == 0:
		if o.gone == "" {
			h.problem("object %d was moved with status %d, and is nowhere", o.number, status)
		}
	case status == eas.MoveOK && in[0] != to && !elsewhere:
		h.problem("object %d was moved to %s, and is in %s", o.number, to.id, in[0].id)
	case status != eas.MoveOK && status != eas.MoveLocked && in[0] != o.where:
		h.problem("the move of object %d was refused with status %d, and it is in %s", o.number, status, in[0].id)
	default:
		o.where = in[0]
	}
}

func names(list []*place) []string {
	var all []string
	for _, p := range list {
		all = append(all, string(p.id))
	}
	return all
}

// statusOf is a status that a command was refused with; 0 if it was not.
func statusOf(err error) int {
	var se *phone.StatusError
	if errors.As(err, &se) {
		return se.Status
	}
	return 0
}
