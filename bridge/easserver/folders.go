package easserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
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
// knows, and that people chose for it; and of a kind of which it has one folder,
// only that which stands for all. What they chose may be different the next
// time.
func (s *Server) shows(ctx context.Context, c *call) (func(syncengine.Folder) bool, error) {
	chosen, err := s.chosen(ctx, c)
	if err != nil {
		return nil, err
	}
	return c.shown(chosen), nil
}

// shown tells which folders the phone is told of, if these were chosen for it.
func (c *call) shown(chosen func(syncengine.Folder) bool) func(syncengine.Folder) bool {
	return func(f syncengine.Folder) bool {
		merged := f.ID.Merged()
		return hasPlace(c, f) && merged == c.profile.Merges(f.Kind) && (merged || chosen(f))
	}
}

// chosen tells which folders people chose for a phone.
func (s *Server) chosen(ctx context.Context, c *call) (func(syncengine.Folder) bool, error) {
	if s.Choices == nil {
		return func(syncengine.Folder) bool { return true }, nil
	}
	chosen, err := s.Choices.For(ctx, choice.Phone{User: c.phone.User, Device: c.phone.Device, Type: c.kind})
	if err != nil {
		return nil, fmt.Errorf("easserver: which folders are shown: %w", err)
	}
	return chosen, nil
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

// hasPlace tells whether the phone's version has a class for a folder.
func hasPlace(c *call, f syncengine.Folder) bool {
	k := classes[f.Kind]
	return k != nil && c.version >= k.min
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
	if err == nil {
		err = toldOf(show, f)
	}
	return f, err
}

// toldOf is ErrNoFolder for a folder that the phone is not told of.
func toldOf(show func(syncengine.Folder) bool, f syncengine.Folder) error {
	if show(f) {
		return nil
	}
	return fmt.Errorf("%w: the phone is not told of folder %v, of %s", syncengine.ErrNoFolder, f.ID, f.Kind)
}

func (s *Server) mainFolder(ctx context.Context, c *call, class string) (syncengine.Folder, error) {
	folders, err := s.visible(ctx, c)
	if err != nil {
		return syncengine.Folder{}, err
	}
	for _, f := range folders {
		if k := classes[f.Kind]; k.name == class && folderType(f, *c.profile) == k.mainFolder {
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
	turn := s.turns.begin(acct.Name())
	defer turn.end()
	listed, failed := acct.List(ctx)
	listings := make([]syncengine.Listing, len(listed))
	for i, l := range listed {
		listings[i] = syncengine.Listing{Backend: l.Backend, Collections: s.recognizeZones(ctx, acct.Name(), l.Collections)}
	}
	if err := unlisted(failed); err != nil {
		if backend.KindOf(err) == backend.Denied || s.silent(listings) {
			return false, err
		}
		s.Logger.WarnContext(ctx, "a backend does not list its collections; its folders stay as they are", "user", acct.Name(), "error", err)
	}
	err = turn.take(func() (complete bool, err error) {
		changed, err = s.storeFolders(ctx, acct, listings, failed)
		return len(failed) == 0, err
	})
	return changed, err
}

// storeFolders makes the folders what the listings say, where failed names the
// backends of which there is none; those that have nothing for the person are
// taken out of it.
func (s *Server) storeFolders(ctx context.Context, acct *account.Account, listings []syncengine.Listing, failed map[string]error) (changed bool, err error) {
	if listings, err = s.nowhere(ctx, acct, listings, failed); err != nil {
		return false, err
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

// unlisted is why backends do not list their collections; nil if all do where the
// person is known. Of several reasons the one counts that only the person can
// remove, then the one that goes by itself.
func unlisted(failed map[string]error) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		if err := failed[name]; !errors.Is(err, account.ErrNotThere) {
			errs = append(errs, fmt.Errorf("backend %q: %w", name, err))
		}
	}
	slices.SortStableFunc(errs, func(a, b error) int { return cmp.Compare(weights[backend.KindOf(a)], weights[backend.KindOf(b)]) })
	return errors.Join(errs...) // whose kind is that of the first one
}

// weights put errors in order, the ones that matter most first.
var weights = map[backend.Kind]int{backend.Denied: -2, backend.Transient: -1}

// nowhere adds that there is nothing at a backend where the person has no account
// and never had one, and takes the backend out of those that failed. What phones
// have of one that knew the person stays as it is.
func (s *Server) nowhere(ctx context.Context, acct *account.Account, listings []syncengine.Listing, failed map[string]error) ([]syncengine.Listing, error) {
	folders, err := s.Engine.Folders(ctx, acct.Name())
	if err != nil {
		return nil, fmt.Errorf("easserver: the folders: %w", err)
	}
	for name, why := range failed {
		known := slices.ContainsFunc(folders, func(f syncengine.Folder) bool { return f.Backend == name })
		if errors.Is(why, account.ErrNotThere) && !known {
			delete(failed, name)
			listings = append(listings, syncengine.Listing{Backend: name})
		}
	}
	return listings, nil
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

// watcher has topics watched with the sessions of one account.
func (s *Server) watcher(acct *account.Account) hub.Watch {
	return func(w *hub.Watched) func() {
		if syncengine.FolderID(w.Topic().Folder).Merged() {
			return nil // its parts are looked after
		}
		f := &folderWatch{server: s, account: acct, watched: w}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.watching = s.Desk.Start(watch.Watcher{
			User: acct.Name(), Min: s.PollMin, Max: s.PollMax, Owner: f,
		}, nil)
		return f.stop
	}
}

// refused ends all watching with a password of a user that a backend refuses,
// so that nobody is asked with it any more.
func (s *Server) refused(user string) {
	s.Desk.Each(func(owner watch.Owner) {
		if f, ok := owner.(*folderWatch); ok && f.account.Name() == user && f.account.Refused() != nil {
			f.refused()
		}
	})
}

// A folderWatch is a folder, or the list of them, that is watched for all phones of
// an account. Each person has some, so it is kept small.
type folderWatch struct {
	server  *Server
	account *account.Account
	watched *hub.Watched

	mu       sync.Mutex
	watching *watch.Watching
	pause    *time.Timer // see deniedPause; nil if there is none
}

var _ watch.Owner = (*folderWatch)(nil)

// Publish wakes those who wait.
func (f *folderWatch) Publish() { f.server.Hub.Publish(f.watched.Topic()) }

// folder is what is watched; 0 is the list of folders.
func (f *folderWatch) folder() syncengine.FolderID {
	return syncengine.FolderID(f.watched.Topic().Folder)
}

// NameAt is the person's name at a backend.
func (f *folderWatch) NameAt(backend string) string { return f.account.NameAt(backend) }

// Report logs what the watching lives on after.
func (f *folderWatch) Report(err error) {
	f.server.Logger.Warn("looking for changes", "user", f.account.Name(), "folder", f.watched.Topic().Folder, "error", err)
}

// stop is called by the hub when nobody waits any more.
func (f *folderWatch) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watching.Stop()
	if f.pause != nil {
		f.pause.Stop()
	}
}

// refused is called when a backend refuses the password.
func (f *folderWatch) refused() {
	f.mu.Lock()
	w, early := f.watching, f.pause != nil && f.pause.Stop()
	f.mu.Unlock()
	if early {
		f.watched.Ended(true)
		return
	}
	w.End(f.account.Refused())
}

// Ended is called when it cannot go on.
func (f *folderWatch) Ended(err error) {
	f.server.Logger.Info("no longer looking for changes", "user", f.account.Name(), "folder", f.watched.Topic().Folder, "error", err)
	f.mu.Lock()
	refused := f.account.Refused() != nil
	pause := !refused && backend.KindOf(err) == backend.Denied
	if pause {
		f.pause = time.AfterFunc(deniedPause, func() { f.watched.Ended(true) })
	}
	f.mu.Unlock()
	if !pause {
		// Where the password was refused, those who wait come again and log in
		// anew, with the same one or with another.
		f.watched.Ended(refused)
	}
}

// deniedPause is how long a topic is left alone whose backend refused a password
// that is right, as some do where they mean that a collection is forbidden. Nobody
// would look after it any more until those who wait come again; and if they came at
// once, they would go round and round.
const deniedPause = 10 * time.Minute

// Open finds out what to watch.
func (f *folderWatch) Open(ctx context.Context, w *watch.Watcher) (err error) {
	if f.folder() == 0 {
		w.List = f.server.listed
		return nil
	}
	folder, err := f.now(ctx)
	if errors.Is(err, syncengine.ErrNoFolder) {
		return backend.E(backend.NotFound, "easserver: watching", err)
	}
	if err != nil {
		return err
	}
	if w.Session, err = f.account.Session(ctx, folder.Backend); err != nil {
		return err
	}
	w.Backend, w.User, w.Collection = folder.Backend, f.account.NameAt(folder.Backend), folder.Collection
	return nil
}

// Due is when a Refresh decides about what is held of the folder, or finds that
// phones are to be shown something else of an item that is the same.
func (f *folderWatch) Due(ctx context.Context) (time.Duration, bool) {
	if f.folder() == 0 {
		return 0, false
	}
	until, is, err := f.server.Engine.HeldUntil(ctx, f.folder())
	if err != nil {
		return 0, false // the Refresh says what is wrong
	}
	due, ages, err := f.server.Engine.DueAt(ctx, f.folder())
	if err == nil && ages && (!is || due.Before(until)) {
		until, is = due, true
	}
	return time.Until(until), is && err == nil
}

// now is the folder as it is now. It would be much to keep.
func (f *folderWatch) now(ctx context.Context) (syncengine.Folder, error) {
	return f.server.Engine.Folder(ctx, f.account.Name(), f.folder())
}

// Refresh takes over what is new.
func (f *folderWatch) Refresh(ctx context.Context) (bool, error) {
	if f.folder() == 0 {
		return f.server.refreshFolders(ctx, f.account)
	}
	folder, err := f.now(ctx)
	if errors.Is(err, syncengine.ErrNoFolder) {
		return false, backend.E(backend.NotFound, "easserver: watching", err)
	}
	if err != nil {
		return false, err
	}
	session, err := f.account.Session(ctx, folder.Backend)
	if err != nil {
		return false, err
	}
	changed, err := f.server.Engine.Refresh(ctx, folder, session)
	if err == nil && f.server.Subscribe != nil {
		f.server.Subscribe(ctx, folder.Backend, f.account.NameAt(folder.Backend), folder.Collection, session)
	}
	return changed, err
}
