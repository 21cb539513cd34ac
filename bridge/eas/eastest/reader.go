package eastest

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// maxShapes bounds how many documents of a test's binary are shown to the other
// reader, which takes a process for each.
const maxShapes = 400

var (
	shapesMu sync.Mutex
	shapes   = make(map[string]bool) // elements without their texts, that the other reader has read
	noReader sync.Once
)

// reader is wbxml2xml, or empty where it is not installed.
func reader(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("wbxml2xml")
	if err == nil {
		return program
	}
	if os.Getenv("PUSHBRIDGE_CI") == "1" {
		t.Fatal("wbxml2xml (Debian: libwbxml2-utils) is not installed, and PUSHBRIDGE_CI is set")
	}
	noReader.Do(func() { t.Log("answers are not shown to another reader: wbxml2xml is not installed") })
	return ""
}

// readByOthers shows a document to libwbxml, and fails the test if that reads
// something else than we do. Of documents that differ by their texts alone, one
// is shown.
func readByOthers(t testing.TB, doc []byte, text string) {
	t.Helper()
	program := reader(t)
	if program == "" || strings.Contains(text, `xmlns="Find"`) { // libwbxml 0.11 does not know that page
		return
	}
	ours, err := Skeleton([]byte(text))
	if err != nil {
		t.Errorf("what we show of an answer is no XML: %v", err)
		return
	}
	shape := strings.Join(elements(ours), "\n")
	shapesMu.Lock()
	known := shapes[shape] || len(shapes) >= maxShapes
	shapes[shape] = true
	shapesMu.Unlock()
	if known {
		return
	}
	theirs, err := otherReader(program, t.TempDir(), doc)
	if err != nil {
		t.Errorf("wbxml2xml does not read an answer: %v\n%s", err, text)
		return
	}
	theirs, ours = elements(theirs), elements(ours)
	if like := LikeTheirs(theirs, ours); strings.Join(theirs, "\n") != strings.Join(like, "\n") {
		t.Errorf("wbxml2xml reads an answer otherwise:\n%s\nwe read\n%s", strings.Join(theirs, "\n"), strings.Join(ours, "\n"))
	}
}

// otherReader is what libwbxml makes of a document.
func otherReader(program, dir string, doc []byte) ([]string, error) {
	in, out := filepath.Join(dir, "in.wbxml"), filepath.Join(dir, "out.xml")
	if err := os.WriteFile(in, doc, 0o600); err != nil {
		return nil, err
	}
	if said, err := exec.CommandContext(context.Background(), program, "-l", "ACTIVESYNC", "-m", "0", "-o", out, in).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return Skeleton(text)
}

// elements leaves out the texts of a skeleton, which begin with a quotation mark.
func elements(skeleton []string) []string {
	var list []string
	for _, line := range skeleton {
		if !strings.HasPrefix(strings.TrimSpace(line), `"`) {
			list = append(list, line)
		}
	}
	return list
}

// Skeleton is the elements and texts of an XML document, one a line, without white
// space. It is not strict: libwbxml writes what XML does not allow.
func Skeleton(doc []byte) ([]string, error) {
	d := xml.NewDecoder(strings.NewReader(strings.Map(allowed, strings.ToValidUTF8(string(doc), "?"))))
	d.Strict = false
	var lines []string
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			lines = append(lines, fmt.Sprintf("%*s%s", 2*depth, "", token.Name.Local))
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				lines = append(lines, fmt.Sprintf("%*s%q", 2*depth, "", text))
			}
		}
	}
}

// allowed replaces characters that XML does not allow. See "Characters" in
// Extensible Markup Language (XML) 1.0.
func allowed(r rune) rune {
	switch {
	case r == '\t', r == '\n', r == '\r', r >= ' ' && r < 0xfffe, r >= 0x10000:
		return r
	}
	return '?'
}

// libwbxml 0.11 writes some names otherwise than [MS-ASWBXML], and this is how:
// it puts the container before the names of its children, and does not
// know the latest elements.
var sameName = strings.NewReplacer("_", "", "-", "", "0", "o", "tele", "", "address", "",
	"recurrence", "", "attendee", "", "exception", "", "flag", "")

// otherNames are those that it calls by another name altogether.
var otherNames = map[string]string{
	"DeviceEncryptionEnabled":            "RequireStorageCardEncryption",
	"ihsManagementInformation":           "RightsManagementInformation",
	"RMOwner":                            "Owner",
	"RemoveRightsManagementDistribution": "RemoveRightsManagementProtection",
}

// LikeTheirs rewrites our lines as libwbxml would write them, as far as it
// differs only by that.
func LikeTheirs(theirs, ours []string) []string {
	if len(theirs) != len(ours) {
		return ours
	}
	like := make([]string, len(ours))
	for i := range ours {
		like[i] = ours[i]
		their, our := strings.ToLower(theirs[i]), strings.ToLower(ours[i])
		if strings.TrimSpace(their) == "unknown" || otherNames[strings.TrimSpace(theirs[i])] == strings.TrimSpace(ours[i]) || sameName.Replace(their) == sameName.Replace(our) {
			like[i] = theirs[i]
		}
	}
	return like
}
