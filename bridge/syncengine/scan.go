package syncengine

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// progress is how far a phone has been told. The three parts are worked off in
// the order in which they stand here.
type progress struct {
	window   End    // as in state
	open     bool   // as in state
	opening  Number // as in state
	position int64  // as in state
}

func (s *state) progress() progress {
	return progress{s.window, s.open, s.opening, s.position}
}

func (s *state) advance(p progress) {
	s.window, s.open, s.opening, s.position = p.window, p.open, p.opening, p.position
}

// pageSize is how many rows a scan reads at a time, at least.
const pageSize = 128

// A scan walks through the rows that may be news to a phone: first those that
// the window of time moved over, then the completed tasks if the filter began
// or ceased to want them, then what changed.
//
// It looks no further than the mirror's end when it began. What changes later
// is news for the next round; so nothing is met twice.
type scan struct {
	engine *Engine
	folder Folder
	state  *state
	source Source // for facts of items; nil: unknown ones count as visible

	at      progress
	horizon int64
	begun   int64           // state.position when the scan began
	held    map[Number]bool // what the news that was found makes of state.held
	passed  []Number        // since the last news
	behind  []Number        // to be tried again
}

// newScan begins where the state is and ends at the horizon, or at the mirror's
// end if that is 0.
func (e *Engine) newScan(ctx context.Context, f Folder, s *state, source Source, horizon int64) (*scan, error) {
	if horizon == 0 {
		m, err := e.store.Mirror(ctx, f.ID)
		if err != nil {
			return nil, err
		}
		horizon = m.Sequence
	}
	scan := &scan{
		engine: e, folder: f, state: s, source: source,
		at: s.progress(), horizon: horizon, begun: s.position, held: map[Number]bool{},
	}
	if source != nil { // else nobody could try
		scan.behind = s.behind(maxAgain)
	}
	return scan, nil
}

// done tells whether everything has been seen.
func (s *scan) done() bool {
	return s.at.window == s.state.goal() && s.at.open == s.state.filter.Open && s.at.opening == 0 &&
		s.at.position >= s.horizon && len(s.behind) == 0
}

