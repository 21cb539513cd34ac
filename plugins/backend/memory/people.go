package memory

import (
	"context"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// SetIdentity says what the store knows of a person.
func (b *Backend) SetIdentity(user string, id backend.Identity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.person(user).identity = id
}

// SetFreeBusy says what everybody is told of the time of whoever has a mail
// address.
func (b *Backend) SetFreeBusy(address string, calendar []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy[address] = calendar
}

// Identity answers what SetIdentity said.
func (s *Session) Identity(ctx context.Context) (backend.Identity, error) {
	if err := s.b.begin(ctx, OpIdentity, "", s.credentials); err != nil {
		return backend.Identity{}, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	id := s.b.person(s.credentials.User).identity
	id.Addresses = slices.Clone(id.Addresses)
	return id, nil
}

// FreeBusy answers what SetFreeBusy said.
func (s *Session) FreeBusy(ctx context.Context, addresses []string, _, _ time.Time) (map[string][]byte, error) {
	if err := s.b.begin(ctx, OpFreeBusy, "", s.credentials); err != nil {
		return nil, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	found := make(map[string][]byte)
	for _, a := range addresses {
		if calendar, ok := s.b.busy[a]; ok {
			found[a] = slices.Clone(calendar)
		}
	}
	return found, nil
}
