package dav

import (
	"net/url"
	"strings"
	"testing"
)

func TestCleanPath(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"", "/"},
		{"/", "/"},
		{"/a/b.vcf", "/a/b.vcf"},
		{"/%61/b%2evcf", "/a/b.vcf"},
		{"/a b/c+d@e", "/a%20b/c%2Bd%40e"},
		{"/ä/%c3%A4", "/%C3%A4/%C3%A4"},
		{"/a%2fb/%25", "/a%2Fb/%25"},
		{"/a//b", "/a//b"},
		{"/...", "/..."},
		{"/a/../b", ""}, {"/a/%2e%2E/b", ""}, {"/./a", ""}, {"/a/..", ""},
		{"a/b", ""}, {"/a%2", ""}, {"/a%zz", ""}, {"/%", ""},
		{"/" + strings.Repeat("x", MaxHref), ""},
		{"/" + strings.Repeat("ä", MaxHref/3), ""},
	} {
		got, err := CleanPath(tc.in)
		if got != tc.want || (err == nil) == (tc.want == "") {
			t.Errorf("CleanPath(%.40q) = %q, %v; want %q", tc.in, got, err, tc.want)
		}
	}
}

// FuzzCleanPath: the clean form is its own clean form, means the same path,
// and never leaves its place.
func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"/", "/a%20b/ä", "/a/%2e%2e/b", "/%2F%", "//x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		clean, err := CleanPath(in)
		if err != nil {
			return
		}
		if again, err := CleanPath(clean); err != nil || again != clean {
			t.Errorf("CleanPath(%q) = %q, but of that %q, %v", in, clean, again, err)
		}
		plain, err := url.PathUnescape(clean)
		if want, _ := url.PathUnescape(in); err != nil || in != "" && plain != want {
			t.Errorf("CleanPath(%q) = %q means %q, want %q", in, clean, plain, want)
		}
		for s := range strings.SplitSeq(clean, "/") {
			if s == "." || s == ".." {
				t.Errorf("CleanPath(%q) = %q leaves its place", in, clean)
			}
		}
	})
}

func TestMember(t *testing.T) {
	root, err := url.Parse("https://Dav.example:8443/x/")
	if err != nil {
		t.Fatal(err)
	}
	c := New(Dialect{Name: "test"}, nil, root)
	for _, tc := range []struct{ name, href, want string }{
		{"plain", "/a/b/c.vcf", "c.vcf"},
		{"space around", " \n/a/b/c.vcf ", "c.vcf"},
		{"escaped", "/a/%62/c%20d.vcf", "c%20d.vcf"},
		{"a full URL without TLS", "http://dav.example/a/b/c.vcf", "c.vcf"},
		{"a URL without a scheme", "//dav.example/a/b/c.vcf", "c.vcf"},
		{"a slash in the name", "/a/b/c%2Fd", "c%2Fd"},
		{"a query", "/a/b/c.vcf?x=1", "c.vcf"},
		{"the collection", "/a/b/", ""},
		{"the collection without its slash", "/a/b", ""},
		{"a collection inside", "/a/b/c/", "c/"},
		{"another host", "https://evil.example/a/b/c.vcf", "error"},
		{"another host without a scheme", "//evil.example/a/b/c.vcf", "error"},
		{"a neighbour", "/a/bc/d.vcf", "error"},
		{"above", "/a/", "error"},
		{"deeper", "/a/b/c/d.vcf", "error"},
		{"dots", "/a/b/../c.vcf", "error"},
		{"relative", "c.vcf", "error"},
		{"a name too long", "/a/b/" + strings.Repeat("x", MaxID+1), "error"},
		{"empty", "", "error"},
	} {
		got, err := c.member("/a/b/", tc.href)
		if err != nil {
			got = "error"
		}
		if string(got) != tc.want {
			t.Errorf("%s: member(%.60q) = %q, %v; want %q", tc.name, tc.href, got, err, tc.want)
		}
	}
}

func TestColour(t *testing.T) {
	for in, want := range map[string]string{"#11AA33": "#11aa33", "#11AA33FF": "#11aa33", "#abc": "#aabbcc", "red": "", "#12": "", "#gggggg": "", "": ""} {
		if got := colour(in); got != want {
			t.Errorf("colour(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPrefer(t *testing.T) {
	own := func(path string) Collection { return Collection{Path: path, Order: unordered} }
	first := Collection{Path: "/z/", Order: 1}
	shared := Collection{Path: "/a/", Owner: "bob"}
	fixed := Collection{Path: "/a/", ReadOnly: true}
	for _, tc := range []struct {
		name              string
		better, worse     Collection
		special, otherToo bool
	}{
		{"the usual name", own("/x/personal/"), own("/x/a/"), false, false},
		{"the owner's order", first, own("/a/"), false, false},
		{"the path", own("/a/"), own("/b/"), false, false},
		{"one's own", own("/z/"), shared, false, false},
		{"what can be written", shared, fixed, false, false},
		{"a special one", own("/z/"), own("/x/calendar/"), true, false},
	} {
		if Prefer(tc.better, tc.worse, tc.special, tc.otherToo) >= 0 || Prefer(tc.worse, tc.better, tc.otherToo, tc.special) <= 0 {
			t.Errorf("%s does not decide", tc.name)
		}
	}
}
