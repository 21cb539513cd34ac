package mail

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// attribute writes one attribute of TNEF.
func attribute(level byte, id uint32, value []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{level}, id)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	sum := uint16(0)
	for _, c := range value {
		sum += uint16(c)
	}
	return binary.LittleEndian.AppendUint16(append(b, value...), sum)
}

// properties writes a number, a property with a name of its own, and a long file
// name.
func properties(name string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 3)
	b = append(b, 0x03, 0x00, 0x05, 0x37, 1, 0, 0, 0)
	b = append(b, 0x1E, 0x00, 0x01, 0x80)
	b = append(b, make([]byte, 16)...)
	b = append(b, 1, 0, 0, 0, 6, 0, 0, 0, 'a', 0, 'b', 0, 0, 0, 0, 0)
	b = append(b, 1, 0, 0, 0, 2, 0, 0, 0, 'x', 0, 0, 0)
	b = append(b, 0x1F, 0x00, 0x07, 0x37, 1, 0, 0, 0)
	units := append(utf16.Encode([]rune(name)), 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*len(units)))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, padded(int64(2*len(units)))-int64(2*len(units)))...)
}

func winmail() []byte {
	b := []byte{0x78, 0x9F, 0x3E, 0x22, 0x01, 0x00}
	b = append(b, attribute(1, 0x00089006, []byte{0, 0, 1, 0})...)
	b = append(b, attribute(2, attachRendData, make([]byte, 14))...)
	b = append(b, attribute(2, attachTitle, []byte("PLNE~1.PDF\x00"))...)
	b = append(b, attribute(2, attachData, []byte("%PDF"))...)
	b = append(b, attribute(2, attachProps, properties("Pläne für alle.pdf"))...)
	b = append(b, attribute(2, attachRendData, make([]byte, 14))...)
	b = append(b, attribute(2, attachTitle, []byte("b\xfc.txt\x00"))...)
	return append(b, attribute(2, attachData, []byte("two"))...)
}

// TestWinmail: what is in Outlook's winmail.dat can be opened.
func TestWinmail(t *testing.T) {
	raw := crlf("From: a@example.org\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" +
		base64.StdEncoding.EncodeToString(winmail()) + "\n--b--\n")
	ps := show(t, message(raw), options(eas.V161))
	var names []string
	list, _ := ps.Find(tag.AirSyncBaseAttachments)
	for _, a := range list.Children {
		names = append(names, get(a.Children, tag.AirSyncBaseDisplayName)+" "+get(a.Children, tag.AirSyncBaseFileReference)+" "+get(a.Children, tag.AirSyncBaseEstimatedDataSize))
	}
	if d := cmp.Diff([]string{"winmail.dat 7:12/2 257", "Pläne für alle.pdf 7:12/2.t1 4", "bü.txt 7:12/2.t2 3"}, names); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for path, want := range map[string]string{"2.t1": "Pläne für alle.pdf application/pdf %PDF", "2.t2": "bü.txt text/plain two"} {
		a, err := Attachment(message(raw), path)
		if got := a.Name + " " + a.MediaType + " " + string(a.Data); err != nil || got != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		p, err := FindPart(message(raw), path)
		if err != nil || p.Path != "2" {
			t.Fatalf("%+v, %v", p, err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(p.Decode(bytes.NewReader([]byte(base64.StdEncoding.EncodeToString(winmail()))))); err != nil || b.String() != string(a.Data) {
			t.Errorf("%s streamed: %q, %v", path, b.String(), err)
		}
	}
	if _, err := FindPart(message(raw), "2.t3"); err == nil {
		t.Error("there is a third file")
	}
	o, err := Forward(newMessage("text/plain", "x"), Original{Message: message(raw)}, false, ann)
	if _, _, files := texts(t, written(t, o, err)); len(files) != 3 {
		t.Errorf("passed on it has %q", files)
	}
}

// FuzzTNEF: whatever is in it, there is no panic, and no file that was not
// there.
func FuzzTNEF(f *testing.F) {
	f.Add(winmail())
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for _, file := range readTNEF(b) {
			n += len(file.data)
			if file.name != clean(file.name) {
				t.Errorf("a name that cannot be sent: %q", file.name)
			}
		}
		if n > len(b) {
			t.Errorf("%d bytes in %d", n, len(b))
		}
	})
}
