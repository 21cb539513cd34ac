package fcgi

import (
	"encoding/binary"
	"errors"
	"iter"
)

// errPairs says that a list of name-value pairs breaks off.
var errPairs = errors.New("fcgi: name-value pairs break off")

// cutLength takes a length off the front of b. See FastCGI Specification,
// section 3.4: one byte below 128, else four with the highest bit set.
func cutLength(b []byte) (n uint32, rest []byte, ok bool) {
	switch {
	case len(b) == 0:
		return 0, nil, false
	case b[0] < 0x80:
		return uint32(b[0]), b[1:], true
	case len(b) < 4:
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(b) &^ (1 << 31), b[4:], true
}

// cutPair takes a pair off the front of b. Lengths are compared as 64-bit
// numbers: their sum does not fit the int of a 32-bit machine.
func cutPair(b []byte) (name, value, rest []byte, ok bool) {
	nameLen, b, ok := cutLength(b)
	if !ok {
		return nil, nil, nil, false
	}
	valueLen, b, ok := cutLength(b)
	if !ok || uint64(nameLen)+uint64(valueLen) > uint64(len(b)) {
		return nil, nil, nil, false
	}
	return b[:nameLen], b[nameLen : nameLen+valueLen], b[nameLen+valueLen:], true
}

// pairs yields the name-value pairs of b, which they share. The pairs before
// a break are yielded; the break itself is told by wellFormed.
func pairs(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for len(b) > 0 {
			name, value, rest, ok := cutPair(b)
			if !ok || !yield(name, value) {
				return
			}
			b = rest
		}
	}
}

// wellFormed answers errPairs unless b is a whole number of pairs.
func wellFormed(b []byte) error {
	for len(b) > 0 {
		_, _, rest, ok := cutPair(b)
		if !ok {
			return errPairs
		}
		b = rest
	}
	return nil
}

func appendLength(b []byte, n int) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	return binary.BigEndian.AppendUint32(b, uint32(n)|1<<31)
}

func appendPair(b []byte, name, value string) []byte {
	b = appendLength(b, len(name))
	b = appendLength(b, len(value))
	b = append(b, name...)
	return append(b, value...)
}
