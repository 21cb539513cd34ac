package crowd_test

import (
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// TestPhonesOfOnePerson has the phones of a person come one by one: what the
// first one waits for is watched, and the backend is asked no more often for all
// of them than for that one.
func TestPhonesOfOnePerson(t *testing.T) {
	const phones = 10
	w := newTown(t, phones, 1)
	asked := func() map[memory.Op]int {
		counts := make(map[memory.Op]int)
		for _, op := range []memory.Op{memory.OpCollections, memory.OpChanges, memory.OpGet, memory.OpProbe, memory.OpWatch} {
			counts[op] = w.Backend.Calls(op)
		}
		return counts
	}
	w.wait(0, 1)
	w.settle()
	watched, before := w.Bridge.Desk().Watching(), asked()
	if watched == 0 {
		t.Fatal("nothing is watched for the first phone")
	}
	w.wait(1, phones)
	w.settle()
	if n := w.Bridge.Desk().Watching(); n != watched {
		t.Errorf("%d collections and lists are watched for %d phones, want the %d of one", n, phones, watched)
	}
	for op, n := range asked() {
		if n != before[op] {
			t.Errorf("the backend was asked %v %d times more when further phones came", op, n-before[op])
		}
	}
	w.hangUp(0, phones)
}
