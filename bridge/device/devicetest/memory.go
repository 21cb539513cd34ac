// Package devicetest is a register of phones without a disk, and the suite that every store of phones passes.
package devicetest

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/device"
)

// Memory is a device.Store for tests. The zero value is ready for use.
type Memory struct {
	mu     sync.Mutex
	phones map[device.ID]device.Phone
	values map[valueKey][]byte
}

type valueKey struct {
	device.ID
	name string
}

var _ device.Store = (*Memory)(nil)

// Phone implements device.Store.
func (m *Memory) Phone(_ context.Context, id device.ID) (device.Phone, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.phones[id]
	if !ok {
		return device.Phone{}, device.ErrUnknown
	}
	return p, nil
}

// Phones implements device.Store.
func (m *Memory) Phones(_ context.Context, user string) ([]device.Phone, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []device.Phone
	for id, p := range m.phones {
		if user == "" || id.User == user {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b device.Phone) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.User, b.User), cmp.Compare(a.Device, b.Device))
	})
	return list, nil
}

// Update implements device.Store.
func (m *Memory) Update(_ context.Context, id device.ID, change func(*device.Phone, bool) error) (device.Phone, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, known := m.phones[id]
	was := p
	p.ID = id
	if err := change(&p, known); err != nil {
		return was, err
	}
	if m.phones == nil {
		m.phones = make(map[device.ID]device.Phone)
	}
	p.ID = id
	m.phones[id] = p
	return p, nil
}

// Remember implements device.Store.
func (m *Memory) Remember(_ context.Context, id device.ID, name string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if value == nil {
		delete(m.values, valueKey{id, name})
		return nil
	}
	if m.values == nil {
		m.values = make(map[valueKey][]byte)
	}
	m.values[valueKey{id, name}] = append([]byte{}, value...)
	return nil
}

// Recall implements device.Store.
func (m *Memory) Recall(_ context.Context, id device.ID, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.values[valueKey{id, name}]), nil
}

// RecallSome implements device.Store.
func (m *Memory) RecallSome(ctx context.Context, id device.ID, names ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	for _, name := range names {
		if value, _ := m.Recall(ctx, id, name); value != nil { // it does not fail
			found[name] = value
		}
	}
	return found, nil
}

// Count implements device.Store.
func (m *Memory) Count(context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.phones), nil
}

// Forget implements device.Store.
func (m *Memory) Forget(_ context.Context, id device.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.phones, id)
	for k := range m.values {
		if k.ID == id {
			delete(m.values, k)
		}
	}
	return nil
}
