package caldav

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/caldav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// person asks who the person is; a server that has no principals knows nobody.
func (s *session) person(ctx context.Context) (caldav.Person, error) {
	if s.home.Principal == "" {
		return caldav.Person{}, nil
	}
	p, err := s.objects.Person(ctx, s.home.Principal)
	return p, s.client.Error(err)
}

// Identity implements backend.Identifier.
func (s *session) Identity(ctx context.Context) (backend.Identity, error) {
	p, err := s.person(ctx)
	return backend.Identity{Name: p.Name, Addresses: p.Addresses}, err
}

// FreeBusy implements backend.FreeBusier by the scheduling outbox. It needs an
// address of the person's own, for servers answer organizers only.
func (s *session) FreeBusy(ctx context.Context, addresses []string, from, to time.Time) (map[string][]byte, error) {
	p, err := s.person(ctx)
	if err != nil {
		return nil, err
	}
	if p.Outbox == "" || len(p.Addresses) == 0 {
		return nil, backend.Errorf(backend.Unsupported, "caldav: free and busy", "the server has no scheduling outbox for this person")
	}
	found, err := s.objects.FreeBusy(ctx, p.Outbox, p.Addresses[0], addresses, from, to, time.Now())
	return found, s.client.Error(err)
}
