package translate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A Digest remembers what a phone holds of an item without holding it: of each
// property a short sum of its content, as [Sift] compares it. A property may
// have several sums, any of which the phone may hold: phones and backends write
// one thing in more than one way. The zero Digest is that of an item without
// properties.
type Digest struct {
	entries []entry // sorted, without doubles
}

// An entry is one thing that a property may look like, or one element of it.
type entry struct {
	of  wbxml.Tag // with one of the marks below for what is not the whole property
	sum sum
}

// Marks are in bits that no tag has. See WAP-192-WBXML, section 5.8.2.
const (
	markKey     = 0x40 // names an element of a list
	markElement = 0x80 // an element of a list, with its key
	marks       = markKey | markElement
)

// A sum is a 40-bit hash: with a hundred properties to an item and a million
// items, some two in a thousand of such stores would mistake one edit for none.
type sum uint64

// absent is the sum of a property that is not there, or is empty, which is the
// same to phones.
const absent sum = 0

const sumBytes = 5

func sumOf(parts ...string) sum {
	h := fnv.New64a()
	var size [binary.MaxVarintLen64]byte
	for _, p := range parts {
		h.Write(size[:binary.PutUvarint(size[:], uint64(len(p)))])
		h.Write([]byte(p))
	}
	s := h.Sum64()
	return max(1, sum(s^s>>40)&(1<<(8*sumBytes)-1))
}

// DigestOf is the digest of an item's properties.
func DigestOf(ps eas.Properties) Digest {
	d := Digest{make([]entry, 0, len(ps)+8)}
	seen := make([]wbxml.Tag, 0, len(ps))
	for i := range ps {
		t := ps[i].Tag
		if slices.Contains(seen, t) { // only the first of a kind counts
			continue
		}
		seen = append(seen, t)
		if p := propertyOf(t); p.kind == prose && p.group != 0 {
			if _, both := ps.Find(p.group); both {
				continue
			}
			t = p.group // rich text in its place
		}
		d.add(t, &ps[i])
	}
	d.sort()
	return d
}

// add takes a property in, in every way that it may come back.
func (d *Digest) add(of wbxml.Tag, e *eas.Element) {
	p := propertyOf(of)
	if p.kind == mute {
		return
	}
	for i, s := range p.kind.sums(e) {
		if s != absent || i > 0 {
			d.entries = append(d.entries, entry{of, s})
		}
	}
	if p.kind.isList() {
		for i := range e.Children {
			el := p.kind.element(&e.Children[i])
			if el.key == absent {
				continue
			}
			d.entries = append(d.entries, entry{of | markKey, el.key})
			for _, s := range el.sums {
				d.entries = append(d.entries, entry{of | markElement, s})
			}
		}
	}
}

func compareEntries(a, b entry) int {
	switch {
	case a.of != b.of:
		return int(a.of) - int(b.of)
	case a.sum < b.sum:
		return -1
	case a.sum > b.sum:
		return 1
	}
	return 0
}

func (d *Digest) sort() {
	slices.SortFunc(d.entries, compareEntries)
	d.entries = slices.Compact(d.entries)
}

// has tells whether an entry is there; a property without one is absent.
func (d Digest) has(of wbxml.Tag, s sum) bool {
	if s == absent && of&marks == 0 && !d.knows(of) {
		return true
	}
	_, ok := slices.BinarySearchFunc(d.entries, entry{of, s}, compareEntries)
	return ok
}

// knows tells whether there is any entry of a property.
func (d Digest) knows(of wbxml.Tag) bool {
	i, _ := slices.BinarySearchFunc(d.entries, entry{of, 0}, compareEntries)
	return i < len(d.entries) && d.entries[i].of == of
}

