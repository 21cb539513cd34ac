// Package audittest is an audit without a disk.
package audittest

import (
	"context"
	"slices"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/audit"
)

// Memory is an audit.Store for tests. The zero value is ready for use.
type Memory struct {
	mu      sync.Mutex
	Records []audit.Record // for tests to look at, and to spoil
	Broken  error          // what Append fails with, if not nil
}

var _ audit.Store = (*Memory)(nil)

// Append implements audit.Store.
func (m *Memory) Append(_ context.Context, seal func(audit.Link) (audit.Record, error)) (audit.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Broken != nil {
		return audit.Record{}, m.Broken
	}
	var last audit.Link
	if n := len(m.Records); n > 0 {
		last = audit.Link{Number: m.Records[n-1].Number, Hash: m.Records[n-1].Hash}
	}
	r, err := seal(last)
	if err == nil {
		m.Records = append(m.Records, r)
	}
	return r, err
}

// After implements audit.Store.
func (m *Memory) After(_ context.Context, number int64, most int) ([]audit.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []audit.Record
	for _, r := range m.Records {
		if r.Number > number && len(list) < most {
			list = append(list, r)
		}
	}
	return list, nil
}

// Before implements audit.Store.
func (m *Memory) Before(_ context.Context, number int64, most int) ([]audit.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []audit.Record
	for _, r := range slices.Backward(m.Records) {
		if r.Number < number && len(list) < most {
			list = append(list, r)
		}
	}
	return list, nil
}
