package webdav

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// A drip is a body that comes in pieces.
type drip struct {
	ctx   context.Context
	piece int           // bytes
	pause time.Duration // before each
	left  int           // pieces
}

func (d *drip) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(d.pause):
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
	d.left--
	return min(d.piece, len(p)), nil
}

func (d *drip) Close() error { return nil }

// TestPatience reads bodies that come slowly. What counts is progress.
func TestPatience(t *testing.T) {
	const patience = time.Minute
	for _, tc := range []struct {
		name   string
		piece  int
		pause  time.Duration
		pieces int
		reader time.Duration // that the reader takes between two reads
		after  time.Duration // when it ends
		slow   bool          // because nobody waits any longer
	}{
		{name: "at once", piece: 1 << 10, pieces: 100},
		{name: "slowly and steadily", piece: leastProgress, pause: 50 * time.Second, pieces: 20, after: 1000 * time.Second},
		{name: "a byte now and then", piece: 1, pause: 10 * time.Second, pieces: 1e6, after: patience, slow: true},
		{name: "silence", piece: leastProgress, pause: time.Hour, pieces: 1, after: patience, slow: true},
		{name: "a small answer in time", piece: 1, pause: 5 * time.Second, pieces: 10, after: 50 * time.Second},
		{name: "a slow reader", piece: leastProgress, pause: time.Second, pieces: 10, reader: time.Hour, after: 10*time.Second + 11*time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				timer := time.AfterFunc(patience, func() { cancel(errSlow) })
				timer.Stop()
				body := &patientBody{
					ReadCloser: &drip{ctx, tc.piece, tc.pause, tc.pieces}, ctx: ctx, cancel: cancel, timer: timer,
					patience: patience, left: patience,
				}
				defer body.Close()
				start := time.Now()
				buffer := make([]byte, 2*leastProgress)
				var err error
				for err == nil {
					_, err = body.Read(buffer)
					time.Sleep(tc.reader)
				}
				if took := time.Since(start); took != tc.after || errors.Is(err, errSlow) != tc.slow || !tc.slow && err != io.EOF {
					t.Errorf("reading ended after %v with %v, want %v", took, err, tc.after)
				}
			})
		})
	}
}
