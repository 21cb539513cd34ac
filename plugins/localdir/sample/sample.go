// Package sample writes believable contacts, events, tasks, notes and mails of invented people into a directory for the demonstration.
//
// Telephone numbers are from the ranges that the regulators of Germany,
// Britain and the United States keep free for stories, addresses of mail and
// pages from the domains that RFC 2606 reserves.
package sample

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// User is whom the sample data belongs to.
const User = "demo"

// collections are the directories, with what their .collection.toml says.
var collections = []struct{ directory, meta string }{
	{"contacts", "kind = \"contacts\"\nname = \"Contacts\"\ndefault = true\n"},
	{"calendar", "kind = \"events\"\nname = \"Work\"\ncolour = \"#2f6fb5\"\ndefault = true\n"},
	{"family", "kind = \"events\"\nname = \"Family\"\ncolour = \"#c2571a\"\n"},
	{"tasks", "kind = \"tasks\"\nname = \"Tasks\"\ndefault = true\n"},
	{"notes", "kind = \"notes\"\nname = \"Notes\"\ndefault = true\n"},
}

// Write writes the sample data into dir (DIR/demo/...), with events around
// now. If DIR/demo is there already it is left alone: what a person did to
// the data stays done.
func Write(dir string, now time.Time) error {
	home := filepath.Join(dir, User)
	if _, err := os.Stat(home); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sample: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	// Under another name first, so that half of it is never taken for all.
	draft, err := os.MkdirTemp(dir, ".sample-")
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	defer os.RemoveAll(draft)
	if err := writeAll(draft, now); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if err := os.Rename(draft, home); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	return nil
}

func writeAll(home string, now time.Time) error {
	for _, c := range collections {
		if err := os.Mkdir(filepath.Join(home, c.directory), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(home, c.directory, ".collection.toml"), []byte(c.meta), 0o640); err != nil {
			return err
		}
	}
	files, err := contactFiles(now)
	if err != nil {
		return err
	}
	files = append(files, eventFiles(now)...)
	files = append(files, taskFiles(now)...)
	files = append(files, noteFiles(now)...)
	for _, name := range mailFolders {
		for _, part := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(home, name, part), 0o750); err != nil {
				return err
			}
		}
	}
	for _, f := range append(files, mailFiles(now)...) {
		path := filepath.Join(home, f.path)
		if err := os.WriteFile(path, []byte(f.text), 0o640); err != nil {
			return err
		}
		if f.at.IsZero() {
			continue
		}
		if err := os.Chtimes(path, f.at, f.at); err != nil {
			return err
		}
	}
	return nil
}

// A file is one item with its path below the person's directory.
type file struct {
	path, text string
	at         time.Time // of the file; zero is now
}

// A page is a sequence of content lines. See RFC 5545, section 3.1, and RFC
// 6350, section 3.2.
type page struct{ strings.Builder }

// line writes a content line, folded to 75 bytes without cutting a character.
func (p *page) line(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	for width := 75; len(s) > width; width = 74 {
		cut := width
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		p.WriteString(s[:cut] + "\r\n ")
		s = s[cut:]
	}
	p.WriteString(s + "\r\n")
}

// text escapes a text value. See RFC 5545, section 3.3.11.
func text(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// stamp writes a moment in UTC.
func stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
