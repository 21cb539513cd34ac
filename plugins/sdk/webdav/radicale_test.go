package webdav

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/carddav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// TestRadicaleDirectory finds the person's own directories and nothing else.
func TestRadicaleDirectory(t *testing.T) {
	folder := t.TempDir()
	for _, dir := range []string{"ann/people", "ann/büro", "bob/people", ".Radicale.cache/x"} {
		if err := os.MkdirAll(filepath.Join(folder, radicaleCollections, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	outside := t.TempDir()
	for link, to := range map[string]string{"ann/out": outside, "ann/other": "../bob/people"} {
		if err := os.Symlink(to, filepath.Join(folder, radicaleCollections, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, radicaleCollections, "ann", "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := newRadicale(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, user, path, want string }{
		{"their own", "ann", "/ann/people/", "ann/people"},
		{"escaped", "ann", "/ann/b%C3%BCro/", "ann/büro"},
		{"behind a prefix", "ann", "/radicale/ann/people/", "ann/people"},
		{"the list", "ann", "", "ann"},
		{"somebody else's", "ann", "/bob/people/", ""},
		{"somebody else's behind their own", "ann", "/ann/bob/people/", ""},
		{"upwards", "ann", "/ann/../bob/people/", ""},
		{"upwards at the end", "ann", "/ann/../", ""},
		{"upwards in escapes", "ann", "/ann/%2E%2E/", ""},
		{"with an escaped slash", "ann", "/ann/..%2Fbob%2Fpeople/", ""},
		{"with a zero", "ann", "/ann/people%00/", ""},
		{"hidden", "ann", "/ann/.Radicale.cache/", ""},
		{"nobody's", "ann", "/people/", ""},
		{"not there", "ann", "/ann/none/", ""},
		{"a file", "ann", "/ann/file/", ""},
		{"a link that leads out", "ann", "/ann/out/", ""},
		{"a person upwards", "..", "", ""},
		{"a person without a name", "", "", ""},
		{"a person with a slash", "ann/people", "", ""},
		{"a hidden person", ".Radicale.cache", "/.Radicale.cache/x/", ""},
		{"a person who is not there", "carol", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := r.directory(tc.user, tc.path)
			want := tc.want
			if want != "" {
				want = filepath.Join(folder, radicaleCollections, want)
			}
			if got != want || (err == nil) != (want != "") {
				t.Errorf("directory(%q, %q) = %q, %v; want %q", tc.user, tc.path, got, err, want)
			}
		})
	}
}

func TestRadicaleRoot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, root, says string }{
		{"none", "", ""},
		{"a directory", t.TempDir(), ""},
		{"not from the root", "collections", "whole path"},
		{"not there", filepath.Join(t.TempDir(), "none"), "filesystem_folder"},
		{"a file", file, "not a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			settings := backend.Settings{"url": "http://127.0.0.1:1/", "radicale_root": tc.root}
			s, err := NewServer(carddav.Dialect, settings)
			if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("NewServer: %v, want %q in it", err, tc.says)
			}
			if err != nil {
				return
			}
			defer s.Close()
			err = s.Client(backend.Credentials{User: "ann"}).Watch(context.Background(), []Watched{{"/bob/people/", "x"}}, func() { t.Error("ready") }, nil)
			if backend.KindOf(err) != backend.Unsupported {
				t.Errorf("somebody else's collection: %v, want kind Unsupported, so that it is polled", err)
			}
		})
	}
}
