package easserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// MaxBodies bounds the large bodies that are in memory at a time, in bytes: as
	// much as four of the largest mails, each of which takes its size a few times
	// until it is out.
	MaxBodies = 4 * MaxMail

	// smallBody is up to which size a body is not counted: nearly all are, and as
	// many as there are requests.
	smallBody = 1 << 20

	// bodiesPatience is how long a request waits for others to be done before its
	// phone is told to come back, in bodiesPause: phones give up after half a minute.
	bodiesPatience = 20 * time.Second
	bodiesPause    = 10 * time.Second
)

// bodies are the large bodies of requests that are under way.
type bodies struct{ room *semaphore.Weighted }

func newBodies() bodies { return bodies{semaphore.NewWeighted(MaxBodies)} }

// enter waits until there is room for a request's body, of which most bytes are read
// at most. It is to be called before any of it is read, and leave when nobody needs
// the body any more.
func (b bodies) enter(r *http.Request, most int) (leave func(), err error) {
	n := r.ContentLength
	switch {
	case n > int64(most):
		return func() {}, nil // nothing of it will be read
	case n < 0: // nobody knows
		n = int64(most)
	}
	if n <= smallBody {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), bodiesPatience)
	defer cancel()
	if err := b.room.Acquire(ctx, n); err != nil {
		if cause := context.Cause(r.Context()); cause != nil {
			return nil, cause
		}
		return nil, &problem{status: http.StatusServiceUnavailable, text: "there are many large requests under way; nothing is lost, try again later",
			retryAfter: bodiesPause, err: fmt.Errorf("no room for a body of %d bytes: %w", n, err)}
	}
	return func() { b.room.Release(n) }, nil
}