// tags lists the properties of which there are entries.
func (d Digest) tags() []wbxml.Tag {
	var list []wbxml.Tag
	for _, e := range d.entries {
		if t := e.of &^ marks; !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}

// Or is a digest of what is either d or o: each property is as in one of them.
func (d Digest) Or(o Digest) Digest {
	u := Digest{slices.Concat(d.entries, o.entries)}
	for _, e := range u.entries {
		switch {
		case e.of&marks == 0 && d.knows(e.of) != o.knows(e.of):
			u.entries = append(u.entries, entry{e.of, absent})
		case e.of&marks == markKey && d.has(e.of, e.sum) != o.has(e.of, e.sum):
			u.entries = append(u.entries, entry{e.of&^marks | markElement, missing(e.sum)})
		}
	}
	u.sort()
	return u
}

// missing is the sum of an element of a list that may be there or not.
func missing(key sum) sum { return sumOf("missing", strconv.FormatUint(uint64(key), 36)) }

// Adrift tells whether an event that is the same takes place at another moment than
// the phone holds: it has no zone of its own, and is in another one since.
func (d Digest) Adrift(now eas.Properties) bool {
	for _, t := range []wbxml.Tag{tag.CalendarStartTime, tag.CalendarEndTime} {
		if d.knows(t) && !d.has(t, primary(now, t)) {
			return true
		}
	}
	return false
}

// Edits tells whether what a phone sent of a property is not what it holds.
func (d Digest) Edits(sent eas.Properties, t wbxml.Tag) bool {
	return heard(sent, t) && !d.has(t, primary(sent, t))
}

// After is what the phone holds once it has sent an edit of what it held: the
// sent properties, and of those it did not mention the held ones, unless their
// absence means removal.
func (d Digest) After(sent eas.Properties, o Options) Digest {
	next := DigestOf(sent)
	complete := wholeItem(sent, d.tags())
	for _, e := range d.entries {
		t := e.of &^ marks
		if heard(sent, t) {
			continue // the sent one is in its place
		}
		if propertyOf(t).quiet || !complete || o.Absent(t) {
			next.entries = append(next.entries, e)
		}
	}
	next.sort()
	return next
}

// Wrote is the digest after the phone's edit was written to an object: what
// the object shows differently since then is the phone's own doing, too, though
// the phone may have said it in other words or not at all. held is what it held
// before the edit: of a list that had something of others in it, which the phone
// did not hold, it does not hold what the object shows now either.
func (d Digest) Wrote(held Digest, before, after eas.Properties) Digest {
	next := Digest{slices.Clone(d.entries)}
	var seen []wbxml.Tag
	for _, ps := range []eas.Properties{after, before} {
		for i := range ps {
			t := ps[i].Tag
			if slices.Contains(seen, t) || propertyOf(t).kind == mute || primary(before, t) == primary(after, t) {
				continue
			}
			seen = append(seen, t)
			if propertyOf(t).kind.isList() && !held.has(t, primary(before, t)) {
				continue
			}
			if !d.knows(t) {
				next.entries = append(next.entries, entry{t, absent})
			}
			next.entries = append(next.entries, entry{t, primary(after, t)})
		}
	}
	// What the phone held and said otherwise, and what no object can hold as it said
	// it, is still what it was: such as no date of completion, which some phones go on
	// sending of a task that is open again.
	for _, t := range d.tags() {
		now := primary(after, t)
		if k := propertyOf(t).kind; k != mute && !k.isList() && now == primary(before, t) && held.has(t, now) && !d.has(t, now) {
			next.entries = append(next.entries, entry{t, now})
		}
	}
	next.sort()
	return next
}

// digestVersion begins an encoded digest. What is of another version is none:
// then a phone's edit is compared as if nothing were known.
const digestVersion = 2

// MaxDigest is the length in bytes of the longest encoded digest: three
// hundred categories, attendees or exceptions with what else an item has. What
// would be longer is not kept.
const MaxDigest = 32 << 10

const entryBytes = 2 + sumBytes

// ErrDigest means that bytes are no digest, or one of a program to come.
var ErrDigest = errors.New("translate: no digest that this program knows")

// Bytes writes the digest; nil if that would take more than MaxDigest.
func (d Digest) Bytes() []byte {
	size := 1 + entryBytes*len(d.entries)
	if size > MaxDigest {
		return nil
	}
	b := make([]byte, 1, size)
	b[0] = digestVersion
	for _, e := range d.entries {
		var s [8]byte
		binary.BigEndian.PutUint64(s[:], uint64(e.sum))
		b = binary.BigEndian.AppendUint16(b, uint16(e.of))
		b = append(b, s[8-sumBytes:]...)
	}
	return b
}

// ParseDigest reads what Bytes wrote. The error is ErrDigest.
func ParseDigest(b []byte) (Digest, error) {
	if len(b) == 0 || len(b) > MaxDigest || b[0] != digestVersion || (len(b)-1)%entryBytes != 0 {
		return Digest{}, fmt.Errorf("%w: %d bytes", ErrDigest, len(b))
	}
	d := Digest{make([]entry, 0, len(b)/entryBytes)}
	for b = b[1:]; len(b) > 0; b = b[entryBytes:] {
		var s [8]byte
		copy(s[8-sumBytes:], b[2:entryBytes])
		d.entries = append(d.entries, entry{wbxml.Tag(binary.BigEndian.Uint16(b)), sum(binary.BigEndian.Uint64(s[:]))})
	}
	for i := 1; i < len(d.entries); i++ {
		if compareEntries(d.entries[i-1], d.entries[i]) >= 0 {
			return Digest{}, fmt.Errorf("%w: out of order", ErrDigest)
		}
	}
	return d, nil
}
