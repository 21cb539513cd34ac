// Package eastest checks ActiveSync documents in tests: shows them as XML and validates answers against Microsoft's schemas.
package eastest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// XML shows a WBXML document as XML, indented, each element in the namespace
// of its code page. A document that cannot be read is shown as the reason.
func XML(doc []byte) string {
	s, err := wbxml.Text(doc, tag.Name)
	if err != nil {
		return err.Error()
	}
	return s
}

// Validate checks that an answer, a WBXML document, keeps the schemas of
// answers, and fails the test when it ends if not. The empty document is what
// it is: valid. The schemas are those of 12.1 and later: they know nothing of the
// Class that a folder's answer has in 2.5 and 12.0.
//
// libwbxml has to read the same elements in it, where its wbxml2xml (Debian:
// libwbxml2-utils) is installed.
//
// The schemas are read in place from the directory that PUSHBRIDGE_XSD names;
// where it names none, or xmllint (Debian: libxml2-utils) is absent, the test
// goes on unvalidated and its log says so. With PUSHBRIDGE_CI=1 an absent xmllint is
// a failure. All documents of a test are validated by one process when it ends,
// and a document that was valid once is not asked about again.
func Validate(t testing.TB, doc []byte) {
	t.Helper()
	if len(doc) == 0 {
		return
	}
	text, err := wbxml.Text(doc, tag.Name)
	if err != nil {
		t.Errorf("the answer is not WBXML: %v", err)
		return
	}
	readByOthers(t, doc, text)
	ValidateXML(t, text)
}

// ValidateXML is Validate for what is XML already, such as the answer of
// Autodiscover.
func ValidateXML(t testing.TB, text string) {
	t.Helper()
	if !available(t) {
		return
	}
	sum := sha256.Sum256([]byte(text))
	mu.Lock()
	defer mu.Unlock()
	if valid[sum] {
		return
	}
	mine, ok := waiting[t]
	if !ok {
		mine = make(map[[sha256.Size]byte]string)
		waiting[t] = mine
		t.Cleanup(func() { settle(t) })
	}
	mine[sum] = text
}

// said keeps the reason for not validating to one line of a test's binary.
var said sync.Once

var (
	mu      sync.Mutex
	valid   = make(map[[sha256.Size]byte]bool)
	waiting = make(map[testing.TB]map[[sha256.Size]byte]string)
)

// schemas is the directory of the schemas, "" for none.
func schemas() string { return os.Getenv("PUSHBRIDGE_XSD") }

func available(t testing.TB) bool {
	t.Helper()
	if schemas() == "" {
		said.Do(func() { t.Log("answers are not validated: PUSHBRIDGE_XSD is not set") })
		return false
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal("answers cannot be validated: xmllint is not installed, and PUSHBRIDGE_CI is set")
		}
		said.Do(func() { t.Log("answers are not validated: xmllint is not installed") })
		return false
	}
	return true
}

// settle validates what a test has collected.
func settle(t testing.TB) {
	mu.Lock()
	mine := waiting[t]
	delete(waiting, t)
	mu.Unlock()

	dir := t.TempDir()
	args := []string{"--noout", "--nonet", "--schema", filepath.Join(schemas(), "all.xsd")}
	for sum, text := range mine {
		file := filepath.Join(dir, hex.EncodeToString(sum[:8])+".xml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd := exec.CommandContext(context.Background(), "xmllint", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	_ = cmd.Run() // its exit status tells only that there was something; silence is a complaint too

	for sum, text := range mine {
		file := filepath.Join(dir, hex.EncodeToString(sum[:8])+".xml")
		complaints := about(said.String(), file)
		if complaints == "" && strings.Contains(said.String(), file+" validates") {
			mu.Lock()
			valid[sum] = true
			mu.Unlock()
			continue
		}
		if complaints == "" {
			complaints = "xmllint: " + strings.TrimSpace(said.String())
		}
		t.Errorf("an answer does not keep the schema:\n%s\n%s", complaints, text)
	}
}

var place = regexp.MustCompile(`(?m)^.*?\.xml:(\d+): element `)

// about picks the complaints about one file, without its path.
func about(said, file string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, file+":") && !strings.Contains(line, ": namespace warning :") { // names of Microsoft's are not URIs
			b.WriteString(place.ReplaceAllString(line, "line $1: element "))
		}
	}
	return strings.TrimSpace(b.String())
}
