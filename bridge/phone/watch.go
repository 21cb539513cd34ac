package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// grace is how long after its heartbeat a Ping may come back. The phone then
// takes it for cut off, as phones do.
const grace = 15 * time.Second

// Watch syncs, waits in a Ping, syncs what changed, and so on, until ctx ends; it
// tells of everything that happens. It returns an error only for what waiting
// cannot mend: a wrong password, a wipe, a phone that is not wanted.
func (p *Phone) Watch(ctx context.Context, tell func(Event)) error {
	w := watcher{phone: p, tell: tell, full: true}
	var b backoff
	for ctx.Err() == nil {
		w.why, w.lasted = Silence, 0
		err := w.turn(ctx)
		switch {
		case err == nil:
			if w.quick == 0 && w.alarms == 0 { // else the server is asked again and again
				b = backoff{}
			}
			continue
		case ctx.Err() != nil:
			return nil
		case final(err):
			return err
		}
		if w.lasted == 0 { // it was no Ping
			w.why = p.cause(err)
		}
		tell(Event{Kind: Troubled, Err: err})
		select {
		case <-time.After(b.next(w.why, w.lasted, err)):
		case <-ctx.Done():
		}
	}
	return nil
}

// final tells whether an error is one that trying again cannot mend.
func final(err error) bool {
	var he *easclient.HTTPError
	if errors.As(err, &he) {
		return he.Status == 401 || he.Status == 403 || he.Status == 451
	}
	return errors.Is(err, ErrWiped)
}

type watcher struct {
	phone *Phone
	tell  func(Event)

	synced bool     // everything has been, once
	stale  []string // folders to be synced before the next Ping; nil means none
	all    bool     // all of them are
	full   bool     // the next Ping has to say everything
	asked  []string // folders of the last Ping
	length time.Duration
	most   int // folders in a Ping, 0 for any number
	quick  int // answers in a row that asked for another Ping at once
	alarms int // Pings in a row that told of changes where there were none

	why    Cause         // of the last Ping's loss
	lasted time.Duration // until it was lost
}

// falseAlarm counts Pings that told of changes where a Sync found none. A few
// are honest: the phone's own edits, or changes that were taken back. A server that
// never stops is an error, so that it is not asked without pause.
func (w *watcher) falseAlarm() error {
	if w.alarms++; w.alarms <= maxRepairs {
		return nil
	}
	w.phone.mu.Lock()
	defer w.phone.mu.Unlock()
	w.phone.violated("Ping told of changes %d times in a row, and Sync found none", w.alarms)
	return errors.New("phone: Ping: the server tells of changes that are not there")
}

// turn is one Sync, if there is reason for it, and one Ping.
func (w *watcher) turn(ctx context.Context) error {
	if !w.synced || w.all || len(w.stale) > 0 {
		var ids []string
		if w.synced && !w.all {
			ids = w.stale
		}
		events, err := w.phone.SyncFolders(ctx, ids...)
		for _, e := range events {
			w.tell(e)
		}
		if err != nil {
			return err
		}
		alarm := len(w.stale) > 0
		w.synced, w.all, w.stale = true, false, nil
		if alarm && len(events) > 0 {
			w.alarms = 0
		} else if alarm {
			if err := w.falseAlarm(); err != nil {
				return err
			}
		}
	}
	return w.ping(ctx)
}

// ping waits once.
func (w *watcher) ping(ctx context.Context) error {
	p := w.phone
	p.mu.Lock()
	m := p.pingRequest()
	h := &p.settings.Heartbeat
	length := h.Next()
	client := *p.client // as it is now: a Sync beside the Ping may provision the phone
	p.mu.Unlock()
	if len(m.Folders) == 0 {
		return errors.New("phone: there is no folder to watch")
	}
	if w.most > 0 && len(m.Folders) > w.most {
		m.Folders = m.Folders[:w.most]
	}
	seconds := int(length / time.Second)
	m.HeartbeatInterval = &seconds
	message := &m
	ids := folderIDs(m)
	if !w.full && length == w.length && slices.Equal(ids, w.asked) {
		message = nil // the server remembers
	}
	w.tell(Event{Kind: Waiting, Status: seconds})
	begin := time.Now()
	inTime, cancel := context.WithTimeout(ctx, length+grace)
	answer, err := client.Ping(inTime, message)
	cancel()
	lasted := time.Since(begin)
	if err != nil && ctx.Err() == nil {
		w.why, w.lasted = p.cause(err), lasted
		p.mu.Lock()
		h.Lost(w.why, lasted)
		p.mu.Unlock()
		w.full = true
	}
	p.mu.Lock()
	repaired, err := p.repair(ctx, int(answer.Status), err)
	p.mu.Unlock()
	if err != nil {
		return fmt.Errorf("phone: Ping: %w", err)
	}
	if repaired {
		return w.again()
	}
	w.tell(Event{Kind: Woken, Status: int(answer.Status)})
	w.full, w.asked, w.length = false, ids, length
	events, err := w.answered(ctx, answer, lasted)
	for _, e := range events {
		w.tell(e)
	}
	return err
}

