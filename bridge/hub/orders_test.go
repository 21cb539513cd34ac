package hub

import (
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// crowded is a hub in which n phones rest, and what counts those that are woken.
func crowded(t *testing.T, n int) (*Hub, *atomic.Int64, []*Seat) {
	t.Helper()
	h, woken := New(Options{}), new(atomic.Int64)
	seats := make([]*Seat, n)
	for i := range seats {
		user := strconv.Itoa(i)
		s, err := h.Sit(Wait{User: user, Device: "d", Topics: []Topic{{user, 1}}, Heartbeat: time.Hour, Check: new(news).check})
		if err != nil {
			t.Fatal(err)
		}
		s.Rest(func(error) { woken.Add(1) })
		seats[i] = s
	}
	return h, woken, seats
}

// TestOrderAllIsPaced has thousands told, and one in between for whom there is
// news.
func TestOrderAllIsPaced(t *testing.T) {
	const phones = 10_000
	synctest.Test(t, func(t *testing.T) {
		h, woken, seats := crowded(t, phones)
		defer h.Close()
		stale := errors.New("stale")
		if n := h.OrderAll(stale); n != phones {
			t.Errorf("%d are told, want all", n)
		}
		if n := woken.Load(); n == 0 || n > portion {
			t.Errorf("%d were woken at once, want some and at most %d", n, portion)
		}
		user := strconv.Itoa(phones)
		single, err := h.Sit(Wait{User: user, Device: "d", Topics: []Topic{{user, 1}}, Heartbeat: time.Hour, Check: new(news).check})
		if err != nil {
			t.Fatal(err)
		}
		var why error
		single.Rest(func(err error) { why = err })
		time.Sleep(time.Millisecond)
		h.Publish(Topic{user, 1})
		if !errors.Is(why, errNews) {
			t.Errorf("the single phone was woken by %v, want at once and by its news", why)
		}
		time.Sleep(phones / portion * breath)
		synctest.Wait()
		if n := woken.Load(); n != phones || h.orders != nil {
			t.Errorf("%d were woken in the end, and %d orders are left", n, len(h.orders))
		}
		for i, s := range seats {
			if l, err := s.Look(t.Context()); !l.Over || !errors.Is(err, stale) {
				t.Fatalf("phone %d is told %v, want the order", i, err)
			}
			s.Leave()
		}
		single.Leave()
		if h.Waiting() != 0 || len(h.users) != 0 {
			t.Errorf("%d wait and %d people are known after all have left", h.Waiting(), len(h.users))
		}
	})
}

// TestShutdownDuringOrders leaves nobody behind whose turn was still to come.
func TestShutdownDuringOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, woken, _ := crowded(t, 1000)
		h.OrderAll(errors.New("stale"))
		h.Shutdown()
		if n := woken.Load(); n != 1000 {
			t.Errorf("%d were woken, want all", n)
		}
		time.Sleep(time.Minute) // no timer goes off
		if h.orders != nil {
			t.Errorf("%d orders are left", len(h.orders))
		}
	})
}
