package rulebook

import (
	"context"
	"fmt"
	"maps"
	"math"
	"sync"
	"sync/atomic"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
)

// Configured is the name of the policy that the configuration file has, which is
// for everyone and decides what no other one says.
const Configured = "(configuration)"

// maxCached bounds how many phones' policies are remembered; with more they are
// computed anew, which takes microseconds.
const maxCached = 20_000

// A Config is what the configuration file decided.
type Config struct {
	Policy policy.Policy // for everyone; its zero value asks nothing

	// NeverFullWipe forbids policies by which phones erase themselves.
	NeverFullWipe bool
}

// A Book answers for phones by what was decided. Its methods may be called from
// many goroutines.
type Book struct {
	store Store
	mu    sync.Mutex // one changes Configured, or reloads, at a time, and reads the store meanwhile

	// file is read without mu by who is in a transaction, for which whoever has mu
	// may have to wait.
	file    atomic.Pointer[Config]
	present atomic.Pointer[Ready]
}

var _ device.Rules = (*Book)(nil)

// Open reads what a store keeps.
func Open(ctx context.Context, store Store, file Config) (*Book, error) {
	b := &Book{store: store}
	b.file.Store(&file)
	if _, err := b.Reload(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// Present is what holds now.
func (b *Book) Present() *Ready { return b.present.Load() }

// Reload makes what is stored hold, and answers what held before.
func (b *Book) Reload(ctx context.Context) (before *Ready, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reload(ctx)
}

func (b *Book) reload(ctx context.Context) (*Ready, error) {
	s, _, err := load(ctx, b.store)
	if err != nil {
		return nil, err
	}
	file := *b.file.Load()
	if file.NeverFullWipe {
		// Said after a policy that says otherwise was stored, which then does not hold:
		// a worker that did not start for it could not be told to change the policy.
		for name, p := range s.Policies {
			p.Values = maps.Clone(p.Values)
			delete(p.Values, erases)
			s.Policies[name] = p
		}
	}
	r, wrong := s.ready(file)
	if wrong != nil {
		return nil, fmt.Errorf("rulebook: what is stored: %w", wrong)
	}
	return b.present.Swap(r), nil
}

// SetConfigured replaces the policy of the configuration, and answers what held
// before.
func (b *Book) SetConfigured(ctx context.Context, p policy.Policy) (before *Ready, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.file.Load()
	file := *old
	file.Policy = p
	b.file.Store(&file)
	if before, err = b.reload(ctx); err != nil {
		b.file.Store(old) // as what holds
	}
	return before, err
}

// Edit lets change alter what is stored, in the caller's transaction, and answers
// what is different. Nothing is stored if anything is wrong afterwards; the error
// is Complaints then. It holds from the next Reload on.
func (b *Book) Edit(ctx context.Context, change func(*State) error) ([]Difference, error) {
	s, before, err := load(ctx, b.store)
	if err != nil {
		return nil, err
	}
	if err := change(s); err != nil {
		return nil, err
	}
	if _, wrong := s.ready(*b.file.Load()); wrong != nil {
		return nil, wrong
	}
	after, err := s.documents()
	if err != nil {
		return nil, fmt.Errorf("rulebook: %w", err)
	}
	list := differences(before, after)
	for _, d := range list {
		if err := b.store.SaveDocument(ctx, d.Kind, d.Name, d.After); err != nil {
			return nil, fmt.Errorf("rulebook: %w", err)
		}
	}
	return list, nil
}

// WhatIf is what would hold after a change, of which nothing is stored.
func (b *Book) WhatIf(ctx context.Context, change func(*State) error) (*Ready, error) {
	s, _, err := load(ctx, b.store)
	if err != nil {
		return nil, err
	}
	if err := change(s); err != nil {
		return nil, err
	}
	r, wrong := s.ready(*b.file.Load())
	if wrong != nil {
		return nil, wrong
	}
	return r, nil
}

// State reads what is stored.
func (b *Book) State(ctx context.Context) (*State, error) {
	s, _, err := load(ctx, b.store)
	return s, err
}

// Policy implements device.Rules.
func (b *Book) Policy(id device.ID) policy.Policy { return b.Present().Policy(id) }

// Admits implements device.Rules.
func (b *Book) Admits(p device.Phone) (string, error) { return b.Present().Admits(p) }

// MaxPhones implements device.Rules.
func (b *Book) MaxPhones(user string) int { return b.Present().MaxPhones(user) }

// Listed implements device.Rules.
func (b *Book) Listed(id string) (string, bool) { return b.Present().Listed(id) }

// withFile adds the policy of the configuration to links and policies.
func withFile(file policy.Policy, policies map[string]rsop.Values, links []rsop.Link) []rsop.Link {
	if !file.Require {
		return links
	}
	v := rsop.Values{}
	for name, value := range file.Document {
		v[name] = value
	}
	for name, is := range map[string]bool{"refuse_partial": file.RefusePartial, "refuse_external": file.RefuseExternal, "allow_unprovisionable": file.AllowUnprovisionable} {
		if is {
			v[name] = true
		}
	}
	policies[Configured] = v
	return append(links, rsop.Link{Policy: Configured, Scope: rsop.Scope{Kind: rsop.Everyone}, Order: math.MaxInt})
}
