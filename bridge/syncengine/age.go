package syncengine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Some items are shown differently as time goes by though nobody edits them: of
// a series that the protocol has no words for, phones are told the occurrences
// of the next years. Facts.Due says when, and a Refresh after that makes the
// item a Change to whoever holds it. Nobody has told a phone of an item whose
// facts were not read before, so no moment is missed between the two.

// aged tells whether the item's last change was the passing of time.
func (it *Item) aged() bool { return it.Sequence != it.Revised }

// DueAt tells from when on the next Refresh of a folder brings something new
// though nothing of it changed; false if there is no such moment.
func (e *Engine) DueAt(ctx context.Context, f FolderID) (time.Time, bool, error) {
	items, err := e.store.ItemsDue(ctx, f, Forever, 1)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("syncengine: what is due: %w", err)
	}
	if len(items) == 0 {
		return time.Time{}, false, nil
	}
	return time.Unix(items[0].Due, 0), true, nil
}

// age makes news of the items that are due.
func (l *listing) age(ctx context.Context) error {
	if !l.engine.ages(l.folder.Kind) {
		return nil
	}
	if err := l.learn(ctx); err != nil {
		return err
	}
	now := time.Now().Unix()
	for {
		items, err := l.engine.store.ItemsDue(ctx, l.folder.ID, now, backend.MaxBatch)
		if err != nil || len(items) == 0 {
			return err
		}
		err = l.engine.store.Update(ctx, l.folder.User, func(w Writer) error { return ageItems(ctx, w, l.folder.ID, now) })
		if err != nil {
			return err
		}
		l.changed = true
	}
}

// ageItems gives the first items that are due the next places in the sequence.
// When they are due again is known once a phone looks at them.
func ageItems(ctx context.Context, w Writer, f FolderID, now int64) error {
	items, err := w.ItemsDue(ctx, f, now, backend.MaxBatch)
	if err != nil || len(items) == 0 {
		return err // another process was faster
	}
	m, err := w.Mirror(ctx, f)
	if err != nil {
		return err
	}
	for i := range items {
		m.Sequence++
		items[i].Sequence, items[i].Known, items[i].Facts = m.Sequence, false, Facts{Ends: Forever}
	}
	if err := w.SaveItems(ctx, f, items); err != nil {
		return err
	}
	return w.SaveMirror(ctx, f, m)
}

// learn reads the facts of items that phones were told of before anybody asked
// for them, as programs did that knew nothing of Facts.Due. What such an item
// was when they were told is not known: so one that ages is due at once.
func (l *listing) learn(ctx context.Context) error {
	store := l.engine.store
	any, err := store.ItemsUnknown(ctx, l.folder.ID, Forever, 1)
	if err != nil || len(any) == 0 {
		return err // nearly always
	}
	told, err := store.Foremost(ctx, l.folder.ID)
	if err != nil {
		return err
	}
	s := &scan{engine: l.engine, folder: l.folder, source: l.source}
	for after := int64(0); ; {
		items, err := store.ItemsUnknown(ctx, l.folder.ID, told, backend.MaxBatch)
		items = slices.DeleteFunc(items, func(it Item) bool { return it.Sequence <= after })
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1].Sequence
		rows := make([]*Item, len(items))
		for i := range items {
			rows[i] = &items[i]
		}
		// What cannot be read just now keeps nobody from the folder; it is read
		// with the next Refresh.
		if _, err := s.read(ctx, rows); err != nil {
			return err
		}
		if err := s.saveFacts(ctx, rows, true); err != nil {
			return err
		}
	}
}
