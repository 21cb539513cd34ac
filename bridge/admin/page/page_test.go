package page_test

import (
	"strings"
	"testing"

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
