package eas_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var citation = regexp.MustCompile(`\[MS-[A-Z0-9]+\]`)

// TestCitedDocumentsAreListed keeps the list of doc.go complete: a section title
// is of use only to those who know the document.
func TestCitedDocumentsAreListed(t *testing.T) {
	list, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, name := range citation.FindAllString(string(list), -1) {
		listed[name] = true
	}
	err = filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, ".md") {
			return err
		}
		text, err := os.ReadFile(file)
		for _, name := range citation.FindAllString(string(text), -1) {
			if !listed[name] {
				t.Errorf("%s cites %s, which eas/doc.go does not list", file, name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
