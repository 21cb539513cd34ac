package fcgi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxGetValues bounds how much of a GET_VALUES is read. There are three names
// that we know, and rubbish after them is nobody's loss.
const maxGetValues = 1024

// Errors after which a stream of records means nothing any more.
var (
	errVersion = errors.New("fcgi: not a FastCGI 1 record")
	errBegin   = errors.New("fcgi: BEGIN_REQUEST is not 8 bytes long")
	errBusyID  = errors.New("fcgi: BEGIN_REQUEST with the id of a request that has not ended")
	errOrder   = errors.New("fcgi: STDIN before the end of PARAMS")
)

// A demux turns a stream of bytes into requests. It does no I/O and keeps no
// slice it was given; pieces of any size mean the same as the whole at once.
type demux struct {
	sink sink

	head    [headerLen]byte // of the current record
	filled  int             // bytes of head that have arrived
	content int             // bytes of content still to come
	padding int             // bytes of padding still to come

	small   []byte // the content of BEGIN_REQUEST and GET_VALUES
	current *request
	reading []*request // begun and not yet complete, oldest first
}

// A sink is told what the records say. An error ends the stream.
type sink interface {
	// begin answers the request to collect, or nil to let the rest of it pass.
	begin(id, role uint16, flags uint8) (*request, error)
	// params are a piece of the parameters, stdin of the body.
	params(r *request, piece []byte)
	paramsEnd(r *request)
	stdin(r *request, piece []byte)
	// complete says that all of the request is there.
	complete(r *request)
	abort(id uint16)
	getValues(names []byte)
	unknownType(typ uint8)
}

// feed takes the next bytes of the stream.
func (d *demux) feed(p []byte) error {
	for len(p) > 0 {
		switch {
		case d.filled < headerLen:
			n := copy(d.head[d.filled:], p)
			d.filled += n
			p = p[n:]
			if d.filled < headerLen {
				return nil
			}
			if err := d.startRecord(); err != nil {
				return err
			}
		case d.content > 0:
			n := min(len(p), d.content)
			d.content -= n
			d.piece(p[:n])
			p = p[n:]
			if d.content == 0 {
				if err := d.endRecord(); err != nil {
					return err
				}
			}
		default:
			n := min(len(p), d.padding)
			d.padding -= n
			p = p[n:]
		}
		if d.filled == headerLen && d.content == 0 && d.padding == 0 {
			d.filled = 0
		}
	}
	return nil
}

// midRecord reports whether more of a record must come.
func (d *demux) midRecord() bool { return d.filled > 0 }

// drop stops collecting r; the rest of it passes unread.
func (d *demux) drop(r *request) {
	for i, x := range d.reading {
		if x == r {
			d.reading = append(d.reading[:i], d.reading[i+1:]...)
			break
		}
	}
	if len(d.reading) == 0 {
		d.reading = nil
	}
	if d.current == r {
		d.current = nil
	}
}

func (d *demux) typ() uint8 { return d.head[1] }
func (d *demux) id() uint16 { return binary.BigEndian.Uint16(d.head[2:]) }

// startRecord looks at a complete header.
func (d *demux) startRecord() error {
	if d.head[0] != protocolVersion {
		return fmt.Errorf("%w: version %d", errVersion, d.head[0])
	}
	d.content = int(binary.BigEndian.Uint16(d.head[4:]))
	d.padding = int(d.head[6])
	d.current = nil
	if d.id() != 0 {
		switch d.typ() {
		case typeBeginRequest:
			if d.content != 8 {
				return errBegin
			}
		case typeParams, typeStdin:
			d.current = d.find(d.id())
			if d.current != nil && d.typ() == typeStdin && !d.current.paramsDone {
				return errOrder
			}
			if d.current != nil && d.typ() == typeParams && d.current.paramsDone {
				d.current = nil // late parameters change nothing
			}
		}
	}
	if d.content == 0 {
		return d.endRecord()
	}
	return nil
}

func (d *demux) find(id uint16) *request {
	for _, r := range d.reading {
		if r.id == id {
			return r
		}
	}
	return nil
}

// piece takes some content of the current record.
func (d *demux) piece(p []byte) {
	switch {
	case d.current != nil && d.typ() == typeParams:
		d.sink.params(d.current, p)
	case d.current != nil:
		d.sink.stdin(d.current, p)
	case d.id() != 0 && d.typ() == typeBeginRequest, d.id() == 0 && d.typ() == typeGetValues:
		d.small = append(d.small, p[:min(len(p), maxGetValues-len(d.small))]...)
	}
}

// endRecord acts on a record whose content is complete.
func (d *demux) endRecord() error {
	small := d.small
	d.small = nil
	if d.id() == 0 {
		if d.typ() == typeGetValues {
			d.sink.getValues(small)
		} else {
			d.sink.unknownType(d.typ())
		}
		return nil
	}
	empty := binary.BigEndian.Uint16(d.head[4:]) == 0
	switch d.typ() {
	case typeBeginRequest:
		if d.find(d.id()) != nil {
			return errBusyID
		}
		r, err := d.sink.begin(d.id(), binary.BigEndian.Uint16(small), small[2])
		if err != nil {
			return err
		}
		if r != nil {
			d.reading = append(d.reading, r)
		}
	case typeParams:
		if r := d.current; r != nil && empty {
			r.paramsDone = true
			d.sink.paramsEnd(r)
		}
	case typeStdin:
		if r := d.current; r != nil && empty {
			d.drop(r)
			d.sink.complete(r)
		}
	case typeAbortRequest:
		if r := d.find(d.id()); r != nil {
			d.drop(r)
		}
		d.sink.abort(d.id())
	}
	return nil
}
