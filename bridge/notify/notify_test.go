package notify

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, data string
		want       Notice // the zero one means that it is refused
	}{
		{"a user alone", `{"user":"ann"}`, Notice{User: "ann"}},
		{"a path alone", `{"path":"/ann/team/"}`, Notice{Path: "/ann/team/"}},
		{"everything", `{"backend":"calendar","user":"ann","path":"/ann/team/ü.ics"}`, Notice{"calendar", "ann", "/ann/team/ü.ics"}},
		{"nothing", ``, Notice{}},
		{"an empty object", `{}`, Notice{}},
		{"a backend alone", `{"backend":"calendar"}`, Notice{}},
		{"no object", `"ann"`, Notice{}},
		{"two objects", `{"user":"ann"}{"user":"bob"}`, Notice{}},
		{"something behind it", `{"user":"ann"} x`, Notice{}},
		{"half an object", `{"user":"an`, Notice{}},
		{"an unknown field", `{"user":"ann","password":"x"}`, Notice{}},
		{"a number for a name", `{"user":7}`, Notice{}},
		{"no UTF-8", "{\"user\":\"\xff\"}", Notice{}},
		{"a control character", `{"user":"a\u0007"}`, Notice{}},
		{"a line break in the path", `{"path":"/a\n"}`, Notice{}},
		{"a path without a root", `{"path":"ann/team"}`, Notice{}},
		{"a path upwards", `{"path":"/ann/../bob/team/"}`, Notice{}},
		{"a path upwards at its end", `{"path":"/ann/.."}`, Notice{}},
		{"dots that lead nowhere", `{"path":"/ann/..work/...ics"}`, Notice{Path: "/ann/..work/...ics"}},
		{"a long name", `{"user":"` + strings.Repeat("a", MaxName+1) + `"}`, Notice{}},
		{"a long path", `{"path":"/` + strings.Repeat("a", MaxPath) + `"}`, Notice{}},
		{"a long datagram", `{"user":"ann"` + strings.Repeat(" ", MaxDatagram) + `}`, Notice{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Parse([]byte(tc.data))
			if refused := tc.want == (Notice{}); refused != (err != nil) || err == nil && got != tc.want {
				t.Errorf("Parse = %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

// FuzzParse holds that what is accepted is within bounds, leads nowhere but
// down, and is accepted again when it is sent on.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"user":"ann"}`, `{"backend":"b","user":"ann","path":"/ann/team/1.ics"}`, `{"path":"/../x"}`, `{"path":"\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Parse(data)
		if err != nil {
			return
		}
		if len(n.User) > MaxName || len(n.Path) > MaxPath || n.Path != "" && filepath.Clean(n.Path) != strings.TrimSuffix(collapse(n.Path), "/") && filepath.Clean(n.Path) != "/" {
			t.Errorf("accepted %+v", n)
		}
		again, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > MaxDatagram {
			return // signs that JSON escapes; Send refuses it
		}
		if m, err := Parse(again); err != nil || m != n {
			t.Errorf("%q became %q, which is %+v, %v", data, again, m, err)
		}
	})
}

// collapse takes slashes together.
func collapse(s string) string {
	for strings.Contains(s, "//") {
		s = strings.ReplaceAll(s, "//", "/")
	}
	return s
}

func TestRadicalePath(t *testing.T) {
	const folder = "/var/lib/radicale/collections"
	for _, tc := range []struct{ name, cwd, file, want string }{
		{"an item", folder, folder + "/collection-root/ann/team/1.ics", "/ann/team/1.ics"},
		{"a collection", folder, folder + "/collection-root/ann/team/", "/ann/team/"},
		{"a folder with a slash", folder + "/", folder + "/collection-root/ann/team/", "/ann/team/"},
		{"without the folder", "", folder + "/collection-root/ann/team/", "/ann/team/"},
		{"a collection of that name", folder, folder + "/collection-root/ann/collection-root/1.ics", "/ann/collection-root/1.ics"},
		{"without the folder, a collection of that name", "", folder + "/collection-root/ann/collection-root/1.ics", "/ann/collection-root/1.ics"},
		{"the root itself", folder, folder + "/collection-root/", "/"},
		{"elsewhere", folder, "/etc/passwd", ""},
		{"nothing", folder, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := RadicalePath(tc.cwd, tc.file); got != tc.want {
				t.Errorf("RadicalePath(%q, %q) = %q, want %q", tc.cwd, tc.file, got, tc.want)
			}
		})
	}
}

// socketPath is short enough for a socket.
func socketPath(t *testing.T) string {
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "notify.sock")
}
