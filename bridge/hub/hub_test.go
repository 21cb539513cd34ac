package hub

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var inbox = Topic{"ann", 1}

// a news is what a phone is going to hear from its Check.
type news struct {
	mu     sync.Mutex
	topics []Topic
	err    error
	asked  int
}

func (n *news) set(err error, topics ...Topic) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.topics, n.err = topics, err
}

func (n *news) check(context.Context, []Topic) ([]Topic, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	return n.topics, n.err
}

func (n *news) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

func wait(n *news) Wait {
	return Wait{User: "ann", Device: "phone", Topics: []Topic{inbox}, Heartbeat: 10 * time.Minute, Check: n.check}
}

// a result is what Wait answered and when.
type result struct {
	topics []Topic
	err    error
	after  time.Duration
}

// begin waits on a goroutine of its own; the answer comes through the channel.
func begin(ctx context.Context, h *Hub, w Wait) <-chan result {
	start := time.Now()
	c := make(chan result, 1)
	go func() {
		topics, err := h.Wait(ctx, w)
		c <- result{topics, err, time.Since(start)}
	}()
	return c
}

func TestEndings(t *testing.T) {
	mine := errors.New("hung up")
	wipe := errors.New("wipe")
	wrong := errors.New("wrong password")
	for _, tc := range []struct {
		name   string
		before func(*news)
		after  func(h *Hub, n *news, hangUp context.CancelCauseFunc) // a minute later
		want   result
		asked  int
	}{
		{name: "a change that was there before", before: func(n *news) { n.set(nil, inbox) }, want: result{topics: []Topic{inbox}}, asked: 1},
		{
			name:  "a change",
			after: func(h *Hub, n *news, _ context.CancelCauseFunc) { n.set(nil, inbox); h.Publish(inbox) },
			want:  result{topics: []Topic{inbox}, after: time.Minute}, asked: 2,
		},
		{
			name:  "a change of one's own is none",
			after: func(h *Hub, n *news, _ context.CancelCauseFunc) { h.Publish(inbox) },
			want:  result{after: 10 * time.Minute}, asked: 2,
		},
		{
			name:  "a change of somebody else's is not looked at",
			after: func(h *Hub, n *news, _ context.CancelCauseFunc) { n.set(nil, inbox); h.Publish(Topic{"bob", 1}) },
			want:  result{after: 10 * time.Minute}, asked: 1,
		},
		{name: "the heartbeat", want: result{after: 10 * time.Minute}, asked: 1},
		{
			name:  "the phone hangs up",
			after: func(_ *Hub, _ *news, hangUp context.CancelCauseFunc) { hangUp(mine) },
			want:  result{err: mine, after: time.Minute}, asked: 1,
		},
		{
			name:  "an order",
			after: func(h *Hub, _ *news, _ context.CancelCauseFunc) { h.Order("ann", "phone", wipe) },
			want:  result{err: wipe, after: time.Minute}, asked: 1,
		},
		{
			name: "an order for another phone", after: func(h *Hub, _ *news, _ context.CancelCauseFunc) { h.Order("ann", "tablet", wipe) },
			want: result{after: 10 * time.Minute}, asked: 1,
		},
		{
			name:  "shutdown",
			after: func(h *Hub, _ *news, _ context.CancelCauseFunc) { h.Shutdown() },
			want:  result{err: ErrShutdown, after: time.Minute}, asked: 1,
		},
		{
			name: "the first of several wins",
			after: func(h *Hub, n *news, hangUp context.CancelCauseFunc) {
				h.Order("ann", "phone", wipe)
				hangUp(mine)
				h.Shutdown()
				n.set(nil, inbox)
				h.Publish(inbox)
			},
			want: result{err: wipe, after: time.Minute},
		},
		{
			name: "nothing is to wake it before the heartbeat is over", before: func(n *news) { n.set(Later(time.Now().Add(time.Hour))) },
			after: func(h *Hub, _ *news, _ context.CancelCauseFunc) { h.Publish(inbox) },
			want:  result{after: 10 * time.Minute}, asked: 2,
		},
		{
			name: "nothing is to wake it for a while", before: func(n *news) {
				n.set(Later(time.Now().Add(5 * time.Minute)))
				time.AfterFunc(5*time.Minute-1, func() { n.set(nil, inbox) })
			},
			after: func(h *Hub, _ *news, _ context.CancelCauseFunc) { h.Publish(inbox) },
			want:  result{topics: []Topic{inbox}, after: 5 * time.Minute}, asked: 3,
		},
		{name: "a password that is no longer right", before: func(n *news) { n.set(End(wrong)) }, want: result{err: wrong}, asked: 1},
		{
			name: "a backend that is down does not end it", before: func(n *news) { n.set(errors.New("down")) },
			want: result{after: 10 * time.Minute},
		},
		{
			name: "a backend that comes back is asked without an event", before: func(n *news) { n.set(errors.New("down")) },
			after: func(_ *Hub, n *news, _ context.CancelCauseFunc) { n.set(nil, inbox) },
			want:  result{topics: []Topic{inbox}, after: time.Minute + 3*time.Second}, // asked after 1, 3, 7, 15, 31, 63 s
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := New(Options{})
				defer h.Close()
				var n news
				if tc.before != nil {
					tc.before(&n)
				}
				ctx, hangUp := context.WithCancelCause(t.Context())
				defer hangUp(nil)
				c := begin(ctx, h, wait(&n))
				if tc.after != nil {
					time.Sleep(time.Minute)
					tc.after(h, &n, hangUp)
				}
				got := <-c
				if !slices.Equal(got.topics, tc.want.topics) || got.err != tc.want.err || got.after != tc.want.after {
					t.Errorf("wait ended with %v, want %v", got, tc.want)
				}
				if tc.asked != 0 && n.count() != tc.asked {
					t.Errorf("checked %d times, want %d", n.count(), tc.asked)
				}
				if h.Waiting() != 0 {
					t.Errorf("%d phones still wait", h.Waiting())
				}
			})
		})
	}
}

func TestNewerReplacesOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		var n news
		first := begin(t.Context(), h, wait(&n))
		synctest.Wait()
		second := begin(t.Context(), h, wait(&n))
		if got := <-first; got.err != ErrReplaced || got.after != 0 {
			t.Errorf("the older wait ended with %v, want %v at once", got, ErrReplaced)
		}
		other := wait(&n)
		other.User = "bob" // the same device with another account
		third := begin(t.Context(), h, other)
		synctest.Wait()
		if h.Waiting() != 2 {
			t.Errorf("%d phones wait, want 2: the newer wait, and the other account of the device", h.Waiting())
		}
		me := wait(&n)
		if !h.Waits(me.User, me.Device) || !h.Waits(other.User, other.Device) || h.Waits("carol", me.Device) || h.Waits(me.User, "another") {
			t.Error("the hub takes one phone for another")
		}
		time.Sleep(time.Minute)
		n.set(nil, inbox)
		h.Publish(inbox)
		if got := <-second; len(got.topics) != 1 || got.after != time.Minute {
			t.Errorf("the newer wait ended with %v, want the change", got)
		}
		<-third
	})
}

// TestNothingFallsBetween publishes while Check runs: the event must lead to
// another Check.
func TestNothingFallsBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		asked := 0
		w := wait(nil)
		w.Check = func(context.Context, []Topic) ([]Topic, error) {
			if asked++; asked == 1 {
				h.Publish(inbox) // after the look, before the wait
				return nil, nil
			}
			return []Topic{inbox}, nil
		}
		if got := <-begin(t.Context(), h, w); len(got.topics) != 1 || got.after != 0 {
			t.Errorf("wait ended with %v, want the change at once", got)
		}
	})
}

func TestWithoutHeartbeat(t *testing.T) {
	h := New(Options{})
	defer h.Close()
	w := wait(&news{topics: []Topic{inbox}})
	w.Heartbeat = 0
	if topics, err := h.Wait(t.Context(), w); len(topics) != 1 || err != nil {
		t.Errorf("got %v, %v, want the change", topics, err)
	}
}

// running has a function watch on a goroutine of its own until it is stopped.
func running(run func(context.Context, Topic)) Watch {
	return func(w *Watched) func() {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			run(ctx, w.Topic())
			if ctx.Err() == nil {
				w.Ended(false)
			}
		}()
		return cancel
	}
}

// a watchman counts the watch functions of one topic that run.
type watchman struct{ running, started, most atomic.Int32 }

func (m *watchman) watch(ctx context.Context, _ Topic) {
	m.started.Add(1)
	if n := m.running.Add(1); n > m.most.Load() {
		m.most.Store(n)
	}
	<-ctx.Done()
	m.running.Add(-1)
}

func TestWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Linger: 30 * time.Second})
		var m watchman
		state := func(when string, running, started int32) {
			t.Helper()
			synctest.Wait()
			if m.running.Load() != running || m.started.Load() != started {
				t.Errorf("%s: %d watch functions run and %d were started, want %d and %d", when, m.running.Load(), m.started.Load(), running, started)
			}
		}
		phone := func(name string, heartbeat time.Duration) <-chan result {
			return begin(t.Context(), h, Wait{
				User: "ann", Device: name, Topics: []Topic{inbox}, Heartbeat: heartbeat,
				Check: new(news).check, Watch: running(m.watch),
			})
		}
		one := phone("one", time.Minute)
		two := phone("two", 2*time.Minute)
		state("two phones", 1, 1)
		<-one
		<-two
		time.Sleep(20 * time.Second)
		state("during the linger", 1, 1)
		<-phone("one", time.Minute)
		state("taken over", 1, 1)
		time.Sleep(31 * time.Second)
		state("after the linger of the first", 0, 1)
		three := phone("three", time.Minute)
		state("a new one", 1, 2)
		<-three
		time.Sleep(time.Minute)
		state("after the linger", 0, 2)
		if m.most.Load() != 1 {
			t.Errorf("%d watch functions ran side by side, want never more than 1", m.most.Load())
		}
		if len(h.users) != 0 || len(h.lingering) != 0 {
			t.Errorf("%d users and %d lingering topics are left over", len(h.users), len(h.lingering))
		}
		<-phone("one", time.Minute)
		h.Close()
		state("closed", 0, 3)
		if _, err := h.Wait(t.Context(), wait(new(news))); err != ErrShutdown {
			t.Errorf("waiting after Close: %v, want %v", err, ErrShutdown)
		}
	})
}

func TestWatchThatReturnsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		started := 0
		w := wait(new(news))
		w.Watch = running(func(context.Context, Topic) { started++ })
		for range 3 {
			<-begin(t.Context(), h, w)
		}
		if started != 3 {
			t.Errorf("started %d times, want once for each of the 3 waits", started)
		}
	})
}

// TestCrowd lets many phones wait, change and leave at the same time.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		var m watchman
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				for j := range 20 {
					h.Wait(t.Context(), Wait{
						User: "u" + strconv.Itoa(i%10), Device: strconv.Itoa(i % 50), Topics: []Topic{{"u" + strconv.Itoa(i%10), 1}, {"u" + strconv.Itoa(i%10), 0}},
						Heartbeat: time.Duration(i*j) * time.Millisecond, Check: new(news).check, Watch: running(m.watch),
					})
					h.Publish(Topic{"u" + strconv.Itoa(j%10), 1})
				}
			})
		}
		all.Wait()
		h.Close()
		synctest.Wait()
		if h.Waiting() != 0 || h.Watching() != 0 || m.running.Load() != 0 || len(h.users) != 0 {
			t.Errorf("left over: %d phones, %d watch functions, %d users", h.Waiting(), m.running.Load(), len(h.users))
		}
	})
}

func BenchmarkPublish(b *testing.B) {
	h := New(Options{})
	defer h.Close()
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	for i := range 10_000 {
		all.Go(func() {
			h.Wait(ctx, Wait{User: strconv.Itoa(i), Device: "d", Topics: []Topic{{strconv.Itoa(i), 1}}, Heartbeat: time.Hour, Check: new(news).check})
		})
	}
	for b.Loop() {
		h.Publish(Topic{"1", 1})
	}
	cancel()
	all.Wait()
}

// TestWatchedOnce has ten phones of one person that wait for the same five
// folders, of which one pings twice: each folder is watched once, and the phones
// share the list.
func TestWatchedOnce(t *testing.T) {
	h := New(Options{Linger: -1})
	defer h.Close()
	running := 0
	topics := func() (list []Topic) {
		for i := range 5 {
			list = append(list, Topic{"ann", int64(i)})
		}
		return list
	}
	var seats []*Seat
	for i := range 11 {
		s, err := h.Sit(Wait{
			User: "ann", Device: strconv.Itoa(i % 10), Topics: topics(), Heartbeat: time.Hour, Check: new(news).check,
			Watch: func(*Watched) func() { running++; return func() { running-- } },
		})
		if err != nil {
			t.Fatal(err)
		}
		seats = append(seats, s)
	}
	if running != 5 || h.Watching() != 5 || h.Waiting() != 10 {
		t.Errorf("%d watches run for %d phones, want 5 for 10", running, h.Waiting())
	}
	for _, s := range seats[1:] {
		if &s.topics[0] != &seats[0].topics[0] {
			t.Fatal("the phones of one person do not share the list of folders")
		}
	}
	for _, s := range seats {
		s.Leave()
		s.Leave()
	}
	if running != 0 || h.Waiting() != 0 || len(h.users) != 0 {
		t.Errorf("%d watches, %d phones and %d users are left", running, h.Waiting(), len(h.users))
	}
}
