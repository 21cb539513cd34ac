package wbxml

// Global tokens. See WAP-192-WBXML, section 7.1.
const (
	switchPage = 0x00
	end        = 0x01
	entity     = 0x02
	strI       = 0x03
	literal    = 0x04
	extI0      = 0x40
	extI2      = 0x42
	pi         = 0x43
	extT0      = 0x80
	extT2      = 0x82
	strT       = 0x83
	ext0       = 0xC0
	ext2       = 0xC2
	opaque     = 0xC3
)

// Bits of a tag token. See WAP-192-WBXML, section 5.8.2.
const (
	hasAttributes = 0x80
	hasContent    = 0x40
	tokenMask     = 0x3F
)

// Literal is the token of an element whose name stands in the string table
// instead of a code page. See WAP-192-WBXML, section 5.8.2.
const Literal Tag = literal

// Character sets by their IANA MIBenum. See WAP-192-WBXML, section 5.6.
const (
	charsetUnknown = 0
	charsetASCII   = 3
	charsetUTF8    = 106
)

// PublicUnknown is the public identifier of a language that has no number of
// its own, which ActiveSync uses. See WAP-192-WBXML, section 7.2.
const PublicUnknown = 1

// Limits that the decoder keeps, so that a hostile document costs little more
// than its own length.
const (
	// MaxDepth bounds element nesting, so that a hostile phone cannot make us
	// recurse without end. Calendar exceptions inside a Sync nest nine deep.
	MaxDepth = 64

	// MaxElements bounds the elements of one document: an element of one byte
	// takes up to a hundred once it is decoded. A window of 512 events with many
	// attendees has about 100 000.
	MaxElements = 1 << 18

	// MaxDocument bounds a whole document in bytes: a mail with the largest
	// attachments that mail servers commonly take, 25 MB before base64.
	MaxDocument = 40 << 20

	// MaxString bounds one inline string or opaque block in bytes. A mail
	// travels as one, so it is nearly as long as a document.
	MaxString = 36 << 20

	// MaxStringTable bounds the string table. ActiveSync has none, SyncML
	// keeps the name of its document type in it.
	MaxStringTable = 64 << 10
)
