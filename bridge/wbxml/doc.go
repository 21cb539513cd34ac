// Package wbxml reads and writes WAP Binary XML, version 1.3, and knows none of the languages written in it.
//
// What it reads and writes is described in WAP-192-WBXML, the Binary XML
// Content Format Specification 1.3 of 25 July 2001. Names of elements come
// from the caller, so that ActiveSync and SyncML can both be read.
//
// Writing uses inline strings and opaque data only. Reading takes string
// tables, entities, literal tags, attributes, processing instructions and
// extension tokens as well: what has no meaning to a caller is skipped, so that
// an unknown token does not spoil a document.
package wbxml
