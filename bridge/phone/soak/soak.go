// Package soak plays thousands of phones at a time against a server of one's own, and measures how soon each hears of changes.
//
// Its phones are smaller than those of package phone: each is a goroutine, a
// connection and the keys of its folders, and holds no items. Their requests are
// those of package phone, and what they cost is counted in the bytes of their
// connections.
package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// A Config says what is played. URL, User, Password, Phones and For are
// required.
type Config struct {
	URL      string // of the server, "http://127.0.0.1:8080"
	User     string // of the people; {n} stands for 1, 2, ...
	Password string // of all of them
	People   int    // how many there are; 0 means one
	Phones   int    // of all people together

	Rate    float64       // edits a second
	For     time.Duration // how long edits are made
	EditDir string        // of a localdir backend, where edits are made; ...
	EditDAV string        // ... or a collection of cards, "http://127.0.0.1:5232/{user}/contacts/"; else another phone makes them

	Version   eas.Version // 0 means 14.1
	Heartbeat phone.Heartbeat
	AtOnce    int  // how many phones set up their accounts at a time; 0 means 32
	Insecure  bool // any certificate is accepted

	PIDs  []int  // of processes to be measured: the worker, nginx
	Admin string // the worker's admin socket, by which its process is found
	Plot  string // a PNG file with latency and memory over time; "" means none

	// Mine says that the server is one's own although it is not on this computer.
	Mine bool

	Live bool // the live line is rewritten in its place, as on a terminal
}

const (
	// MaxPhones bounds the phones of one soak: as many as 127.0.0.0/8 has
	// addresses of the form that they use.
	MaxPhones = 1_000_000

	// MaxPeople bounds the people.
	MaxPeople = 1_000_000

	// stalled is how long no further phone may come to wait before the soak goes
	// on without the rest.
	stalled = 30 * time.Second

	// settling is how long phones may take to hear of the last edits.
	settling = 10 * time.Second
)

// A soak is one run.
type soak struct {
	Config
	name     uint32 // of this soak
	target   target
	people   []*person
	phones   []*handset
	tally    tally
	editor   editor
	setup    chan struct{} // of those that set up their accounts
	waiting  atomic.Int64
	ready    atomic.Int64 // phones that have waited once
	counting atomic.Bool  // edits are made, and latencies are counted
	began    time.Time    // of the edits
	setUp    time.Duration
	fewest   int64 // waiting at a time, of the seconds in which edits were made
	procs    []*process
	samples  samples
}

// A person has some of the phones, and one card that is edited again and again.
type person struct {
	name string
	home string // the name in a path

	mu    sync.Mutex
	edits uint32 // how many there were
	times [64]time.Time
}

// edited notes that the next edit begins, and answers its number.
func (p *person) edited() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.edits++
	p.times[p.edits%uint32(len(p.times))] = time.Now()
	return p.edits
}

// undone takes the last edit back, which came to nothing.
func (p *person) undone(n uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.edits == n {
		p.edits--
	}
}

// at answers when an edit began; false if there was no such one, or too long ago.
func (p *person) at(n uint32) (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == 0 || n > p.edits || p.edits-n >= uint32(len(p.times)) {
		return time.Time{}, false
	}
	return p.times[n%uint32(len(p.times))], true
}

func (p *person) last() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.edits
}

// cardName is the name in the card at an edit, by which phones know which one
// they have been brought. Another soak's have another name.
func (s *soak) cardName(n uint32) string {
	return fmt.Sprintf("soak-%x-%d", s.name, n)
}

// cardNumber reads it.
func (s *soak) cardNumber(title string) (uint32, bool) {
	rest, ok := strings.CutPrefix(title, fmt.Sprintf("soak-%x-", s.name))
	n, err := strconv.ParseUint(rest, 10, 32)
	return uint32(n), ok && err == nil
}

