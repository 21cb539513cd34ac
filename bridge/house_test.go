package bridge_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/pushbridge/pushbridge"

// walls is the architecture: which room must not reach which other one, not
// even through a third, and why.
var walls = []struct{ room, mustNotReach, why string }{
	{"fcgi", "bridge", "the responder serves any http.Handler"},
	{"fcgi", "plugins", "the responder serves any http.Handler"},
	{"bridge/wbxml", "bridge/eas", "the codec serves OMA DM as well"},
	{"bridge/eas", "plugins", "the messages know the wire, not the stores"},
	{"bridge/translate", "plugins", "translations are pure functions on bytes"},
	{"bridge/syncengine", "bridge/eas", "the engine counts items, it does not read them"},
	{"plugins", "bridge", "an author of a backend never sees ActiveSync"},
	{"carddav", "bridge", "a client of its RFC, for anybody"},
	{"caldav", "bridge", "a client of its RFC, for anybody"},
	{"carddav", "plugins", "a client of its RFC, for anybody"},
	{"caldav", "plugins", "a client of its RFC, for anybody"},
	{"bridge/easclient", "bridge/easserver", "who asks is written by other hands than who answers"},
	{"bridge/easclient", "bridge/syncengine", "the client shares the messages with the server and nothing else"},
	{"bridge/easclient", "bridge/translate", "the client shares the messages with the server and nothing else"},
	{"bridge/phone", "bridge/easserver", "a phone works against any server"},
	{"bridge/doctor", "bridge/easserver", "the doctor sees what a phone sees"},
	{"bridge/trace", "bridge/easserver", "who records is told by who answers"},
	{"bridge/hub", "bridge/eas", "who waits is not who speaks the protocol"},
	{"bridge/easserver", "bridge/telemetry/metrics", "who answers says what happens, not who counts it"},
	{"bridge/watch", "bridge/telemetry/metrics", "who watches says what happens, not who counts it"},
	{"bridge/store", "bridge/easserver", "the database serves the rooms above it"},
}

// A pkg is what `go list` says of a package.
type pkg struct {
	ImportPath   string
	Name         string
	Dir          string
	Doc          string
	Imports      []string
	Deps         []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Doc,Imports,Deps,GoFiles,TestGoFiles,XTestGoFiles", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// inRoom tells whether a package is a room or lies inside of it.
func inRoom(importPath, room string) bool {
	full := module + "/" + room
	return importPath == full || strings.HasPrefix(importPath, full+"/")
}

func TestWalls(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, w := range walls {
			if !inRoom(p.ImportPath, w.room) {
				continue
			}
			for _, dep := range p.Deps {
				if inRoom(dep, w.mustNotReach) && !inRoom(dep, w.room) {
					t.Errorf("%s reaches %s, but %s must not reach %s: %s", p.ImportPath, dep, w.room, w.mustNotReach, w.why)
				}
			}
		}
		// Children never import the parent: bridge joins its rooms.
		if inRoom(p.ImportPath, "bridge") && p.ImportPath != module+"/bridge" && !inRoom(p.ImportPath, "bridge/bridgetest") {
			for _, dep := range p.Deps {
				if dep == module+"/bridge" {
					t.Errorf("%s reaches bridge, which joins the rooms and is known to none of them", p.ImportPath)
				}
			}
		}
	}
}

func TestEveryRoomHasASign(t *testing.T) {
	for _, p := range listPackages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		prefix := "Package " + p.Name + " "
		if p.Name == "main" {
			prefix = "Command "
		}
		if !strings.HasPrefix(p.Doc, prefix) || !strings.Contains(p.Doc, ".") {
			t.Errorf("%s: the package comment is %q, want a sentence that begins with %q", p.ImportPath, p.Doc, prefix)
		}
	}
}

func TestTopLevelIsWhatWasAgreed(t *testing.T) {
	agreed := map[string]bool{"cmd": true, "carddav": true, "caldav": true, "fcgi": true, "bridge": true, "plugins": true,
		"go.mod": true, "go.sum": true, "nginx.conf.example": true, "README.md": true}
	out, err := exec.Command("git", "-C", "..", "ls-files").Output()
	if err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatalf("git does not list the files: %v", err)
		}
		t.Skip("not in a git checkout")
	}
	for file := range strings.Lines(string(out)) {
		top, _, _ := strings.Cut(filepath.ToSlash(strings.TrimSpace(file)), "/")
		if !agreed[top] && !strings.HasPrefix(top, ".") {
			t.Errorf("%s is on the top level, which is fixed", top)
		}
	}
}
