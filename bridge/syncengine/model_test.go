package syncengine_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// TestModel lets two phones and other people loose on one folder, with lost
// answers, a server that dies, listings that break and filters that move. The
// phones are strict: they refuse an item twice, or a change of what they do not
// have. Some items age. In the end each phone has exactly what it is to see.
func TestModel(t *testing.T) {
	seeds := uint64(24)
	if testing.Short() {
		seeds = 10
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &chaos{world: newWorld(t), Rand: rand.New(rand.NewPCG(seed, 1))}
				if seed%3 == 0 {
					c.source = stutterer{c.session}
				}
				f := c.folder("tasks")
				for _, device := range []string{"A", "B"} {
					p := c.phone(device, f)
					p.exact = true
					c.phones = append(c.phones, p)
				}
				for range 150 {
					c.step()
				}
				c.backend.Mend()
				for _, p := range c.phones {
					p.all()
					p.check()
					p.quiet()
				}
			})
		})
	}
}

// chaos does things at random.
type chaos struct {
	*world
	*rand.Rand
	phones []*phone
	texts  int
}

func (c *chaos) step() {
	const folder = "tasks"
	p := c.phones[c.IntN(len(c.phones))]
	items := slices.Sorted(maps.Keys(c.backend.Items(user, folder)))
	switch n := c.IntN(100); {
	case n < 12: // somebody else writes, or brings an item back
		text := c.content()
		if c.IntN(4) == 0 {
			text += fmt.Sprintf(" every %d", 600*(1+c.IntN(6)))
		}
		c.backend.Store(user, folder, backend.ItemID(fmt.Sprintf("other-%d", c.IntN(40))), []byte(text))
	case n < 15:
		time.Sleep(time.Duration(c.IntN(1200)) * time.Second)
	case n < 22 && len(items) > 0:
		c.backend.Store(user, folder, items[c.IntN(len(items))], []byte(c.content()))
	case n < 32 && len(items) > 0:
		id := items[c.IntN(len(items))]
		c.backend.Remove(user, folder, id)
		c.gone.Store(id, true)
	case n < 35:
		c.backend.Expire(user, folder)
	case n < 38:
		c.backend.Fail(memory.Failure{
			Op: memory.OpChanges, Midway: c.IntN(2) == 0, After: c.IntN(10),
			Err: backend.Errorf(backend.Transient, "test", "broken listing"),
		})
	case n < 40:
		c.backend.Fail(memory.Failure{
			Op: memory.OpGet, Midway: c.IntN(2) == 0, After: c.IntN(3),
			Err: backend.Errorf(backend.Transient, "test", "broken reading"),
		})
	case n < 46:
		p.filter = syncengine.Filter{Open: c.IntN(2) == 0}
		if c.IntN(4) > 0 {
			p.filter.Since = hour(int64(c.IntN(10)))
		}
	case n < 49:
		c.restart()
	case n < 51:
		if err := c.engine.Forget(c.t.Context(), p.id, p.folder.ID); err != nil {
			c.t.Fatal(err)
		}
	case n < 65:
		c.wish(p)
	default:
		c.sync(p)
	}
}

func (c *chaos) content() string {
	c.texts++
	ends := hour(int64(c.IntN(10))).Unix()
	if c.IntN(4) == 0 {
		ends = syncengine.Forever
	}
	return string(body(ends, c.IntN(3) == 0, fmt.Sprintf("text %d", c.texts)))
}

// wish gives the phone something to do. A phone that waits for the answer to
// its commands has others meanwhile only if they are of other items.
func (c *chaos) wish(p *phone) {
	if p.key == syncengine.NoKey || len(p.todo) > 0 {
		return // it sends the very same again
	}
	numbers := slices.Sorted(maps.Keys(p.items))
	for range 1 + c.IntN(3) {
		p.next++
		if c.IntN(2) == 0 || len(numbers) == 0 {
			// ClientIds come again in later rounds.
			p.todo = append(p.todo, command{op: syncengine.Add, clientID: fmt.Sprint(len(p.todo)), body: c.content()})
			continue
		}
		i := c.IntN(len(numbers))
		n := numbers[i]
		numbers = slices.Delete(numbers, i, i+1)
		if c.IntN(2) == 0 {
			delete(p.items, n)
			p.todo = append(p.todo, command{op: syncengine.Delete, number: n})
		} else {
			p.items[n] = c.content()
			p.todo = append(p.todo, command{op: syncengine.Change, number: n, body: p.items[n]})
		}
	}
}

func (c *chaos) sync(p *phone) {
	how := good
	switch c.IntN(8) {
	case 0, 1:
		how = answerLost
	case 2:
		how = crashBefore
	}
	if _, err := p.sync(1+c.IntN(12), how); err != nil && !errors.Is(err, errFate) && backend.KindOf(err) != backend.Transient {
		p.fail("%v", err)
	}
}

// TestAllAtOnce is TestModel without its order: everybody acts at the same time.
// Items vanish between the moment in which they are news and the one in which
// they are read.
func TestAllAtOnce(t *testing.T) {
	w := newWorld(t)
	w.steady = true
	f := w.folder("tasks")
	var phones []*phone
	var all sync.WaitGroup
	for n := range uint64(3) {
		p := w.phone(fmt.Sprint(n), f)
		phones = append(phones, p)
		c := &chaos{world: w, Rand: rand.New(rand.NewPCG(n, 2)), texts: int(n) * 1000}
		all.Go(func() {
			for range 40 {
				c.wish(p)
				c.sync(p)
			}
		})
	}
	all.Go(func() {
		c := &chaos{world: w, Rand: rand.New(rand.NewPCG(9, 2)), texts: 9000}
		for range 300 {
			id := backend.ItemID(fmt.Sprintf("other-%d", c.IntN(40)))
			if c.IntN(2) == 0 {
				w.backend.Store(user, "tasks", id, []byte(c.content()))
			} else {
				w.gone.Store(id, true)
				w.backend.Remove(user, "tasks", id)
			}
			if _, err := w.engine.Refresh(t.Context(), f, w.session); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	for _, p := range phones {
		p.all() // what it still has to send
	}
	for _, p := range phones {
		p.all()
		p.check()
		p.quiet()
	}
}
