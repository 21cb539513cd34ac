package easserver_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// lasting is what a house is built with that outlives a single try: what it is
// asked to clean up it cleans up when it is told to.
type lasting struct {
	testing.TB
	cleanups []func()
}

func (l *lasting) Helper()                   {}
func (l *lasting) Failed() bool              { return false }
func (l *lasting) Context() context.Context  { return context.Background() }
func (l *lasting) Cleanup(f func())          { l.cleanups = append(l.cleanups, f) }
func (l *lasting) Logf(string, ...any)       {}
func (l *lasting) Errorf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (l *lasting) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

func (l *lasting) end() {
	for _, f := range slices.Backward(l.cleanups) {
		f()
	}
}

// fuzzed are the scenes of a fuzz target, one for each version. They are built
// anew now and then, because what is gone leaves a trace in a house.
type fuzzed map[eas.Version]*fuzzScene

type fuzzScene struct {
	*scene
	tb   *lasting
	left int
}

const triesPerScene = 1000

func (all fuzzed) scene(t testing.TB, v eas.Version) *fuzzScene {
	s := all[v]
	if s != nil && s.left == 0 {
		s.tb.end()
		s = nil
	}
	if s == nil {
		tb := new(lasting)
		s = &fuzzScene{newScene(tb, v, true), tb, triesPerScene}
		all[v] = s
	}
	s.left--
	s.t = t
	return s
}

func (all fuzzed) end() {
	for _, s := range all {
		s.tb.end()
	}
}

// names are the keys and ids of ann's phone, which are others in each scene, and
// what stands for them in the seeds.
func (s *scene) names() (pairs []string) {
	pairs = append(pairs, s.phone.FolderKey(), "{folders}")
	for i, f := range s.phone.Folders() {
		pairs = append(pairs, f.SyncKey, fmt.Sprintf("{key%d}", i))
		for n, title := range []string{"Title 0", "Title 1"} {
			for id, item := range f.Items {
				if phone.Title(item) == title {
					pairs = append(pairs, id, fmt.Sprintf("{item%d-%d}", i, n))
				}
			}
		}
	}
	return pairs
}

// sealed is a request with names that hold in every scene.
func (s *scene) sealed(e eas.Element) eas.Element {
	e = clone(e)
	for names := s.names(); len(names) > 0; names = names[2:] {
		if e.Text == names[0] {
			e.Text = names[1]
		}
	}
	for i, c := range e.Children {
		e.Children[i] = s.sealed(c)
	}
	return e
}

// unsealed is a request with the names of this scene.
func (s *scene) unsealed(doc []byte) []byte {
	for names := s.names(); len(names) > 0; names = names[2:] {
		doc = bytes.ReplaceAll(doc, []byte(names[1]), []byte(names[0]))
	}
	return doc
}

// fuzzedCommands are all that a query can name.
var fuzzedCommands = []eas.Command{
	eas.CmdSync, eas.CmdPing, eas.CmdFolderSync, eas.CmdGetItemEstimate, eas.CmdItemOperations, eas.CmdProvision, eas.CmdSettings,
	eas.CmdMoveItems, eas.CmdMeetingResponse, eas.CmdSearch, eas.CmdFind, eas.CmdResolveRecipients, eas.CmdValidateCert,
	eas.CmdFolderCreate, eas.CmdFolderUpdate, eas.CmdFolderDelete, eas.CmdSendMail, eas.CmdSmartReply, eas.CmdSmartForward, eas.CmdGetAttachment,
}

// Whatever a phone sends as whichever command in whichever version, it is
// answered in the protocol, hears nothing of other people, and changes no object
// but those that its request names and its answer does not deny.
func FuzzCommand(f *testing.F) {
	scenes := make(fuzzed)
	f.Cleanup(scenes.end)
	for i, v := range bridgetest.Versions {
		s := scenes.scene(f, v)
		for name, message := range s.requests() {
			f.Add(uint8(slices.Index(fuzzedCommands, commandOf(name))), uint8(i), document(s.sealed(element(f, mustMarshal(f, message, v)))))
		}
	}
	golden, err := filepath.Glob("../eas/testdata/*.wbxml")
	if err != nil || len(golden) == 0 {
		f.Fatal(golden, err)
	}
	for _, file := range golden {
		doc, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		command, _, _ := strings.Cut(filepath.Base(file), "-")
		for i, c := range fuzzedCommands {
			if strings.EqualFold(string(c), command) {
				f.Add(uint8(i), uint8(2), doc)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which, version uint8, body []byte) {
		s := scenes.scene(t, bridgetest.Versions[int(version)%len(bridgetest.Versions)])
		command := fuzzedCommands[int(which)%len(fuzzedCommands)]
		request := s.unsealed(body)
		got := s.ask(command, request)
		changed := s.changed()
		problems := append(s.checkAnswer(command, got), s.checkObjects(command, request, got, changed)...)
		_, wrong := s.rearranged(command, got)
		problems = append(problems, wrong...)
		if strings.Contains(s.h.Log.String(), "panic") {
			problems = append(problems, "something panicked")
		}
		for _, p := range problems {
			t.Error(p)
		}
		if len(problems) > 0 {
			t.Logf("%s in version %s; the request was\n%.3000s\nthe answer was %d\n%.2000s", command, s.version, eastest.XML(request), got.status, eastest.XML(got.body))
			s.left = 0 // who knows what it did
			return
		}
		s.settle(command, request, changed)
	})
}
