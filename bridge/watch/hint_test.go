package watch

import "testing"

// TestConcerns has paths as the hooks, webhooks and stores of several servers
// write them.
func TestConcerns(t *testing.T) {
	team := placeOf("calendar", "ann", "/ann/team/#VEVENT")
	for _, tc := range []struct {
		name string
		at   place
		hint Hint
		want bool
	}{
		{"everything", team, Hint{}, true},
		{"the backend", team, Hint{Backend: "calendar"}, true},
		{"another backend", team, Hint{Backend: "contacts"}, false},
		{"the user", team, Hint{User: "ann"}, true},
		{"another user", team, Hint{User: "bob"}, false},
		{"another user with the same path", team, Hint{User: "bob", Path: "/ann/team/"}, false},
		{"the collection", team, Hint{Path: "/ann/team/"}, true},
		{"an item", team, Hint{Path: "/ann/team/1.ics"}, true},
		{"without slashes", team, Hint{Path: "ann/team"}, true},
		{"a sibling", team, Hint{Path: "/ann/home/1.ics"}, false},
		{"a name that begins alike", team, Hint{Path: "/ann/team2/"}, false},
		{"another person's of the same name", team, Hint{Path: "/bob/team/1.ics"}, false},
		{"what is above", team, Hint{Path: "/ann/"}, true},
		{"in the storage", team, Hint{Path: "/var/lib/radicale/collections/collection-root/ann/team/1.ics"}, true},
		{"behind a prefix that the hint does not know", placeOf("", "ann", "/radicale/ann/team/"), Hint{Path: "ann/team/1.ics"}, true},
		{"escaped", placeOf("", "ann", "/ann smith/team/"), Hint{Path: "/ann%20smith/team/1.ics"}, true},
		{"escaped on the other side", placeOf("", "ann", "/ann%20smith/team/"), Hint{Path: "/ann smith/team/1.ics"}, true},
		{"a directory's name", placeOf("files", "ann", "contacts"), Hint{User: "ann", Path: "contacts"}, true},
		{"the list of collections", placeOf("", "ann", ""), Hint{User: "ann", Path: "/ann/new/"}, true},
		{"the list of somebody else", placeOf("", "ann", ""), Hint{User: "bob", Path: "/bob/new/"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.at.concerns(tc.hint, segments(tc.hint.Path)); got != tc.want {
				t.Errorf("%+v concerns %+v: %v, want %v", tc.hint, tc.at, got, tc.want)
			}
		})
	}
}