// again has the next Ping say everything. A server that is never content is an
// error, so that it is not asked without pause.
func (w *watcher) again() error {
	w.full = true
	if w.quick++; w.quick > maxRepairs {
		w.quick = 0
		return errors.New("phone: Ping: the server is never content")
	}
	return nil
}

// answered does what the end of a Ping asks for.
func (w *watcher) answered(ctx context.Context, answer eas.PingResponse, after time.Duration) ([]Event, error) {
	p := w.phone
	p.mu.Lock()
	defer p.mu.Unlock()
	h := &p.settings.Heartbeat
	switch answer.Status {
	case eas.PingExpired:
		w.quick = 0
		h.Lived(after)
		return nil, nil
	case eas.PingChanges:
		w.quick = 0
		h.Lived(after)
		w.changed(answer.Folders)
		return nil, nil
	case eas.PingHierarchyChanged:
		w.all = true
		events, err := p.folderSync(ctx)
		if err != nil {
			return events, err
		}
		return events, w.again()
	case eas.PingMissing:
		return nil, w.again()
	case eas.PingBadHeartbeat:
		if answer.HeartbeatInterval == nil {
			p.violated("Ping refuses the heartbeat and does not say which one it takes")
			break
		}
		h.Bound(time.Duration(*answer.HeartbeatInterval) * time.Second)
		return nil, w.again()
	case eas.PingTooManyFolders:
		if answer.MaxFolders == nil || *answer.MaxFolders < 1 {
			p.violated("Ping finds the folders too many and does not say how many it takes")
			break
		}
		w.most = *answer.MaxFolders
		return nil, w.again()
	}
	w.full = true
	return nil, fmt.Errorf("phone: Ping: %w", &StatusError{Command: eas.CmdPing, Status: int(answer.Status)})
}

// changed notes where there is news.
func (w *watcher) changed(ids []string) {
	if w.stale = ids; len(ids) == 0 {
		w.phone.violated("Ping tells of changes and not where")
		w.all = true
	}
	for _, id := range ids {
		if !slices.Contains(w.asked, id) {
			w.phone.violated("Ping tells of changes in the folder %q, which was not asked for", id)
		}
	}
}

// pingRequest names the folders to watch: those that have been synced.
func (p *Phone) pingRequest() eas.PingRequest {
	var m eas.PingRequest
	for _, id := range p.order {
		f := p.folders[id]
		if f.SyncKey != "0" && slices.Contains(p.settings.Classes, f.Class) {
			m.Folders = append(m.Folders, eas.PingFolder{ID: id, Class: f.Class})
		}
	}
	return m
}

func folderIDs(m eas.PingRequest) []string {
	var ids []string
	for _, f := range m.Folders {
		ids = append(ids, f.ID)
	}
	return ids
}

// Ping waits once for a change in all folders that the phone has synced, and
// answers the ids of those that changed. It leaves the phone's heartbeat alone.
func (p *Phone) Ping(ctx context.Context, heartbeat time.Duration) (eas.PingResponse, error) {
	p.mu.Lock()
	m := p.pingRequest()
	client := *p.client
	p.mu.Unlock()
	seconds := int(heartbeat / time.Second)
	m.HeartbeatInterval = &seconds
	answer, err := client.Ping(ctx, &m)
	if err != nil {
		return answer, fmt.Errorf("phone: Ping: %w", err)
	}
	return answer, nil
}
