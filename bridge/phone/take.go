package phone

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
)

// collection takes over what an answer says of a folder.
func (r *round) collection(f *Folder, c *eas.SyncResult) {
	p, first := r.phone, f.SyncKey == "0"
	news := len(c.Commands)+len(c.Responses) > 0
	switch {
	case c.SyncKey == "" || c.SyncKey == "0":
		p.violated("Sync of folder %q succeeded with the key %q", f.ServerID, c.SyncKey)
	case c.SyncKey == f.SyncKey && news:
		p.violated("Sync of folder %q brought news and kept the key %q", f.ServerID, c.SyncKey)
	case c.SyncKey == f.SyncKey && c.MoreAvailable:
		p.violated("Sync of folder %q has more, but brought nothing and kept the key: old phones take it for a loop", f.ServerID)
	}
	if first && len(c.Commands) > 0 {
		p.violated("Sync of folder %q answered the key 0 with items", f.ServerID)
	}
	f.SyncKey = c.SyncKey
	r.responses(f, c.Responses)
	r.commands(f, c.Commands)
	if f.sent = nil; first || c.MoreAvailable || len(f.queued) > 0 {
		r.again = append(r.again, f.ServerID)
	}
}

// responses takes over what became of the phone's edits.
func (r *round) responses(f *Folder, list []eas.SyncOutcome) {
	answered := make(map[string]bool)
	for _, o := range list {
		switch o.Do {
		case addTag:
			answered[o.ClientID] = true
			r.added(f, o)
		case fetchTag:
		default:
			if o.Status == eas.SyncOK {
				if len(o.Data) == 0 && o.InstanceID == "" {
					r.phone.violated("Sync answers a Change or Delete of %q with success, which goes without saying", o.ServerID)
				}
				continue
			}
			if o.Status == eas.SyncNotFound {
				delete(f.Items, o.ServerID)
			}
			e := f.event(Refused)
			e.ServerID, e.Status = o.ServerID, int(o.Status)
			r.events = append(r.events, e)
		}
	}
	for _, edit := range f.sent {
		if edit.Do == addTag && !answered[edit.ClientID] {
			r.phone.violated("Sync does not say what became of the new item %q", edit.ClientID)
		}
	}
}

// added takes over what became of one new item.
func (r *round) added(f *Folder, o eas.SyncOutcome) {
	var item eas.Properties
	known := false
	for _, edit := range f.sent {
		if edit.ClientID == o.ClientID {
			item, known = edit.Data, true
		}
	}
	e := f.event(Accepted)
	e.ClientID, e.ServerID, e.Status = o.ClientID, o.ServerID, int(o.Status)
	switch {
	case !known:
		r.phone.violated("Sync answers an Add of %q, which the phone has not sent", o.ClientID)
		return
	case o.Status != eas.SyncOK:
		e.Kind = Refused
	case o.ServerID == "":
		r.phone.violated("Sync accepted the new item %q and did not say its id", o.ClientID)
		return
	default:
		f.Items[o.ServerID] = item
		e.Item = item
	}
	r.events = append(r.events, e)
}

// commands takes over what the server has to tell.
func (r *round) commands(f *Folder, list []eas.SyncCommand) {
	p := r.phone
	seen := make(map[string]bool, len(list))
	for _, c := range list {
		if c.ServerID == "" {
			p.violated("Sync of folder %q tells of an item without id", f.ServerID)
			continue
		}
		if seen[c.ServerID] {
			p.violated("Sync of folder %q tells twice of the item %q in one answer", f.ServerID, c.ServerID)
		}
		seen[c.ServerID] = true
		held, ok := f.Items[c.ServerID]
		e := f.event(Added)
		e.ServerID, e.Item = c.ServerID, c.Data
		switch c.Do {
		case addTag:
			if ok {
				p.violated("Sync of folder %q adds the item %q, which the phone has", f.ServerID, c.ServerID)
			}
			f.tell(c.ServerID, c.Data)
		case changeTag:
			if !ok && !r.deletedHere(f, c.ServerID) {
				p.violated("Sync of folder %q changes the item %q, which the phone has not", f.ServerID, c.ServerID)
			}
			e.Kind = Changed
			if f.Class == eas.ClassEmail { // of which only flags change
				c.Data = merge(held, c.Data)
			}
			f.tell(c.ServerID, c.Data)
		case deleteTag, softTag:
			if e.Kind = Removed; c.Do == softTag {
				e.Kind = Left
			}
			if !ok {
				continue // the phone was faster
			}
			e.Item = held
			delete(f.Items, c.ServerID)
		default:
			continue
		}
		r.events = append(r.events, e)
	}
}

// tell takes over what the server says of an item, with what the owner did to
// it and the server does not know yet on top.
func (f *Folder) tell(serverID string, item eas.Properties) {
	for i := range f.queued {
		edit := &f.queued[i]
		switch {
		case edit.ServerID != serverID || edit.InstanceID != "":
		case edit.Do == deleteTag:
			delete(f.Items, serverID)
			return
		case edit.Do == changeTag:
			item = merge(item, edit.own)
			if edit.whole {
				edit.Data = sendable(item)
			}
		}
	}
	f.Items[serverID] = item
}

// deletedHere tells whether the phone's owner has removed an item and the server
// may not know yet.
func (r *round) deletedHere(f *Folder, serverID string) bool {
	for _, list := range [][]local{f.sent, f.queued} {
		for _, edit := range list {
			if edit.Do == deleteTag && edit.ServerID == serverID {
				return true
			}
		}
	}
	return false
}
