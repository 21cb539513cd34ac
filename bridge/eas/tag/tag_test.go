package tag

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

func TestNamesLeadBack(t *testing.T) {
	for want := range names {
		if got, ok := Lookup(Name(want)); !ok || got != want {
			t.Errorf("Lookup(%q) = %04X, %v, want %04X", Name(want), uint16(got), ok, uint16(want))
		}
		if token := want.Token(); token < 5 || uint16(want)&0xC0 != 0 {
			t.Errorf("%s has the token %02X, want 5 to 3F", Name(want), token)
		}
		if Namespace(want.Page()) == "" {
			t.Errorf("%04X is on a page without a name", uint16(want))
		}
	}
	// See [MS-ASWBXML] "Code Pages", with the obsolete ones of 2.5.
	if len(names) != 628 {
		t.Errorf("there are %d names, want 628", len(names))
	}
}

func TestUnknownTagsHaveNumbers(t *testing.T) {
	const unknown wbxml.Tag = 0x3F3E
	if got := Name(unknown); got != "unknown:3F-3E" {
		t.Errorf("Name = %q", got)
	}
	if Local(unknown) != "" || Namespace(0x3F) != "" {
		t.Errorf("Local = %q, Namespace = %q", Local(unknown), Namespace(0x3F))
	}
	if tag, ok := Lookup("AirSync:Dance"); ok {
		t.Errorf("Lookup of what is not there = %04X", uint16(tag))
	}
}
