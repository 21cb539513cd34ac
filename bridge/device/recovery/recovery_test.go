package recovery_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

var (
	oldKey = strings.Repeat("0f", 32)
	newKey = strings.Repeat("A5", 32)
)

func read(t *testing.T, text string) *recovery.Box {
	t.Helper()
	b, err := recovery.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealAndOpen(t *testing.T) {
	before := read(t, "# the first\n\n"+oldKey+"\r\n")
	stored, err := before.Seal("ann phone", "Sesame 1234")
	if err != nil {
		t.Fatal(err)
	}
	again, err := before.Seal("ann phone", "Sesame 1234")
	if err != nil || bytes.Equal(stored, again) {
		t.Errorf("sealing twice gives the same, %v: who reads the state sees that a password did not change", err)
	}
	if bytes.Contains(stored, []byte("Sesame")) || strings.Contains(fmt.Sprintf("%v %#v %+v", before, before, before), "0f0f") {
		t.Error("the password or the key can be seen")
	}
	rotated := read(t, newKey+"\n"+oldKey+"\n")
	fresh, err := rotated.Seal("ann phone", "New 1")
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Replace(stored, []byte(`"box":"`), []byte(`"box":"AAAA`), 1)
	for _, tc := range []struct {
		name   string
		box    *recovery.Box
		of     string
		stored []byte
		want   string
		err    error
	}{
		{"with the key", before, "ann phone", stored, "Sesame 1234", nil},
		{"after a new key was put in front", rotated, "ann phone", stored, "Sesame 1234", nil},
		{"the new key seals", read(t, newKey), "ann phone", fresh, "New 1", nil},
		{"the old key does not open what is new", before, "ann phone", fresh, "", recovery.ErrKey},
		{"the key is lost", read(t, newKey), "ann phone", stored, "", recovery.ErrKey},
		{"of another phone", before, "bob phone", stored, "", errors.ErrUnsupported},
		{"damaged", before, "ann phone", damaged, "", errors.ErrUnsupported},
		{"no JSON", before, "ann phone", []byte("x"), "", errors.ErrUnsupported},
	} {
		got, when, err := tc.box.Open(tc.of, tc.stored)
		ok := errors.Is(err, tc.err) || tc.err == errors.ErrUnsupported && err != nil && !errors.Is(err, recovery.ErrKey)
		if got != tc.want || !ok || (err == nil) == when.IsZero() {
			t.Errorf("%s: %q, %v, %v, want %q, %v", tc.name, got, when, err, tc.want, tc.err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", recovery.MaxPassword+1)} {
		if _, err := before.Seal("ann phone", bad); !errors.Is(err, recovery.ErrInvalid) {
			t.Errorf("a password of %d bytes: %v", len(bad), err)
		}
	}
}

func TestFilesThatAreNoKeys(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "remarks": "# nothing\n", "short": "0f0f\n", "no digits": strings.Repeat("xy", 32), "second line": oldKey + "\nsecret\n",
		"too many": strings.Repeat(oldKey+"\n", recovery.MaxKeys+1),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := recovery.Open(file); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "0f0f") {
			t.Errorf("%s: %v, %v, want an error that does not repeat what the file says", name, b, err)
		}
	}
	if _, err := recovery.Open(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
