package console

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// sightAge is how old a sight may be that pages and streams share: with ten
// thousand phones one takes a tenth of a second of a processor.
const sightAge = 3 * time.Second

// A sight is what there is at a moment.
type sight struct {
	taken    time.Time
	devices  []admin.Device // ordered by owner
	healths  map[string]int
	holds    int
	problems int
}

// sights are shared by all who look.
type sights struct {
	mu   sync.Mutex // held while somebody looks, so that one does for all
	last *sight
}

// look answers a sight that is not older than that, and was taken after the last
// change that this console made.
func (c *Console) look(ctx context.Context, a admin.Actor) (*sight, error) {
	// Whoever may not look is told so, also when somebody else has looked.
	if !admin.OpDevices.Allows(a, admin.UserRequest{}) {
		_, err := admin.OpDevices.Do(ctx, c.Server, a, admin.UserRequest{})
		return nil, err
	}
	c.sights.mu.Lock()
	defer c.sights.mu.Unlock()
	if s := c.sights.last; s != nil && time.Since(s.taken) < c.age {
		return s, nil
	}
	s := &sight{taken: time.Now(), healths: map[string]int{}}
	var err error
	if s.devices, err = admin.OpDevices.Do(ctx, c.Server, a, admin.UserRequest{}); err != nil {
		return nil, err
	}
	holds, err := admin.OpHolds.Do(ctx, c.Server, a, admin.Nothing{})
	if err != nil {
		return nil, err
	}
	problems, err := admin.OpProblems.Do(ctx, c.Server, a, admin.UserRequest{})
	if err != nil {
		return nil, err
	}
	s.holds, s.problems = len(holds), len(problems)
	for _, d := range s.devices {
		s.healths[d.Health]++
	}
	c.sights.last = s
	return s, nil
}

// again has the next who looks see what was changed.
func (c *Console) again() {
	c.sights.mu.Lock()
	defer c.sights.mu.Unlock()
	c.sights.last = nil
}

// of is a phone of the sight.
func (s *sight) of(user, id string) (admin.Device, bool) {
	i := slices.IndexFunc(s.devices, func(d admin.Device) bool { return d.User == user && d.Device == id })
	if i < 0 {
		return admin.Device{}, false
	}
	return s.devices[i], true
}

// healthWords are the words for how a phone is, from the worst on, and whether each
// is bad, worth a look or good.
var healthWords = []struct {
	word device.Health
	tone string
	says string // of a number of phones
}{
	{device.HealthWiping, "bad", "to be erased"},
	{device.HealthPassword, "bad", "wrong password"},
	{device.HealthPolicy, "bad", "refuses the policy"},
	{device.HealthQuarantine, "look", "in quarantine"},
	{device.HealthProvisions, "look", "accepting the policy"},
	{device.HealthAway, "look", "away"},
	{device.HealthBlocked, "off", "blocked"},
	{device.HealthOff, "off", "switched off"},
	{device.HealthWaiting, "good", "waiting"},
	{device.HealthSyncing, "good", "syncing"},
	{device.HealthResting, "good", "resting"},
}

// health is how the page says a word.
type health struct{ Word, Tone, Says string }

func healthOf(word string) health {
	for _, h := range healthWords {
		if string(h.word) == word {
			return health{word, h.tone, h.says}
		}
	}
	return health{word, "look", word}
}

// rank orders healths, the worst first.
var rank = func() map[string]int {
	m := map[string]int{}
	for i, h := range healthWords {
		m[string(h.word)] = i
	}
	return m
}()

// counted are the healths that there are, from the worst on.
func (s *sight) counted() (list []counted) {
	words := slices.SortedFunc(maps.Keys(s.healths), func(a, b string) int { return rank[a] - rank[b] })
	for _, word := range words {
		list = append(list, counted{healthOf(word), s.healths[word]})
	}
	return list
}

// A counted health is one with how many phones there are of it.
type counted struct {
	health
	N int
}
