package easserver

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// MaxMailFile bounds a file of a mail, in bytes: more than mail servers take. It
	// bounds all files of mails in one answer together, too: the phone gets the
	// others one by one.
	MaxMailFile = 100 << 20

	// spoolInMemory is how much of a file is kept in memory; what is larger is
	// written to a temporary file, so that many of them at a time cost disk only.
	spoolInMemory = 256 << 10
)

// A spool keeps a file on its way to a phone, whose size has to be said before its
// content. Close gives up what it takes.
type spool struct {
	room  int64 // how much may be written
	small bytes.Buffer
	large *os.File // nil as long as it is small
	size  int64
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if s.size+int64(len(p)) > s.room {
		return 0, noRoom(s.room)
	}
	if s.large == nil && s.small.Len()+len(p) > spoolInMemory {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	var n int
	var err error
	if s.large != nil {
		n, err = s.large.Write(p)
	} else {
		n, err = s.small.Write(p)
	}
	s.size += int64(n)
	return n, err
}

func noRoom(room int64) error {
	return backend.Errorf(backend.TooLarge, "easserver: fetch", "the file has more than the %d bytes that there is room for", room)
}

// spill goes over to a file, which has no name, so that nothing is left of it
// whatever happens.
func (s *spool) spill() error {
	f, err := os.CreateTemp("", "pushbridge-*")
	if err != nil {
		return fmt.Errorf("easserver: a temporary file: %w", err)
	}
	s.large = f
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("easserver: a temporary file: %w", err)
	}
	_, err = f.Write(s.small.Bytes())
	s.small = bytes.Buffer{}
	return err
}

// part reads n bytes from first on.
func (s *spool) part(first, n int64) io.Reader {
	if s.large != nil {
		return io.NewSectionReader(s.large, first, n)
	}
	return bytes.NewReader(s.small.Bytes()[first : first+n])
}

// Close implements io.Closer.
func (s *spool) Close() error {
	if s == nil || s.large == nil {
		return nil
	}
	return s.large.Close()
}

// A piece is a part of an answer: bytes, or what of a file was asked for.
type piece struct {
	bytes    []byte
	file     *spool // nil for bytes
	first, n int64
	base64   bool // as text
}

// len is how long it is in the answer.
func (p piece) len() int64 {
	switch {
	case p.file == nil:
		return int64(len(p.bytes))
	case p.base64:
		return (p.n + 2) / 3 * 4
	}
	return p.n
}

func (p piece) writeTo(w io.Writer) error {
	if p.file == nil {
		_, err := w.Write(p.bytes)
		return err
	}
	to := w
	var text io.WriteCloser
	if p.base64 {
		text = base64.NewEncoder(base64.StdEncoding, w)
		to = text
	}
	if _, err := io.Copy(to, p.file.part(p.first, p.n)); err != nil {
		return err
	}
	if text != nil {
		return text.Close()
	}
	return nil
}

// A streamed answer has files in it that are not in memory.
type streamed struct {
	typ    string
	pieces []piece
}

func (a *streamed) len() (n int64) {
	for _, p := range a.pieces {
		n += p.len()
	}
	return n
}

func (a *streamed) writeTo(w io.Writer) error {
	for _, p := range a.pieces {
		if err := p.writeTo(w); err != nil {
			return err
		}
	}
	return nil
}

func (a *streamed) close() error {
	var errs []error
	for _, p := range a.pieces {
		errs = append(errs, p.file.Close())
	}
	return errors.Join(errs...)
}

// files are those of an answer under way, by the text that stands for each.
type files map[string]piece

// split puts files into a document in the places of the texts that stand for them.
func (f files) split(doc []byte) []piece {
	var pieces []piece
	for len(f) > 0 {
		at, name := -1, ""
		for n := range f {
			if i := bytes.Index(doc, []byte(n)); i >= 0 && (at < 0 || i < at) {
				at, name = i, n
			}
		}
		if at < 0 {
			break
		}
		pieces = append(pieces, piece{bytes: doc[:at]}, f[name])
		doc = doc[at+len(name):]
	}
	return append(pieces, piece{bytes: doc})
}

// room is how much another file may have.
func (f files) room() int64 {
	room := int64(MaxMailFile)
	for _, p := range f {
		room -= p.file.size
	}
	return max(room, 0)
}

func (f files) close() {
	for _, p := range f {
		p.file.Close() // it has no name, and nothing was to be kept
	}
}
