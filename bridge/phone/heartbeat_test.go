package phone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

const minute = time.Minute

// lived says that Pings live for their whole heartbeats.
func lived(h *Heartbeat, times int) {
	for range times {
		h.Lived(h.Next())
	}
}

// silent says that Pings are lost for no reason that is known.
func silent(h *Heartbeat, times int) {
	for range times {
		h.Lost(Silence, h.Next()+grace)
	}
}

func TestHeartbeat(t *testing.T) {
	fives := func() Heartbeat { return Heartbeat{Default: 5 * minute, Increment: 4 * minute} }
	for _, c := range []struct {
		name string
		h    Heartbeat
		then func(*Heartbeat)
		want time.Duration
	}{
		{"begins with the default", Heartbeat{}, func(*Heartbeat) {}, HeartbeatDefault},
		{"grows", Heartbeat{}, func(h *Heartbeat) { lived(h, 1) }, HeartbeatDefault + HeartbeatIncrement},
		{"grows up to the most", Heartbeat{}, func(h *Heartbeat) { lived(h, 99) }, HeartbeatMax},
		{"does not grow while news come", fives(), func(h *Heartbeat) { h.Lived(minute); h.Lived(2 * minute) }, 5 * minute},
		{"two losses are none", fives(), func(h *Heartbeat) { lived(h, 1); silent(h, 2) }, 9 * minute},
		{"two losses, and one that lives", fives(), func(h *Heartbeat) { silent(h, 2); lived(h, 1); silent(h, 2) }, 9 * minute},
		{"three show what the network does", fives(), func(h *Heartbeat) { lived(h, 1); silent(h, 3) }, 5 * minute},
		{"comes nearer by half", fives(), func(h *Heartbeat) { lived(h, 1); silent(h, 3); lived(h, 1) }, 7 * minute},
		{"and by half of that", fives(), func(h *Heartbeat) { lived(h, 1); silent(h, 3); lived(h, 2) }, 8 * minute},
		{"until it is near", fives(), func(h *Heartbeat) { lived(h, 1); silent(h, 3); lived(h, 9) }, 8 * minute},
		{"what lived before and no longer does", fives(), func(h *Heartbeat) { lived(h, 3); h.Lived(0); h.good = h.now; silent(h, 3) }, HeartbeatMin},
		{"nothing lived", fives(), func(h *Heartbeat) { silent(h, 3) }, HeartbeatMin},
		{"not even the least", fives(), func(h *Heartbeat) { silent(h, 9) }, HeartbeatMin},
		{"the server was busy", fives(), func(h *Heartbeat) { lost(h, ServerBusy) }, 5 * minute},
		{"somebody called", fives(), func(h *Heartbeat) { lost(h, VoiceCall) }, 5 * minute},
		{"there was no network", fives(), func(h *Heartbeat) { lost(h, CoverageLost) }, 5 * minute},
		{"it broke off too soon", fives(), func(h *Heartbeat) {
			for range 9 {
				h.Lost(Silence, 30*time.Second)
			}
		}, 5 * minute},
		{"a reset tells when it is cut off", Heartbeat{}, func(h *Heartbeat) {
			for range 3 {
				h.Lost(Silence, 4*minute)
			}
			lived(h, 9)
		}, 3*minute + 30*time.Second},
		{"keeps the server's upper bound", fives(), func(h *Heartbeat) { lived(h, 1); h.Bound(7 * minute); lived(h, 9) }, 7 * minute},
		{"asks again for more a day later", fives(), func(h *Heartbeat) { h.Bound(4 * minute); lived(h, 24*15); lived(h, 1) }, 12 * minute},
		{"keeps the server's lower bound", fives(), func(h *Heartbeat) { h.Bound(15 * minute); silent(h, 3) }, 15 * minute},
		{"takes no nonsense", fives(), func(h *Heartbeat) { h.Bound(0); h.Bound(-minute) }, 5 * minute},
		{"a most below the least", Heartbeat{Min: 5 * minute, Max: minute}, func(h *Heartbeat) { lived(h, 1) }, 5 * minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.then(&c.h)
			if got := c.h.Next(); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// lost says that Pings are lost for a reason.
func lost(h *Heartbeat, why Cause) {
	for range 9 {
		h.Lost(why, h.Next())
	}
}

// A day is what a phone did in one.
type day struct {
	requests int
	longest  time.Duration // of the Pings that lived
	deaf     time.Duration // without push: a connection was cut off and the phone did not know
}

// simulate lets a phone wait for days in a network that cuts off what is idle
// for longer than cut says at that time.
func simulate(h *Heartbeat, days int, resets bool, cut func(at time.Duration) time.Duration) []day {
	list := make([]day, days)
	for at := time.Duration(0); at < time.Duration(days)*24*time.Hour; {
		d := &list[at/(24*time.Hour)]
		d.requests++
		n, c := h.Next(), cut(at)
		switch {
		case n <= c:
			h.Lived(n)
			d.longest = max(d.longest, n)
			at += n
		case resets:
			h.Lost(Silence, c)
			at += c
		default:
			h.Lost(Silence, n+grace)
			d.deaf += n + grace - c
			at += n + grace
		}
	}
	return list
}

// A phone finds the longest Ping that lives, stays there, and does not ask often.
func TestHeartbeatConverges(t *testing.T) {
	for _, c := range []struct {
		cut     time.Duration
		least   time.Duration // of what it learns
		perDay  int           // requests, when it has learnt
		firstly int           // on the first day
	}{
		{2 * minute, 90 * time.Second, 970, 970},
		{5 * minute, 4 * minute, 370, 370},
		{10 * minute, 9 * minute, 165, 175},
		{15 * minute, 14 * minute, 105, 115},
		{30 * minute, 28*minute + 45*time.Second, 52, 62},
		{time.Hour, HeartbeatMax, 25, 32},
		{24 * time.Hour, HeartbeatMax, 25, 32},
	} {
		for _, resets := range []bool{false, true} {
			t.Run(fmt.Sprintf("cut after %v, resets=%v", c.cut, resets), func(t *testing.T) {
				days := simulate(new(Heartbeat), 30, resets, func(time.Duration) time.Duration { return c.cut })
				for i, d := range days[1:] {
					if d.longest < c.least || d.longest > c.cut || d.requests > c.perDay {
						t.Fatalf("day %d: %d requests, the longest %v; want at most %d, and %v", i+2, d.requests, d.longest, c.perDay, c.least)
					}
					if d.deaf > 6*minute {
						t.Errorf("day %d: without push for %v", i+2, d.deaf)
					}
				}
				first := days[0]
				if first.requests > c.firstly || first.deaf > time.Hour {
					t.Errorf("first day: %d requests, %v without push", first.requests, first.deaf)
				}
			})
		}
	}
}

// A phone that learnt what one network allows learns what another one does.
func TestHeartbeatFollowsTheNetwork(t *testing.T) {
	const week = 7 * 24 * time.Hour
	days := simulate(new(Heartbeat), 40, false, func(at time.Duration) time.Duration {
		if at < week || at > 2*week {
			return 24 * time.Hour
		}
		return 12 * minute
	})
	if d := days[6]; d.longest != HeartbeatMax {
		t.Errorf("at first it waits %v", d.longest)
	}
	if d := days[8]; d.longest < 10*minute || d.longest > 12*minute || d.requests > 150 {
		t.Errorf("the day after the network became worse: %+v", d)
	}
	if d := days[39]; d.longest != HeartbeatMax || d.requests > 26 {
		t.Errorf("weeks after the network became better: %+v", d)
	}
}

// A cutting network drops what is idle for longer than it allows: without a word,
// or with a reset. The server's side of it is a fake.
type cutting struct {
	*fake
	after  time.Duration
	resets bool
	pings  int
}

func (n *cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.RawQuery, "Ping") {
		return n.fake.RoundTrip(r)
	}
	n.pings++
	ctx, cancel := context.WithTimeout(r.Context(), n.after)
	defer cancel()
	answer, err := n.fake.RoundTrip(r.WithContext(ctx))
	if ctx.Err() == nil {
		return answer, err
	}
	if n.resets {
		return nil, syscall.ECONNRESET
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// The whole phone waits for three days in a network that cuts off after 20
// minutes.
func TestWatchLearnsWhatTheNetworkAllows(t *testing.T) {
	for _, resets := range []bool{false, true} {
		t.Run(fmt.Sprint("resets=", resets), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				last := 0
				f.ping = func(r *http.Request, m eas.PingRequest) eas.PingResponse {
					if m.HeartbeatInterval != nil {
						last = *m.HeartbeatInterval
					}
					hold(r, time.Duration(last)*time.Second)
					return eas.PingResponse{Status: eas.PingExpired}
				}
				net := &cutting{fake: f, after: 20 * minute, resets: resets}
				c := f.config()
				c.HTTP = &http.Client{Transport: net}
				ctx, cancel := context.WithTimeout(t.Context(), 72*time.Hour)
				defer cancel()
				p := New(c.client("test"), Settings{})
				if err := p.Watch(ctx, func(Event) {}); err != nil {
					t.Fatal(err)
				}
				if got := p.settings.Heartbeat.good; got < 18*minute || got > 20*minute {
					t.Errorf("it learnt %v, want a little less than 20 minutes", got)
				}
				if net.pings > 3*85 {
					t.Errorf("%d Pings in three days, want at most 85 a day", net.pings)
				}
			})
		})
	}
}

// What has a known cause is not held against the network, and the phone comes
// back as fits the cause.
func TestWatchAndKnownCauses(t *testing.T) {
	failing := func(err error) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) { time.Sleep(10 * minute); return nil, err }
	}
	says := func(status int) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) { time.Sleep(10 * minute); return serverSays(status), nil }
	}
	radio := Silence
	for _, c := range []struct {
		name  string
		ping  func(*http.Request) (*http.Response, error)
		radio Cause
		want  time.Duration // the heartbeat after an hour of it
		least int           // attempts in an hour
		most  int
	}{
		{"the server is busy", says(503), Silence, HeartbeatDefault, 4, 6},
		{"the web server in front gives up", says(504), Silence, HeartbeatMin, 6, 7},
		{"the connection breaks", failing(syscall.ECONNRESET), Silence, HeartbeatMin, 6, 7},
		{"it breaks because somebody calls", failing(syscall.ECONNRESET), VoiceCall, HeartbeatDefault, 5, 6},
		{"it breaks in a tunnel", failing(syscall.ECONNRESET), CoverageLost, HeartbeatDefault, 5, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				pings := 0
				config := f.config()
				config.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
					if !strings.Contains(r.URL.RawQuery, "Ping") {
						return f.RoundTrip(r)
					}
					pings++
					return c.ping(r)
				})}
				radio = c.radio
				p := New(config.client("test"), Settings{
					Heartbeat: Heartbeat{Default: 12 * minute}, Radio: func() Cause { return radio }})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := p.Watch(ctx, func(Event) {}); err != nil {
					t.Fatal(err)
				}
				want := c.want
				if want == HeartbeatDefault {
					want = 12 * minute
				}
				if got := p.settings.Heartbeat.Next(); got != want {
					t.Errorf("then it waits for %v, want %v", got, want)
				}
				if pings < c.least || pings > c.most {
					t.Errorf("%d attempts in an hour, want %d to %d", pings, c.least, c.most)
				}
			})
		})
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func serverSays(status int) *http.Response {
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}}
}

