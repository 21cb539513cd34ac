// Package audit writes down what administrators did, in a chain that shows if an entry was changed or taken out.
//
// Every entry has a number and a hash over itself and the hash of the entry
// before. Whoever notes number and hash of the last entry elsewhere can tell
// later that everything up to there is as it was: see [Verify].
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxText bounds each text of an entry, in bytes, and MaxValue what was
	// before and after. What is longer is cut, or replaced by its hash.
	MaxText  = 1 << 10
	MaxValue = 64 << 10

	// batch is how many entries are read at a time.
	batch = 500
)

// An Outcome is what came of an action. The words are stored.
type Outcome string

// The outcomes.
const (
	Begun  Outcome = "begun" // another entry says what came of it, unless the worker died
	Done   Outcome = "done"
	Failed Outcome = "failed" // nothing was changed, or of what had begun not everything
	Denied Outcome = "denied" // whoever wanted it may not

	// Unreadable stands in place of an entry that was spoilt in the database.
	Unreadable Outcome = "unreadable"
)

// An Entry says who did what to whom.
type Entry struct {
	Number  int64           `json:"number"` // from 1 on, without gaps
	Time    time.Time       `json:"time"`
	Actor   string          `json:"actor"`             // "uid 0", "jane"
	Address string          `json:"address,omitempty"` // where the actor was
	Action  string          `json:"action"`            // the operation: "wipe.order"
	Object  string          `json:"object,omitempty"`  // "phone ABC of ann"
	Before  json.RawMessage `json:"before,omitempty"`  // absent if there was nothing
	After   json.RawMessage `json:"after,omitempty"`
	Outcome Outcome         `json:"outcome"`
	Detail  string          `json:"detail,omitempty"` // why it failed
}

// A Link is where the chain ends.
type Link struct {
	Number int64  `json:"number"`
	Hash   string `json:"hash"`
}

// A Record is an entry in its place.
type Record struct {
	Entry
	Hash string `json:"hash"`
}

// A Store keeps records. Nothing in it changes or deletes one.
type Store interface {
	// Append stores what seal makes of the last link, so that no other Append
	// comes between. Within a transaction of the caller's it belongs to it.
	Append(ctx context.Context, seal func(last Link) (Record, error)) (Record, error)

	// After answers at most so many records behind a number, in their order.
	After(ctx context.Context, number int64, most int) ([]Record, error)

	// Before answers at most so many records before a number, the newest first.
	Before(ctx context.Context, number int64, most int) ([]Record, error)
}

// A Log is the chain of a store. Its methods may be called from many goroutines.
type Log struct{ store Store }

// New makes the log of a store.
func New(s Store) *Log { return &Log{s} }

// Append adds an entry at the end of the chain, with the present time.
func (l *Log) Append(ctx context.Context, e Entry) (Record, error) {
	e = e.bounded()
	e.Time = time.Now().UTC()
	r, err := l.store.Append(ctx, func(last Link) (Record, error) {
		e.Number = last.Number + 1
		return seal(last.Hash, e)
	})
	if err != nil {
		return r, fmt.Errorf("audit: %w", err)
	}
	return r, nil
}

// bounded cuts what is too long.
func (e Entry) bounded() Entry {
	for _, s := range []*string{&e.Actor, &e.Address, &e.Action, &e.Object, &e.Detail} {
		*s = clip(*s)
	}
	for _, v := range []*json.RawMessage{&e.Before, &e.After} {
		if len(*v) > MaxValue {
			sum := sha256.Sum256(*v)
			*v = json.RawMessage(fmt.Sprintf(`{"bytes":%d,"sha256":"%x"}`, len(*v), sum))
		}
	}
	return e
}

func clip(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= MaxText {
		return s
	}
	s = s[:MaxText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// seal computes an entry's hash. What is hashed is the entry's JSON, as it is
// stored and exported, behind the hash before and a line feed.
func seal(before string, e Entry) (Record, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return Record{}, fmt.Errorf("an entry cannot be written: %w", err)
	}
	sum := sha256.New()
	sum.Write([]byte(before + "\n"))
	sum.Write(text)
	return Record{e, hex.EncodeToString(sum.Sum(nil))}, nil
}

// Newest answers the newest records before a number, the newest first; 0 means
// from the end.
func (l *Log) Newest(ctx context.Context, before int64, most int) ([]Record, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	list, err := l.store.Before(ctx, before, most)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return list, nil
}

// After answers records behind a number in their order, for an export.
func (l *Log) After(ctx context.Context, number int64, most int) ([]Record, error) {
	list, err := l.store.After(ctx, number, most)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return list, nil
}
