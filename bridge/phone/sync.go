package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// maxRounds bounds the answers that one Sync of a folder takes: a server that
// has always more, of the largest folders that people have, is broken.
const maxRounds = 10_000

// maxCommands bounds the edits in one request. Servers take 200 at most. See
// [MS-ASCMD] "Commands".
const maxCommands = 100

// retryAfter is how long the phone leaves a server alone that asks it to try again.
const retryAfter = 2 * time.Second

// Sync sends what the phone's owner edited and asks for what is new, in all
// folders of the classes that the phone synchronizes, until there is no more. It
// begins with a FolderSync if the phone has done none, or did not hear what came
// of the last one. The events are those that
// happened, also with an error.
func (p *Phone) Sync(ctx context.Context) ([]Event, error) { return p.SyncFolders(ctx) }

// SyncFolders is Sync for some folders; none means all. Those that a server tells
// of meanwhile are among them, since the next Ping has to name them.
func (p *Phone) SyncFolders(ctx context.Context, ids ...string) ([]Event, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var events []Event
	if p.folderKey == "" || p.unheard {
		e, err := p.folderSync(ctx)
		if events = e; err != nil {
			return events, err
		}
	}
	known := slices.Clone(p.order)
	groups := p.groups(func(id string) bool { return len(ids) == 0 || slices.Contains(ids, id) })
	for range maxRepairs {
		for _, group := range groups {
			e, err := p.syncGroup(ctx, group)
			if events = append(events, e...); err != nil {
				return events, err
			}
		}
		groups = p.groups(func(id string) bool { return !slices.Contains(known, id) })
		if known = slices.Clone(p.order); len(groups) == 0 {
			break
		}
	}
	return events, nil
}

// groups are the folders that are wanted, as the phone asks for them: each on
// its own, or all in one request.
func (p *Phone) groups(wanted func(id string) bool) [][]string {
	var list [][]string
	for _, id := range p.order {
		if wanted(id) && slices.Contains(p.settings.Classes, p.folders[id].Class) {
			list = append(list, []string{id})
		}
	}
	if p.settings.Together && len(list) > 0 {
		return [][]string{slices.Concat(list...)}
	}
	return list
}

// syncGroup syncs folders in common requests until none of them has more.
func (p *Phone) syncGroup(ctx context.Context, ids []string) ([]Event, error) {
	var events []Event
	repairs := 0
	for range maxRounds {
		ids = slices.DeleteFunc(ids, func(id string) bool { return p.folders[id] == nil })
		if len(ids) == 0 {
			return events, nil
		}
		answer, err := p.client.Sync(ctx, p.request(ids))
		status := 0
		if answer != nil {
			status = int(answer.Status)
		}
		repaired, err := p.repair(ctx, status, err)
		if err != nil {
			return events, fmt.Errorf("phone: Sync: %w", err)
		}
		var again []string
		if repaired {
			again, repairs = ids, repairs+1
		} else {
			r := round{phone: p, asked: ids}
			err = r.take(ctx, answer)
			events = append(events, r.events...)
			if err != nil {
				return events, err
			}
			if again = r.again; r.repaired {
				repairs++
			}
		}
		if repairs > maxRepairs {
			return events, errors.New("phone: Sync: the server is never content")
		}
		if ids = again; len(ids) == 0 {
			return events, nil
		}
	}
	return events, fmt.Errorf("phone: Sync: the server has still more after %d answers", maxRounds)
}

// request asks for folders, and brings their edits.
func (p *Phone) request(ids []string) *eas.SyncRequest {
	m := new(eas.SyncRequest)
	for _, id := range ids {
		f := p.folders[id]
		c := eas.SyncCollection{Class: f.Class, SyncKey: f.SyncKey, CollectionID: id}
		if f.SyncKey == "0" { // only the key is asked for
			c.Supported = p.settings.Supported[f.Class]
		} else {
			yes, window := true, p.settings.WindowSize
			c.GetChanges, c.WindowSize = &yes, &window
			c.Options = p.options(f.Class)
			if p.settings.Purges && f.Class == eas.ClassEmail {
				moves := false
				c.DeletesAsMoves = &moves
			}
			if p.settings.Rebuilds {
				f.queued, f.sent = joined(append(f.sent, f.queued...)), nil
			}
			if len(f.sent) == 0 { // else the same again: the answer was lost
				n := min(len(f.queued), maxCommands)
				f.sent, f.queued = f.queued[:n:n], f.queued[n:]
			}
			for _, edit := range f.sent {
				c.Commands = append(c.Commands, edit.SyncCommand)
			}
		}
		m.Collections = append(m.Collections, c)
	}
	return m
}

