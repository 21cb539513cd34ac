package easserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// MaxEmptied bounds the items that one operation deletes, each by a request to
// the backend. The phone is told that the rest is still there.
const MaxEmptied = 2000

// emptyFolder deletes all items of a folder. It is meant for deleted mail: no
// phone offers to throw away all contacts at once, and so the main folders, and
// those of other people, are not emptied. An item that was changed since the
// last look stays. See [MS-ASCMD] "EmptyFolderContents".
func (s *Server) emptyFolder(ctx context.Context, c *call, e eas.EmptyFolder) error {
	f, err := s.wantedFolder(ctx, c, e.CollectionID, "")
	if err != nil {
		return err
	}
	if !emptiable(f) {
		return fmt.Errorf("%w: folder %v", errNotEmptied, f.ID)
	}
	session, err := c.account.Session(ctx, f.Backend)
	if err != nil {
		return err
	}
	if _, err := s.Engine.Refresh(ctx, f, session); err != nil {
		return err
	}
	left := MaxEmptied
	partly, err := s.deleteItems(ctx, f, session, &left)
	if err != nil {
		return err
	}
	if e.Options != nil && e.Options.DeleteSubFolders {
		more, err := s.deleteInside(ctx, c, f)
		if err != nil {
			return err
		}
		partly = partly || more
	}
	if partly {
		return errPartly
	}
	return nil
}

// emptiable tells whether a phone may empty a folder, or delete it together with
// the one that it is in.
func emptiable(f syncengine.Folder) bool {
	return (!f.Default || f.Role == backend.RoleTrash) && !f.ReadOnly && f.Owner == "" && classes[f.Kind].shown()
}

// deleteItems deletes what the mirror knows of a folder.
func (s *Server) deleteItems(ctx context.Context, f syncengine.Folder, session backend.Session, left *int) (partly bool, err error) {
	err = s.Engine.Items(ctx, f, func(row syncengine.Row) error {
		if *left--; *left < 0 {
			return errPartly
		}
		err := session.Delete(ctx, f.Collection, row.ID, row.Revision)
		switch kind := backend.KindOf(err); {
		case err == nil, kind == backend.NotFound:
			return s.Engine.Discarded(ctx, f, row.Number)
		case kind == backend.Conflict, kind == backend.ReadOnly, kind == backend.Unsupported:
			partly = true
			return nil
		}
		return err
	})
	if errors.Is(err, errPartly) {
		return true, nil
	}
	return partly, err
}

// deleteInside deletes the folders inside of one. Those that the phone is not
// told of stay, and so do all that are around them.
func (s *Server) deleteInside(ctx context.Context, c *call, f syncengine.Folder) (partly bool, err error) {
	show, err := s.shows(ctx, c)
	if err != nil {
		return false, err
	}
	all, err := s.Engine.Folders(ctx, c.phone.User)
	if err != nil {
		return false, err
	}
	x := &folderEdit{server: s, call: c}
	kept := map[syncengine.FolderID]bool{} // what has to stay, and what is around it
	within := map[syncengine.FolderID]bool{f.ID: true}
	for _, o := range all { // parents first
		within[o.ID] = within[o.ID] || within[o.Parent]
	}
	for i := len(all) - 1; i >= 0; i-- {
		o := all[i]
		if !within[o.ID] || o.ID == f.ID {
			continue
		}
		if !kept[o.ID] && show(o) && emptiable(o) {
			editor, err := x.editor(ctx, o)
			if err == nil {
				err = editor.DeleteCollection(ctx, o.Collection)
			}
			if err == nil || backend.KindOf(err) == backend.NotFound {
				continue
			}
			if passing(err) && !isFolderError(err) {
				return partly, err
			}
		}
		partly, kept[o.Parent] = true, true
	}
	_, err = s.refreshFolders(ctx, c.account)
	return partly, err
}
