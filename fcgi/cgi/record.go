package cgi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Record types, the role and the statuses that are used here. See FastCGI
// Specification, section 8.
const (
	typeBegin  = 1
	typeEnd    = 3
	typeParams = 4
	typeStdin  = 5
	typeStdout = 6
	typeStderr = 7

	responder       = 1
	requestComplete = 0
	overloaded      = 2

	requestID = 1 // the only one of its connection
	headerLen = 8

	// pieceSize is how much of a body goes into one record: what a pipe holds.
	pieceSize = 64<<10 - 512

	// maxContent is the most that a record may hold.
	maxContent = 65535
)

// appendPair appends a name-value pair. See FastCGI Specification, section 3.4.
func appendPair(b []byte, name, value string) []byte {
	for _, s := range []string{name, value} {
		if len(s) < 128 {
			b = append(b, byte(len(s)))
		} else {
			b = binary.BigEndian.AppendUint32(b, uint32(len(s))|1<<31)
		}
	}
	return append(append(b, name...), value...)
}

func appendHeader(b []byte, typ byte, length int) []byte {
	b = append(b, 1, typ, 0, requestID)
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	return append(b, 0, 0)
}

// A bodyError is a body that the web server does not deliver.
type bodyError struct{ err error }

func (e *bodyError) Error() string {
	return fmt.Sprintf("the web server broke the request's body off: %v", e.err)
}
func (e *bodyError) Unwrap() error { return e.err }

// send sends the request: its parameters, and then the body as it comes.
func send(w io.Writer, params []byte, body io.Reader, length int64) error {
	b := appendHeader(nil, typeBegin, 8)
	b = append(b, 0, responder, 0, 0, 0, 0, 0, 0) // the connection is not kept
	for len(params) > 0 {
		n := min(len(params), maxContent)
		b = append(appendHeader(b, typeParams, n), params[:n]...)
		params = params[n:]
	}
	b = appendHeader(b, typeParams, 0)
	if length == 0 {
		b = appendHeader(b, typeStdin, 0)
	}
	if _, err := w.Write(b); err != nil || length == 0 {
		return err
	}
	piece := make([]byte, headerLen+pieceSize)
	for length > 0 {
		n, err := body.Read(piece[headerLen : headerLen+min(pieceSize, length)])
		if n > 0 {
			appendHeader(piece[:0], typeStdin, n)
			if _, err := w.Write(piece[:headerLen+n]); err != nil {
				return err
			}
			length -= int64(n)
		}
		if err == io.EOF && length > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && length > 0 {
			return &bodyError{err}
		}
	}
	_, err := w.Write(appendHeader(nil, typeStdin, 0))
	return err
}

var (
	errOverloaded = errors.New("it has too many requests under way")
	errProtocol   = errors.New("what it says is not FastCGI")
)

// receive passes the answer on until it ends, and tells whether it began.
func receive(r *bufio.Reader, stdout, stderr io.Writer) (began bool, err error) {
	head := make([]byte, headerLen)
	for {
		if _, err := io.ReadFull(r, head); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return began, err
		}
		if head[0] != 1 {
			return began, errProtocol
		}
		length, padding := int64(binary.BigEndian.Uint16(head[4:])), int64(head[6])
		to := io.Discard
		switch head[1] {
		case typeStdout:
			began = began || length > 0
			to = stdout
		case typeStderr:
			to = stderr
		case typeEnd:
			end := make([]byte, 8)
			if length < int64(len(end)) {
				return began, errProtocol
			}
			if _, err := io.ReadFull(r, end); err != nil {
				return began, err
			}
			switch {
			case end[4] == overloaded && !began:
				return began, errOverloaded
			case end[4] > overloaded || end[4] == 1, !began:
				return began, errProtocol
			}
			return began, nil
		}
		if _, err := io.CopyN(to, r, length); err != nil {
			return began, err
		}
		if _, err := io.CopyN(io.Discard, r, padding); err != nil {
			return began, err
		}
	}
}
