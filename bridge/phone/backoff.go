package phone

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// pauses are between attempts: the first one, which doubles, and the longest.
// Coverage comes back in its own time, a call ends soon, and a server that is busy
// is not helped by being asked.
var pauses = map[Cause]struct{ first, most time.Duration }{
	Silence:      {time.Second, 2 * time.Minute},
	ServerBusy:   {time.Second, 10 * time.Minute},
	VoiceCall:    {15 * time.Second, time.Minute},
	CoverageLost: {time.Second, 5 * time.Minute},
}

// maxRetryAfter bounds the pause that a server may ask for: a phone that is told
// to come back in a year is of no use to its owner.
const maxRetryAfter = time.Hour

// idleFor is how long a connection was idle, at least, that a network may have
// cut off for that. The network is there, then, and the phone comes back at once.
const idleFor = time.Minute

// A backoff is the pause between a phone's attempts. The zero value is ready.
type backoff struct {
	why   Cause
	pause time.Duration
}

// next is how long the phone leaves the server alone after an attempt that
// failed after lasting a while.
func (b *backoff) next(why Cause, lasted time.Duration, err error) time.Duration {
	if why == Silence && lasted >= idleFor {
		*b = backoff{}
		return 0
	}
	if why != b.why {
		b.pause = 0
	}
	p := pauses[why]
	b.why, b.pause = why, min(max(2*b.pause, p.first), p.most)
	var he *easclient.HTTPError
	if errors.As(err, &he) {
		return max(b.pause, min(he.RetryAfter, maxRetryAfter))
	}
	return b.pause
}

// cause is why a request got no answer. A web server in front that gave up
// cut it off as a network does.
func (p *Phone) cause(err error) Cause {
	var he *easclient.HTTPError
	if errors.As(err, &he) {
		if he.Status == http.StatusGatewayTimeout {
			return Silence
		}
		return ServerBusy
	}
	if p.settings.Radio != nil {
		if why := p.settings.Radio(); why != Silence {
			return why
		}
	}
	var op *net.OpError
	var dns *net.DNSError
	if errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial" {
		return CoverageLost
	}
	return Silence
}
