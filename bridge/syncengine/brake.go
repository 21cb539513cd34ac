package syncengine

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Brake says when a deletion of many items is not believed at once: an
// unmounted disk, a server that is being restored and a share that was taken
// away for a moment look just like one. The zero value has the defaults.
//
// More than Count items, and more than Share percent of a folder, that are
// found missing in one listing are held: they stay on the phones until a
// complete listing that comes Pause later misses them, too, or until
// [Engine.Release]. All else of the folder goes on meanwhile. What a phone
// deletes is never held.
type Brake struct {
	Share int           // percent; 0 means DefaultShare, 100 holds nothing ever
	Count int           // items; 0 means DefaultCount
	Pause time.Duration // whole seconds; 0 means DefaultPause
}

const (
	// DefaultShare and DefaultCount let everything pass that people do in a
	// day, but an emptied folder.
	DefaultShare = 20
	DefaultCount = 10

	// DefaultPause is longer than a server takes to start, to mount its disks
	// or to be updated, and short enough for somebody who did clear a folder
	// out and looks at the phone after a cup of coffee.
	DefaultPause = 10 * time.Minute
)

func (b Brake) filled() Brake {
	if b.Share == 0 {
		b.Share = DefaultShare
	}
	if b.Count == 0 {
		b.Count = DefaultCount
	}
	if b.Pause == 0 {
		b.Pause = DefaultPause
	}
	return b
}

// holds tells whether so many missing items of so many are too many.
func (b Brake) holds(missing, of uint64) bool {
	return missing > uint64(b.Count) && missing*100 > of*uint64(b.Share)
}

// A Hold is a deletion of many items that is not believed yet.
type Hold struct {
	User   string
	Folder FolderID
	Name   string // of the folder
	Items  int    // how many are held
	Of     int    // how many items the folder had
	Since  time.Time
	Until  time.Time // from then on the next complete listing is believed
}

// A HoldEvent is what happens to a Hold.
type HoldEvent string

// The events. A Hold that has begun begins once more if many other items are
// missing later.
const (
	HoldBegan     HoldEvent = "began"
	HoldConfirmed HoldEvent = "confirmed" // a later complete listing said the same: the items are removed
	HoldReleased  HoldEvent = "released"  // an administrator said so: the items are removed
	HoldDissolved HoldEvent = "dissolved" // the items came back, or a phone deleted them
)

// Held lists what is held, of all users, the oldest first.
func (e *Engine) Held(ctx context.Context) ([]Hold, error) {
	records, err := e.store.Holds(ctx)
	if err != nil {
		return nil, fmt.Errorf("syncengine: holds: %w", err)
	}
	list := make([]Hold, len(records))
	for i, h := range records {
		list[i] = e.hold(h)
	}
	return list, nil
}

func (e *Engine) hold(h HoldRecord) Hold {
	since := time.Unix(h.Since, 0)
	return Hold{
		User: h.User, Folder: h.Folder, Name: h.Name, Items: h.Items, Of: h.Of,
		Since: since, Until: since.Add(e.brake.Pause),
	}
}

// HeldUntil tells from when on the next Refresh of a folder decides about what
// is held of it; false if nothing is.
func (e *Engine) HeldUntil(ctx context.Context, f FolderID) (time.Time, bool, error) {
	m, err := e.store.Mirror(ctx, f)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("syncengine: holds: %w", err)
	}
	until := time.Unix(m.Doubt, 0).Add(e.brake.Pause)
	if latest := time.Now().Add(e.brake.Pause); until.After(latest) {
		until = latest // the clock was ahead: the next Refresh puts that right
	}
	return until, m.Doubt != 0, nil
}

