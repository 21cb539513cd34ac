package easserver_test

import (
	stdxml "encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// oddCharacters are what XML has no place for, what is not UTF-8, halves of
// surrogate pairs, and what turns the direction of writing.
const oddCharacters = "a\x00b\x01c\x08d\x0be\x0cf\x1fg\x7fh\xffi\xfej\xed\xa0\x80k\xed\xbf\xbfl\uFFFEm\uFFFFn\u202eo\u0085p\u2028q\U0001F600r\xf4\x90\x80\x80s\xc0\x80t\xe2\x82"

// oddObjects have odd characters in every property that phones are shown.
var oddObjects = map[string]string{
	"contacts": "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:#\r\nFN:#\r\nN:#;#;#;#;#\r\nNICKNAME:#\r\nORG:#;#\r\nTITLE:#\r\nROLE:#\r\nNOTE:#\r\nURL:#\r\nCATEGORIES:#,#\r\n" +
		"TEL;TYPE=CELL:#\r\nTEL;TYPE=HOME:#\r\nTEL;TYPE=WORK:#\r\nEMAIL:#\r\nEMAIL;TYPE=WORK:#@#\r\nADR;TYPE=HOME:#;#;#;#;#;#;#\r\nADR;TYPE=WORK:#;#;#;#;#;#;#\r\nIMPP:xmpp:#\r\n" +
		"BDAY:#\r\nX-SPOUSE:#\r\nX-ASSISTANT:#\r\nX-MANAGER:#\r\nX-PHONETIC-FIRST-NAME:#\r\nX-PHONETIC-LAST-NAME:#\r\nPHOTO;ENCODING=b:#\r\nEND:VCARD\r\n",
	"calendar": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:#\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=#:29261201T100000\r\nDTEND:29261201T110000Z\r\nSUMMARY:#\r\nLOCATION:#\r\nDESCRIPTION:#\r\n" +
		"X-ALT-DESC;FMTTYPE=text/html:<b>#</b>\r\nCATEGORIES:#,#\r\nORGANIZER;CN=#:mailto:#@#\r\nATTENDEE;CN=#;PARTSTAT=#:mailto:#@#\r\nATTENDEE;CN=\"#\":mailto:b@#\r\nURL:#\r\nCLASS:#\r\nSTATUS:#\r\nTRANSP:#\r\n" +
		"ATTACH;FILENAME=#:http://#/\r\nRRULE:FREQ=DAILY;COUNT=3\r\nBEGIN:VALARM\r\nTRIGGER:#\r\nEND:VALARM\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nUID:#\r\nRECURRENCE-ID:29261202T100000Z\r\nDTSTART:29261202T120000Z\r\nSUMMARY:#\r\nLOCATION:#\r\nDESCRIPTION:#\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
	"tasks": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:#\r\nSUMMARY:#\r\nDESCRIPTION:#\r\nCATEGORIES:#,#\r\nDUE:29261201T100000Z\r\nSTATUS:#\r\nCLASS:#\r\nPRIORITY:#\r\nLOCATION:#\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
	"notes": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nUID:#\r\nSUMMARY:#\r\nDESCRIPTION:#\r\nCATEGORIES:#,#\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n",
}

// Whatever stands in an object, the phone gets WBXML that another reader takes
// for well-formed, too, and XML that a parser takes.
func TestOddTextsAreSentAsValidWBXML(t *testing.T) {
	program, err := exec.LookPath("wbxml2xml")
	if err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal("wbxml2xml (Debian: libwbxml2-utils) is not installed, and PUSHBRIDGE_CI is set")
		}
		t.Skip("wbxml2xml (Debian: libwbxml2-utils) is not installed")
	}
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		for c, object := range oddObjects {
			h.Backend.Store(bridgetest.User, backend.CollectionID(c), "odd", []byte(strings.ReplaceAll(object, "#", oddCharacters)))
		}
		dir := t.TempDir()
		items := 0
		for _, html := range []int{1, 2} {
			c := h.Client(v, fmt.Sprintf("phone%d", html))
			validate := c.Trace
			c.Trace = func(command string, request, answer []byte) {
				validate(command, request, answer)
				if len(answer) == 0 || answer[0] != 3 {
					return
				}
				in, out := filepath.Join(dir, "in.wbxml"), filepath.Join(dir, "out.xml")
				if err := os.WriteFile(in, answer, 0o600); err != nil {
					t.Fatal(err)
				}
				if said, err := exec.Command(program, "-l", "ACTIVESYNC", "-m", "0", "-o", out, in).CombinedOutput(); err != nil {
					t.Errorf("wbxml2xml: %v: %s", err, said)
					return
				}
				theirs, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				for d := stdxml.NewDecoder(strings.NewReader(string(theirs))); ; {
					if _, err := d.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Errorf("%s: as XML it cannot be read: %v\n%.3000q", command, err, theirs)
						return
					}
				}
			}
			p := bridgetest.Checked(t, phone.New(c, phone.Settings{Bodies: []eas.BodyPreference{{Type: html}}}))
			bridgetest.Sync(t, p)
			for _, f := range p.Folders() {
				items += len(f.Items)
			}
		}
		if want := map[bool]int{false: 6, true: 8}[v >= eas.V140]; items != want {
			t.Errorf("the phones hold %d items, want %d: odd characters are no reason to keep one from them", items, want)
		}
	})
}
