package eas_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

func key(n uint32) *uint32 { return &n }

func TestParseQuery(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      eas.Query
	}{
		{"nothing", "", eas.Query{}},
		{"plain", "Cmd=Sync&User=ada%40example.org&DeviceId=v140Device&DeviceType=SmartPhone",
			eas.Query{Command: eas.CmdSync, User: "ada@example.org", DeviceID: "v140Device", DeviceType: "SmartPhone"}},
		{"plain, in another order and case", "USER=ada&DeviceID=D&devicetype=T&cmd=foldersync&DeviceId2=x",
			eas.Query{Command: eas.CmdFolderSync, User: "ada", DeviceID: "D", DeviceType: "T"}},
		{"plain, with a domain", `Cmd=Ping&User=EXAMPLE\ada&DeviceId=D&DeviceType=T`,
			eas.Query{Command: eas.CmdPing, User: `EXAMPLE\ada`, DeviceID: "D", DeviceType: "T"}},
		{"plain, an unknown command", "Cmd=Dance&User=ada", eas.Query{Command: "Dance", User: "ada"}},
		{"plain, of mail", "Cmd=SmartReply&ItemId=2%3a1&CollectionId=2&SaveInSent=T&AttachmentName=a%20b",
			eas.Query{Command: eas.CmdSmartReply, ItemID: "2:1", CollectionID: "2", SaveInSent: true, AttachmentName: "a b"}},
		{"plain, one name", "Cmd=Ping", eas.Query{Command: eas.CmdPing}},
		{"base64, the example of the specification", "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l",
			eas.Query{Base64: true, Version: eas.V140, Command: eas.CmdSync, Locale: 0x0409, DeviceID: "v140Device", DeviceType: "SmartPhone"}},
		{"base64, with parameters", coded(121, 19, 9, 4, "2ID", "4\x01\x02\x03\x04", "1T", "p7", "1\x02", "p8", "3ada"),
			eas.Query{Base64: true, Version: eas.V121, Command: eas.CmdItemOperations, Locale: 0x0409, DeviceID: "ID", DeviceType: "T",
				PolicyKey: key(0x04030201), Multipart: true, User: "ada"}},
		{"base64, an unknown parameter", coded(121, 18, 0, 0, "2ID", "0", "1T", "p99", "1x"),
			eas.Query{Base64: true, Version: eas.V121, Command: eas.CmdPing, DeviceID: "ID", DeviceType: "T"}},
		{"base64, a wrong version byte", coded(0x91, 18, 0, 0, "2ID", "0", "1T"),
			eas.Query{Base64: true, Command: eas.CmdPing, DeviceID: "ID", DeviceType: "T"}},
		{"base64, an unknown command", coded(140, 99, 0, 0, "2ID", "0", "1T"),
			eas.Query{Base64: true, Version: eas.V140, Command: "#99", DeviceID: "ID", DeviceType: "T"}},
		{"base64, an id of bytes", coded(140, 18, 0, 0, "4\x00\x01\xFE\xFF", "0", "1T"),
			eas.Query{Base64: true, Version: eas.V140, Command: eas.CmdPing, DeviceID: "0001FEFF", DeviceType: "T"}},
		{"base64, a policy key of an odd length", coded(140, 18, 0, 0, "2ID", "3abc", "1T"),
			eas.Query{Base64: true, Version: eas.V140, Command: eas.CmdPing, DeviceID: "ID", DeviceType: "T"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := eas.ParseQuery(c.raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, again := range variants(c.raw, c.want.Base64) {
				if got, err := eas.ParseQuery(again); err != nil || !cmp.Equal(c.want, got) {
					t.Errorf("%q is read otherwise: %+v, %v", again, got, err)
				}
			}
		})
	}
}

// coded writes the base64 form: four bytes, then values as their length in
// decimal and their bytes, or "p" and the number of a parameter.
func coded(version, command, locale1, locale2 byte, values ...string) string {
	b := []byte{version, command, locale1, locale2}
	for _, v := range values {
		if number, ok := strings.CutPrefix(v, "p"); ok {
			var n byte
			for _, digit := range []byte(number) {
				n = 10*n + digit - '0'
			}
			b = append(b, n)
			continue
		}
		b = append(append(b, v[0]-'0'), v[1:]...)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// variants are ways in which clients write the same base64.
func variants(raw string, isBase64 bool) []string {
	if !isBase64 {
		return nil
	}
	bare := strings.TrimRight(raw, "=")
	return []string{
		bare,
		strings.NewReplacer("+", "-", "/", "_").Replace(raw),
		strings.NewReplacer("+", "-", "/", "_").Replace(bare),
		strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(raw),
	}
}

func TestQueriesThatCannotBeRead(t *testing.T) {
	for _, c := range []struct{ name, raw string }{
		{"neither form", "what is this?"},
		{"too short", "jAA="},
		{"cut off in the device", coded(140, 0, 0, 0, "9ID")},
		{"without a type", coded(140, 0, 0, 0, "2ID", "0")},
		{"cut off in a parameter", coded(140, 0, 0, 0, "2ID", "0", "1T", "p8", "9ada")},
		{"a parameter without a value", coded(140, 0, 0, 0, "2ID", "0", "1T", "p8")},
		{"plain, escaped wrongly", "Cmd=Sync&User=%zz"},
		{"base64, escaped wrongly", "jAAJBAp2%zz"},
		{"endless", "Cmd=" + strings.Repeat("x", eas.MaxQuery)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if q, err := eas.ParseQuery(c.raw); !errors.Is(err, eas.ErrQuery) {
				t.Errorf("got %+v, %v, want ErrQuery", q, err)
			}
		})
	}
}

func TestQueriesThatCannotBeWritten(t *testing.T) {
	for _, q := range []eas.Query{
		{Base64: true, Command: "Dance"},
		{Base64: true, Command: eas.CmdGetHierarchy},
		{Base64: true, Command: eas.CmdSync, DeviceID: strings.Repeat("x", 256)},
	} {
		if raw, err := q.Encode(); err == nil {
			t.Errorf("%+v was written as %q", q, raw)
		}
	}
}

// FuzzQuery: a query is ErrQuery or is read, and what it says survives being
// written and read again, in both forms.
func FuzzQuery(f *testing.F) {
	f.Add("Cmd=Sync&User=ada%40example.org&DeviceId=v140Device&DeviceType=SmartPhone")
	f.Add("jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l")
	f.Add("User=" + strings.Repeat("\x92", 4000))
	f.Add(coded(121, 19, 9, 4, "2ID", "4\x01\x02\x03\x04", "1T", "p7", "1\x02", "p8", "3ada"))
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := eas.ParseQuery(raw)
		if err != nil {
			if !errors.Is(err, eas.ErrQuery) {
				t.Fatalf("error is %v, want ErrQuery", err)
			}
			return
		}
		written, err := q.Encode()
		if err != nil {
			return // the base64 form has no room for it, or the escaped one would be too long
		}
		again, err := eas.ParseQuery(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !q.Base64 { // the plain form has no place for these
			q.Version, q.PolicyKey = 0, nil
		}
		if written == "" {
			q = eas.Query{}
		}
		if diff := cmp.Diff(q, again); diff != "" {
			t.Errorf("%q (-read +read again):\n%s", written, diff)
		}
	})
}
