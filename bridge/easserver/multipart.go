package easserver

import (
	"encoding/binary"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

const multipartType = "application/vnd.ms-sync.multipart"

// A multipart answer is a message with the texts that it names behind it. See
// [MS-ASCMD] "Delivery of Content Requested by Fetch".
type multipart []byte

// acceptsMultipart tells whether the phone asked for it, in the header or in
// the base64 query. See [MS-ASHTTP] "MS-ASAcceptMultiPart".
func (c *call) acceptsMultipart() bool {
	return c.query.Multipart || c.parts
}

// takeParts takes the texts of bodies and the files out of what was fetched and
// leaves their numbers there. Part 0 is the message itself. See [MS-ASCMD]
// "Part".
func takeParts(fetches []eas.FetchResult) (parts [][]byte) {
	take := func(list []eas.Element, data wbxml.Tag) {
		for i, e := range list {
			if e.Tag != data {
				continue
			}
			content := e.Opaque
			if content == nil {
				content = []byte(e.Text)
			}
			parts = append(parts, content)
			list[i] = eas.T(tag.ItemOperationsPart, strconv.Itoa(len(parts)))
		}
	}
	for i := range fetches {
		p := fetches[i].Properties
		take(p, tag.ItemOperationsData)
		if body := slices.IndexFunc(p, func(e eas.Element) bool { return e.Tag == tag.AirSyncBaseBody }); body >= 0 {
			p[body].Children = slices.Clone(p[body].Children)
			take(p[body].Children, tag.AirSyncBaseData)
		}
	}
	return parts
}

// join puts a message and its parts together: how many there are, where each
// begins and how long it is, as little-endian numbers of 32 bits, and the parts.
// See [MS-ASCMD] "MultiPartResponse".
func join(message []byte, parts [][]byte) multipart {
	parts = append([][]byte{message}, parts...)
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(parts)))
	offset := 4 + 8*len(parts)
	for _, p := range parts {
		out = binary.LittleEndian.AppendUint32(out, uint32(offset))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(p)))
		offset += len(p)
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// join is join for parts of which some are files.
func (f files) join(message []byte, parts [][]byte) []piece {
	pieces := []piece{{}, {bytes: message}}
	for _, p := range parts {
		if file, ok := f[string(p)]; ok {
			pieces = append(pieces, file)
			continue
		}
		pieces = append(pieces, piece{bytes: p})
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(pieces)-1))
	offset := int64(4 + 8*(len(pieces)-1))
	for _, p := range pieces[1:] {
		head = binary.LittleEndian.AppendUint32(head, uint32(offset))
		head = binary.LittleEndian.AppendUint32(head, uint32(p.len()))
		offset += p.len()
	}
	pieces[0].bytes = head
	return pieces
}

// wantsParts tells whether the header asks for an answer in parts. See
// [MS-ASHTTP] "MS-ASAcceptMultiPart".
func wantsParts(r *http.Request) bool {
	return strings.EqualFold(strings.TrimSpace(r.Header.Get("MS-ASAcceptMultiPart")), "T")
}
