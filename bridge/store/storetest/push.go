package storetest

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/davpush"
)

func pushes(t *testing.T, s davpush.Store) {
	ctx := t.Context()
	for _, key := range [][]byte{{1, 0, 255}, {2, 0}} { // the second takes the first one's place
		if err := s.SavePushKey(ctx, "dav", key); err != nil {
			t.Fatal(err)
		}
		keys, err := s.PushKeys(ctx)
		if err != nil || !maps.EqualFunc(keys, map[string][]byte{"dav": key}, slices.Equal) {
			t.Errorf("the keys are %v, %v", keys, err)
		}
	}
	full := davpush.Subscription{
		Token: "t1", Backend: "dav", User: ann, Collection: "/ann/team/", Auth: []byte{0, 7}, ServerKey: []byte{4, 0},
		Origin: "https://mail.example.org", Renewed: time.Unix(1_800_000_000, 0), Expires: time.Unix(1_800_000_100, 0),
	}
	plain := full
	plain.Token, plain.User, plain.ServerKey = "t2", bob, nil
	again := full
	again.Token, again.Expires = "t3", full.Expires.Add(time.Hour)
	for _, tc := range []struct {
		name         string
		save, forget *davpush.Subscription
		want         []davpush.Subscription
	}{
		{"the first", &full, nil, []davpush.Subscription{full}},
		{"another person's", &plain, nil, []davpush.Subscription{full, plain}},
		{"the same once more", &again, nil, []davpush.Subscription{plain, again}},
		{"forgotten", nil, &plain, []davpush.Subscription{again}},
	} {
		if tc.save != nil {
			if err := s.SavePushSubscription(ctx, *tc.save); err != nil {
				t.Fatal(err)
			}
		} else if err := s.ForgetPushSubscription(ctx, *tc.forget); err != nil {
			t.Fatal(err)
		}
		got, err := s.PushSubscriptions(ctx)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b davpush.Subscription) int { return strings.Compare(a.Token, b.Token) })
		if d := gocmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
	}
}
