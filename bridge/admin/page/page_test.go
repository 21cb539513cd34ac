package page_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/page"
)

func TestCut(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "iPhone": "iPhone", "a\nb\tc": "a b c", "a\x00\u202eb": "a\uFFFD\uFFFDb", "\xff\xfe": "\uFFFD", "👩\u200d🚀": "👩\u200d🚀",
		strings.Repeat("ü", 10): strings.Repeat("ü", 10), strings.Repeat("ü", 11): strings.Repeat("ü", 10) + "…",
	} {
		if got := page.Cut(text, 10); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestURL(t *testing.T) {
	for _, tc := range []struct {
		query []any
		want  string
	}{{nil, "/my/"}, {[]any{"device", ""}, "/my/"}, {[]any{"device", "a&b", "n", 5}, "/my/?device=a%26b&n=5"}, {[]any{"alone"}, "/my/"}} {
		if got := page.URL("/my/", tc.query...); got != tc.want {
			t.Errorf("%v is %q, want %q", tc.query, got, tc.want)
		}
	}
}

func TestStrangers(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{nil, false}, {errors.New("the disk is gone"), false}, {&admin.Error{Kind: admin.Refused}, false},
		{fmt.Errorf("gate: %w", &admin.Error{Kind: admin.Stranger}), true},
	} {
		if got := page.IsStranger(tc.err); got != tc.want {
			t.Errorf("%v: %t", tc.err, got)
		}
	}
}
