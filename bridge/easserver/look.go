package easserver

import (
	"context"
	"errors"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A look is what one request, or a phone that waits and looks up once, goes by: the
// database is asked for each thing one time, although many folders ask for it. Most
// of what a Ping costs is such questions, and after a restart all phones ping at
// once. The next look finds out anew what was changed meanwhile.
type look struct {
	*syncengine.Look
	server *Server
	call   *call
	chosen func(syncengine.Folder) bool // nil before it is asked for
}

// look begins a look at some folders.
func (s *Server) look(c *call, ids ...syncengine.FolderID) *look {
	return &look{Look: s.Engine.Look(c.phone, ids...), server: s, call: c}
}

// lookAt begins a look at folders that a request names. What is no ID names none, as
// wanted says.
func (s *Server) lookAt(c *call, named []string) *look {
	var ids []syncengine.FolderID
	for _, name := range named {
		if id, err := syncengine.ParseFolderID(name); err == nil {
			ids = append(ids, id)
		}
	}
	return s.look(c, ids...)
}

// chooses is [Server.chosen].
func (l *look) chooses(ctx context.Context) (func(syncengine.Folder) bool, error) {
	if l.chosen == nil {
		chosen, err := l.server.chosen(ctx, l.call)
		if err != nil {
			return nil, err
		}
		l.chosen = chosen
	}
	return l.chosen, nil
}

// wanted is [Server.wantedFolder] for a folder that is named by its id.
func (l *look) wanted(ctx context.Context, id string) (syncengine.Folder, error) {
	n, err := syncengine.ParseFolderID(id)
	if err != nil {
		return syncengine.Folder{}, err
	}
	f, err := l.Folder(ctx, n)
	if err != nil {
		return f, err
	}
	chosen, err := l.chooses(ctx)
	if err == nil {
		err = toldOf(l.call.shown(chosen), f)
	}
	return f, err
}

// topics are what a phone waits for that waits for a folder: of a merged one
// all of its parts, too.
func (l *look) topics(ctx context.Context, f syncengine.Folder) ([]hub.Topic, error) {
	user := l.call.phone.User
	list := []hub.Topic{topic(user, f.ID)}
	if !f.ID.Merged() {
		return list, nil
	}
	parts, err := l.parts(ctx, f.Kind, nil)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		l.call.behind = append(l.call.behind, p.ID)
		list = append(list, topic(user, p.ID))
	}
	return list, nil
}

// parts is [Server.partsOf].
func (l *look) parts(ctx context.Context, kind backend.CollectionKind, told map[syncengine.FolderID]syncengine.Key) ([]syncengine.Part, error) {
	all, err := l.Parts(ctx, kind, told)
	if err != nil {
		return nil, err
	}
	chosen, err := l.chooses(ctx)
	if err != nil {
		return nil, err
	}
	return chosenParts(all, told, chosen), nil
}

// newsIn answers which of the topics are news to the phone.
func (s *Server) newsIn(ctx context.Context, c *call, topics []hub.Topic) ([]hub.Topic, error) {
	ids := make([]syncengine.FolderID, len(topics))
	for i, t := range topics {
		ids[i] = syncengine.FolderID(t.Folder)
	}
	l := s.look(c, ids...)
	var news []hub.Topic
	for i, t := range topics {
		yes, err := l.isNews(ctx, ids[i])
		if err != nil {
			return nil, err
		}
		if yes {
			news = append(news, t)
		}
	}
	return news, nil
}

func (l *look) isNews(ctx context.Context, id syncengine.FolderID) (bool, error) {
	switch {
	case id == 0:
		chosen, err := l.chooses(ctx)
		if err != nil {
			return false, err
		}
		return l.HierarchyPending(ctx, l.call.shown(chosen))
	case id.Merged():
		return l.isMergedNews(ctx, id)
	case slices.Contains(l.call.behind, id):
		return false, nil // the merged folder is what the phone hears of
	}
	yes, err := l.Pending(ctx, id)
	switch {
	case errors.Is(err, syncengine.ErrUnknown):
		return true, nil // never synchronized: everything is news
	case errors.Is(err, syncengine.ErrNoFolder):
		return false, nil // it is gone, which is news of the hierarchy
	}
	return yes, err
}

// isMergedNews tells whether a Sync of a merged folder would have news: of one
// of its parts, or because these are others now.
func (l *look) isMergedNews(ctx context.Context, id syncengine.FolderID) (bool, error) {
	b, err := l.server.Engine.PresentSettings(ctx, l.call.phone, id)
	if errors.Is(err, syncengine.ErrUnknown) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	f, err := l.Folder(ctx, id)
	if errors.Is(err, syncengine.ErrNoFolder) {
		return false, nil // a matter of the hierarchy
	}
	if err != nil {
		return false, err
	}
	told := readSettings(b).Parts
	parts, err := l.parts(ctx, f.Kind, told)
	if err != nil {
		return false, err
	}
	for _, p := range parts {
		if told[p.ID] == "" || p.Leaves {
			return true, nil
		}
		yes, err := l.Pending(ctx, p.ID)
		if yes || errors.Is(err, syncengine.ErrUnknown) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
