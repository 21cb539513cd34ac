package hub

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestRecall is about a watch function that cannot go on: all who wait come
// again, and the first of them brings another one.
func TestRecall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		var n news
		began := 0
		watching := func(phone string) Wait {
			w := wait(&n)
			w.Device = phone
			w.Watch = func(w *Watched) func() {
				if began++; began == 1 {
					time.AfterFunc(2*time.Minute, func() { w.Ended(true) })
				}
				return func() {}
			}
			return w
		}
		first, second := begin(t.Context(), h, watching("phone")), begin(t.Context(), h, watching("tablet"))
		other := wait(&n)
		other.User, other.Topics = "bob", []Topic{{"bob", 1}}
		third := begin(t.Context(), h, other)
		for _, c := range []<-chan result{first, second} {
			if got := <-c; !errors.Is(got.err, ErrReplaced) || got.after != 2*time.Minute {
				t.Errorf("wait ended with %v, want one that is %v after two minutes", got, ErrReplaced)
			}
		}
		again := begin(t.Context(), h, watching("phone"))
		synctest.Wait()
		if began != 2 {
			t.Errorf("%d watch functions were begun, want another one for who came again", began)
		}
		if got := <-again; got.err != nil || got.after != 10*time.Minute {
			t.Errorf("the next wait ended with %v, want its heartbeat", got)
		}
		if got := <-third; got.err != nil {
			t.Errorf("somebody else's wait ended with %v, want its heartbeat", got)
		}
		h.Recall(Topic{"nobody", 1})
	})
}
