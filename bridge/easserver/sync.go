package easserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// sync exchanges changes of items. See [MS-ASCMD] "Sync".
//
// A request that repeats the last one gets the last answer, byte for byte. Each
// folder's round is prepared, with the phone's commands written to the backend;
// then the rounds are committed together with the answer; then the answer is
// sent. A crash anywhere is repaired by the phone's retry.
func (s *Server) sync(ctx context.Context, c *call) (answer, error) {
	want, err := s.wantedSync(ctx, c)
	if err != nil {
		return nil, err
	}
	if want.refuse != 0 {
		return s.syncRefusal(c, want), nil
	}
	name, err := want.hash(c.version)
	if err != nil {
		return nil, err
	}
	if before, ok, err := s.Engine.Replay(ctx, c.phone, name); err != nil {
		return nil, err
	} else if ok {
		c.event.Status = int(eas.SyncOK)
		c.note(slog.Bool("replayed", true))
		return encoded(before), nil
	}
	want.name = name
	all, err := s.syncAll(ctx, c, want)
	if err == nil && want.wait > 0 && !want.hasCommands() {
		p, err := s.pushOf(ctx, c)
		if err != nil {
			return nil, err
		}
		if _, quiet := p.quiet(); !all.speaks() || quiet && all.canWait() {
			return s.syncWaiting(ctx, c, want, all, p)
		}
	}
	return s.syncAnswer(ctx, c, name, all, err)
}

// syncAnswer answers what came of all folders.
func (s *Server) syncAnswer(ctx context.Context, c *call, name []byte, all allFolders, err error) (answer, error) {
	if twin, ok := errors.AsType[*twinAnswered](err); ok {
		c.event.Status = int(eas.SyncOK)
		c.note(slog.Bool("replayed", true))
		return twin.answer, nil
	}
	if err == nil {
		err = all.down()
	}
	if err != nil {
		return nil, err
	}
	return s.commitSync(ctx, c, name, all)
}

// A twinAnswered error says that the same request was under way twice, and that
// the other one was carried out after this one was found to be new.
type twinAnswered struct{ answer encoded }

func (*twinAnswered) Error() string { return "easserver: the same request was answered meanwhile" }

// twin looks again for the answer to a request whose key turns out to be the
// one before, or none. Doing it once more would take the key away under a phone
// that has heard the other answer.
func (s *Server) twin(ctx context.Context, c *call, w *syncWant) error {
	before, ok, err := s.Engine.Replay(ctx, c.phone, w.name)
	if ok && err == nil {
		err = &twinAnswered{before}
	}
	return err
}

// syncRefusal answers a request as a whole.
func (s *Server) syncRefusal(c *call, w *syncWant) answer {
	c.event.Status = int(w.refuse)
	r := eas.SyncResponse{Status: w.refuse}
	if w.limit != 0 {
		r.Limit = &w.limit
	}
	return r
}

// allFolders is what came of all folders of a request.
type allFolders []*folderSync

// speaks tells whether there is anything to tell the phone.
func (all allFolders) speaks() bool {
	for _, f := range all {
		if f.speaks() {
			return true
		}
	}
	return false
}

// down is the reason why no folder could be asked; nil if one could.
func (all allFolders) down() (err error) {
	for _, f := range all {
		if f.failed == nil {
			return nil
		}
		err = f.failed
	}
	return err
}

// canWait tells whether there is nothing to tell the phone but a few items that
// are new, which keep until the quiet hours are over.
func (all allFolders) canWait() bool {
	for _, f := range all {
		if f.speaks() && !f.onlyNews() {
			return false
		}
	}
	return true
}

// silent are the folders that the phone need not hear of.
func (all allFolders) silent() allFolders {
	return slices.DeleteFunc(slices.Clone(all), (*folderSync).speaks)
}

// rounds are those that can be committed.
func (all allFolders) rounds() []*syncengine.Round {
	var rounds []*syncengine.Round
	for _, f := range all {
		if f.round == nil || f.failed != nil {
			continue
		}
		rounds = append(rounds, f.round)
		for _, p := range f.parts {
			if p.round != nil && p.failed == nil {
				rounds = append(rounds, p.round)
			}
		}
	}
	return rounds
}

// syncAll prepares the rounds of all folders.
//
// A folder whose backend does not answer is left out, which a phone takes for
// "no change", as long as the phone brought no commands for it; if no folder
// can be asked, the request fails as a whole. Nothing is lost either way: the
// phone's next request asks again.
func (s *Server) syncAll(ctx context.Context, c *call, w *syncWant) (allFolders, error) {
	all := make(allFolders, 0, len(w.Collections))
	left := newRoom(w.window(), *c.profile)
	for i := range w.Collections {
		f, err := s.syncFolder(ctx, c, w, &w.Collections[i], &left)
		if err != nil {
			return nil, err
		}
		if f.failed != nil {
			c.note(slog.String("left_out", f.request.CollectionID), slog.Any("left_out_because", f.failed))
		}
		all = append(all, f)
	}
	return all, nil
}

