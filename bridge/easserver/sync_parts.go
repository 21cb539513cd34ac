package easserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// syncParts prepares the rounds of the folders behind a merged one. Items keep
// their folders: an edit goes where its item lives, and a new item to the main
// folder of the kind.
//
// A part whose backend does not answer is left out, like a folder of its own
// would be.
func (f *folderSync) syncParts(ctx context.Context, left *room) (*folderSync, error) {
	if status, err := f.openParts(ctx); err != nil {
		return nil, err
	} else if status != eas.SyncOK {
		return f.refuse(status), nil
	}
	if !f.round.Initial {
		if err := f.applyParts(ctx); err != nil {
			return nil, err
		}
		if err := f.newsOfParts(ctx, left); err != nil {
			return nil, err
		}
	}
	f.keepParts()
	if f.speaks() {
		return f, nil
	}
	var err error
	f.failed, err = f.partsDown(ctx)
	return f, err
}

// openParts opens the round of each part. One that the phone was not told of
// begins at once.
func (f *folderSync) openParts(ctx context.Context) (eas.SyncStatus, error) {
	s, c := f.server, f.call
	parts, err := s.partsOf(ctx, c, f.folder.Kind, f.set.Parts)
	if err != nil {
		return 0, err
	}
	for _, p := range parts {
		part := &folderSync{server: s, call: c, folder: p.Folder, class: f.class, set: f.set, head: f, leaves: p.Leaves,
			mine: make(map[syncengine.Number]backend.Revision), result: eas.SyncResult{Status: eas.SyncOK}}
		request := *f.request
		request.Commands = nil
		part.request = &request
		f.parts = append(f.parts, part)
	}
	f.share(f.request.Commands)
	for _, part := range f.parts {
		err := part.begin(ctx, f.set.Parts[part.folder.ID])
		if errors.Is(err, syncengine.ErrInvalidKey) {
			return eas.SyncBadKey, nil // what the phone holds of this part is not known any more
		}
		if err != nil {
			return 0, err
		}
	}
	return eas.SyncOK, nil
}

// partsOf lists the folders behind a merged one, the one that new items go to
// first, and those that the phone was told of and that are none any more: because
// they are gone, or because people chose not to have them on this phone.
func (s *Server) partsOf(ctx context.Context, c *call, kind backend.CollectionKind, told map[syncengine.FolderID]syncengine.Key) ([]syncengine.Part, error) {
	all, err := s.Engine.Parts(ctx, c.phone.User, kind, told)
	if err != nil {
		return nil, err
	}
	chosen, err := s.chosen(ctx, c)
	if err != nil {
		return nil, err
	}
	return chosenParts(all, told, chosen), nil
}

// chosenParts leaves out what was not chosen for the phone, unless it was told of it;
// then the part leaves.
func chosenParts(all []syncengine.Part, told map[syncengine.FolderID]syncengine.Key, chosen func(syncengine.Folder) bool) []syncengine.Part {
	var stay, leave []syncengine.Part
	for _, p := range all {
		_, known := told[p.ID]
		switch p.Leaves = p.Leaves || !chosen(p.Folder); {
		case !p.Leaves:
			stay = append(stay, p)
		case known:
			leave = append(leave, p)
		}
	}
	return append(stay, leave...)
}

// share gives each part its commands. The main folder comes first among the
// parts, and answers for what belongs to none.
func (f *folderSync) share(commands []eas.SyncCommand) {
	if len(f.parts) == 0 {
		return // see applyParts
	}
	at := make(map[syncengine.FolderID]*folderSync, len(f.parts))
	for _, p := range f.parts {
		at[p.folder.ID] = p
	}
	for _, cmd := range commands {
		part := f.parts[0]
		if id, _, err := syncengine.ParseServerID(cmd.ServerID); err == nil && cmd.Do != tag.AirSyncAdd && at[id] != nil {
			part = at[id]
		}
		part.request.Commands = append(part.request.Commands, cmd)
	}
}

