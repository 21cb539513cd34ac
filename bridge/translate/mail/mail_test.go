package mail

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/mail/mailtest"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

var update = flag.Bool("update", false, "write the golden files anew")

var received = time.Date(2026, 11, 28, 9, 0, 1, 0, time.UTC)

// options are those of a phone that takes every form.
func options(v eas.Version) translate.Options {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return translate.Options{
		Version: v, Now: received, Item: "7:12", Zone: berlin, Self: []string{"ann@example.org"},
		Mail: translate.Mail{Bodies: []translate.Body{{Type: translate.HTML, Preview: 20}, {Type: translate.PlainText}, {Type: translate.MIME}}},
	}
}

// crlf writes a message with the line breaks of the network.
func crlf(s string) []byte {
	return []byte(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n"))
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	return mailtest.Sample(name)
}

func message(body []byte, flags ...string) Message {
	return Message{Body: body, Flags: flags, Received: received}
}

func show(t testing.TB, m Message, o translate.Options) eas.Properties {
	t.Helper()
	ps, err := FromMessage(m, o)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, ps, o.ProtocolVersion())
	return ps
}

// document is a Sync that brings a phone one item.
func document(t testing.TB, ps eas.Properties, v eas.Version) []byte {
	t.Helper()
	doc, err := eas.Marshal(eas.SyncResponse{Collections: []eas.SyncResult{{
		SyncKey: "2", CollectionID: "7", Status: eas.SyncOK, Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ServerID: "7:12", Data: ps}},
	}}}, v)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// validate holds what a phone is sent against the schemas.
func validate(t testing.TB, ps eas.Properties, v eas.Version) {
	t.Helper()
	eastest.Validate(t, document(t, ps, v))
}

// get is the text of an element, and of one inside it.
func get(ps eas.Properties, path ...wbxml.Tag) string {
	for _, t := range path[:len(path)-1] {
		el, _ := ps.Find(t)
		ps = el.Children
	}
	text, _ := ps.Text(path[len(path)-1])
	return text
}

// TestGolden: what phones of each version are shown.
func TestGolden(t *testing.T) {
	for _, name := range mailtest.Samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			for _, v := range eas.Versions {
				o := options(v)
				if v < eas.V120 {
					o.Mail.MIMESupport = 1
				}
				ps := show(t, message(sample(t, name), Seen, Flagged, "Work", "followup-due-20261130"), o)
				got.WriteString(v.String() + "\n" + eastest.XML(document(t, ps, v)) + "\n\n")
			}
			golden(t, name, got.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestUnreadable(t *testing.T) {
	for name, body := range map[string]string{"nothing": "", "blanks": " \r\n\r\n", "a picture": "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x02\x03\x04\x05\x06\x07"} {
		if _, err := FromMessage(message([]byte(body)), options(eas.V161)); !errors.Is(err, translate.ErrUnreadable) {
			t.Errorf("%s: error = %v, want ErrUnreadable", name, err)
		}
	}
	if got := Facts(received).Ends; got != received.Unix() {
		t.Errorf("a message counts as of %d, want when it came", got)
	}
}
