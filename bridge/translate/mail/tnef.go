package mail

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// The attributes of TNEF that are read: what Outlook puts into winmail.dat. See
// [MS-OXTNEF] "TNEF Attributes".
const (
	tnefSignature  = 0x223E9F78
	tnefHeader     = 6 // the signature and a key
	tnefAttribute  = 9 // level, id and length in front of each value, behind which are two bytes more
	attachRendData = 0x00069002
	attachTitle    = 0x00018010
	attachData     = 0x0006800F
	attachProps    = 0x00069005
	longFileName   = 0x3707 // among the properties: the name that people know
)

// maxTNEF is the largest winmail.dat that is looked into, in bytes, and
// maxTNEFFiles how many files in it are shown.
const (
	maxTNEF      = 32 << 20
	maxTNEFFiles = 100
)

// isTNEF tells whether a part is what Outlook sends to other programs by
// mistake.
func (p *part) isTNEF() bool {
	return p.mediaType == "application/ms-tnef" || p.mediaType == "application/vnd.ms-tnef" || strings.EqualFold(p.filename, "winmail.dat")
}

// tnefFiles are the files inside of the part. It stays a file itself: there is
// more in it.
func (p *part) tnefFiles() []*part {
	if !p.isTNEF() || p.missing() > 0 {
		return nil
	}
	data, all := p.decoded(maxTNEF)
	if !all {
		return nil
	}
	var list []*part
	for i, f := range readTNEF(data) {
		list = append(list, &part{path: p.path + ".t" + strconv.Itoa(i+1), mediaType: "application/octet-stream", filename: f.name, encoding: "binary", body: f.data, within: p})
	}
	return list
}

// tnefReaderOf reads winmail.dat, of bounded size, and answers one file of it:
// the files are in no order that could be told while it comes.
func tnefReaderOf(r io.Reader, path string) io.Reader {
	data, err := io.ReadAll(io.LimitReader(r, maxTNEF))
	if err != nil {
		return failing{err}
	}
	_, n, _ := strings.Cut(path, ".t")
	nth, err := strconv.Atoi(n)
	if files := readTNEF(data); err == nil && nth > 0 && nth <= len(files) {
		return bytes.NewReader(files[nth-1].data)
	}
	return failing{translate.ErrNoAttachment}
}

// failing answers an error to who reads.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A tnefFile is a file in winmail.dat.
type tnefFile struct {
	name string
	data []byte
}

// readTNEF reads as far as there is sense in it.
func readTNEF(b []byte) []tnefFile {
	if len(b) < tnefHeader || binary.LittleEndian.Uint32(b) != tnefSignature {
		return nil
	}
	var list []tnefFile
	for at := tnefHeader; at+tnefAttribute <= len(b) && len(list) <= maxTNEFFiles; {
		id, n := binary.LittleEndian.Uint32(b[at+1:]), int64(binary.LittleEndian.Uint32(b[at+5:]))
		at += tnefAttribute
		if n > int64(len(b)-at) {
			break
		}
		value := b[at : at+int(n)]
		at += int(n) + 2
		if id == attachRendData {
			list = append(list, tnefFile{})
		}
		if len(list) == 0 {
			continue
		}
		switch f := &list[len(list)-1]; id {
		case attachTitle:
			if f.name == "" {
				f.name = tnefText(value)
			}
		case attachData:
			f.data = value
		case attachProps:
			if name := tnefProperty(value, longFileName); name != "" {
				f.name = name
			}
		}
	}
	return list[:min(len(list), maxTNEFFiles)]
}

// tnefText is a text that ends with a NUL.
func tnefText(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return clean(decodeCharset(b, "", "windows-1252"))
}

// Types of properties. See [MS-OXCDATA] "Property Data Types".
const (
	typeString8 = 0x001E
	typeUnicode = 0x001F
	typeBinary  = 0x0102
	typeObject  = 0x000D
)

// fixedSizes are the lengths of values of other types, as they are padded.
var fixedSizes = map[uint16]int{0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8, 0x0040: 8, 0x0048: 16}

// tnefProperty finds a text among properties; "" if it is not there, or there is
// something in front of it that cannot be read. See [MS-OXTNEF] "MsgPropertyList".
func tnefProperty(b []byte, wanted uint16) string {
	r := &tnefReader{b: b}
	for range r.uint32() {
		kind, id := r.uint16(), r.uint16()
		if id >= 0x8000 { // it has a name
			r.skip(16)
			if r.uint32() == 0 {
				r.skip(4)
			} else {
				r.skip(padded(int64(r.uint32())))
			}
		}
		if n, fixed := fixedSizes[kind]; fixed {
			r.skip(int64(n))
			continue
		}
		if kind != typeString8 && kind != typeUnicode && kind != typeBinary && kind != typeObject || r.bad {
			return ""
		}
		for range r.uint32() {
			n := int64(r.uint32())
			value := r.bytes(n)
			r.skip(padded(n) - n)
			if r.bad {
				return ""
			}
			if id == wanted {
				return propertyText(kind, value)
			}
		}
	}
	return ""
}

func propertyText(kind uint16, value []byte) string {
	if kind != typeUnicode {
		return tnefText(value)
	}
	var units []uint16
	for i := 0; i+1 < len(value); i += 2 {
		u := binary.LittleEndian.Uint16(value[i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return clean(string(utf16.Decode(units)))
}

func padded(n int64) int64 { return (n + 3) &^ 3 }

// A tnefReader reads numbers until something is missing.
type tnefReader struct {
	b   []byte
	bad bool
}

func (r *tnefReader) bytes(n int64) []byte {
	if n < 0 || n > int64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	value := r.b[:n]
	r.b = r.b[n:]
	return value
}

func (r *tnefReader) skip(n int64) { r.bytes(n) }

func (r *tnefReader) uint16() uint16 {
	if v := r.bytes(2); v != nil {
		return binary.LittleEndian.Uint16(v)
	}
	return 0
}

func (r *tnefReader) uint32() uint32 {
	if v := r.bytes(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}
