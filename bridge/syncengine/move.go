package syncengine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// MaxMoves bounds the moves that are remembered for one phone: several times as
// many as one request can have, which is what a phone repeats.
const MaxMoves = 4000

// A MoveRecord is a move of an item to another folder, by a phone.
type MoveRecord struct {
	From   FolderID
	Number Number
	To     FolderID

	ID    backend.ItemID // in From
	Taken bool           // an item in To had the same ID when the move began
	Name  string         // under which a copy is made in To, if it comes to that
	Sum   []byte         // of the copy as it was to be written; nil before

	// Scattered says that an item of the same ID was in yet another folder of the
	// backend, or Taken, when the copy was begun: one that is there later need not
	// be this one.
	Scattered bool

	Copy   backend.ItemID // the copy; empty before it is known to be there
	Result Number         // in To; 0 while the move is under way
}

// A MoveReader reads moves.
type MoveReader interface {
	// Move finds what is known of a phone's move; its From is 0 if nothing is.
	Move(ctx context.Context, p Phone, from FolderID, n Number, to FolderID) (MoveRecord, error)
}

// A MoveWriter stores moves. DeletePartnerships deletes those of a phone.
type MoveWriter interface {
	// SaveMove adds or replaces a record, and of those beyond MaxMoves deletes the
	// ones that were saved first.
	SaveMove(ctx context.Context, p Phone, m MoveRecord) error
}

// A Move takes an item of one folder to another one, for a phone. A move that was
// begun is the same one when the phone sends it again, until it is done.
type Move struct {
	MoveRecord
	Source, Target Folder

	engine *Engine
	phone  Phone
}

// Done tells whether the move was carried out before: Result says where to.
func (m *Move) Done() bool { return m.Result != 0 }

// BeginMove finds the move that a phone wants, or notes it: before anything is
// written, so that a worker that takes over knows what the first one was about to
// do. ErrNoItem if the item is not there and was not moved, or is not where it was
// moved to any more.
func (e *Engine) BeginMove(ctx context.Context, p Phone, from Folder, n Number, to Folder) (*Move, error) {
	ctx = context.WithoutCancel(ctx)
	m := &Move{Source: from, Target: to, engine: e, phone: p}
	err := e.store.Update(ctx, p.User, func(w Writer) error {
		known, err := w.Move(ctx, p, from.ID, n, to.ID)
		if err != nil {
			return err
		}
		row, err := w.Item(ctx, from.ID, n)
		there := err == nil && !row.Removed
		if err != nil && !errors.Is(err, ErrNoItem) {
			return err
		}
		m.MoveRecord = known
		moved := known.From != 0 && known.Result != 0
		if moved && !there { // what was moved may have been taken away from there, or back
			result, err := w.Item(ctx, to.ID, known.Result)
			if err != nil && !errors.Is(err, ErrNoItem) {
				return err
			}
			moved = err == nil && !result.Removed
		}
		switch {
		case known.From != 0 && known.Result == 0, moved && !there:
			return nil // under way, or done and sent again
		case !there:
			return ErrNoItem
		}
		same, err := w.ItemsNamed(ctx, to.ID, []backend.ItemID{row.ID})
		if err != nil {
			return err
		}
		m.MoveRecord = MoveRecord{
			From: from.ID, Number: n, To: to.ID, ID: row.ID,
			Name: strings.ToLower(rand.Text()), Taken: len(same) > 0 && !same[0].Removed,
		}
		return w.SaveMove(ctx, p, m.MoveRecord)
	})
	if err != nil {
		return nil, fmt.Errorf("syncengine: beginning a move of %v: %w", ServerID(from.ID, n), err)
	}
	return m, nil
}

// Copying notes the sum of the copy that is about to be written. Where an earlier
// try of the move noted one, first is false and that one stays.
func (m *Move) Copying(ctx context.Context, sum []byte) (first bool, err error) {
	scattered, err := m.scattered(ctx)
	if err != nil {
		return false, err
	}
	err = m.note(ctx, func(known MoveRecord) bool {
		m.Sum, m.Copy, m.Scattered = known.Sum, known.Copy, known.Scattered
		if first = known.Sum == nil; first {
			m.Sum, m.Scattered = sum, scattered
		}
		return first
	})
	return first, err
}

