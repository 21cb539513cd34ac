package storm

import (
	"slices"
	"sync"
	"time"
)

// A deed is one kind of step, as likely as its weight.
type deed struct {
	weight int
	stormy bool // not in Options.Calm
	do     func(*world)
}

var deeds = []deed{
	{8, false, func(w *world) { w.any().add() }},
	{16, false, func(w *world) { w.any().edit() }},
	{8, false, func(w *world) { w.any().editDay() }},
	{4, false, func(w *world) { w.any().remove() }},
	{6, false, func(w *world) { w.any().move() }},
	{3, false, func(w *world) { w.any().rearrange() }},
	{24, false, func(w *world) { w.any().sync() }},
	{10, false, func(w *world) { w.any().syncOne() }},
	{2, false, func(w *world) { w.any().folderSync() }},
	{2, false, func(w *world) { w.any().forget() }},
	{2, false, func(w *world) { w.any().wait() }},
	{4, false, (*world).together},
	{5, false, (*world).desktopAdds},
	{16, false, (*world).desktopActs},
	{3, false, (*world).rearrange},
	{1, false, (*world).imports},
	{1, false, (*world).cleansOut},
	{2, false, (*world).sleep},
	{2, true, (*world).restart},
	{2, true, func(w *world) { w.wire.late() }},
	{2, true, (*world).stumble},
	{4, true, (*world).suffer},
}

// step does one thing.
func (w *world) step() {
	w.count(func(r *Report) { r.Steps++ })
	if w.report.Steps >= w.outageEnds {
		w.relieve()
	}
	if _, suffers := w.shelf.(Sufferer); suffers && w.report.Steps%restEvery == restEvery/2 && !w.options.Calm {
		w.suffer() // for certain
	}
	sum, deeds := 0, w.today()
	for _, d := range deeds {
		sum += d.weight
	}
	n := w.rng.IntN(sum)
	for _, d := range deeds {
		if n -= d.weight; n < 0 {
			if !d.stormy || !w.options.Calm {
				d.do(w)
			}
			return
		}
	}
}

func (w *world) any() *handset { return w.phones[w.rng.IntN(len(w.phones))] }

// sleep lets the clock jump, so that filters move over items and what is
// remembered for a while is forgotten.
func (w *world) sleep() {
	spans := []time.Duration{time.Minute, time.Hour, 20 * time.Hour, 5 * 24 * time.Hour}
	span := spans[w.rng.IntN(len(spans))]
	w.note("%v pass", span)
	w.pass(span)
}

func (w *world) pass(span time.Duration) {
	if !w.options.Awake {
		time.Sleep(span)
	}
}

// stumble lets the shelf's worst happen.
func (w *world) stumble() {
	what := ""
	switch worker, house := w.options.Worker, w.options.Mailhouse; {
	case worker != nil && w.rng.IntN(2) == 0:
		what = worker.Stumble()
	case house != nil && w.rng.IntN(2) == 0:
		what = house.Stumble()
	default:
		what = w.shelf.Stumble()
	}
	if what != "" {
		w.fault("%s", what)
		w.mail.harmed()
	}
}

// together lets several phones and the desktop act all at once.
func (w *world) together() {
	some := slices.Clone(w.phones)
	w.rng.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	some = some[:2+w.rng.IntN(len(some)-1)]
	w.note("%d phones at once", len(some))
	w.weather.crowd(+1)
	var running sync.WaitGroup
	judge := make([]func(), len(some))
	for i, h := range some {
		running.Go(func() {
			events, err := h.phone.Sync(w.t.Context())
			judge[i] = func() { h.synced(events, err) }
		})
	}
	for range w.rng.IntN(3) {
		w.desktopActs()
	}
	running.Wait()
	w.weather.crowd(-1)
	for _, f := range judge {
		f()
	}
}