// more reads on until there is some news or nothing is left.
func (s *scan) more(ctx context.Context, limit int) ([]News, error) {
	limit = max(limit, pageSize)
	var news []News
	for len(news) == 0 && !s.done() {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var err error
		switch {
		case s.at.window != s.state.goal():
			news, err = s.moveWindow(ctx, limit)
		case s.at.open != s.state.filter.Open || s.at.opening != 0:
			news, err = s.moveOpen(ctx, limit)
		case s.at.position < s.horizon:
			news, err = s.moveOn(ctx, limit)
		default:
			news, err = s.tryAgain(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return news, nil
}

// moveWindow looks at rows that the phone was told of and that end between
// where the window is and where it shall be.
func (s *scan) moveWindow(ctx context.Context, limit int) ([]News, error) {
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	goal := s.state.goal()
	from, to, backwards := s.at.window, goal, false
	if from.Compare(to) > 0 {
		from, to, backwards = to, from, true
	}
	items, err := s.engine.store.ItemsEnding(ctx, s.folder.ID, from, to, backwards, s.at.position, limit)
	if err != nil {
		return nil, err
	}
	var news []News
	for i := range items {
		it := &items[i]
		s.at.window = End{it.Ends, it.Number}
		if !backwards {
			s.at.window.Number++ // the row itself is out now
		}
		news = s.judge(news, it)
	}
	if len(items) < limit {
		s.at.window = goal
	}
	return news, nil
}

// moveOpen looks at completed tasks that the phone was told of.
func (s *scan) moveOpen(ctx context.Context, limit int) ([]News, error) {
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	// The filter may have changed its mind half way.
	backwards := s.at.open == s.state.filter.Open
	items, err := s.engine.store.ItemsDone(ctx, s.folder.ID, s.at.opening, backwards, s.at.position, limit)
	if err != nil {
		return nil, err
	}
	var news []News
	for i := range items {
		s.at.opening = items[i].Number
		if backwards {
			s.at.opening--
		}
		news = s.judge(news, &items[i])
	}
	if len(items) < limit {
		s.at.open, s.at.opening = s.state.filter.Open, 0
	}
	return news, nil
}

// moveOn looks at what changed behind the position.
func (s *scan) moveOn(ctx context.Context, limit int) ([]News, error) {
	items, err := s.engine.store.ItemsAfter(ctx, s.folder.ID, s.at.position, limit)
	if err != nil {
		return nil, err
	}
	if s.state.filter != (Filter{}) || s.engine.ages(s.folder.Kind) {
		if err := s.look(ctx, items, false); err != nil {
			return nil, err
		}
	}
	var news []News
	for i := range items {
		if items[i].Sequence > s.horizon {
			s.at.position = s.horizon
			return news, nil
		}
		s.at.position = items[i].Sequence
		news = s.judge(news, &items[i])
	}
	if len(items) < limit {
		s.at.position = s.horizon
	}
	return news, nil
}

// judge appends what the row is to the phone, now that the scan is at it.
func (s *scan) judge(news []News, it *Item) []News {
	held, ok := s.held[it.Number]
	if !ok {
		held = s.state.held.Contains(uint32(it.Number))
	}
	rev, own := s.state.own[it.Number]
	n := News{Number: it.Number, ID: it.ID, after: s.at}
	switch visible := s.at.visible(it); {
	case it.Removed && held:
		n.Op = Delete
	case it.Removed:
		return news
	case !visible && held:
		n.Op = SoftDelete
	case !visible:
		return news
	case !held:
		n.Op, n.Revision = Add, it.Revision
	case own && rev == it.Revision && it.Sequence > s.state.position && !it.aged():
		s.passed = append(s.passed, it.Number)
		return news
	case it.Sequence > s.state.position:
		n.Op, n.Revision = Change, it.Revision
	default:
		return news
	}
	n.passed, s.passed = s.passed, nil
	s.held[it.Number] = n.Op == Add || n.Op == Change
	return append(news, n)
}

// learn reads the facts of all rows up to the position that have none. There
// are such rows if the phone had no filter when it was told of them, and items
// of the folder's kind do not age.
func (s *scan) learn(ctx context.Context) error {
	if s.source == nil || s.engine.describe == nil || s.state.filter == (Filter{}) {
		return nil
	}
	for {
		items, err := s.engine.store.ItemsUnknown(ctx, s.folder.ID, s.at.position, backend.MaxBatch)
		if err != nil || len(items) == 0 {
			return err
		}
		if err := s.look(ctx, items, true); err != nil {
			return err
		}
	}
}

// look reads the items of rows whose facts are not known and remembers the
// facts, so that they are read once for all phones and all times. told says that
// phones were told of the items before.
func (s *scan) look(ctx context.Context, items []Item, told bool) error {
	if s.source == nil || s.engine.describe == nil {
		return nil
	}
	var rows []*Item
	for i := range items {
		if !items[i].Known && !items[i].Removed {
			rows = append(rows, &items[i])
		}
	}
	for len(rows) > 0 {
		n := min(len(rows), backend.MaxBatch)
		failed, err := s.read(ctx, rows[:n])
		if err == nil {
			err = failed
		}
		if err == nil {
			err = s.saveFacts(ctx, rows[:n], told)
		}
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// read reads the facts of one batch. An item that has vanished or cannot be read
// ends never, so that no filter hides it; the next revision is read again. One
// that cannot be read just now must not be taken for such: it stays unknown, and
// failed says why.
func (s *scan) read(ctx context.Context, rows []*Item) (failed, err error) {
	ids := make([]backend.ItemID, len(rows))
	at := make(map[backend.ItemID]*Item, len(rows))
	for i, it := range rows {
		ids[i], at[it.ID] = it.ID, it
		it.Known, it.Facts = true, Facts{Ends: Forever}
	}
	take := func(id backend.ItemID, err error, facts func() Facts) {
		it := at[id]
		switch {
		case it == nil:
		case err == nil:
			it.Facts = facts()
		case backend.KindOf(err) == backend.Transient:
			it.Known, failed = false, err
		}
	}
	if s.folder.Kind == backend.Mail {
		err = s.readReceived(ctx, ids, take)
		return failed, err
	}
	err = s.source.Get(ctx, s.folder.Collection, ids, func(f backend.Fetched) error {
		take(f.ID, f.Err, func() Facts { return s.engine.factsOf(s.folder, f.Item) })
		return nil
	})
	return failed, err
}

// readReceived reads messages, of which no more is asked than when they were
// received.
func (s *scan) readReceived(ctx context.Context, ids []backend.ItemID, take func(backend.ItemID, error, func() Facts)) error {
	session, ok := s.source.(backend.Session)
	if !ok {
		return nil
	}
	mailbox, ok := backend.As[backend.Mailbox](session)
	if !ok {
		return nil // no filter hides them
	}
	return mailbox.Messages(ctx, s.folder.Collection, ids, 0, func(m backend.Message) error {
		if m.Err != nil || !m.Received.IsZero() {
			take(m.ID, m.Err, func() Facts { return receivedAt(m.Received) })
		}
		return nil
	})
}

// saveFacts remembers the facts that were read. What an item was when phones were
// told of it before that, nobody knows: if it ages, it is due at once.
func (s *scan) saveFacts(ctx context.Context, rows []*Item, told bool) error {
	now := time.Now().Unix()
	return s.engine.store.Update(ctx, s.folder.User, func(w Writer) error {
		for _, it := range rows {
			if told && it.Due != 0 {
				it.Due = min(it.Due, now)
			}
			if !it.Known {
				continue
			}
			if err := w.SaveFacts(ctx, s.folder.ID, it.Number, it.Revision, it.Facts); err != nil {
				return err
			}
		}
		return nil
	})
}

// factsOf describes an item, or says that it ends never.
func (e *Engine) factsOf(f Folder, it backend.Item) Facts {
	if e.describe == nil {
		return Facts{Ends: Forever}
	}
	facts, err := e.describe(f, it)
	if err != nil {
		return Facts{Ends: Forever}
	}
	return facts
}
