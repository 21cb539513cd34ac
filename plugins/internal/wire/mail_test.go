package wire

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// What a plugin says of the parts of a message is counted with: numbers that no
// part can have would end in a panic, or in sums that are none.
func TestPartsThatCannotBe(t *testing.T) {
	for _, test := range []struct {
		name string
		part *pb.LeftPart
		want string
	}{
		{"a usual one", &pb.LeftPart{Path: "2.1", Encoded: 5000, Kept: 100}, "{2.1 5000 100}"},
		{"less than nothing", &pb.LeftPart{Path: "1", Encoded: -5000, Kept: -1}, "{1 0 0}"},
		{"more kept than there is", &pb.LeftPart{Path: "1", Encoded: 10, Kept: 11}, "{1 10 10}"},
		{"more than there can be", &pb.LeftPart{Path: "1", Encoded: 1 << 62}, fmt.Sprintf("{1 %d 0}", int64(maxPart))},
		{"a path without end", &pb.LeftPart{Path: strings.Repeat("1", 1000)}, fmt.Sprintf("{%s 0 0}", strings.Repeat("1", maxPath))},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := messageOf(&pb.Fetched{Id: []byte("x"), Left: []*pb.LeftPart{test.part}})
			if len(m.Left) != 1 || fmt.Sprint(m.Left[0]) != test.want {
				t.Errorf("the part is %v, want %s", m.Left, test.want)
			}
		})
	}
	many := make([]*pb.LeftPart, backend.MaxParts+1)
	for n := range many {
		many[n] = &pb.LeftPart{Path: "1"}
	}
	if m := messageOf(&pb.Fetched{Left: many, Size: 1 << 62}); len(m.Left) != backend.MaxParts || m.Size != maxPart {
		t.Errorf("%d parts and a size of %d come, want %d and %d", len(m.Left), m.Size, backend.MaxParts, int64(maxPart))
	}
}
