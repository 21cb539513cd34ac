package storm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// A wire carries requests from phones to the bridge, more or less.
type wire struct {
	world *world

	mu     sync.Mutex
	calm   bool
	sent   map[string]uint64   // by each phone
	before map[string]*message // the last that led somewhere, by phone and folder
	spoken int                 // answers to Syncs that were not empty, since listen
}

// A message is a request that can be sent any number of times.
type message struct {
	request *http.Request
	body    []byte
	gust    *gust
}

// mails tells whether the request sends a mail that it carries itself.
func (m *message) mails() bool {
	switch m.request.URL.Query().Get("Cmd") {
	case "SendMail", "SmartReply", "SmartForward":
		return true
	}
	return false
}

var (
	errLost = errors.New("the connection broke before the answer came")
	errKill = errors.New("the worker died")
)

// message reads a request. Its chance comes from the phone and its number.
func (x *wire) message(r *http.Request) (*message, error) {
	name := r.Header.Get("User-Agent")
	x.mu.Lock()
	x.sent[name]++
	n := x.sent[name]
	x.mu.Unlock()
	for _, letter := range name {
		n = n*31 + uint64(letter)
	}
	m := &message{request: r, gust: &gust{rng: rand.New(rand.NewPCG(x.world.options.Seed, n))}}
	if r.Body == nil {
		return m, nil
	}
	defer r.Body.Close()
	var err error
	m.body, err = io.ReadAll(r.Body)
	return m, err
}

func (x *wire) roll(m *message, permille int) bool {
	x.mu.Lock()
	calm := x.calm
	x.mu.Unlock()
	return !calm && m.gust.number(1000) < permille
}

func (x *wire) still(calm bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calm = calm || x.world.options.Calm
	clear(x.before)
}

// listen counts answers that are not empty; heard is how many there were.
func (x *wire) listen(*handset) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.spoken = 0
}

func (x *wire) heard() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.spoken
}

// RoundTrip brings a request to the bridge.
func (x *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	m, err := x.message(r)
	if err != nil {
		return nil, err
	}
	w := x.world
	switch {
	case x.roll(m, 50):
		w.fault("the request is lost")
		return nil, errLost
	case x.roll(m, 70):
		w.fault("the answer is lost")
		if _, err := x.deliver(m); err != nil {
			return nil, err
		}
		return nil, errLost
	case x.roll(m, 70):
		return x.repeated(m, 2+m.gust.number(3))
	case x.roll(m, 30):
		return x.sideBySide(m)
	case x.roll(m, 50):
		w.fault("the phone hangs up")
		return x.hangUp(m)
	}
	return x.deliver(m)
}

// keep remembers a request that led to new keys: no older one for these
// folders can come any more, unless the network turns the order around.
func (x *wire) keep(m *message, resp *http.Response) *http.Response {
	var asked eas.SyncRequest
	if resp.StatusCode != http.StatusOK || eas.Unmarshal(m.body, &asked) != nil {
		return resp
	}
	body, _ := io.ReadAll(resp.Body) // of a recorder: never fails
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if moved(m.body, body) {
		x.supersede(m, asked, true)
	}
	return resp
}

// supersede drops the older requests for the folders of one that led, or may
// have led, to new keys. If it did for sure, it may itself come late from now on.
func (x *wire) supersede(m *message, asked eas.SyncRequest, sure bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	name := m.request.Header.Get("User-Agent") + " "
	for _, c := range asked.Collections {
		if older := x.before[name+c.CollectionID]; older != nil {
			maps.DeleteFunc(x.before, func(_ string, o *message) bool { return o == older })
		}
		if sure {
			x.before[name+c.CollectionID] = m
		}
	}
}

// unheard is keep for a request to a worker that was killed, or whose phone hung
// up: nobody knows whether it was carried out, and so whether one that is older
// would still come in its turn.
func (x *wire) unheard(m *message) {
	var asked eas.SyncRequest
	if m.request.URL.Query().Get("Cmd") == "Sync" && eas.Unmarshal(m.body, &asked) == nil {
		x.supersede(m, asked, false)
	}
}

// late sends a request that was answered once more, to nobody.
func (x *wire) late() {
	x.mu.Lock()
	var m *message
	if len(x.before) > 0 {
		names := slices.Sorted(maps.Keys(x.before))
		m = x.before[names[x.world.rng.IntN(len(names))]]
	}
	x.mu.Unlock()
	if m == nil {
		return
	}
	x.world.fault("a request of %s comes late", m.request.Header.Get("User-Agent"))
	x.deliver(m)
}