// scattered tells whether another folder of the source's backend lists an item of
// the same ID.
func (m *Move) scattered(ctx context.Context) (bool, error) {
	if m.Taken || m.Sum != nil {
		return true, nil
	}
	folders, err := m.engine.Folders(ctx, m.phone.User)
	if err != nil {
		return false, err
	}
	for _, f := range folders {
		if f.Backend != m.Source.Backend || f.ID == m.Source.ID {
			continue
		}
		if known, err := m.engine.Lists(ctx, f, m.ID); known || err != nil {
			return true, err
		}
	}
	return false, nil
}

// Copied notes the copy that is there, and the sum of what is, or is about to be,
// written into it. Nothing of the source may be removed before.
func (m *Move) Copied(ctx context.Context, copied backend.ItemID, sum []byte) error {
	return m.note(ctx, func(MoveRecord) bool { m.Copy, m.Sum = copied, sum; return true })
}

// Uncopied notes that there is no copy.
func (m *Move) Uncopied(ctx context.Context) error {
	return m.note(ctx, func(MoveRecord) bool { m.Copy, m.Sum = "", nil; return true })
}

// note changes the record of a move that is under way.
func (m *Move) note(ctx context.Context, change func(known MoveRecord) (save bool)) error {
	ctx = context.WithoutCancel(ctx)
	err := m.engine.store.Update(ctx, m.phone.User, func(w Writer) error {
		known, err := w.Move(ctx, m.phone, m.From, m.Number, m.To)
		if err != nil {
			return err
		}
		if known.Name != m.Name {
			return ErrKeyMoved // it is done, and another move of the item began
		}
		if !change(known) {
			return nil
		}
		m.Result = known.Result
		return w.SaveMove(ctx, m.phone, m.MoveRecord)
	})
	if err != nil {
		return fmt.Errorf("syncengine: noting a move: %w", err)
	}
	return nil
}

// Moved says that the move was carried out: the item is in To and no longer
// in From. To all phones, the one that moved it too, that is an Add and a Delete,
// which they are told by their next Syncs. See [MS-ASCMD] "MoveItems".
func (m *Move) Moved(ctx context.Context, it backend.Item) (Number, error) {
	ctx = context.WithoutCancel(ctx)
	err := m.engine.store.Update(ctx, m.phone.User, func(w Writer) error {
		source, err := w.Item(ctx, m.From, m.Number)
		if err != nil && !errors.Is(err, ErrNoItem) {
			return err
		}
		row, _, err := touch(ctx, w, m.To, func(w Writer, head *Mirror) (Item, error) {
			row, err := m.engine.adding(ctx, m.Target, it)(w, head)
			if m.Target.Kind == backend.Mail && source.Known { // it was received when it was
				row.Known, row.Facts = true, source.Facts
			}
			return row, err
		})
		if err != nil {
			return err
		}
		_, _, err = touch(ctx, w, m.From, removing(ctx, m.From, m.Number))
		if err != nil && !errors.Is(err, ErrNoItem) { // purged already
			return err
		}
		m.Result = row.Number
		return w.SaveMove(ctx, m.phone, m.MoveRecord)
	})
	if err != nil {
		return 0, fmt.Errorf("syncengine: noting a moved item: %w", err)
	}
	if m.engine.changed != nil {
		m.engine.changed(m.phone.User, m.From)
		m.engine.changed(m.phone.User, m.To)
	}
	return m.Result, nil
}

// Discarded says that an item of a folder was deleted by a command which is no
// Sync: all phones are told.
func (e *Engine) Discarded(ctx context.Context, f Folder, n Number) error {
	ctx = context.WithoutCancel(ctx)
	wrote := false
	err := e.store.Update(ctx, f.User, func(w Writer) (err error) {
		_, wrote, err = touch(ctx, w, f.ID, removing(ctx, f.ID, n))
		return err
	})
	if err != nil && !errors.Is(err, ErrNoItem) {
		return fmt.Errorf("syncengine: noting a deleted item: %w", err)
	}
	if wrote && e.changed != nil {
		e.changed(f.User, f.ID)
	}
	return nil
}