func TestBackOffs(t *testing.T) {
	busy := &easclient.HTTPError{Status: 503, RetryAfter: 40 * time.Second}
	for _, c := range []struct {
		name string
		why  Cause
		err  error
		long time.Duration // the Ping lasted so long
		want []time.Duration
	}{
		{"idle connections are cut off", Silence, errors.New("reset"), 5 * minute, []time.Duration{0, 0, 0}},
		{"connections break at once", Silence, errors.New("reset"), time.Second, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		{"the server is busy", ServerBusy, errors.New("500"), time.Second, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		{"it says how long", ServerBusy, busy, time.Second, []time.Duration{40 * time.Second, 40 * time.Second, 40 * time.Second}},
		{"somebody calls", VoiceCall, errors.New("reset"), time.Hour, []time.Duration{15 * time.Second, 30 * time.Second, minute, minute}},
		{"there is no network", CoverageLost, errors.New("dial"), time.Second, slices.Concat([]time.Duration{time.Second, 2 * time.Second})},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b backoff
			for i, want := range c.want {
				if got := b.next(c.why, c.long, c.err); got != want {
					t.Errorf("pause %d is %v, want %v", i+1, got, want)
				}
			}
		})
	}
	var b backoff
	for range 99 {
		b.next(CoverageLost, 0, errors.New("dial"))
	}
	if got := b.next(CoverageLost, 0, errors.New("dial")); got != 5*minute {
		t.Errorf("at last %v, want five minutes", got)
	}
	if got := b.next(Silence, 0, errors.New("reset")); got != time.Second {
		t.Errorf("another cause begins with %v", got)
	}
}
