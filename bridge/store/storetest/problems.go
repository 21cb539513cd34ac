package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/problem"
)

// listed reads all problems, in a certain order and zone.
func listed(t *testing.T, s problem.Store) []problem.Problem {
	t.Helper()
	list, err := s.Problems(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].FirstSeen, list[i].LastSeen = list[i].FirstSeen.UTC(), list[i].LastSeen.UTC()
	}
	slices.SortFunc(list, func(a, b problem.Problem) int { return cmp.Compare(fmt.Sprint(a.Object), fmt.Sprint(b.Object)) })
	return list
}

func problems(t *testing.T, s problem.Store) {
	if list := listed(t, s); len(list) != 0 {
		t.Fatalf("an empty store has %v", list)
	}
	full := problem.Problem{
		Object: problem.Object{User: ann, Backend: "dav", Collection: "/ann/team/", ID: "ü 1.ics"},
		Folder: 7, Kind: problem.Unreadable, Reason: "there is no VCALENDAR",
		FirstSeen: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), LastSeen: time.Date(2026, 11, 2, 3, 4, 5, 7, time.UTC), Count: 1 << 40,
	}
	elsewhere := full
	elsewhere.User, elsewhere.Kind = bob, problem.TooLarge
	change := func(save []problem.Problem, forget ...problem.Object) {
		t.Helper()
		if err := s.ChangeProblems(t.Context(), save, forget); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...problem.Problem) {
		t.Helper()
		if diff := gocmp.Diff(want, listed(t, s)); diff != "" {
			t.Errorf("problems (-want +got):\n%s", diff)
		}
	}
	change([]problem.Problem{full, elsewhere})
	check(full, elsewhere)
	full.Reason, full.Count, full.Folder = "another one", 2, 8
	change([]problem.Problem{full}, elsewhere.Object)
	check(full)
	change(nil, elsewhere.Object) // which is not there
	check(full)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.ChangeProblems(ctx, []problem.Problem{elsewhere}, []problem.Object{full.Object}); err == nil {
		t.Error("a change works although its context has ended")
	}
	check(full)
}
