package eas_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// anotherReader is wbxml2xml, or the test is skipped.
func anotherReader(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("wbxml2xml")
	if err == nil {
		return program
	}
	if os.Getenv("PUSHBRIDGE_CI") == "1" {
		t.Fatal("wbxml2xml (Debian: libwbxml2-utils) is not installed, and PUSHBRIDGE_CI is set")
	}
	t.Skip("wbxml2xml (Debian: libwbxml2-utils) is not installed")
	return ""
}

func TestTagsHaveTheNamesThatAnotherReaderKnows(t *testing.T) {
	program := anotherReader(t)
	for page := range uint8(25) { // libwbxml 0.11 does not know page 25, Find
		if tag.Namespace(page) == "" {
			continue
		}
		t.Run(tag.Namespace(page), func(t *testing.T) {
			e := wbxml.NewEncoder(nil)
			e.Start(tag.AirSyncSync)
			var ours []string
			for token := range wbxml.Tag(64) {
				if one := wbxml.Tag(page)<<8 | token; tag.Local(one) != "" {
					e.Empty(one)
					ours = append(ours, tag.Local(one))
				}
			}
			e.End()
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in.wbxml"), filepath.Join(dir, "out.xml")
			if err := os.WriteFile(in, e.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			if said, err := exec.Command(program, "-l", "ACTIVESYNC", "-m", "0", "-o", out, in).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			doc, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			var theirs []string
			for _, line := range skeleton(t, doc)[1:] {
				theirs = append(theirs, strings.TrimSpace(line))
			}
			if diff := cmp.Diff(theirs, likeTheirs(theirs, ours)); diff != "" {
				t.Errorf("(-libwbxml +we):\n%s", diff)
			}
		})
	}
}

// TestAnotherReaderReadsTheSame shows the golden files to libwbxml.
func TestAnotherReaderReadsTheSame(t *testing.T) {
	program := anotherReader(t)
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			file := filepath.Join("testdata", s.name+".wbxml")
			out := filepath.Join(t.TempDir(), "out.xml")
			if said, err := exec.Command(program, "-l", "ACTIVESYNC", "-m", "0", "-o", out, file).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			theirs, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			ours, err := os.ReadFile(file + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(skeleton(t, theirs), likeTheirs(skeleton(t, theirs), skeleton(t, ours))); diff != "" {
				t.Errorf("libwbxml and we read different things (-libwbxml +we):\n%s", diff)
			}
		})
	}
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

// likeTheirs rewrites our lines as libwbxml would write them, as far as it
// differs only by that.
func likeTheirs(theirs, ours []string) []string {
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

// skeleton is the elements and texts of a document, one a line, without white space.
func skeleton(t *testing.T, doc []byte) []string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(doc)))
	d.Strict = false
	var lines []string
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			lines = append(lines, fmt.Sprintf("%*s%s", 2*depth, "", name))
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