// joined makes one Change of all those of an item, and none of what was deleted
// after it.
func joined(edits []local) []local {
	var list []local
	at := make(map[string]int)
	for _, e := range edits {
		i, ok := at[e.ServerID]
		switch {
		case e.ServerID == "" || e.InstanceID != "" || !ok || list[i].Do != changeTag:
			list = append(list, e)
		case e.Do == changeTag:
			list[i].Data, list[i].own = merge(list[i].Data, e.Data), merge(list[i].own, e.own)
		default:
			list[i] = e
		}
		if e.ServerID != "" && e.InstanceID == "" && !ok {
			at[e.ServerID] = len(list) - 1
		}
	}
	return list
}

func (p *Phone) options(class string) []eas.SyncOptions {
	o := eas.SyncOptions{BodyPreferences: p.settings.Bodies}
	if filter, ok := p.settings.Filters[class]; ok {
		o.FilterType = &filter
	}
	if p.settings.Wins {
		client := 0
		o.Conflict = &client
	}
	if p.client.Version == eas.V25 {
		everything := 9
		o.Truncation, o.BodyPreferences = &everything, nil
	}
	if p.settings.MIMESupport > 0 && class == eas.ClassEmail {
		p.takesMIME(&o)
	}
	return []eas.SyncOptions{o}
}

// takesMIME says which messages are wanted as they are, and all of each.
func (p *Phone) takesMIME(o *eas.SyncOptions) {
	o.MIMESupport = &p.settings.MIMESupport
	if p.client.Version == eas.V25 {
		whole := 8
		o.MIMETruncation = &whole
		return
	}
	o.BodyPreferences = append([]eas.BodyPreference{{Type: 4}}, o.BodyPreferences...)
}

// A round takes over one answer to a Sync.
type round struct {
	phone    *Phone
	asked    []string
	events   []Event
	again    []string // folders to ask for again
	repaired bool     // because something was wrong
}

func (r *round) take(ctx context.Context, answer *eas.SyncResponse) error {
	if answer == nil { // nothing is new, and what was sent has been taken
		for _, id := range r.asked {
			r.settled(r.phone.folders[id])
		}
		return nil
	}
	if answer.Status != 0 && answer.Status != eas.SyncOK {
		return r.refused(ctx, r.asked, answer.Status)
	}
	answered := make(map[string]bool)
	for i := range answer.Collections {
		c := &answer.Collections[i]
		f := r.phone.folders[c.CollectionID]
		if c.CollectionID == "" && len(r.asked) == 1 {
			f = r.phone.folders[r.asked[0]]
		}
		if f == nil && slices.Contains(r.asked, c.CollectionID) {
			continue // it went when another folder of this answer had the phone ask for the hierarchy
		}
		if f == nil || !slices.Contains(r.asked, f.ServerID) || answered[f.ServerID] {
			r.phone.violated("Sync answers for the folder %q, which was not asked for, or twice", c.CollectionID)
			continue
		}
		answered[f.ServerID] = true
		if c.Status != eas.SyncOK {
			if err := r.refused(ctx, []string{f.ServerID}, c.Status); err != nil {
				return err
			}
			continue
		}
		r.collection(f, c)
	}
	for _, id := range r.asked {
		if f := r.phone.folders[id]; f != nil && !answered[id] { // it has nothing new
			r.settled(f)
		}
	}
	return nil
}

// refused does what a status asks for.
func (r *round) refused(ctx context.Context, ids []string, status eas.SyncStatus) error {
	p := r.phone
	if repaired, err := p.repair(ctx, int(status), nil); repaired || err != nil {
		r.repaired, r.again = true, append(r.again, ids...)
		return err
	}
	switch status {
	case eas.SyncBadKey:
		for _, id := range ids {
			f := p.folders[id]
			f.SyncKey = "0"
			f.queued, f.sent = append(f.sent, f.queued...), nil
			clear(f.Items)
			r.events = append(r.events, f.event(Restarted))
		}
	case eas.SyncHierarchyChanged, eas.SyncNotFound: // perhaps the answer that took the folder away was lost
		events, err := p.folderSync(ctx)
		r.events = append(r.events, events...)
		if err != nil {
			return err
		}
	case eas.SyncRetry, eas.SyncServerError, eas.SyncStatus(eas.ServerErrorRetryLater):
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	default:
		return fmt.Errorf("phone: Sync: %w", &StatusError{Command: eas.CmdSync, Status: int(status)})
	}
	r.repaired, r.again = true, append(r.again, ids...)
	return nil
}

// settled forgets edits that were sent and taken, and asks again if there are more.
func (r *round) settled(f *Folder) {
	if f.SyncKey == "0" {
		r.phone.violated("Sync does not answer the key 0 of folder %q", f.ServerID)
	}
	for _, edit := range f.sent {
		if edit.Do == addTag {
			r.phone.violated("Sync does not say what became of the new item %q", edit.ClientID)
		}
	}
	if f.sent = nil; len(f.queued) > 0 {
		r.again = append(r.again, f.ServerID)
	}
}
