package watch

import "testing"

// TestConcerns has paths as the hooks, webhooks and stores of several servers
// write them.
func TestConcerns(t *testing.T) {
	work := placeOf("calendar", "ann", "/ann/work/#VEVENT")
	for _, tc := range []struct {
		name string
		at   place
		hint Hint
		want bool
	}{
		{"everything", work, Hint{}, true},
		{"the backend", work, Hint{Backend: "calendar"}, true},
		{"another backend", work, Hint{Backend: "contacts"}, false},
		{"the user", work, Hint{User: "ann"}, true},
		{"another user", work, Hint{User: "bob"}, false},
		{"another user with the same path", work, Hint{User: "bob", Path: "/ann/work/"}, false},
		{"the collection", work, Hint{Path: "/ann/work/"}, true},
		{"an item", work, Hint{Path: "/ann/work/1.ics"}, true},
		{"without slashes", work, Hint{Path: "ann/work"}, true},
		{"a sibling", work, Hint{Path: "/ann/home/1.ics"}, false},
		{"a name that begins alike", work, Hint{Path: "/ann/work2/"}, false},
		{"another person's of the same name", work, Hint{Path: "/bob/work/1.ics"}, false},
		{"what is above", work, Hint{Path: "/ann/"}, true},
		{"in the storage", work, Hint{Path: "/var/lib/radicale/collections/collection-root/ann/work/1.ics"}, true},
		{"behind a prefix that the hint does not know", placeOf("", "ann", "/radicale/ann/work/"), Hint{Path: "ann/work/1.ics"}, true},
		{"escaped", placeOf("", "ann", "/ann smith/work/"), Hint{Path: "/ann%20smith/work/1.ics"}, true},
		{"escaped on the other side", placeOf("", "ann", "/ann%20smith/work/"), Hint{Path: "/ann smith/work/1.ics"}, true},
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
