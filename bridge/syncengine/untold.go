package syncengine

import (
	"context"
	"errors"
	"slices"
)

// maxAgain is how many items are tried again in one round: a batch. Those of the
// lowest numbers come first, and the rest once some of these could be told.
const maxAgain = 64

// behind lists items of which the phone holds an older revision than it would
// have been told, had they been readable; at most limit.
func (s *state) behind(limit int) []Number {
	var list []Number
	for n, rev := range s.own {
		if rev == untold {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list[:min(len(list), limit)]
}

// tryAgain makes news of what could not be told before. What happened to an item
// since then is news anyhow.
func (s *scan) tryAgain(ctx context.Context) ([]News, error) {
	list := s.behind
	s.behind = nil
	var news []News
	for _, n := range list {
		it, err := s.engine.store.Item(ctx, s.folder.ID, n)
		if errors.Is(err, ErrNoItem) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if _, met := s.held[n]; met || it.Removed || it.Sequence > s.begun || !s.at.visible(&it) || !s.state.held.Contains(uint32(n)) {
			continue
		}
		news = append(news, News{Op: Change, Number: n, ID: it.ID, Revision: it.Revision, after: s.at, again: true})
	}
	return news, nil
}
