package sample

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Person names the nth of the people whom People makes.
func Person(n int) string { return fmt.Sprintf("person%d", n) }

// People makes directories for so many people, with an address book, a calendar
// and a list of tasks in each that are as good as empty: for trials with many
// phones. Those that are there are left alone.
func People(dir string, n int) error {
	for i := range n {
		home := filepath.Join(dir, Person(i+1))
		for _, c := range collections {
			if c.directory == "family" || c.directory == "notes" {
				continue
			}
			if err := os.MkdirAll(filepath.Join(home, c.directory), 0o750); err != nil {
				return fmt.Errorf("sample: %w", err)
			}
			meta := filepath.Join(home, c.directory, ".collection.toml")
			if _, err := os.Stat(meta); err == nil {
				continue
			} else if !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("sample: %w", err)
			}
			if err := os.WriteFile(meta, []byte(c.meta), 0o640); err != nil {
				return fmt.Errorf("sample: %w", err)
			}
		}
	}
	return nil
}
