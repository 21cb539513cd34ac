package rulebook_test

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
)

// BenchmarkAdmits looks at as many rules as there may be, none of which fits, as
// each request does.
func BenchmarkAdmits(b *testing.B) {
	book, err := rulebook.Open(b.Context(), drawer{}, rulebook.Config{})
	if err != nil {
		b.Fatal(err)
	}
	_, err = book.Edit(b.Context(), func(s *rulebook.State) error {
		for range rulebook.MaxRules {
			s.Admission.Rules = append(s.Admission.Rules, rulebook.Rule{Action: rulebook.Block, Type: "*", Agent: "Other*/1.*", OS: "other*"})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := book.Reload(b.Context()); err != nil {
		b.Fatal(err)
	}
	p := device.Phone{ID: annsPhone, Type: "iPhone", UserAgent: "Apple-iPhone15C2/2103.202", Information: device.Information{OS: "iOS 17.4"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := book.Admits(p); err != nil {
			b.Fatal(err)
		}
	}
}
