package host_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/host"
)

// BenchmarkUnary is the cost of the smallest question through the plugin.
func BenchmarkUnary(b *testing.B) {
	p := start(b, host.Options{}, spec(b, "memory", settings))
	s, _ := backend.As[backend.Prober](p.Session(ann))
	for b.Loop() {
		if _, err := s.Probe(b.Context(), []backend.CollectionID{"contacts"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFetch is a first sync of 10,000 cards of a kilobyte each: the
// listing and the bodies.
func BenchmarkFetch(b *testing.B) {
	const cards = 10_000
	p := start(b, host.Options{}, spec(b, "memory", settings))
	s := p.Session(ann)
	card := []byte("BEGIN:VCARD\r\nVERSION:3.0\r\nNOTE:" + strings.Repeat("x", 950) + "\r\nEND:VCARD\r\n")
	for n := range cards {
		if _, err := s.Put(b.Context(), "contacts", backend.Item{ID: backend.ItemID(fmt.Sprint(n)), Body: card}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(cards * len(card)))
	for b.Loop() {
		var ids []backend.ItemID
		_, err := s.Changes(b.Context(), "contacts", "", func(batch []backend.Change) error {
			for _, ch := range batch {
				ids = append(ids, ch.ID)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if err := s.Get(b.Context(), "contacts", ids, func(f backend.Fetched) error { n++; return f.Err }); err != nil || n != cards {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkStart is a plugin's start and end.
func BenchmarkStart(b *testing.B) {
	h := host.New(host.Options{})
	defer h.Close()
	for b.Loop() {
		p, err := h.Start(b.Context(), "store", spec(b, "memory", settings))
		if err != nil {
			b.Fatal(err)
		}
		p.Close()
	}
}
