package phone

import (
	"context"
	"errors"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// FolderKey is the hierarchy's key that the phone holds; empty before the first
// FolderSync.
func (p *Phone) FolderKey() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.folderKey
}

// CreateFolder makes a folder inside of another one, or at the top, and answers
// its id. After an error the same call again is the same request, until the phone
// asks for something else of its folders.
func (p *Phone) CreateFolder(ctx context.Context, parent, name string, typ eas.FolderType) (string, error) {
	id := ""
	err := p.editFolders(ctx, eas.CmdFolderCreate, func(key string) (eas.FolderStatus, string, error) {
		answer, err := p.client.FolderCreate(ctx, eas.FolderCreateRequest{SyncKey: key, ParentID: parent, DisplayName: name, Type: typ})
		id = answer.ServerID
		return answer.Status, answer.SyncKey, err
	}, func() {
		if id == "" || p.folders[id] != nil {
			p.violated("FolderCreate of %q answers the id %q", name, id)
		}
		p.tellFolder(eas.Folder{ServerID: id, ParentID: parent, DisplayName: name, Type: typ})
	})
	return id, err
}

// RenameFolder gives a folder another name, and another parent if it is not
// empty.
func (p *Phone) RenameFolder(ctx context.Context, id, parent, name string) error {
	f, ok := p.Folder(id)
	if !ok {
		return fmt.Errorf("phone: there is no folder %q", id)
	}
	if parent == "" {
		parent = f.ParentID
	}
	return p.editFolders(ctx, eas.CmdFolderUpdate, func(key string) (eas.FolderStatus, string, error) {
		answer, err := p.client.FolderUpdate(ctx, eas.FolderUpdateRequest{SyncKey: key, ServerID: id, ParentID: parent, DisplayName: name})
		return answer.Status, answer.SyncKey, err
	}, func() { p.tellFolder(eas.Folder{ServerID: id, ParentID: parent, DisplayName: name, Type: f.Type}) })
}

// DeleteFolder removes a folder with all that is in it.
func (p *Phone) DeleteFolder(ctx context.Context, id string) error {
	return p.editFolders(ctx, eas.CmdFolderDelete, func(key string) (eas.FolderStatus, string, error) {
		answer, err := p.client.FolderDelete(ctx, eas.FolderDeleteRequest{SyncKey: key, ServerID: id})
		return answer.Status, answer.SyncKey, err
	}, func() { p.removeFolders([]string{id}) })
}

// editFolders sends a command under the hierarchy's key, and does on the phone
// what the server said yes to.
func (p *Phone) editFolders(ctx context.Context, command eas.Command, send func(key string) (eas.FolderStatus, string, error), done func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range maxRepairs {
		status, key, err := send(p.folderKey)
		if repaired, err := p.repair(ctx, int(status), err); err != nil {
			return fmt.Errorf("phone: %s: %w", command, err)
		} else if repaired {
			continue
		}
		if status != eas.FolderOK {
			return fmt.Errorf("phone: %s: %w", command, &StatusError{Command: command, Status: int(status)})
		}
		if key == "" || key == "0" || key == p.folderKey {
			p.violated("%s succeeded with the key %q, after %q", command, key, p.folderKey)
		}
		p.folderKey = key
		done()
		return nil
	}
	return fmt.Errorf("phone: %s: the server is never content", command)
}

// Move takes items of a folder to another one, and answers what came of each. The
// phone learns by its next Syncs that they are gone here and are there. After an
// error the same call again is the same request. See [MS-ASCMD] "MoveItems".
func (p *Phone) Move(ctx context.Context, from, to string, ids ...string) ([]eas.MoveOutcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var request eas.MoveItemsRequest
	for _, id := range ids {
		request.Moves = append(request.Moves, eas.ItemMove{SrcMsgID: id, SrcFldID: from, DstFldID: to})
	}
	for range maxRepairs {
		answer, err := p.client.MoveItems(ctx, request)
		if repaired, err := p.repair(ctx, int(answer.Status), err); err != nil {
			return nil, fmt.Errorf("phone: MoveItems: %w", err)
		} else if repaired {
			continue
		}
		if answer.Status != 0 {
			return nil, fmt.Errorf("phone: MoveItems: %w", &StatusError{Command: eas.CmdMoveItems, Status: int(answer.Status)})
		}
		if len(answer.Responses) != len(ids) {
			p.violated("MoveItems of %d items was answered for %d", len(ids), len(answer.Responses))
		}
		for _, r := range answer.Responses {
			if r.Status == eas.MoveOK && r.DstMsgID == "" {
				p.violated("MoveItems moved %q and does not say where", r.SrcMsgID)
			}
		}
		return answer.Responses, nil
	}
	return nil, errors.New("phone: MoveItems: the server is never content")
}
