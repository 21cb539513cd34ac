// Package problem remembers which objects could not be shown to a phone, and why.
//
// An object that cannot be read keeps nobody from the rest of a folder, and is
// never rewritten; but somebody has to hear of it. The register is bounded, and
// kept in a store so that a restart forgets nothing. What an object says is
// never in it.
package problem

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// An Object names one thing at a backend.
type Object struct {
	User       string               `json:"user"`
	Backend    string               `json:"backend"` // its name in the configuration
	Collection backend.CollectionID `json:"collection"`
	ID         backend.ItemID       `json:"id"`
}

// A Kind of problem says who can do something about it.
type Kind string

// The kinds. They are stored and therefore append-only.
const (
	Unreadable Kind = "unreadable" // the person: the object is not in its format
	TooLarge   Kind = "too large"  // the person: the object is larger than can be handled
	Refused    Kind = "refused"    // the backend's administrator: it does not give the object out
	Defect     Kind = "defect"     // we: a translator stumbled over it
)

// A Problem is an object that could not be shown to a phone.
type Problem struct {
	Object
	Folder    syncengine.FolderID `json:"folder"`
	Kind      Kind                `json:"kind"`
	Reason    string              `json:"reason"` // a few words, nothing of the object's content
	FirstSeen time.Time           `json:"first_seen"`
	LastSeen  time.Time           `json:"last_seen"`
	Count     int64               `json:"count"` // how often a phone was to be shown it
}

// A Failure is what came of one object.
type Failure struct {
	ID     backend.ItemID
	Kind   Kind
	Reason string
}

// MaxReason bounds a reason, in bytes: it is to fit a line or two.
const MaxReason = 240

// Failed says what is wrong with an object. err is a translator's or the
// backend's.
func Failed(id backend.ItemID, err error) Failure {
	f := Failure{ID: id, Kind: Unreadable, Reason: err.Error()}
	if _, ok := errors.AsType[*backend.Error](err); ok {
		f.Kind = Refused
	}
	switch {
	case backend.KindOf(err) == backend.TooLarge:
		f.Kind = TooLarge
	case errors.Is(err, translate.ErrUnreadable):
		if _, why, ok := strings.Cut(f.Reason, translate.ErrUnreadable.Error()+": "); ok {
			f.Reason = why
		}
	}
	f.Reason = clip(f.Reason)
	return f
}

// Stumbled is a Failure for which the object cannot be blamed. What the
// translator said when it gave up may quote the object, and is left out.
func Stumbled(id backend.ItemID) Failure {
	return Failure{ID: id, Kind: Defect, Reason: "a translator stumbled over it: please report the stack that the log has"}
}

// clip makes one short line of a text.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= MaxReason {
		return s
	}
	return strings.ToValidUTF8(s[:MaxReason-len("…")], "") + "…"
}

// A Store keeps the register. Its methods may be called from many goroutines.
type Store interface {
	// Problems lists all.
	Problems(ctx context.Context) ([]Problem, error)

	// ChangeProblems saves some, replacing those of the same objects, and
	// forgets others, all or nothing.
	ChangeProblems(ctx context.Context, save []Problem, forget []Object) error
}

// A Mirror knows which items there are. *syncengine.Engine is one.
type Mirror interface {
	There(ctx context.Context, user string, f syncengine.FolderID, ids []backend.ItemID) ([]backend.ItemID, error)
}
