package easserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// secret is what people wrote; no reason may repeat it.
const secret = "SECRETWORD"

// damage breaks an object in many ways, each with the secret in it.
func damage(object string) map[string]string {
	lines := strings.SplitAfter(object, "\r\n")
	bad := map[string]string{
		"nothing":         "",
		"only the secret": secret,
		"no beginning":    strings.Replace(object, "BEGIN:", secret+":", 1),
		"no components":   strings.ReplaceAll(object, "BEGIN", secret),
		"another kind":    strings.NewReplacer("VCARD", secret, "VEVENT", secret, "VTODO", secret, "VJOURNAL", secret).Replace(object),
		"another format":  strings.NewReplacer("VCARD", secret, "VCALENDAR", secret).Replace(object),
		"nested":          strings.Repeat("BEGIN:"+secret+"\r\n", 100) + object,
	}
	for i := range lines {
		name, _, _ := strings.Cut(lines[i], ":")
		kept := func(line string) string {
			return strings.Join(slices.Concat(lines[:i], []string{line + "\r\n"}, lines[i+1:]), "")
		}
		bad[fmt.Sprintf("line %d has another value", i)] = kept(name + ":" + secret)
		bad[fmt.Sprintf("line %d has an odd value", i)] = kept(name + ":\x00" + secret + "\xff;;;,,,")
		bad[fmt.Sprintf("line %d has a parameter", i)] = kept(name + ";" + secret + "=\"" + secret + ":x")
		bad[fmt.Sprintf("line %d is missing", i)] = strings.Join(slices.Concat(lines[:i], []string{"NOTE:" + secret + "\r\n"}, lines[i+1:]), "")
	}
	return bad
}

// objects has one of each kind, with what translators look at most closely.
var objects = map[backend.CollectionKind]string{
	backend.Contacts: "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:A\r\nN:A;;;;\r\nBDAY:1980-01-02\r\nPHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\nTEL:1\r\nEND:VCARD\r\n",
	backend.Events: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Here\r\nBEGIN:STANDARD\r\nDTSTART:20250101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n" +
		"END:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Here:20260101T100000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=9\r\n" +
		"EXDATE;TZID=Here:20260102T100000\r\nSUMMARY:A\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nATTENDEE:mailto:a@example.org\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;TZID=Here:20260103T100000\r\nDTSTART;TZID=Here:20260103T110000\r\nSUMMARY:B\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
	backend.Tasks: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:1\r\nDTSTART:20260101T100000\r\nDUE:20260102\r\nRRULE:FREQ=DAILY\r\nCOMPLETED:20260101T100000Z\r\n" +
		"PRIORITY:1\r\nSUMMARY:A\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
	backend.Notes: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nUID:1\r\nDTSTAMP:20260101T100000Z\r\nSUMMARY:A\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n",
}

// TestReasonsDoNotRepeatWhatPeopleWrote breaks objects in many ways.
func TestReasonsDoNotRepeatWhatPeopleWrote(t *testing.T) {
	failed := 0
	for kind, object := range objects {
		for name, bad := range damage(object) {
			for _, v := range []eas.Version{eas.V25, eas.V141, eas.V161} {
				_, err := classes[kind].show([]byte(bad), translate.Options{Version: v})
				var ta tally
				ta.add("x", err)
				for _, f := range ta.failed {
					failed++
					if strings.Contains(strings.ToUpper(f.Reason), secret) || f.Reason == "" {
						t.Errorf("%s, %s in %v: the reason is %q", kind, name, v, f.Reason)
					}
				}
			}
		}
	}
	if failed < 20 {
		t.Errorf("only %d objects could not be shown: the damage is too light to prove anything", failed)
	}
}

// TestReasonsForTheCorpus says of each real object that cannot be shown why, in
// words of ours alone.
func TestReasonsForTheCorpus(t *testing.T) {
	corpus := os.Getenv("PUSHBRIDGE_CORPUS")
	if corpus == "" {
		t.Skip("PUSHBRIDGE_CORPUS is not set")
	}
	err := filepath.WalkDir(corpus, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		object, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		kinds := []backend.CollectionKind{backend.Events, backend.Tasks, backend.Notes}
		if filepath.Ext(path) == ".vcf" {
			kinds = []backend.CollectionKind{backend.Contacts}
		}
		for _, kind := range kinds {
			_, err := classes[kind].show(object, translate.Options{Version: eas.V161})
			var ta tally
			ta.add("x", err)
			for _, f := range ta.failed {
				for line := range strings.Lines(string(object)) {
					if _, value, _ := strings.Cut(strings.TrimSpace(line), ":"); len(value) > 12 && strings.Contains(f.Reason, value) {
						t.Errorf("%s: the reason %q repeats a line", path, f.Reason)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTally keeps out of the register what nobody can mend.
func TestTally(t *testing.T) {
	stumbled := error(&defect{panicked: secret, stack: []byte(secret)})
	for _, tc := range []struct {
		name string
		err  error
		want string // the kind; "fine"; or nothing, where nobody knows
	}{
		{"shown", nil, "fine"},
		{"of a kind that phones have no place for", fmt.Errorf("contact: %w", translate.ErrNotShown), "fine"},
		{"not to be had now", backend.Errorf(backend.Transient, "get", "timeout"), ""},
		{"gone", backend.Errorf(backend.NotFound, "get", "404"), ""},
		{"of a phone that hung up", context.Canceled, ""},
		{"unreadable", fmt.Errorf("contact: %w", translate.ErrUnreadable), "unreadable"},
		{"too large", backend.Errorf(backend.TooLarge, "get", "99"), "too large"},
		{"not given out", backend.Errorf(backend.Denied, "get", "403"), "refused"},
		{"of which the server sends something else", backend.Errorf(backend.Invalid, "get", "html"), "refused"},
		{"a mistake of ours", stumbled, "defect"},
		{"something else", errors.New("odd"), "unreadable"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var ta tally
			ta.add("x", tc.err)
			got := ""
			switch {
			case len(ta.fine) == 1 && len(ta.failed) == 0:
				got = "fine"
			case len(ta.failed) == 1 && len(ta.fine) == 0:
				got = string(ta.failed[0].Kind)
			}
			if got != tc.want || len(ta.failed) == 1 && strings.Contains(ta.failed[0].Reason, secret) {
				t.Errorf("it is noted as %q (%+v), want %q", got, ta, tc.want)
			}
		})
	}
}
