package contentline_test

import (
	"bytes"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
)

// TestCorpus: other people's objects come out as they went in, and a line that
// is added to one adds nothing else.
func TestCorpus(t *testing.T) {
	for _, kind := range []string{"vcf", "ics"} {
		t.Run(kind, func(t *testing.T) {
			translatetest.Corpus(t, kind, func(t *testing.T, object []byte) {
				d, err := contentline.Parse(object)
				if err != nil {
					t.Skip(err)
				}
				if !bytes.Equal(d.Bytes(), object) {
					t.Error("Parse(x).Bytes() is not x")
				}
				first := d.Components()[0]
				first.Remove(first.Add("X-ADDED", "1"))
				if !bytes.Equal(d.Bytes(), object) {
					t.Error("a line that was added and removed left something behind")
				}
			})
		})
	}
}