// syncWaiting holds the phone until one of its folders has news, and then
// prepares the rounds anew: hours may have passed. What these rounds found to be
// no news is remembered before. A phone that waits stays waiting while a backend
// is down; without news nobody asks it.
// News that come in quiet hours stay news until these are over, and so do changes
// among the folders.
func (s *Server) syncWaiting(ctx context.Context, c *call, w *syncWant, all allFolders, p *push) (answer, error) {
	_, quiet := p.quiet()
	told, err := s.foldersTold(ctx, c, !quiet)
	if err != nil {
		return nil, err
	}
	if !told && !quiet {
		return s.foldersChanged(c), nil
	}
	topics := make([]hub.Topic, 0, len(all)+1)
	if pending, err := s.hierarchyPending(ctx, c); err != nil {
		return nil, err
	} else if !pending || !told { // else it was sent in vain
		topics = append(topics, hub.Topic{User: c.phone.User})
	}
	for _, f := range all {
		if !f.wantsNews() || !p.wakes(f.folder) { // it would wake the phone for nothing
			continue
		}
		t, err := s.look(c).topics(ctx, f.folder)
		if err != nil {
			return nil, err
		}
		topics = append(topics, t...)
	}
	if err := s.Engine.Commit(ctx, c.phone, nil, nil, all.silent().rounds()...); err != nil {
		return nil, err
	}
	return &wait{topics: topics, heartbeat: w.wait, push: p, then: func(ctx context.Context, news []hub.Topic, err error) (answer, error) {
		switch {
		case errors.Is(err, hub.ErrReplaced), errors.Is(err, hub.ErrShutdown), err == nil && len(news) == 0:
			c.event.Status = int(eas.SyncOK)
			return nil, nil // no change: see [MS-ASCMD] "Empty Sync Response"
		case err != nil:
			return nil, err
		}
		if slices.Contains(news, hub.Topic{User: c.phone.User}) {
			return s.foldersChanged(c), nil
		}
		all, err := s.syncAll(ctx, c, w)
		return s.syncAnswer(ctx, c, w.name, all, err)
	}}, nil
}

// foldersChanged sends the phone to its folders.
func (s *Server) foldersChanged(c *call) answer {
	c.event.Status = int(eas.SyncHierarchyChanged)
	return eas.SyncResponse{Status: eas.SyncHierarchyChanged}
}

// toldFolders is the name under which it is remembered which folders a phone that
// waits in a Sync was sent to look at.
const toldFolders = "sync folders"

// foldersTold tells whether there is no reason to send a phone to its folders
// before it waits: it knows them, or never asked, or was sent already for just
// these. Phones that do not go would come back at once, for ever. That it is sent
// now is remembered if note says so.
func (s *Server) foldersTold(ctx context.Context, c *call, note bool) (bool, error) {
	pending, err := s.hierarchyPending(ctx, c)
	if err != nil || !pending {
		return true, err
	}
	folders, err := s.visible(ctx, c)
	if err != nil {
		return false, err
	}
	sum := sha256.New()
	for _, f := range folders {
		fmt.Fprintf(sum, "%d %d %s %t %q %s\n", f.ID, f.Parent, f.Kind, f.Default, f.Name, f.Role)
	}
	now := sum.Sum(nil)
	before, err := s.Devices.Recall(ctx, c.deviceID(), toldFolders)
	if err != nil || bytes.Equal(now, before) {
		return true, err
	}
	if !note {
		return false, nil
	}
	return false, s.Devices.Remember(ctx, c.deviceID(), toldFolders, now)
}

// pending answers which of the topics are news to the phone.
func (s *Server) pending(c *call, p *push) func(context.Context, []hub.Topic) ([]hub.Topic, error) {
	return func(ctx context.Context, topics []hub.Topic) ([]hub.Topic, error) {
		if until, quiet := p.quiet(); quiet {
			return nil, hub.Later(until)
		}
		return s.newsIn(ctx, c, p.waking(topics))
	}
}

// commitSync makes the rounds come true and answers.
func (s *Server) commitSync(ctx context.Context, c *call, name []byte, all allFolders) (answer, error) {
	c.event.Status = int(eas.SyncOK)
	if !all.speaks() && c.version >= eas.V121 {
		// See [MS-ASCMD] "Empty Sync Response". What was found to be no news is
		// remembered all the same, under the same keys.
		return nil, s.Engine.Commit(ctx, c.phone, nil, nil, all.rounds()...)
	}
	var response eas.SyncResponse
	sent := 0
	for _, f := range all {
		if f.failed != nil || !f.speaks() && c.version >= eas.V121 {
			continue
		}
		response.Collections = append(response.Collections, f.answer())
		if f.result.Status != eas.SyncOK {
			c.event.Status = int(f.result.Status)
		}
		sent += len(f.result.Commands)
	}
	doc, err := eas.Marshal(&response, c.version)
	if err != nil {
		return nil, err
	}
	if err := s.Engine.Commit(ctx, c.phone, name, doc, all.rounds()...); err != nil {
		return nil, err
	}
	s.Counts.Sent(sent)
	c.note(slog.Int("folders", len(all)), slog.Int("sent", sent))
	return encoded(doc), nil
}
