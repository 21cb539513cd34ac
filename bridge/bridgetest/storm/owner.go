package storm

import (
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// mine is an edit of the phone's owner.
func (h *handset) mine(p *place) edit {
	return edit{by: h.String(), rebuilt: h.settings.Rebuilds, void: p.readOnly}
}

// add lets the phone's owner make something.
func (h *handset) add() {
	f, ok := h.someFolder()
	if !ok || f.SyncKey == "0" {
		return
	}
	w, k := h.world, f.place.kind
	o, e := w.newObject(f.place, h.String())
	p := k.sends(o, e)
	if k.more != nil {
		p = append(p, k.more(o)...)
	}
	id, err := h.phone.Add(f.ServerID, p)
	if err != nil {
		h.problem("adding: %v", err)
	}
	h.adds[id] = o
	w.note("%s adds %q as %s in %q", h, e.label(), id, f.DisplayName)
	switch {
	case f.place.readOnly:
		o.gone = "nobody, for it cannot be,"
	case f.place.gone: // which the phone does not know; and it may come back before it does
		o.gone, o.perhaps = desktop, true
	}
}

// edit lets the phone's owner change something.
func (h *handset) edit() {
	f, id, o, was := h.someItem()
	if o == nil {
		return
	}
	w, k := h.world, o.kind
	if k.side != nil && w.rng.IntN(3) == 0 {
		text := w.sided(o, h.mine(o.where))
		w.note("%s gives %q the %s (%s)", h, was.label(), text, id)
		if err := h.phone.Change(f.ServerID, id, eas.Properties{k.side.send(h.version, text)}); err != nil {
			h.problem("editing: %v", err)
		}
		return
	}
	e := w.edited(o, *was, w.turned(o, *was), h.mine(o.where))
	w.note("%s makes %q of %q (%s)", h, e.label(), was.label(), id)
	sent := k.sends(o, e)
	if k.turns() && e.value(k) == was.value(k) {
		sent = sent[:1] // the title: what the phone is told of the rest until it sends this stays
	}
	if err := h.phone.Change(f.ServerID, id, sent); err != nil {
		h.problem("editing: %v", err)
	}
}

// editDay lets the phone's owner change one occurrence of a series.
func (h *handset) editDay() {
	if h.version < eas.V160 {
		return
	}
	var calendars []folder
	for _, f := range h.folders() {
		if f.Class == eas.ClassCalendar && len(f.Items) > 0 {
			calendars = append(calendars, f)
		}
	}
	if len(calendars) == 0 {
		return
	}
	w := h.world
	// Of a series with holes: the phone may not know yet, and edit what is not there.
	f, id, o, was := h.someItemOf(calendars[w.rng.IntN(len(calendars))], func(o *object) bool { return o.series && !o.excluded() })
	if o == nil {
		return
	}
	at := w.someDay(was).Format(form)
	w.serial++
	title := fmt.Sprintf("day %d of %d", w.serial, o.number)
	w.note("%s calls the occurrence of %q at %s %q", h, was.label(), at, title)
	w.besides(o, was, h.mine(o.where))
	w.occurrence(o, at, "SUMMARY:"+title, h.mine(o.where))
	if err := h.phone.ChangeInstance(f.ServerID, id, at, eas.Properties{eas.T(tag.CalendarSubject, title)}); err != nil {
		h.problem("editing an occurrence: %v", err)
	}
}

// remove lets the phone's owner delete something.
func (h *handset) remove() {
	f, id, o, was := h.someItem()
	if o == nil {
		return
	}
	h.world.note("%s deletes %q (%s)", h, was.label(), id)
	if !o.where.readOnly {
		h.world.deleted(o, h.String())
		if o.wanders() { // then it may be elsewhere by now, and what the phone did to it and has not sent goes nowhere
			o.perhaps = true
			o.refuse(h.String())
		}
	}
	if err := h.phone.Delete(f.ServerID, id); err != nil {
		h.problem("deleting: %v", err)
	}
}

// calmSync synchronizes once the weather is calm. A first request may still share
// the trouble that an earlier one is in.
func (h *handset) calmSync() bool {
	if _, err := h.sync(); err != nil && h.world.mail != nil {
		h.world.outlast() // a mail may be under way at a worker that was killed
	}
	n, err := h.sync()
	if err != nil {
		h.problem("synchronizing in calm weather (%d events): %v", n, err)
	}
	return err == nil
}

// forget makes the phone new. What its owner edited is brought home before.
func (h *handset) forget() {
	w := h.world
	defer w.calmly()()
	if !h.calmSync() {
		return
	}
	w.note("%s forgets everything", h)
	h.phone.Forget()
}

const (
	// heartbeat is how long a phone waits. No test waits for its end but in a bubble.
	heartbeat = 10 * time.Minute

	// meanwhile is how long after the phone began to wait something happens.
	meanwhile = 3 * time.Second
)

// wait lets a phone wait in a Ping until something happens on the server, which
// it then has to know.
func (h *handset) wait() {
	w := h.world
	defer w.calmly()()
	if !h.calmSync() {
		return
	}
	p := w.somePlace()
	if h.version < p.kind.min {
		return
	}
	w.note("%s waits", h)
	w.count(func(r *Report) { r.Pings++ })
	answered := make(chan struct{})
	var status eas.PingStatus
	var err error
	w.weather.crowd(+1)
	go func() {
		defer close(answered)
		r, e := h.phone.Ping(w.t.Context(), heartbeat)
		status, err = r.Status, e
	}()
	w.pass(meanwhile)
	o, e := w.desktopAddsTo(p)
	<-answered
	w.weather.crowd(-1)
	w.note("%s is told %d, %v", h, status, err)
	expired := status == eas.PingExpired && !h.shows(o, &e)
	if err != nil || !expired && status != eas.PingChanges && status != eas.PingHierarchyChanged {
		h.problem("waited for something new in %s, and was told status %d, error %v", p.id, status, err)
	}
	h.sync()
}
