package storm

import (
	"net/http"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/phone"
)

const (
	// mostRandom bounds the moment, counted from when a request is sent, at which
	// the worker is killed. Most answers take less.
	mostRandom = 25 * time.Millisecond

	// recovery is how long a worker and what it talks to may take until
	// everything works, which is far more than they need.
	recovery = 2 * time.Minute
)

// hire has a worker of another process answer, and may kill it at any moment of
// that, or let the desktop act meanwhile.
func (x *wire) hire(m *message) (*http.Response, error) {
	w := x.world
	ctx := m.request.Context()
	alone := w.weather.alone()
	switch {
	case alone && x.roll(m, 60):
		at := time.Duration(m.gust.number(int(mostRandom)))
		if w.mail != nil { // which takes longer
			at *= 4
		}
		w.fault("the worker is killed")
		w.count(func(r *Report) { r.Kills++ })
		var killing sync.WaitGroup
		killing.Go(func() {
			time.Sleep(at) // any moment will do
			if err := w.options.Worker.Kill(); err != nil {
				w.t.Errorf("killing the worker: %v", err)
			}
			w.mail.harmed()
		})
		resp, err := x.serve(ctx, m)
		killing.Wait()
		w.open()
		w.mail.harmed() // what it said before it was killed may have been heard only then
		return resp, err
	case alone && x.roll(m, 40):
		w.note("  meanwhile:")
		w.weather.crowd(+1)
		defer w.weather.crowd(-1)
		var resp *http.Response
		var err error
		var serving sync.WaitGroup
		serving.Go(func() { resp, err = x.serve(ctx, m) })
		w.desktopActs()
		serving.Wait()
		return resp, err
	case alone && x.roll(m, 20):
		w.stumble()
	case alone && x.roll(m, 120):
		w.hide()
	}
	w.expose(alone && w.mail != nil)
	resp, err := x.serve(ctx, m)
	if w.expose(false) {
		w.open()
		w.mail.harmed()
	}
	return resp, err
}

// recover waits until the worker and everything behind it works: until one
// phone of its own could ask for every folder by itself.
func (w *world) recover() {
	if w.probe == nil {
		w.probe = w.handset("probe", kinds[len(kinds)-1].min, phone.Settings{WindowSize: 100})
	}
	for deadline := time.Now().Add(recovery); ; {
		_, err := w.probe.phone.Sync(w.t.Context())
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			w.problem("nothing works %v after everything was to be well again: %v", recovery, err)
			break
		}
		time.Sleep(20 * time.Millisecond) // gives way; the answer decides
	}
	if n := w.options.Worker.Leftovers(); n > 0 {
		w.problem("%d processes of workers that were killed go on", n)
	}
}
