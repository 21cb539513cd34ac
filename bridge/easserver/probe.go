package easserver

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

const (
	// probeTime bounds how long a probe waits for the request that releases it:
	// a round trip to the other end of the world, and then some.
	probeTime = 5 * time.Second

	// maxProbes bounds those that wait. Only people who have logged in send
	// them, one at a time.
	maxProbes = 16

	// maxProbeWord bounds the word by which two requests find each other.
	maxProbeWord = 64
)

// probes are the requests that wait to be released, by who sent them and their
// word. The zero value is ready for use.
type probes struct {
	mu   sync.Mutex
	open map[string]chan struct{}
}

// begin registers a probe; false if there are too many, or it is there already.
func (p *probes) begin(name string) (<-chan struct{}, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = make(map[string]chan struct{})
	}
	if _, twice := p.open[name]; twice || len(p.open) == maxProbes {
		return nil, false
	}
	released := make(chan struct{})
	p.open[name] = released
	return released, true
}

// release ends a probe's wait. Nothing happens if there is none of that name.
func (p *probes) release(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if released, ok := p.open[name]; ok {
		close(released)
		delete(p.open, name)
	}
}

// probe answers an OPTIONS request that looks at how answers travel; false if it
// is an ordinary one. See [eas.ProbeStream].
func (s *Server) probe(w *recorder, r *http.Request, acct *account.Account) bool {
	q := r.URL.Query()
	word, release := q.Get(eas.ProbeStream), q.Get(eas.ProbeRelease)
	switch {
	case len(word) > maxProbeWord || len(release) > maxProbeWord:
		return false
	case release != "":
		s.probes.release(acct.Name() + "\x00" + release)
		return false // and an ordinary answer
	case word == "":
		return false
	}
	name := acct.Name() + "\x00" + word
	released, ok := s.probes.begin(name)
	if !ok {
		return false
	}
	defer s.probes.release(name)
	from := ""
	if a := account.ClientAddress(r.RemoteAddr); a.IsValid() {
		from = a.String()
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	fmt.Fprintf(w, "%s%s\n", eas.ProbeFrom, from)
	if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
		return true // whoever asked left
	}
	end := eas.ProbeHeld
	select {
	case <-released:
		end = eas.ProbeReleased
	case <-time.After(probeTime):
	case <-r.Context().Done():
	}
	fmt.Fprintln(w, end)
	return true
}
