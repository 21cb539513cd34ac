package account

import (
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// ErrThrottled means that a login was not tried, because too many before it
// were wrong. It says nothing about the password.
var ErrThrottled = errors.New("account: too many wrong passwords")

// Limits bound how many wrong passwords reach the backends within a window, per
// user, per device and per address (IPv6: per /64). Each is a bucket that is
// full at first, gives one for each wrong password and is full again after a
// window. 0 means the default, a negative number no limit.
type Limits struct {
	User, Device, Address int
	Window                time.Duration
}

// DefaultLimits let people mistype as often as people do, and a household or an
// office behind one address mistype at once; who guesses gets one guess a minute
// for a user. They stay below what servers take for an attack, given that a
// wrong password is sent to them again after a minute at the earliest.
var DefaultLimits = Limits{User: 10, Device: 10, Address: 30, Window: 10 * time.Minute}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		to    *int
		value int
	}{{&l.User, DefaultLimits.User}, {&l.Device, DefaultLimits.Device}, {&l.Address, DefaultLimits.Address}} {
		if *f.to == 0 {
			*f.to = f.value
		}
	}
	if l.Window <= 0 {
		l.Window = DefaultLimits.Window
	}
	return l
}

// throttleSize bounds the buckets of each sort, some hundred bytes each. One
// that is pushed out is full again; pushing it out takes as many wrong
// passwords from elsewhere.
const throttleSize = 10_000

// A throttle counts wrong passwords.
type throttle struct {
	limits Limits

	mu      sync.Mutex
	users   *simplelru.LRU[key, bucket]
	devices *simplelru.LRU[key, bucket]
	places  *simplelru.LRU[key, bucket]
}

// A bucket had so many wrong passwords left at that time.
type bucket struct {
	left float64
	at   time.Time
}

func newThrottle(l Limits) *throttle {
	cache := func() *simplelru.LRU[key, bucket] {
		c, err := simplelru.NewLRU[key, bucket](throttleSize, nil)
		if err != nil {
			panic(err) // only for sizes below one
		}
		return c
	}
	return &throttle{limits: l.withDefaults(), users: cache(), devices: cache(), places: cache()}
}

// A count is one bucket with what it is about.
type count struct {
	of    *simplelru.LRU[key, bucket]
	key   key
	limit float64

	// shared is a bucket of many people: an undecided login takes nothing from
	// it, or after a restart those behind one address would shut each other out
	// with their right passwords. Wrong ones that were under way at the same time
	// may overdraw it.
	shared bool
}

// counts are the buckets that a login of a user by a caller is about.
func (t *throttle) counts(user string, from Caller) []count {
	list := make([]count, 0, 3)
	add := func(of *simplelru.LRU[key, bucket], name string, limit int, shared bool) {
		if limit > 0 && name != "" {
			list = append(list, count{of, sha256.Sum256([]byte(name)), float64(limit), shared})
		}
	}
	add(t.users, user, t.limits.User, false)
	add(t.devices, from.Device, t.limits.Device, false)
	if place, ok := network(from.Address); ok {
		add(t.places, place.String(), t.limits.Address, true)
	}
	return list
}

func isShared(c count) bool { return c.shared }

func isOwn(c count) bool { return !c.shared }

// left is what a bucket has by now. t.mu is held.
func (t *throttle) left(c count, now time.Time) float64 {
	b, ok := c.of.Get(c.key)
	if !ok {
		return c.limit
	}
	return min(c.limit, b.left+c.limit*float64(now.Sub(b.at))/float64(t.limits.Window))
}

// take takes one from each bucket that is not shared, in case that the password
// is wrong, or answers how long it takes until each has one.
func (t *throttle) take(user string, from Caller) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	counts := t.counts(user, from)
	if wait = t.until(counts, now); wait == 0 {
		t.put(slices.DeleteFunc(counts, isShared), now, -1)
	}
	return wait
}

// overdrawn answers how long it takes until each bucket that is shared has one
// again; 0 if they have. Whoever had to wait since take is asked about once more,
// as take took nothing from these.
func (t *throttle) overdrawn(user string, from Caller) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.until(slices.DeleteFunc(t.counts(user, from), isOwn), time.Now())
}

// until is how long it takes until each bucket has one. t.mu is held.
func (t *throttle) until(counts []count, now time.Time) (wait time.Duration) {
	for _, c := range counts {
		if missing := 1 - t.left(c, now); missing > 0 {
			wait = max(wait, time.Duration(missing/c.limit*float64(t.limits.Window))+1)
		}
	}
	return wait
}

// give gives back what was taken for a password that was not wrong.
func (t *throttle) give(user string, from Caller) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(slices.DeleteFunc(t.counts(user, from), isShared), time.Now(), +1)
}

// settle takes for a wrong password what take did not.
func (t *throttle) settle(user string, from Caller) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(slices.DeleteFunc(t.counts(user, from), isOwn), time.Now(), -1)
}

// charge takes one for a password that was expected to be right, and is not.
func (t *throttle) charge(user string, from Caller) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(t.counts(user, from), time.Now(), -1)
}

// least is how far a bucket can be overdrawn.
func least(c count) float64 {
	if c.shared {
		return -c.limit
	}
	return 0
}

// put changes buckets. One that is full need not be remembered. t.mu is held.
func (t *throttle) put(counts []count, now time.Time, by float64) {
	for _, c := range counts {
		left := max(least(c), t.left(c, now)+by)
		if left >= c.limit {
			c.of.Remove(c.key)
			continue
		}
		c.of.Add(c.key, bucket{left, now})
	}
}

// A Throttle counts the wrong passwords of people whose passwords somebody else
// verifies.
type Throttle struct{ t *throttle }

// NewThrottle makes one.
func NewThrottle(l Limits) Throttle { return Throttle{newThrottle(l)} }

// Take is called before a password is verified. It answers how long not to; if
// that is 0, Give or Settle has to follow.
func (t Throttle) Take(user string, from Caller) time.Duration { return t.t.take(user, from) }

// Give is called if the password was not wrong.
func (t Throttle) Give(user string, from Caller) { t.t.give(user, from) }

// Settle is called if it was.
func (t Throttle) Settle(user string, from Caller) { t.t.settle(user, from) }
