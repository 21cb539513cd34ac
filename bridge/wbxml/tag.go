package wbxml

// A Tag identifies an element: the code page in the high byte, the token
// without its attribute and content bits in the low one. See WAP-192-WBXML,
// section 5.8.2.
type Tag uint16

// Page is the code page of the tag.
func (t Tag) Page() uint8 { return uint8(t >> 8) }

// Token is the tag's number inside its code page, 5 to 63.
func (t Tag) Token() uint8 { return uint8(t & 0x3F) }
