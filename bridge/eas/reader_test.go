package eas_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
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
			if diff := cmp.Diff(theirs, eastest.LikeTheirs(theirs, ours)); diff != "" {
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
			if diff := cmp.Diff(skeleton(t, theirs), eastest.LikeTheirs(skeleton(t, theirs), skeleton(t, ours))); diff != "" {
				t.Errorf("libwbxml and we read different things (-libwbxml +we):\n%s", diff)
			}
		})
	}
}

// skeleton is eastest.Skeleton, or the test fails.
func skeleton(t *testing.T, doc []byte) []string {
	t.Helper()
	lines, err := eastest.Skeleton(doc)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
