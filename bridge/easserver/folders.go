package easserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// shows tells which folders a phone is told of: those of kinds that its version
// knows, and that people chose for it. What they chose may be different the next
// time.
func (s *Server) shows(ctx context.Context, c *call) (func(syncengine.Folder) bool, error) {
	chosen := func(syncengine.Folder) bool { return true }
	if s.Choices != nil {
		var err error
		chosen, err = s.Choices.For(ctx, choice.Phone{User: c.phone.User, Device: c.phone.Device, Type: c.query.DeviceType})
		if err != nil {
			return nil, fmt.Errorf("easserver: which folders are shown: %w", err)
		}
	}
	return func(f syncengine.Folder) bool {
		k := classes[f.Kind]
		return k != nil && c.version >= k.min && chosen(f)
	}, nil
}

// visible lists the folders that the phone is told of, as it is told of them.
func (s *Server) visible(ctx context.Context, c *call) ([]syncengine.Folder, error) {
	show, err := s.shows(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.Engine.Visible(ctx, c.phone.User, show)
}

// hierarchyPending tells whether a FolderSync would have news for the phone.
func (s *Server) hierarchyPending(ctx context.Context, c *call) (bool, error) {
	show, err := s.shows(ctx, c)
	if err != nil {
		return false, err
	}
	return s.Engine.HierarchyPending(ctx, c.phone, show)
}

// wantedFolder finds the folder that a request names by its id or, before 12.1,
// by its class alone, which means the main folder of the class. A folder that
// the phone is not told of is none. See [MS-ASCMD] "CollectionId (Sync)" and
// "Class (Sync)".
func (s *Server) wantedFolder(ctx context.Context, c *call, id, class string) (syncengine.Folder, error) {
	if id == "" && class != "" && c.version < eas.V121 {
		return s.mainFolder(ctx, c, class)
	}
	n, err := syncengine.ParseFolderID(id)
	if err != nil {
		return syncengine.Folder{}, err
	}
	f, err := s.Engine.Folder(ctx, c.phone.User, n)
	if err != nil {
		return f, err
	}
	show, err := s.shows(ctx, c)
	if err == nil && !show(f) {
		err = fmt.Errorf("%w: the phone is not told of folder %v, of %s", syncengine.ErrNoFolder, n, f.Kind)
	}
	return f, err
}

func (s *Server) mainFolder(ctx context.Context, c *call, class string) (syncengine.Folder, error) {
	folders, err := s.visible(ctx, c)
	if err != nil {
		return syncengine.Folder{}, err
	}
	for _, f := range folders {
		if f.Default && classes[f.Kind].name == class {
			return f, nil
		}
	}
	return syncengine.Folder{}, fmt.Errorf("%w: there is no main folder of class %.40q", syncengine.ErrNoFolder, class)
}

// refreshFolders takes over the backends' lists of collections, and tells those
// who wait.
func (s *Server) refreshFolders(ctx context.Context, acct *account.Account) (changed bool, err error) {
	changed, err = s.takeFolders(ctx, acct)
	if changed {
		s.Hub.Publish(hub.Topic{User: acct.Name()})
	}
	return changed, err
}

// takeFolders is refreshFolders without telling anybody. A backend that does not
// answer keeps its folders; it is an error only if none answers.
func (s *Server) takeFolders(ctx context.Context, acct *account.Account) (changed bool, err error) {
	listed, failed := acct.List(ctx)
	listings := make([]syncengine.Listing, len(listed))
	for i, l := range listed {
		listings[i] = syncengine.Listing{Backend: l.Backend, Collections: l.Collections}
	}
	var errs []error
	for name, err := range failed {
		errs = append(errs, fmt.Errorf("backend %q: %w", name, err))
	}
	if len(errs) > 0 {
		err := errors.Join(errs...)
		if backend.KindOf(err) == backend.Denied || s.silent(listings) {
			return false, err
		}
		s.Logger.WarnContext(ctx, "a backend does not list its collections; its folders stay as they are", "user", acct.Name(), "error", err)
	}
	listings = s.standIn(listings, len(failed) == 0)
	if listings, err = s.withoutRemoved(ctx, acct, listings, failed); err != nil {
		return false, err
	}
	changed, err = s.Engine.SetFolders(ctx, acct.Name(), listings)
	if err != nil {
		return false, fmt.Errorf("easserver: storing the folders: %w", err)
	}
	return changed, nil
}

// withoutRemoved adds that there is nothing at backends that are known from
// before and no longer in the configuration, so that their folders go.
func (s *Server) withoutRemoved(ctx context.Context, acct *account.Account, listings []syncengine.Listing, failed map[string]error) ([]syncengine.Listing, error) {
	folders, err := s.Engine.Folders(ctx, acct.Name())
	if err != nil {
		return nil, fmt.Errorf("easserver: the folders: %w", err)
	}
	for _, f := range folders {
		if _, down := failed[f.Backend]; down || f.Backend == s.Placeholder ||
			slices.ContainsFunc(listings, func(l syncengine.Listing) bool { return l.Backend == f.Backend }) {
			continue
		}
		listings = append(listings, syncengine.Listing{Backend: f.Backend})
	}
	return listings, nil
}

// standIn takes the placeholder's folders out where a backend serves such
// folders itself. While a backend does not answer, nobody knows whether it
// would, and what the placeholder offered stays as it is.
func (s *Server) standIn(listings []syncengine.Listing, complete bool) []syncengine.Listing {
	served := map[backend.CollectionKind]bool{}
	placeholder := -1
	for i, l := range listings {
		if l.Backend == s.Placeholder {
			placeholder = i
			continue
		}
		for _, c := range l.Collections {
			served[c.Kind] = true
		}
	}
	switch {
	case placeholder < 0:
	case !complete:
		listings = slices.Delete(listings, placeholder, placeholder+1)
	default:
		l := &listings[placeholder]
		l.Collections = slices.DeleteFunc(slices.Clone(l.Collections), func(c backend.Collection) bool { return served[c.Kind] })
	}
	return listings
}

// silent tells whether no backend with people's things answered.
func (s *Server) silent(listings []syncengine.Listing) bool {
	for _, l := range listings {
		if l.Backend != s.Placeholder {
			return false
		}
	}
	return true
}

// topic is what a phone waits for when it waits for a folder.
func topic(user string, f syncengine.FolderID) hub.Topic {
	return hub.Topic{User: user, Folder: int64(f)}
}

// watcher answers the function that looks after a topic while anybody waits
// for it, with the sessions of one account.
func (s *Server) watcher(acct *account.Account) func(context.Context, hub.Topic) {
	return func(parent context.Context, t hub.Topic) {
		// The first time that a backend refuses the password, whoever asked
		// with it, nobody is asked with it any more.
		ctx, release := acct.While(parent)
		defer release()
		w := watch.Watcher{
			Min: s.PollMin, Max: s.PollMax, Desk: s.Desk, User: t.User,
			Publish: func() { s.Hub.Publish(t) },
			Report: func(err error) {
				s.Logger.WarnContext(ctx, "looking for changes", "user", t.User, "folder", t.Folder, "error", err)
			},
		}
		err := s.fillWatcher(ctx, &w, acct, t)
		if err == nil {
			err = w.Run(ctx)
		}
		if parent.Err() == nil {
			s.Logger.LogAttrs(ctx, slog.LevelInfo, "no longer looking for changes", slog.String("user", t.User), slog.Int64("folder", t.Folder), slog.Any("error", err))
		}
		refused := acct.Refused() != nil
		if !refused && backend.KindOf(err) == backend.Denied {
			refused = paused(ctx, deniedPause) || acct.Refused() != nil
		}
		if refused {
			// Those who wait come again and log in anew, with the same password
			// or with another one.
			s.Hub.Recall(t)
		}
	}
}

// deniedPause is how long a topic is left alone whose backend refused a password
// that is right, as some do where they mean that a collection is forbidden. Nobody
// would look after it any more until those who wait come again; and if they came at
// once, they would go round and round.
const deniedPause = 10 * time.Minute

// paused waits, and answers false if the context ended before.
func paused(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *Server) fillWatcher(ctx context.Context, w *watch.Watcher, acct *account.Account, t hub.Topic) error {
	if t.Folder == 0 {
		w.Refresh = func(ctx context.Context) (bool, error) { return s.refreshFolders(ctx, acct) }
		return nil
	}
	f, err := s.Engine.Folder(ctx, t.User, syncengine.FolderID(t.Folder))
	if err != nil {
		return err
	}
	// A backend that is down now is asked until it is up again, without the
	// extras that it may have.
	if w.Session, err = acct.Session(ctx, f.Backend); err != nil && backend.KindOf(err) != backend.Transient {
		return err
	}
	w.Backend, w.Collection = f.Backend, f.Collection
	w.Due = func(ctx context.Context) (time.Duration, bool) {
		until, held, err := s.Engine.HeldUntil(ctx, f.ID)
		return time.Until(until), held && err == nil
	}
	w.Refresh = func(ctx context.Context) (bool, error) {
		session, err := acct.Session(ctx, f.Backend)
		if err != nil {
			return false, err
		}
		return s.Engine.Refresh(ctx, f, session)
	}
	return nil
}
