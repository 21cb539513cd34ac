package translate

import (
	"errors"
	"strings"
)

// An Attachment is a file that belongs to an item.
type Attachment struct {
	Name      string // as people see it, never empty
	MediaType string // such as "image/png", never empty
	Data      []byte
}

// ErrNoAttachment means that an item has no attachment of that name any more.
var ErrNoAttachment = errors.New("translate: there is no such attachment")

// FileReference names a part of an item to a phone, which asks for it with
// ItemOperations. The item is its ServerId. See [MS-ASAIRS] "FileReference
// (Fetch)".
func FileReference(item, part string) string { return item + "/" + part }

// SplitFileReference is the inverse of FileReference; false for what is none.
func SplitFileReference(reference string) (item, part string, ok bool) {
	item, part, ok = strings.Cut(reference, "/")
	return item, part, ok && item != "" && part != ""
}