// Run plays the phones, writes how it goes to w and a table at the end, and
// ends by itself. What did not work during the soak stands in the table; an error
// is a soak that could not be.
func Run(ctx context.Context, w io.Writer, c Config) error {
	s, err := prepare(ctx, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	defer running.Wait()
	defer s.hangUp()
	defer cancel()
	fmt.Fprintf(w, "%d phones of %d people, %s\n", s.Phones, s.People, s.editor)
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() { defer close(watched); s.watch(watching, w) }()
	defer func() { stop(); <-watched }()
	for _, h := range s.phones {
		running.Go(func() { h.live(ctx) })
	}
	if err := s.untilReady(ctx); err != nil {
		return err
	}
	s.began, s.fewest = time.Now(), s.waiting.Load()
	s.snapshot(func(p *process, u usage) { p.full, p.from = u, time.Now() })
	s.counting.Store(true)
	s.makeEdits(ctx)
	s.settle(ctx)
	s.counting.Store(false)
	s.snapshot(func(p *process, u usage) { p.last, p.to = u, time.Now() })
	stop()
	<-watched // what it writes is read now
	s.report(w)
	return s.plot()
}

// prepare checks everything before the first connection.
func prepare(ctx context.Context, c Config) (*soak, error) {
	if err := Check(c); err != nil {
		return nil, err
	}
	c = c.complete()
	s := &soak{Config: c, name: rand.Uint32(), setup: make(chan struct{}, c.AtOnce)}
	var err error
	if s.target, err = resolve(ctx, c.URL, c.Mine, c.Insecure); err != nil {
		return nil, err
	}
	if err := raiseLimit(c.Phones + 256); err != nil {
		return nil, err
	}
	if s.procs, err = findProcesses(c.PIDs, c.Admin); err != nil {
		return nil, err
	}
	s.snapshot(func(p *process, u usage) { p.first = u })
	for i := range c.People {
		name := strings.ReplaceAll(c.User, "{n}", strconv.Itoa(i+1))
		s.people = append(s.people, &person{name: name, home: name})
	}
	for i := range c.Phones {
		s.phones = append(s.phones, newHandset(s, i))
	}
	s.editor, err = newEditor(s)
	return s, err
}

// complete fills in what is left out.
func (c Config) complete() Config {
	if c.People == 0 {
		c.People = 1
	}
	if c.Version == 0 {
		c.Version = eas.V141
	}
	if c.AtOnce <= 0 {
		c.AtOnce = 32
	}
	return c
}

// Check says what is wrong with a Config.
func Check(c Config) error {
	s := c.complete()
	switch {
	case s.Phones < 1 || s.Phones > MaxPhones:
		return fmt.Errorf("soak: %d phones; from 1 to %d are possible", s.Phones, MaxPhones)
	case s.People < 1 || s.People > min(MaxPeople, s.Phones):
		return fmt.Errorf("soak: %d people; from 1 to the number of phones are possible", s.People)
	case s.People > 1 && !strings.Contains(s.User, "{n}"):
		return fmt.Errorf("soak: %d people cannot all be %q: write {n} where their number is to be, such as person{n}", s.People, s.User)
	case s.Rate < 0 || s.Rate > 10_000:
		return fmt.Errorf("soak: %v edits a second; from 0 to 10000 are possible", s.Rate)
	case s.For <= 0:
		return errors.New("soak: it has to last for a while, such as 10m")
	case s.EditDir != "" && s.EditDAV != "":
		return errors.New("soak: edits are made in a directory or at a DAV server, not both")
	case s.Version < eas.V121:
		return errors.New("soak: its phones speak 12.1 or newer")
	}
	return nil
}

// untilReady waits until every phone has waited once, or no more do.
func (s *soak) untilReady(ctx context.Context) error {
	began, before, since := time.Now(), int64(0), time.Now()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		n := s.ready.Load()
		if n == int64(s.Phones) {
			break
		}
		if n > before {
			before, since = n, time.Now()
		}
		if time.Since(since) > stalled {
			if n == 0 {
				return fmt.Errorf("soak: no phone came to wait: %s", s.tally.failures())
			}
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.setUp = time.Since(began)
	return nil
}

// makeEdits edits everybody's card in turn, at the rate that is wanted, for the
// time that is wanted.
func (s *soak) makeEdits(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	if s.Rate == 0 {
		<-ctx.Done()
		return
	}
	var editing sync.WaitGroup
	defer editing.Wait()
	slots := make(chan struct{}, 64)
	order := rand.Perm(len(s.people))
	tick := time.NewTicker(max(time.Duration(float64(time.Second)/s.Rate), time.Microsecond))
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case slots <- struct{}{}:
		default:
			s.tally.late.Add(1)
			continue
		}
		p := s.people[order[i%len(order)]]
		editing.Go(func() {
			defer func() { <-slots }()
			s.tally.edits.Add(1)
			if err := s.editor.edit(context.WithoutCancel(ctx), p); err != nil {
				s.tally.edits.Add(-1)
				s.tally.fail("edit: " + err.Error())
			}
		})
	}
}

// settle lets the phones hear of the last edits, and counts those that do not.
func (s *soak) settle(ctx context.Context) {
	for end := time.Now().Add(settling); ; {
		missing := 0
		for _, h := range s.phones {
			if h.ready.Load() && h.seen.Load() < h.person.last() {
				missing++
			}
		}
		s.tally.missed = missing
		all := missing == 0 && s.waiting.Load() >= s.ready.Load()
		if all || time.Now().After(end) || ctx.Err() != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *soak) hangUp() {
	for _, h := range s.phones {
		h.line.close()
	}
	s.editor.close()
}
