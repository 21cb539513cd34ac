package imap

import (
	"fmt"
	"testing"
	"time"
)

// What is remembered of everybody together is bounded, too: it is not the number of
// people times what is remembered of one.
func TestStatesOfAllAreBounded(t *testing.T) {
	for _, test := range []struct {
		limit int
		want  string
	}{{60, "10 10 10 10 10 10"}, {59, "0 10 10 10 10 10"}, {25, "0 0 0 0 10 10"}, {1, "0 0 0 0 0 10"}} {
		t.Run(fmt.Sprint(test.limit), func(t *testing.T) {
			s := &store{people: make(map[string]*person)}
			now := time.Now()
			var all []*person
			for n := range 6 {
				p := s.person(fmt.Sprint(n))
				p.used = now.Add(time.Duration(n) * time.Minute)
				p.states.keep("inbox", "1", &state{uids: make([]uint32, 4)})
				p.states.keep("inbox", "2", &state{uids: make([]uint32, 6)})
				all = append(all, p)
			}
			s.bound(test.limit)
			got := ""
			for n, p := range all {
				if n > 0 {
					got += " "
				}
				got += fmt.Sprint(p.states.size())
			}
			if got != test.want {
				t.Errorf("with a limit of %d messages there are %s of each, want %s", test.limit, got, test.want)
			}
		})
	}
}
