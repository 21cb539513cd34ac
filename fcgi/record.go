package fcgi

import "encoding/binary"

// Record types. See FastCGI Specification, section 8.
const (
	typeBeginRequest    = 1
	typeAbortRequest    = 2
	typeEndRequest      = 3
	typeParams          = 4
	typeStdin           = 5
	typeStdout          = 6
	typeStderr          = 7
	typeData            = 8
	typeGetValues       = 9
	typeGetValuesResult = 10
	typeUnknownType     = 11
)

const (
	protocolVersion = 1
	roleResponder   = 1
	flagKeepConn    = 1

	// headerLen is the length of a record's header. See section 3.3.
	headerLen = 8

	// maxContent is how much content we put into a record: the largest
	// multiple of eight that the 16 bits of contentLength can say, so that our
	// records need no padding.
	maxContent = 65528
)

// A protocolStatus is what END_REQUEST says about the protocol. See section 5.5.
type protocolStatus uint8

const (
	requestComplete protocolStatus = 0
	overloaded      protocolStatus = 2
	unknownRole     protocolStatus = 3
)

// putHeader writes a record's header to the first 8 bytes of b.
func putHeader(b []byte, typ uint8, id uint16, length int) {
	_ = b[headerLen-1]
	b[0], b[1] = protocolVersion, typ
	binary.BigEndian.PutUint16(b[2:], id)
	binary.BigEndian.PutUint16(b[4:], uint16(length))
	b[6], b[7] = 0, 0
}

func appendHeader(b []byte, typ uint8, id uint16, length int) []byte {
	b = append(b, make([]byte, headerLen)...)
	putHeader(b[len(b)-headerLen:], typ, id, length)
	return b
}

// endLen is the length of what appendEnd appends.
const endLen = 3 * headerLen

// appendEnd appends the end of STDOUT and END_REQUEST.
func appendEnd(b []byte, id uint16, app uint32, status protocolStatus) []byte {
	b = appendHeader(b, typeStdout, id, 0)
	return appendEndRequest(b, id, app, status)
}

func appendEndRequest(b []byte, id uint16, app uint32, status protocolStatus) []byte {
	b = appendHeader(b, typeEndRequest, id, 8)
	b = binary.BigEndian.AppendUint32(b, app)
	return append(b, byte(status), 0, 0, 0)
}

func appendUnknownType(b []byte, typ uint8) []byte {
	b = appendHeader(b, typeUnknownType, 0, 8)
	return append(b, typ, 0, 0, 0, 0, 0, 0, 0)
}
