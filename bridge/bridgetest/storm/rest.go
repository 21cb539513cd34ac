package storm

import (
	"maps"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

const (
	// maxPasses is how many times all phones may need to synchronize until nobody
	// has anything to say: an edit, what others make of it, and that again.
	maxPasses = 7

	// betweenPasses is long enough for the bridge to believe what it doubted.
	betweenPasses = 11 * time.Minute
)

// calm turns the faults off, or on again.
func (w *world) calm(calm bool) {
	w.weather.still(calm)
	w.wire.still(calm)
	if s, ok := w.shelf.(Stormy); ok {
		s.Still(calm || w.options.Calm)
	}
	if house := w.options.Mailhouse; house != nil {
		house.Still(calm || w.options.Calm)
	}
}

// calmly ends all that is wrong, until the answer is called.
func (w *world) calmly() func() {
	w.calm(true)
	w.relieve()
	if err := w.shelf.Recover(); err != nil {
		w.problem("the shelf is broken: %v", err)
	}
	if w.options.Worker != nil {
		w.recover()
	}
	return func() { w.calm(false) }
}

// rest lets every phone synchronize until nothing is new, and checks.
func (w *world) rest() {
	w.note("rest")
	defer w.calmly()()
	w.pass(time.Hour)
	if w.options.Mailhouse != nil {
		w.outlast()
	}
	w.count(func(r *Report) { r.Rests++ })
	for pass := 1; ; pass++ {
		news := 0
		for _, h := range w.phones {
			for _, sync := range []func() (int, error){func() (int, error) { return h.synced(h.phone.FolderSync(w.t.Context())) }, h.sync} {
				n, err := sync()
				if err != nil {
					h.problem("synchronizing in calm weather: %v", err)
				}
				news += n
			}
		}
		if pass == 1 {
			w.release()
		}
		if news == 0 && pass > 1 {
			break
		}
		if pass == maxPasses {
			w.problem("after %d passes the phones are still told news", pass)
			break
		}
		w.pass(betweenPasses)
	}
	there := w.inventory()
	for _, p := range w.places {
		if !p.gone {
			w.checkServer(p, there[p])
		}
	}
	for _, h := range w.phones {
		h.check(there)
	}
	if w.mail != nil {
		w.mail.check()
	}
	if w.told == 0 {
		w.quiet()
	}
	w.settle(there)
}

// release lets an administrator release what a Worker still holds of a collection
// that showed empty, though everybody saw it full again: it is what was deleted
// before that. Where time passes, a later listing says so.
func (w *world) release() {
	if w.options.Worker == nil || !w.weather.hidAny() {
		return
	}
	if err := w.options.Worker.Release(); err != nil {
		w.problem("releasing what is held: %v", err)
	}
}

// quiet finds out whether a phone that knows everything is left in peace: it gets
// an empty answer, and its Ping lasts as long as it may.
func (w *world) quiet() {
	for _, h := range w.phones {
		w.wire.listen(h)
		if n, err := h.sync(); n != 0 || err != nil {
			h.problem("knows everything, and is told %d things more, error %v", n, err)
		}
		if n := w.wire.heard(); n > 0 && h.version >= eas.V121 {
			h.problem("knows everything, and %d answers were not empty", n)
		}
	}
	if w.options.Awake {
		return
	}
	for _, h := range w.phones {
		today, begin := time.Now().UTC().YearDay(), time.Now()
		r, err := h.phone.Ping(w.t.Context(), heartbeat)
		if today != time.Now().UTC().YearDay() || h.passed(begin) { // when filters move on
			h.sync()
		} else if err != nil || r.Status != eas.PingExpired {
			h.problem("knows everything, and was woken with status %d in %v, error %v", r.Status, r.Folders, err)
		}
	}
}

// settle makes what is now the beginning of what comes.
func (w *world) settle(there inventory) {
	for _, list := range there {
		for _, s := range list {
			o, e := w.found(s)
			if e == nil {
				continue
			}
			o.base, o.editions = e, nil
			o.turnBase, o.turns = e.value(o.kind), nil
			o.sideBase, o.sides, o.beside = serialOf(s.side), nil, nil
			o.lines, o.blocks = s.rest, maps.Clone(s.blocks)
			if w.rewrites { // in an order of its own
				slices.Sort(o.lines)
			}
		}
	}
	for _, o := range w.objects {
		o.movesBase = o.moves
	}
	for _, h := range w.phones {
		clear(h.adds)
	}
	if w.mail != nil {
		w.mail.settle()
	}
	w.weather.settle()
}
