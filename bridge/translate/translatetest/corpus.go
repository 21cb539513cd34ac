// Package translatetest walks through other people's vCard and iCalendar files where they lie, for the tests of the translations.
package translatetest

import (
	"os"
	"path/filepath"
	"testing"
)

// CorpusVariable names the environment variable with the folder of the files:
// vcf/*.vcf and ics/*.ics in it. They belong to others and are read in place.
const CorpusVariable = "PUSHBRIDGE_CORPUS"

// Corpus calls f in a subtest for every file of a kind, "vcf" or "ics". It
// skips the test if the environment names no corpus, and fails it if there is
// nothing in the one that it names.
func Corpus(t *testing.T, kind string, f func(t *testing.T, object []byte)) {
	t.Helper()
	for _, path := range corpusFiles(t, kind) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f(t, readFile(t, path))
		})
	}
}

// Seeds adds every file of a kind to a fuzz target; none without a corpus.
func Seeds(f *testing.F, kind string) {
	if os.Getenv(CorpusVariable) == "" {
		return
	}
	for _, path := range corpusFiles(f, kind) {
		f.Add(readFile(f, path))
	}
}

func corpusFiles(t testing.TB, kind string) []string {
	t.Helper()
	dir := os.Getenv(CorpusVariable)
	if dir == "" {
		t.Skipf("%s is not set: no files of other people to read", CorpusVariable)
	}
	paths, err := filepath.Glob(filepath.Join(dir, kind, "*."+kind))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s=%s: there are no files %s/*.%s in it (%v)", CorpusVariable, dir, kind, kind, err)
	}
	return paths
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	object, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return object
}
