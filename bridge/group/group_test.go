package group_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/group"
)

func TestMemberships(t *testing.T) {
	l, wrong := group.Index(map[string]group.Group{
		"all":     {Groups: []string{"staff", "guests"}},
		"staff":   {Groups: []string{"berlin", "board"}, Users: []string{"carol"}},
		"berlin":  {Users: []string{"ann", "bob"}},
		"board":   {Users: []string{"ann"}},
		"guests":  {Users: []string{"dave"}},
		"drivers": {Users: []string{"bob", "ann"}, Groups: []string{"board"}},
	})
	if wrong != nil {
		t.Fatal(wrong)
	}
	for user, want := range map[string][]string{
		"ann":   {"berlin", "board", "drivers", "staff, through berlin", "all, through berlin, staff"},
		"bob":   {"berlin", "drivers", "staff, through berlin", "all, through berlin, staff"},
		"carol": {"staff", "all, through staff"},
		"dave":  {"guests", "all, through guests"},
		"eve":   nil,
	} {
		list, err := l.Memberships(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, m := range list {
			got = append(got, m.String())
			if i > 0 && m.Distance() < list[i-1].Distance() {
				t.Errorf("%s: %v comes after what is farther", user, m)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", user, diff)
		}
	}
}

// Everything that is wrong is said at once.
func TestComplaints(t *testing.T) {
	deep := map[string]group.Group{}
	for i := range group.MaxDepth + 1 {
		g := group.Group{}
		if i > 0 {
			g.Groups = []string{fmt.Sprintf("g%02d", i-1)}
		}
		deep[fmt.Sprintf("g%02d", i)] = g
	}
	many := map[string]group.Group{}
	for i := range group.MaxGroups + 1 {
		many[fmt.Sprint("g", i)] = group.Group{}
	}
	for _, tc := range []struct {
		name   string
		groups map[string]group.Group
		says   []string
	}{
		{"itself", map[string]group.Group{"a": {Groups: []string{"a"}}}, []string{"a holds a"}},
		{"a circle", map[string]group.Group{"a": {Groups: []string{"b"}}, "b": {Groups: []string{"c"}}, "c": {Groups: []string{"a"}}}, []string{"circle"}},
		{"too deep", deep, []string{"more than"}},
		{"names", map[string]group.Group{" a": {Users: []string{"x\ny", "ann", "ann"}, Groups: []string{"nobody"}}}, []string{`" a" is no name`, "no name of a person", "twice", "not known"}},
		{"too many", many, []string{"there may be 10000"}},
		{"an empty name", map[string]group.Group{"": {}}, []string{"no name"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, wrong := group.Index(tc.groups)
			if l != nil || len(wrong) != len(tc.says) {
				t.Fatalf("complaints are %q, want %d", wrong, len(tc.says))
			}
			for i, want := range tc.says {
				if !strings.Contains(wrong[i], want) {
					t.Errorf("it says %q, want something about %q", wrong[i], want)
				}
			}
		})
	}
}
