// Package fcgitest plays a web server for tests, a miniature one of its own or a real nginx.
//
// Addresses are what fcgi.Listen takes: "unix:/path" or "tcp:host:port".
// Nothing here shares code with package fcgi except Serve, which starts a
// server of it: two readings of the specification find more than one.
package fcgitest

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Record types, roles and statuses. See FastCGI Specification, section 8.
const (
	BeginRequest    = 1
	AbortRequest    = 2
	EndRequest      = 3
	Params          = 4
	Stdin           = 5
	Stdout          = 6
	Stderr          = 7
	Data            = 8
	GetValues       = 9
	GetValuesResult = 10
	UnknownType     = 11

	Responder  = 1
	Authorizer = 2
	Filter     = 3

	RequestComplete = 0
	CantMultiplex   = 1
	Overloaded      = 2
	UnknownRole     = 3
)

// A Record is one record of the protocol.
type Record struct {
	Type    uint8
	ID      uint16
	Content []byte // at most 65535 bytes
	Padding uint8  // bytes of padding
}

// Append appends the record as it travels.
func (r Record) Append(b []byte) []byte {
	if len(r.Content) > 65535 {
		panic(fmt.Sprintf("fcgitest: %d bytes do not fit into a record", len(r.Content)))
	}
	b = append(b, 1, r.Type)
	b = binary.BigEndian.AppendUint16(b, r.ID)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Content)))
	b = append(b, r.Padding, 0)
	b = append(b, r.Content...)
	for range r.Padding {
		b = append(b, 0xee) // whoever reads padding shall notice
	}
	return b
}

// ReadRecord reads a record.
func ReadRecord(r io.Reader) (Record, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Record{}, err
	}
	if head[0] != 1 {
		return Record{}, fmt.Errorf("fcgitest: record of version %d", head[0])
	}
	rec := Record{Type: head[1], ID: binary.BigEndian.Uint16(head[2:]), Padding: head[6]}
	rec.Content = make([]byte, binary.BigEndian.Uint16(head[4:]))
	if _, err := io.ReadFull(r, rec.Content); err != nil {
		return Record{}, fmt.Errorf("fcgitest: record breaks off: %w", err)
	}
	if _, err := io.CopyN(io.Discard, r, int64(rec.Padding)); err != nil {
		return Record{}, fmt.Errorf("fcgitest: padding breaks off: %w", err)
	}
	return rec, nil
}

// AppendPair appends a name-value pair. See FastCGI Specification, section 3.4.
func AppendPair(b []byte, name, value string) []byte {
	for _, s := range []string{name, value} {
		if len(s) > 127 {
			b = append(b, byte(len(s)>>24)|0x80, byte(len(s)>>16), byte(len(s)>>8), byte(len(s)))
		} else {
			b = append(b, byte(len(s)))
		}
	}
	return append(append(b, name...), value...)
}
