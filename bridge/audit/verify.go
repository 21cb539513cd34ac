package audit

import (
	"context"
	"fmt"
)

// A Finding is what Verify makes of a chain.
type Finding struct {
	Entries int64  `json:"entries"`
	Last    Link   `json:"last"`
	Sound   bool   `json:"sound"`
	Fault   string `json:"fault,omitempty"` // in words, where it is not
	At      int64  `json:"at,omitempty"`    // the number of the first entry that is wrong
}

// A Verifier is given the records of a chain in their order.
type Verifier struct{ Finding }

// NewVerifier begins with the first record.
func NewVerifier() *Verifier { return &Verifier{Finding{Sound: true}} }

// Take looks at the next record, and tells whether everything is sound so far.
func (v *Verifier) Take(r Record) bool {
	if !v.Sound {
		return false
	}
	expected, err := seal(v.Last.Hash, r.Entry)
	switch {
	case r.Outcome == Unreadable:
		return v.fault(v.Last.Number+1, "entry %d cannot be read", v.Last.Number+1)
	case r.Number != v.Last.Number+1:
		return v.fault(v.Last.Number+1, "entry %d is missing: %d follows %d", v.Last.Number+1, r.Number, v.Last.Number)
	case err != nil:
		return v.fault(r.Number, "entry %d cannot be read: %v", r.Number, err)
	case expected.Hash != r.Hash:
		return v.fault(r.Number, "entry %d, or one before it, is not what was written: its hash is another one", r.Number)
	}
	v.Entries, v.Last = v.Entries+1, Link{r.Number, r.Hash}
	return true
}

func (v *Verifier) fault(at int64, format string, args ...any) bool {
	v.Sound, v.At, v.Fault = false, at, fmt.Sprintf(format, args...)
	return false
}

// Verify looks through the whole chain. An anchor is a link that somebody noted
// elsewhere: an entry of that number and hash has to be there, so that a chain
// whose end was cut off, or which was written anew, is found out; nil means that
// there is none.
func (l *Log) Verify(ctx context.Context, anchor *Link) (Finding, error) {
	v := NewVerifier()
	met := anchor == nil
	for {
		list, err := l.After(ctx, v.Last.Number, batch)
		if err != nil {
			return v.Finding, err
		}
		for _, r := range list {
			if !v.Take(r) {
				return v.Finding, nil
			}
			if anchor != nil && r.Number == anchor.Number {
				met = true
				if r.Hash != anchor.Hash {
					v.fault(r.Number, "entry %d has another hash than the one that was noted: the chain was written anew", r.Number)
					return v.Finding, nil
				}
			}
		}
		if len(list) < batch {
			break
		}
	}
	if !met {
		v.fault(v.Last.Number+1, "entry %d, which was noted, is missing: the chain ends with %d", anchor.Number, v.Last.Number)
	}
	return v.Finding, nil
}
