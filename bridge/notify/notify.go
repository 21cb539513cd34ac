// Package notify carries word of a change from a storage's hook to the worker, in one datagram that never keeps the hook waiting.
//
// The hook runs while the storage is locked, and the storage waits for it. So
// whoever sends waits for nobody: if the worker is not there, or has more
// datagrams before it than the kernel keeps, the word is lost, and the change
// is found by the next question that the worker asks.
package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// MaxDatagram bounds a datagram, in bytes: a path and two names.
	MaxDatagram = 4 << 10

	// MaxName bounds the name of a user or of a backend, in bytes. Logins end
	// at 256 bytes.
	MaxName = 256

	// MaxPath bounds a path, in bytes.
	MaxPath = 2 << 10
)

// A Notice says that something may have changed. It is a JSON object in a
// datagram.
type Notice struct {
	Backend string `json:"backend,omitempty"` // its name in the configuration; empty means any
	User    string `json:"user,omitempty"`    // who changed it; empty means that it is not known

	// Path is that of what changed, from the storage's root, not escaped: an
	// item ("/ann/team/1.ics") or a collection ("/ann/team/"). Empty means that
	// it is not known: anything that the user can see.
	Path string `json:"path,omitempty"`
}

// Parse reads a datagram.
func Parse(data []byte) (Notice, error) {
	if len(data) > MaxDatagram {
		return Notice{}, fmt.Errorf("notify: the datagram is longer than %d bytes", MaxDatagram)
	}
	if !utf8.Valid(data) {
		return Notice{}, errors.New("notify: the datagram is not UTF-8")
	}
	var n Notice
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return Notice{}, fmt.Errorf("notify: the datagram is not the JSON object that it should be: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Notice{}, errors.New("notify: something follows the JSON object")
	}
	return n, n.Check()
}

// Check tells what is wrong with a notice.
func (n Notice) Check() error {
	switch {
	case n.User == "" && n.Path == "":
		return errors.New("notify: it names neither a user nor a path")
	case !name(n.User):
		return errors.New("notify: the user's name is too long or has control characters")
	case !name(n.Backend):
		return errors.New("notify: the backend's name is too long or has control characters")
	}
	return CheckPath(n.Path)
}

// CheckPath tells what is wrong with a path of a Notice. It leads nowhere but
// down from the storage's root.
func CheckPath(path string) error {
	switch {
	case path == "":
		return nil
	case len(path) > MaxPath:
		return fmt.Errorf("notify: the path is longer than %d bytes", MaxPath)
	case path[0] != '/':
		return errors.New("notify: the path does not begin with a slash")
	case !printable(path):
		return errors.New("notify: the path has control characters")
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return errors.New("notify: the path leads upwards")
		}
	}
	return nil
}

func name(s string) bool { return len(s) <= MaxName && printable(s) }

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// radicaleRoot is the directory below Radicale's filesystem_folder in which
// people's collections lie.
const radicaleRoot = "/collection-root"

// RadicalePath makes the path of a Notice of what Radicale puts in the place of
// %(path)s, which is the name of a file below filesystem_folder; %(cwd)s is
// that folder, and may be empty. It answers an empty path if it is none.
func RadicalePath(cwd, file string) string {
	rest, ok := strings.CutPrefix(file, strings.TrimSuffix(cwd, "/")+radicaleRoot+"/")
	if !ok || cwd == "" {
		_, rest, ok = strings.Cut(file, radicaleRoot+"/")
	}
	if !ok {
		return ""
	}
	return "/" + strings.TrimLeft(rest, "/")
}