// Release believes what is held of a folder: just those items are removed, at
// once, and the phones that wait for the folder are woken (by Options.Changed).
// The backend is not asked; an item that has come back meanwhile is added again
// by the next Refresh. ErrNoFolder if the user has no such folder, ErrNoHold if
// nothing of it is held.
func (e *Engine) Release(ctx context.Context, user string, id FolderID) error {
	var record HoldRecord
	err := e.store.Update(ctx, user, func(w Writer) error {
		f, err := w.Folder(ctx, user, id)
		if err != nil {
			return err
		}
		m, err := w.Mirror(ctx, id)
		if err != nil {
			return err
		}
		if m.Doubt == 0 {
			return ErrNoHold
		}
		var hold *roaring.Bitmap
		if record, hold, _, err = held(ctx, w, id); err != nil {
			return err
		}
		record.Folder, record.User, record.Name = id, user, f.Name
		if err := remove(ctx, w, id, &m, hold); err != nil {
			return err
		}
		m.Doubt = 0
		if err := w.DeleteHold(ctx, id); err != nil {
			return err
		}
		if err := w.SaveMirror(ctx, id, m); err != nil {
			return err
		}
		return w.PurgeItems(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("syncengine: releasing folder %v: %w", id, err)
	}
	if e.changed != nil {
		e.changed(user, id)
	}
	e.tell(record, HoldReleased)
	return nil
}

func (e *Engine) tell(h HoldRecord, what HoldEvent) {
	if e.braked != nil && what != "" {
		e.braked(e.hold(h), what)
	}
}

// remove marks items as removed.
func remove(ctx context.Context, w Writer, f FolderID, m *Mirror, gone *roaring.Bitmap) error {
	if gone.IsEmpty() {
		return nil
	}
	numbers := make([]Number, 0, gone.GetCardinality())
	for it := gone.Iterator(); it.HasNext(); {
		numbers = append(numbers, Number(it.Next()))
	}
	first := m.Sequence + 1
	m.Sequence += int64(len(numbers))
	return w.RemoveItems(ctx, f, numbers, first)
}

// held reads the hold of a folder, the numbers of the items that are held and
// still there, and those of all that are there.
func held(ctx context.Context, r Reader, f FolderID) (h HoldRecord, held, live *roaring.Bitmap, err error) {
	if h, err = r.Hold(ctx, f); err != nil {
		return h, nil, nil, err
	}
	held, live = roaring.New(), roaring.New()
	if held.UnmarshalBinary(h.Numbers) != nil || held.Validate() != nil {
		held = roaring.New() // of another program: a complete listing misses them again, and they are held anew
	}
	if err := r.Numbers(ctx, f, func(n Number, _ int64) { live.Add(uint32(n)) }); err != nil {
		return h, nil, nil, err
	}
	held.And(live)
	return h, held, live, nil
}

// Resync lets a phone load a folder anew, or with folder 0 everything it has,
// the folders themselves included: its next Sync of the folder, whatever the
// key, is ErrInvalidKey, and so is its next FolderSync. All items keep their
// ServerIds, and nothing on a server is touched. The phone is woken if it waits
// (by Options.Changed). It is no error if the phone never synchronized the
// folder, which it loads whole anyway. ErrNoFolder if the user has no such
// folder.
func (e *Engine) Resync(ctx context.Context, p Phone, id FolderID) error {
	ids := []FolderID{id}
	err := e.store.Update(ctx, p.User, func(w Writer) error {
		if id != hierarchy {
			if _, err := w.Folder(ctx, p.User, id); err != nil && !id.Merged() {
				return err
			}
			return w.DeletePartnership(ctx, p, id)
		}
		ids = ids[:1]
		folders, err := w.Folders(ctx, p.User)
		if err != nil {
			return err
		}
		for _, f := range folders {
			ids = append(ids, f.ID)
		}
		return w.DeletePartnerships(ctx, p)
	})
	if err != nil {
		return fmt.Errorf("syncengine: resync: %w", err)
	}
	for _, id := range ids {
		if e.changed != nil {
			e.changed(p.User, id)
		}
	}
	return nil
}

// overdue tells whether a hold is old enough for a complete listing to end it.
func (l *listing) overdue() bool {
	return l.begun.Doubt != 0 && time.Now().Unix()-l.begun.Doubt >= int64(l.engine.brake.Pause/time.Second)
}

// ahead tells whether a hold began in the future: the clock was put back, and
// nobody knows how long ago that was.
func (l *listing) ahead() bool { return l.begun.Doubt > time.Now().Unix() }

// believe parts the items that the answer says are gone into those that are
// removed now, which it answers, and those that are held, which it saves.
//
// An item that is held and comes back shows that the backend did not tell the
// truth, so the pause begins anew for the others. It does, too, if so many
// other items are missing that they make a hold themselves.
func (l *listing) believe(ctx context.Context, w Writer, m *Mirror, gone *roaring.Bitmap) (*roaring.Bitmap, []braked, error) {
	brake := l.engine.brake
	if m.Doubt == 0 && gone.GetCardinality() <= uint64(brake.Count) {
		return gone, nil, nil // nearly always
	}
	record, hold, live, err := held(ctx, w, l.folder.ID)
	if err != nil {
		return nil, nil, err
	}
	record.User, record.Folder, record.Name = l.folder.User, l.folder.ID, l.folder.Name
	removed, fresh, back := roaring.New(), roaring.AndNot(gone, hold), roaring.And(hold, l.seen)
	there := live.GetCardinality() - hold.GetCardinality()
	since, end := m.Doubt, HoldDissolved
	if !back.IsEmpty() || l.ahead() {
		hold.AndNot(back)
		since = time.Now().Unix()
		if err := l.greet(ctx, w, m, back); err != nil {
			return nil, nil, err
		}
	} else if l.overdue() && l.full && m.Doubt == l.begun.Doubt {
		// What a phone's command met meanwhile is in doubt for once more.
		removed, hold, end = roaring.And(hold, gone), roaring.AndNot(hold, gone), HoldConfirmed
	}
	var told []braked
	if m.Doubt != 0 && hold.IsEmpty() {
		told = append(told, braked{record, end})
	}
	switch {
	case l.doubtful() && brake.holds(fresh.GetCardinality(), there):
		hold.Or(fresh)
		since = time.Now().Unix()
		record.Of = int(live.GetCardinality())
		record.Items = int(hold.GetCardinality())
		record.Since = since
		told = append(told, braked{record, HoldBegan})
	case l.full && !hold.IsEmpty():
		hold.Or(fresh) // a few more that are missing where many are
	default:
		removed.Or(fresh)
	}
	return removed, told, l.saveHold(ctx, w, m, record, since, hold)
}

// doubtful tells whether the listing's word of what is gone may be doubted. A mail
// server that names the messages which went is believed, for people clear out their
// mail every day; those that a complete listing misses are held as elsewhere.
func (l *listing) doubtful() bool { return l.full || l.folder.Kind != backend.Mail }

// greet makes news of what is back for phones that looked for it in vain, since
// they have gone on behind it. The others never knew that it was gone.
func (l *listing) greet(ctx context.Context, w Writer, m *Mirror, back *roaring.Bitmap) error {
	vain := roaring.New()
	err := w.Numbers(ctx, l.folder.ID, func(n Number, touched int64) {
		if touched == missed && back.Contains(uint32(n)) {
			vain.Add(uint32(n))
		}
	})
	if err != nil {
		return err
	}
	for it := vain.Iterator(); it.HasNext(); {
		row, err := w.Item(ctx, l.folder.ID, Number(it.Next()))
		if err != nil {
			return err
		}
		row.revise(m, row.Revision)
		row.Touched = 0
		if err := w.SaveItems(ctx, l.folder.ID, []Item{row}); err != nil {
			return err
		}
	}
	return nil
}

// saveHold stores what is held from now on.
func (l *listing) saveHold(ctx context.Context, w Writer, m *Mirror, record HoldRecord, since int64, hold *roaring.Bitmap) error {
	if hold.IsEmpty() {
		if m.Doubt == 0 {
			return nil
		}
		m.Doubt = 0
		return w.DeleteHold(ctx, l.folder.ID)
	}
	m.Doubt = since
	numbers, err := hold.ToBytes()
	if err != nil {
		return fmt.Errorf("syncengine: encoding a hold: %w", err)
	}
	record.Folder, record.Since, record.Items, record.Numbers = l.folder.ID, since, int(hold.GetCardinality()), numbers
	return w.SaveHold(ctx, record)
}
