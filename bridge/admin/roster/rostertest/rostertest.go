// Package rostertest is a list of administrators without a disk, whose passwords cost nothing.
package rostertest

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// Password is everybody's.
const Password = "correct horse battery"

// Cheap makes passwords cost next to nothing.
var Cheap = roster.Cost{Memory: 8, Time: 1, Threads: 1}

// Memory is a roster.Store for tests. The zero value is ready for use.
type Memory struct {
	mu  sync.Mutex
	all map[string]map[string][]byte
}

// Documents implements roster.Store.
func (m *Memory) Documents(_ context.Context, kind string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.all[kind]), nil
}

// Document implements roster.Store.
func (m *Memory) Document(_ context.Context, kind, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[kind][name], nil
}

// SaveDocument implements roster.Store.
func (m *Memory) SaveDocument(_ context.Context, kind, name string, record []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if record == nil {
		delete(m.all[kind], name)
		return nil
	}
	if m.all == nil {
		m.all = map[string]map[string][]byte{}
	}
	if m.all[kind] == nil {
		m.all[kind] = map[string][]byte{}
	}
	m.all[kind][name] = record
	return nil
}

// Add makes an administrator with Password.
func Add(t testing.TB, s *roster.Roster, name string, roles ...string) {
	t.Helper()
	_, err := s.Edit(t.Context(), name, func(a *roster.Administrator, _ bool) error { a.Roles = roles; return nil })
	if err == nil {
		err = s.SetPassword(t.Context(), name, Password)
	}
	if err != nil {
		t.Fatal(err)
	}
}