// begin opens the part's session and round. key is empty if the phone was not
// told of the part.
func (f *folderSync) begin(ctx context.Context, key syncengine.Key) (err error) {
	s, c := f.server, f.call
	initial := f.head.round.Initial
	if f.leaves {
		if initial {
			return nil
		}
		if f.round, err = s.Engine.Begin(ctx, c.phone, f.folder, key, nil); err == nil {
			f.round.Leave()
		}
		return err
	}
	if initial {
		f.round, err = s.Engine.Begin(ctx, c.phone, f.folder, syncengine.NoKey, nil)
		return err
	}
	f.session, err = c.account.Session(ctx, f.folder.Backend)
	if err != nil && len(f.request.Commands) == 0 && (errors.Is(err, account.ErrNoBackend) || backend.KindOf(err) == backend.Transient) {
		f.failed = err
		return nil
	}
	if err != nil {
		return err
	}
	if key == "" {
		f.round, err = s.Engine.BeginPart(ctx, c.phone, f.folder, f.source())
	} else {
		f.round, err = s.Engine.Begin(ctx, c.phone, f.folder, key, f.source())
	}
	if err != nil {
		return err
	}
	f.round.SetFilter(f.class.filter(f.set.FilterType, time.Now()))
	return nil
}

// applyParts carries out the phone's commands.
func (f *folderSync) applyParts(ctx context.Context) error {
	if len(f.parts) == 0 {
		f.refuseAll()
	}
	for _, part := range f.parts {
		if len(part.request.Commands) == 0 {
			continue
		}
		if part.leaves {
			part.refuseAll()
		} else if err := part.applyAll(ctx); err != nil {
			return err
		}
		f.result.Responses = append(f.result.Responses, part.result.Responses...)
	}
	if len(f.request.Commands) > 0 {
		f.round.Acknowledge()
	}
	return nil
}

// refuseAll answers commands for items whose folder is gone, and they with it.
func (f *folderSync) refuseAll() {
	for _, cmd := range f.request.Commands {
		if cmd.Do != tag.AirSyncDelete {
			f.result.Responses = append(f.result.Responses, eas.SyncOutcome{Do: cmd.Do, ClientID: cmd.ClientID, ServerID: cmd.ServerID,
				InstanceID: cmd.InstanceID, Status: eas.SyncNotFound})
		}
	}
}

// newsOfParts fills the answer with what is new in the parts, one after the
// other.
func (f *folderSync) newsOfParts(ctx context.Context, left *room) error {
	if !f.wantsNews() {
		return nil
	}
	window := f.window()
	for _, part := range f.parts {
		if part.failed != nil {
			continue
		}
		err := part.takeNews(ctx, window, left)
		gone := errors.Is(err, syncengine.ErrNoFolder) || backend.KindOf(err) == backend.NotFound
		idle := len(part.request.Commands) == 0 && !part.round.Dirty()
		switch {
		case err == nil:
		case gone:
			// It leaves with the next Sync, for which there is news once the
			// folders are known.
			if _, err := f.server.refreshFolders(ctx, f.call.account); err != nil {
				f.call.note(slog.Any("folders_not_listed", err))
			}
		case idle && backend.KindOf(err) == backend.Transient:
			part.failed = err
		default:
			return err
		}
		window -= len(part.result.Commands)
		f.result.Commands = append(f.result.Commands, part.result.Commands...)
		f.result.MoreAvailable = f.result.MoreAvailable || part.result.MoreAvailable
	}
	return nil
}

