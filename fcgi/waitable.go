package fcgi

import (
	"context"
	"net/http"
	"time"
)

// Waitable lets h use [Detach] under any other server, such as net/http's: a
// detached request then waits on its handler's goroutine. Responses of this
// package's [Server] pass through it unchanged.
func Waitable(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if canDetach(w) {
			h.ServeHTTP(w, r)
			return
		}
		b := &blocking{ResponseWriter: w, head: r.Method == http.MethodHead, ended: make(chan *Detached, 1)}
		h.ServeHTTP(b, r)
		for b.detached != nil {
			d := b.wait(r.Context())
			b.detached = nil
			d.then(r.Context(), b, d.cause)
		}
	})
}

func canDetach(w http.ResponseWriter) bool {
	for {
		switch x := w.(type) {
		case detacher:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = x.Unwrap()
		default:
			return false
		}
	}
}

// A blocking is a response whose handler's goroutine waits for it.
type blocking struct {
	http.ResponseWriter
	head     bool
	wrote    bool
	detached *Detached
	ended    chan *Detached
}

// Unwrap is for http.ResponseController.
func (b *blocking) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (b *blocking) WriteHeader(status int) {
	if b.detached == nil {
		b.wrote = true
		b.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (b *blocking) Write(p []byte) (int, error) {
	if b.detached != nil {
		return 0, errDetached
	}
	b.wrote = true
	return b.ResponseWriter.Write(p)
}

// detach implements detacher.
func (b *blocking) detach(deadline time.Time, then Then) *Detached {
	if b.wrote || b.detached != nil {
		return nil
	}
	b.detached = &Detached{then: then, due: deadline, head: b.head}
	return b.detached
}

// resume implements carrier.
func (b *blocking) resume(d *Detached) { b.ended <- d }

// wait waits until the waiting has ended.
func (b *blocking) wait(ctx context.Context) *Detached {
	d := b.detached
	if !d.rest(b) {
		return d
	}
	var deadline <-chan time.Time
	if !d.due.IsZero() {
		t := time.NewTimer(time.Until(d.due))
		defer t.Stop()
		deadline = t.C
	}
	select {
	case <-b.ended:
		return d
	case <-ctx.Done():
		d.End(context.Cause(ctx))
	case <-deadline:
		d.End(ErrDeadline)
	}
	return <-b.ended // whoever was first
}
