package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

const (
	addTag    = tag.AirSyncAdd
	changeTag = tag.AirSyncChange
	deleteTag = tag.AirSyncDelete
	fetchTag  = tag.AirSyncFetch
	softTag   = tag.AirSyncSoftDelete
)

// ErrWiped means that the server wants the phone wiped.
var ErrWiped = errors.New("phone: the server orders a wipe")

// A StatusError is a refusal that the phone cannot mend.
type StatusError = easclient.StatusError

// maxRepairs bounds how often one step is repaired, by provisioning, by a
// FolderSync or by starting over, before the phone gives up: a server that
// asks for the same again and again would keep it busy for ever.
const maxRepairs = 4

// FolderSync asks for what is new among the folders.
func (p *Phone) FolderSync(ctx context.Context) ([]Event, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.folderSync(ctx)
}

func (p *Phone) folderSync(ctx context.Context) ([]Event, error) {
	var events []Event
	p.unheard = true // until the answer is there: the server may think that we know
	for range maxRepairs {
		key := p.folderKey
		if key == "" {
			key = "0"
		}
		answer, err := p.client.FolderSync(ctx, eas.FolderSyncRequest{SyncKey: key})
		if repaired, err := p.repair(ctx, int(answer.Status), err); err != nil {
			return events, fmt.Errorf("phone: FolderSync: %w", err)
		} else if repaired {
			continue
		}
		switch answer.Status {
		case eas.FolderOK:
			p.unheard = false
			return append(events, p.tellFolders(key, answer)...), nil
		case eas.FolderBadKey:
			p.folderKey = "" // and with key 0 the server tells of all folders
			continue
		}
		return events, fmt.Errorf("phone: FolderSync: %w", &StatusError{Command: eas.CmdFolderSync, Status: int(answer.Status)})
	}
	return events, errors.New("phone: FolderSync: the server is never content")
}

// repair provisions the phone where the server asks for it, by HTTP or by a
// status. It answers whether the request is to be sent again.
func (p *Phone) repair(ctx context.Context, status int, err error) (bool, error) {
	var he *easclient.HTTPError
	switch s := eas.Status(status); {
	case errors.As(err, &he) && he.Status == 449:
	case err != nil:
		return false, err
	case s == eas.RemoteWipeRequested, s == eas.DeviceNotProvisioned, s == eas.PolicyRefresh, s == eas.InvalidPolicyKey:
	default:
		return false, nil
	}
	_, err = p.provision(ctx)
	return err == nil, err
}

// tellFolders takes over what a FolderSync brought.
func (p *Phone) tellFolders(key string, answer eas.FolderSyncResponse) []Event {
	var events []Event
	p.folderKey = answer.SyncKey
	if answer.SyncKey == "" || answer.SyncKey == "0" {
		p.violated("FolderSync succeeded with the key %q", answer.SyncKey)
	}
	c := answer.Changes
	if c == nil {
		return nil
	}
	if n := len(c.Adds) + len(c.Updates) + len(c.Deletes); n != c.Count {
		p.violated("FolderSync announces %d changes and brings %d", c.Count, n)
	}
	told := make(map[string]bool)
	for _, f := range c.Adds {
		if told[f.ServerID] || p.folders[f.ServerID] != nil && key != "0" {
			p.violated("FolderSync adds the folder %q, which the phone has", f.ServerID)
		}
		if f.ParentID != eas.RootFolder && p.folders[f.ParentID] == nil {
			p.violated("FolderSync adds the folder %q before its parent %q", f.ServerID, f.ParentID)
		}
		told[f.ServerID] = true
		events = append(events, p.tellFolder(f)...)
	}
	for _, f := range c.Updates {
		if p.folders[f.ServerID] == nil {
			p.violated("FolderSync changes the folder %q, which the phone has not", f.ServerID)
		}
		events = append(events, p.tellFolder(f)...)
	}
	gone := make([]string, 0, len(c.Deletes))
	for _, f := range c.Deletes {
		gone = append(gone, f.ServerID)
	}
	if key == "0" { // all there are
		for _, id := range p.order {
			if !told[id] {
				gone = append(gone, id)
			}
		}
	}
	return append(events, p.removeFolders(gone)...)
}

func (p *Phone) tellFolder(told eas.Folder) []Event {
	f, ok := p.folders[told.ServerID]
	if !ok {
		f = &Folder{Folder: told, SyncKey: "0", Items: make(map[string]eas.Properties)}
		p.folders[told.ServerID] = f
		p.order = append(p.order, told.ServerID)
	}
	same := ok && f.Folder == told
	f.Folder, f.Class = told, told.Type.Class()
	switch {
	case !ok:
		return []Event{f.event(FolderAdded)}
	case same:
		return nil
	}
	return []Event{f.event(FolderChanged)}
}

func (p *Phone) removeFolders(ids []string) []Event {
	var events []Event
	for _, id := range ids {
		f, ok := p.folders[id]
		if !ok {
			continue
		}
		delete(p.folders, id)
		p.order = slices.DeleteFunc(p.order, func(other string) bool { return other == id })
		events = append(events, f.event(FolderRemoved))
	}
	return events
}
