package syncengine

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A state is what a partnership is at one key, apart from the key.
type state struct {
	position int64           // rows up to here have been told or were no news
	held     *roaring.Bitmap // numbers of the items that the phone has

	// own has the revisions that the phone knows already though the mirror
	// tells of them behind the position: what it wrote itself, and what it was
	// told in a revision newer than the mirror's. The other way round, of an item
	// before the position that the phone could not be told it is untold.
	own map[Number]backend.Revision

	filter   Filter // as it shall be
	window   End    // rows up to position that end before this are out
	open     bool   // completed tasks up to position are out ...
	opening  Number // ... but for those up to this number it is the other way round
	settings []byte
}

// untold is no item's revision.
const untold backend.Revision = ""

// everything is a window that nothing is out of.
var everything = End{Ends: math.MinInt64}

func newState() *state {
	return &state{held: roaring.New(), own: map[Number]backend.Revision{}, window: everything}
}

// goal is where the window has to move.
func (s *state) goal() End {
	if s.filter.Since.IsZero() {
		return everything
	}
	return End{Ends: s.filter.Since.Unix()}
}

// unfinished tells whether the filter has moved and the rows up to the
// position do not follow it yet.
func (s *state) unfinished() bool {
	return s.window != s.goal() || s.open != s.filter.Open || s.opening != 0
}

// visible judges a row by the filter as far as p has moved it.
func (p progress) visible(it *Item) bool {
	open := p.open != (it.Number <= p.opening)
	return End{it.Ends, it.Number}.Compare(p.window) >= 0 && !(it.Done && open)
}

// told answers the revision of an item that the phone was told last, or "".
func (s *state) told(it *Item) backend.Revision {
	if rev, ok := s.own[it.Number]; ok {
		return rev
	}
	if it.Revised <= s.position {
		return it.Revision
	}
	return ""
}

// stateVersion begins an encoded state. A state of another version is refused,
// and the phone begins anew.
const stateVersion = 1

// errState means that the bytes are no state.
var errState = errors.New("syncengine: a stored state cannot be read")

// A header is the part of an encoded state before the bitmap. Letters are
// short because every round writes one.
type header struct {
	Position int64                       `json:"p"`
	Own      map[Number]backend.Revision `json:"o,omitempty"`
	Since    int64                       `json:"s,omitempty"` // Unix nanoseconds
	Open     bool                        `json:"f,omitempty"`
	Window   *End                        `json:"w,omitempty"`
	Opened   bool                        `json:"d,omitempty"`
	Opening  Number                      `json:"e,omitempty"`
	Settings []byte                      `json:"t,omitempty"`
}

// encode writes the version, the header's length and the header, and the
// bitmap in roaring's portable format.
func (s *state) encode() ([]byte, error) {
	h := header{
		Position: s.position, Own: s.own, Open: s.filter.Open,
		Opened: s.open, Opening: s.opening, Settings: s.settings,
	}
	if !s.filter.Since.IsZero() {
		h.Since = s.filter.Since.UnixNano()
	}
	if s.window != everything {
		h.Window = &s.window
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("syncengine: encoding a state: %w", err)
	}
	s.held.RunOptimize()
	bits, err := s.held.ToBytes()
	if err != nil {
		return nil, fmt.Errorf("syncengine: encoding a state: %w", err)
	}
	b := make([]byte, 0, 1+binary.MaxVarintLen64+len(head)+len(bits))
	b = append(b, stateVersion)
	b = binary.AppendUvarint(b, uint64(len(head)))
	b = append(b, head...)
	return append(b, bits...), nil
}

// decodeState reads what encode wrote.
func decodeState(b []byte) (*state, error) {
	if len(b) == 0 || b[0] != stateVersion {
		return nil, fmt.Errorf("%w: not of version %d", errState, stateVersion)
	}
	size, n := binary.Uvarint(b[1:])
	if n <= 0 || size > uint64(len(b)-1-n) {
		return nil, fmt.Errorf("%w: cut short", errState)
	}
	b = b[1+n:]
	var h header
	if err := json.Unmarshal(b[:size], &h); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	s := newState()
	if err := s.held.UnmarshalBinary(b[size:]); err != nil { // copies: b stays as it is
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	if err := s.held.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	s.position, s.open, s.opening, s.settings = h.Position, h.Opened, h.Opening, h.Settings
	if h.Own != nil {
		s.own = h.Own
	}
	s.filter.Open = h.Open
	if h.Since != 0 {
		s.filter.Since = time.Unix(0, h.Since)
	}
	if h.Window != nil {
		s.window = *h.Window
	}
	return s, nil
}
