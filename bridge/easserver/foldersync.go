package easserver

import (
	"context"
	"errors"
	"log/slog"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/profile"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// folderSync tells a phone of its folders. See [MS-ASCMD] "FolderSync".
//
// Some phones ask with key "0" at every refresh: that costs a list and leaves
// the folders' own keys alone.
func (s *Server) folderSync(ctx context.Context, c *call) (answer, error) {
	var req eas.FolderSyncRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.SyncKey == "" {
		return s.folderStatus(c, eas.FolderMalformed), nil
	}
	if _, err := s.refreshFolders(ctx, c.account); err != nil {
		if kind := backend.KindOf(err); kind == backend.Denied || kind == backend.Transient {
			return nil, err
		}
		c.event.Err = err
		return s.folderStatus(c, eas.FolderServerError), nil
	}
	show, err := s.shows(ctx, c)
	if err != nil {
		return nil, err
	}
	round, err := s.Engine.Hierarchy(ctx, c.phone, syncengine.Key(req.SyncKey), show)
	switch {
	case errors.Is(err, syncengine.ErrInvalidKey):
		return s.folderStatus(c, eas.FolderBadKey), nil
	case err != nil:
		return nil, err
	}
	if req.SyncKey == "0" {
		if err := s.reannounce(ctx, c); err != nil {
			return nil, err
		}
	}
	changes := &eas.FolderChanges{Count: len(round.Added) + len(round.Updated) + len(round.Deleted)}
	for _, f := range round.Added {
		changes.Adds = append(changes.Adds, folderMessage(f, *c.profile))
	}
	for _, f := range round.Updated {
		changes.Updates = append(changes.Updates, folderMessage(f, *c.profile))
	}
	for _, id := range round.Deleted {
		changes.Deletes = append(changes.Deletes, eas.FolderRef{ServerID: id.String()})
	}
	c.event.Status = int(eas.FolderOK)
	c.note(slog.Int("folders", changes.Count))
	return eas.FolderSyncResponse{Status: eas.FolderOK, SyncKey: string(round.Key), Changes: changes}, nil
}

func (s *Server) folderStatus(c *call, status eas.FolderStatus) answer {
	c.event.Status = int(status)
	return eas.FolderSyncResponse{Status: status}
}

// MaxDisplayName bounds a folder's name, in characters. See [MS-ASCMD]
// "DisplayName (FolderSync)".
const MaxDisplayName = 256

func folderMessage(f syncengine.Folder, p profile.Profile) eas.Folder {
	parent := eas.RootFolder
	if f.Parent != 0 {
		parent = f.Parent.String()
	}
	name := []rune(f.Name)
	if len(name) > MaxDisplayName {
		name = name[:MaxDisplayName]
	}
	return eas.Folder{ServerID: f.ID.String(), ParentID: parent, DisplayName: string(name), Type: folderType(f, p)}
}

// roleTypes are the types of folders that have a role. Phones know no more roles.
// See [MS-ASCMD] "Type (FolderSync)".
var roleTypes = map[backend.Role]eas.FolderType{
	backend.RoleDrafts: eas.FolderDrafts, backend.RoleTrash: eas.FolderDeleted,
	backend.RoleSent: eas.FolderSent, backend.RoleOutbox: eas.FolderOutbox,
}

// folderType is the type by which a phone knows a folder.
func folderType(f syncengine.Folder, p profile.Profile) eas.FolderType {
	k := classes[f.Kind]
	switch typ, ok := roleTypes[f.Role]; {
	case f.Default && f.Kind == backend.Mail && ok:
		return typ
	case f.Default:
		return k.mainFolder
	case f.Kind == backend.Contacts && p.OtherContactsUnknown:
		return eas.FolderUnknown
	}
	return k.otherFolder
}
