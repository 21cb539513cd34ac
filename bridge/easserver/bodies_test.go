package easserver_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/easserver"
)

// bodyOf is a request with a body of so many bytes; -1 if it does not say how many.
func bodyOf(ctx context.Context, n int64) *http.Request {
	return (&http.Request{ContentLength: n}).WithContext(ctx)
}

// Large bodies wait for one another, and small ones for nobody.
func TestBodies(t *testing.T) {
	const most = easserver.MaxMail
	synctest.Test(t, func(t *testing.T) {
		b := easserver.NewBodies()
		enter := func(n int64) (leave func(), err error) { return b.Enter(bodyOf(t.Context(), n)) }
		var leave []func()
		for _, n := range []int64{most, -1, most, most} {
			l, err := enter(n)
			if err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			leave = append(leave, l)
		}
		for _, n := range []int64{0, 100_000, most + 1} { // nothing of the last one is read
			if _, err := enter(n); err != nil {
				t.Errorf("%d bytes beside large ones: %v", n, err)
			}
		}
		begin := time.Now()
		if _, err := enter(2 << 20); err == nil || time.Since(begin) > 25*time.Second {
			t.Errorf("one more: %v after %v, want it refused while its phone still waits", err, time.Since(begin))
		}
		gone, hangUp := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, hangUp)
		begin = time.Now()
		if _, err := b.Enter(bodyOf(gone, most)); err == nil || time.Since(begin) > 2*time.Second {
			t.Errorf("one whose phone hangs up: %v after %v", err, time.Since(begin))
		}
		time.AfterFunc(5*time.Second, leave[0])
		l, err := enter(most)
		if err != nil {
			t.Fatalf("when another one is done: %v", err)
		}
		for _, l := range append(leave[1:], l) {
			l()
		}
		for range 4 { // all of the room is there again
			if _, err := enter(most); err != nil {
				t.Errorf("when all are done: %v", err)
			}
		}
	})
}
