package easserver

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// maxSelves bounds the people of whom it is remembered which addresses a
	// calendar server knows them by, 200 bytes each.
	maxSelves = 20_000

	// selfLasts is how long that is believed.
	selfLasts = time.Hour
)

// selves remembers people's addresses, by person and backend.
type selves = lru.Cache[[2]string, saidSelf]

type saidSelf struct {
	addresses []string
	until     time.Time
}

func newSelves() *selves {
	cache, err := lru.New[[2]string, saidSelf](maxSelves)
	if err != nil {
		panic(err) // only for sizes below one
	}
	return cache
}

// recognize finds out by which addresses the person is known where a folder of events
// is, to tell an organizer from a guest. Where that cannot be asked now, the address
// that follows from the login has to do.
func (s *Server) recognize(ctx context.Context, c *call, name string, session backend.Session) {
	i, ok := backend.As[backend.Identifier](session)
	if !ok {
		return
	}
	key := [2]string{c.phone.User, name}
	said, ok := s.selves.Get(key)
	if !ok || !time.Now().Before(said.until) {
		id, err := i.Identity(ctx)
		if err != nil {
			c.note(slog.Any("identity", err))
			if kind := backend.KindOf(err); kind == backend.Transient || kind == backend.Denied {
				return
			}
		}
		said = saidSelf{id.Addresses, time.Now().Add(selfLasts)}
		s.selves.Add(key, said)
	}
	for _, a := range said.addresses {
		if a != "" && !slices.ContainsFunc(c.self, func(o string) bool { return strings.EqualFold(o, a) }) {
			c.self = append(c.self, a)
		}
	}
}