// deliver lets the bridge answer. A worker that is killed meanwhile does not,
// and a new one is there for the next request.
func (x *wire) deliver(m *message) (*http.Response, error) {
	if x.world.options.Worker != nil {
		return x.hire(m)
	}
	resp, err := x.serve(context.WithoutCancel(m.request.Context()), m)
	if state := x.world.weather.killed(); state != "" {
		x.world.revive(state)
		return nil, errKill
	}
	return resp, err
}

// serve has the bridge answer, wherever it is.
func (x *wire) serve(ctx context.Context, m *message) (*http.Response, error) {
	x.world.count(func(r *Report) { r.Requests++ })
	r := m.request.Clone(withGust(ctx, m.gust))
	r.Body = io.NopCloser(bytes.NewReader(m.body))
	resp := new(http.Response)
	if worker := x.world.options.Worker; worker != nil {
		var err error
		if resp, err = whole(worker.RoundTrip(r)); err != nil {
			x.unheard(m)
			return nil, fmt.Errorf("%w (%w)", errKill, err)
		}
	} else {
		r.RequestURI = m.request.URL.RequestURI()
		rec := httptest.NewRecorder()
		x.world.bridge.Handler().ServeHTTP(rec, r)
		resp = rec.Result()
	}
	if r.URL.Query().Get("Cmd") == "Sync" && resp.ContentLength != 0 {
		x.mu.Lock()
		x.spoken++
		x.mu.Unlock()
	}
	return x.keep(m, resp), nil
}

// whole is a response whose body has been read, so that nothing can break off.
func whole(resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

// repeated sends a request several times, one after the other, and answers the
// last answer. An answer with news has to be the same each time.
func (x *wire) repeated(m *message, times int) (*http.Response, error) {
	x.world.fault("the request comes %d times", times)
	var last *http.Response
	var told []byte
	for range times {
		resp, err := x.deliver(m)
		if err != nil {
			return nil, err
		}
		body, _ := io.ReadAll(resp.Body) // of a recorder: never fails
		resp.Body = io.NopCloser(bytes.NewReader(body))
		last = resp
		if resp.StatusCode != http.StatusOK || m.request.URL.Query().Get("Cmd") != "Sync" {
			continue
		}
		if told != nil && !bytes.Equal(told, body) {
			x.world.problem("a request of %s that came again got another answer:\n%q\nthen\n%q", m.request.Header.Get("User-Agent"), told, body)
		}
		if moved(m.body, body) {
			told = body
		}
	}
	return last, nil
}

// moved tells whether an answer leads to other keys than the request had.
func moved(request, answer []byte) bool {
	var asked eas.SyncRequest
	var told eas.SyncResponse
	if eas.Unmarshal(request, &asked) != nil || len(answer) == 0 || eas.Unmarshal(answer, &told) != nil {
		return false
	}
	for _, a := range asked.Collections {
		for _, c := range told.Collections {
			if c.CollectionID == a.CollectionID && c.Status == eas.SyncOK && c.SyncKey != a.SyncKey {
				return true
			}
		}
	}
	return false
}

// sideBySide sends a request twice at once and answers one of the answers: of a mail
// the later one. A phone sends a mail again when it has given the first request up,
// and does not hear that it was refused; had it heard so, then whoever brings the mail
// once more would send it.
func (x *wire) sideBySide(m *message) (*http.Response, error) {
	x.world.fault("the request comes twice at once")
	x.world.weather.crowd(+1)
	defer x.world.weather.crowd(-1)
	ctx := context.WithoutCancel(m.request.Context())
	var both [2]*http.Response
	var errs [2]error
	var running sync.WaitGroup
	var later atomic.Int32
	for i := range both {
		running.Go(func() {
			both[i], errs[i] = x.serve(ctx, m)
			later.Store(int32(i))
		})
	}
	running.Wait()
	i := m.gust.number(2)
	if m.mails() {
		i = int(later.Load())
	}
	return both[i], errs[i]
}

// hangUp ends the connection after some calls of the backend.
func (x *wire) hangUp(m *message) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(m.request.Context()))
	defer cancel()
	if x.world.options.Worker != nil {
		defer time.AfterFunc(time.Duration(m.gust.number(30))*time.Millisecond, cancel).Stop()
	}
	x.world.weather.impatience(m.gust.number(4), cancel)
	defer x.world.weather.impatience(0, nil)
	x.serve(ctx, m) //nolint:errcheck // nobody hears the answer
	if state := x.world.weather.killed(); state != "" {
		x.world.revive(state)
	}
	return nil, errLost
}

// client makes the HTTP client of all phones.
func (x *wire) client() *http.Client { return &http.Client{Transport: x} }

// address is where the wire ends.
const address = "http://bridge.example"