// keepParts remembers with the merged folder's key which keys of its parts
// belong to it. A part that left is forgotten once the phone has nothing of it.
func (f *folderSync) keepParts() {
	before := f.set.Parts
	f.set.Parts = make(map[syncengine.FolderID]syncengine.Key, len(f.parts))
	for _, part := range f.parts {
		switch {
		case (part.round == nil || part.failed != nil) && before[part.folder.ID] != "":
			f.set.Parts[part.folder.ID] = before[part.folder.ID]
		case part.round == nil, part.failed != nil, part.leaves && !part.result.MoreAvailable && f.wantsNews():
		default:
			f.set.Parts[part.folder.ID] = part.round.Key()
		}
		if part.failed != nil {
			f.call.note(slog.String("left_out", part.folder.ID.String()), slog.Any("left_out_because", part.failed))
		}
	}
	f.keepSettings()
}

// partsDown is the reason why no part could be asked, or why one could not of
// which there is news: a phone that is told nothing would ask again at once. Nil
// if there is none.
func (f *folderSync) partsDown(ctx context.Context) (down, err error) {
	all := true
	for _, part := range f.parts {
		if part.failed == nil {
			all = false
			continue
		}
		down = part.failed
		news, err := f.server.Engine.Pending(ctx, f.call.phone, part.folder.ID)
		if errors.Is(err, syncengine.ErrUnknown) { // the phone was never told of it
			news, err = true, nil
		}
		if news || err != nil {
			return down, err
		}
	}
	if !all {
		return nil, nil
	}
	return down, nil
}

// mayBeIn tells whether an item of a folder may be in the one that a request
// names beside it, if it names one.
func mayBeIn(named string, f syncengine.FolderID) bool {
	id, err := syncengine.ParseFolderID(named)
	return named == "" || err == nil && (id == f || id.Merged())
}

// folderOfItem finds the folder of an item that the phone names: one that it is
// told of, or one behind a merged folder.
func (s *Server) folderOfItem(ctx context.Context, c *call, id syncengine.FolderID) (syncengine.Folder, error) {
	f, err := s.wantedFolder(ctx, c, id.String(), "")
	if !errors.Is(err, syncengine.ErrNoFolder) || !hasPlace(c, f) || !c.profile.Merges(f.Kind) {
		return f, err
	}
	chosen, failed := s.chosen(ctx, c)
	switch {
	case failed != nil:
		return f, failed
	case chosen(f):
		return f, nil
	}
	return f, err
}

// hiddenFolder finds a folder that is not shown to the phone any more, because
// folders of its kind are merged from now on, or not any more; and of which the
// phone does not know that yet. What its owner did there until then counts.
func (s *Server) hiddenFolder(ctx context.Context, c *call, id string) (syncengine.Folder, error) {
	n, err := syncengine.ParseFolderID(id)
	if err != nil {
		return syncengine.Folder{}, err
	}
	f, err := s.Engine.Folder(ctx, c.phone.User, n)
	if err != nil {
		return f, err
	}
	known, err := s.Engine.Knows(ctx, c.phone, n)
	if err == nil && (!known || !hasPlace(c, f)) {
		err = fmt.Errorf("%w: the phone was not told of folder %v", syncengine.ErrNoFolder, n)
	}
	return f, err
}

// estimateParts counts for a merged folder.
func (f *folderSync) estimateParts(ctx context.Context, e eas.Estimate) (eas.Estimate, error) {
	status, err := f.openParts(ctx)
	if err != nil {
		return e, err
	}
	if status != eas.SyncOK {
		e.Status = eas.EstimateBadKey
		return e, nil
	}
	count := 0
	for _, part := range f.parts {
		if part.failed != nil || part.round == nil {
			continue
		}
		if !part.leaves {
			if _, err := f.server.Engine.Refresh(ctx, part.folder, part.session); err != nil {
				if errors.Is(err, syncengine.ErrNoFolder) || backend.KindOf(err) == backend.NotFound {
					continue
				}
				return e, err
			}
		}
		n, err := part.round.Estimate(ctx)
		if err != nil {
			return e, err
		}
		count += n
	}
	count = min(count, syncengine.EstimateLimit)
	e.Status, e.Collection.Class, e.Collection.Estimate = eas.EstimateOK, f.class.name, &count
	return e, nil
}
