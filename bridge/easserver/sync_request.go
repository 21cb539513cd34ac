package easserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

const (
	// MaxCollections bounds the folders of one Sync or Ping: more than any
	// person has, and few enough to be looked at in one go.
	MaxCollections = 1000

	// MaxID bounds a CollectionId, a ServerId, a ClientId and a SyncKey, in
	// characters. See [MS-ASCMD] "CollectionId (Sync)" and the like.
	MaxID = 64

	// MaxSupported bounds the list of Supported: a class has some sixty
	// properties.
	MaxSupported = 256

	// MaxCommands bounds the phone's commands in one Sync. Exchange takes 200;
	// a little more does no harm, and a thousand writes to a backend take
	// longer than a phone waits.
	MaxCommands = 512

	// DefaultWindow and MaxWindow are how many items an answer has if the phone
	// does not say, and at most. See [MS-ASCMD] "WindowSize".
	DefaultWindow = 100
	MaxWindow     = 512

	// lastSync is the name under which a phone's last Sync is remembered.
	lastSync = "sync"
)

// A rememberedSync is what a later empty or partial Sync refers to.
type rememberedSync struct {
	Request     eas.SyncRequest
	HadCommands bool // an empty request cannot repeat the phone's changes
}

// A syncWant is a Sync request with everything filled in, or the status that
// refuses it.
type syncWant struct {
	eas.SyncRequest
	name   []byte // see hash
	wait   time.Duration
	refuse eas.SyncStatus
	limit  int
}

// wantedSync reads the request and fills in what the phone left to be as in
// the request before. See [MS-ASCMD] "Empty Sync Request" and "Partial".
func (s *Server) wantedSync(ctx context.Context, c *call) (*syncWant, error) {
	want := new(syncWant)
	if len(c.body) > 0 {
		if err := c.decode(&want.SyncRequest); err != nil {
			return nil, err
		}
	}
	stored, err := s.Devices.Recall(ctx, c.deviceID(), lastSync)
	if err != nil {
		return nil, err
	}
	if len(c.body) == 0 || want.Partial {
		var last rememberedSync
		if stored == nil || json.Unmarshal(stored, &last) != nil || len(c.body) == 0 && last.HadCommands {
			want.refuse = eas.SyncIncomplete
			return want, nil
		}
		want.fillIn(last.Request)
	}
	bounds, err := s.bounds(ctx, c)
	if err != nil {
		return nil, err
	}
	if want.check(bounds, c.version); want.refuse != 0 {
		return want, nil
	}
	if twice, err := s.folderTwice(ctx, c, want); twice || err != nil {
		want.refuse = eas.SyncProtocol
		return want, err
	}
	return want, s.rememberSync(ctx, c, want, stored)
}

// folderTwice tells whether a phone that may name folders by their class names
// one so and by its id, too. It would have two rounds at once, of which one
// could not be committed.
func (s *Server) folderTwice(ctx context.Context, c *call, w *syncWant) (bool, error) {
	if c.version >= eas.V121 || len(w.Collections) < 2 {
		return false, nil
	}
	seen := make(map[syncengine.FolderID]bool, len(w.Collections))
	for _, col := range w.Collections {
		f, err := s.wantedFolder(ctx, c, col.CollectionID, col.Class)
		switch {
		case errors.Is(err, syncengine.ErrNoFolder):
			continue
		case err != nil:
			return false, err
		case seen[f.ID]:
			return true, nil
		}
		seen[f.ID] = true
	}
	return false, nil
}

// fillIn takes what the request does not say from the one before.
func (w *syncWant) fillIn(last eas.SyncRequest) {
	named := make(map[string]bool, len(w.Collections))
	for _, col := range w.Collections {
		named[col.CollectionID] = true
	}
	for _, col := range last.Collections {
		if !named[col.CollectionID] {
			w.Collections = append(w.Collections, col)
		}
	}
	if w.Wait == nil && w.HeartbeatInterval == nil {
		w.Wait, w.HeartbeatInterval = last.Wait, last.HeartbeatInterval
	}
	if w.WindowSize == nil {
		w.WindowSize = last.WindowSize
	}
}

// check refuses what contradicts the protocol.
func (w *syncWant) check(h Heartbeat, v eas.Version) {
	type name struct{ id, class string }
	seen := make(map[name]bool, len(w.Collections))
	commands := 0
	for _, col := range w.Collections {
		n := name{id: col.CollectionID}
		if n.id == "" && v < eas.V121 {
			n.class = col.Class
		}
		if n == (name{}) || seen[n] || len(n.id) > MaxID {
			w.refuse = eas.SyncProtocol
			return
		}
		seen[n] = true
		commands += len(col.Commands)
	}
	switch {
	case len(w.Collections) == 0, commands > MaxCommands, w.Wait != nil && w.HeartbeatInterval != nil:
		w.refuse = eas.SyncProtocol
	case len(w.Collections) > MaxCollections:
		w.refuse, w.limit = eas.SyncTooManyCollections, MaxCollections
	case w.Wait != nil && v >= eas.V121:
		w.setWait(*w.Wait, time.Minute, h)
	case w.HeartbeatInterval != nil && v >= eas.V140:
		w.setWait(*w.HeartbeatInterval, time.Second, h)
	}
}

// wellFormed tells whether a folder's part of a request has what it has to
// have. What has not is not carried out at all, because its answer could not
// name what it is about.
func wellFormed(c *eas.SyncCollection) bool {
	if c.SyncKey == "" || len(c.Supported) > MaxSupported {
		return false
	}
	for _, cmd := range c.Commands {
		id := cmd.ServerID
		if cmd.Do == tag.AirSyncAdd {
			id = cmd.ClientID
		}
		if id == "" || utf8.RuneCountInString(id) > MaxID {
			return false
		}
	}
	return true
}

// setWait checks how long the phone wants to wait against the bounds. See
// [MS-ASCMD] "Wait" and "HeartbeatInterval (Sync)"; status 14 carries the
// nearest bound, in the same unit.
func (w *syncWant) setWait(n int, unit time.Duration, h Heartbeat) {
	least := int((h.Min + unit - 1) / unit)
	most := int(h.Max / unit)
	switch {
	case n < least:
		w.refuse, w.limit = eas.SyncBadWait, least
	case n > most:
		w.refuse, w.limit = eas.SyncBadWait, most
	}
	w.wait = time.Duration(n) * unit
}

// rememberSync keeps the request for a later one that refers to it. An
// unchanged request costs no write; one that is too large is not kept, and the
// phone that refers to it is asked for all of it.
func (s *Server) rememberSync(ctx context.Context, c *call, w *syncWant, stored []byte) error {
	if c.version < eas.V121 {
		return nil // no earlier version has empty or partial requests
	}
	keep := rememberedSync{Request: w.SyncRequest}
	keep.Request.Partial = false
	keep.Request.Collections = make([]eas.SyncCollection, len(w.Collections))
	for i, col := range w.Collections {
		keep.HadCommands = keep.HadCommands || len(col.Commands) > 0
		col.Commands = nil
		keep.Request.Collections[i] = col
	}
	text, err := json.Marshal(keep)
	if err != nil {
		return fmt.Errorf("easserver: remembering a Sync: %w", err)
	}
	if len(text) > device.MaxValue {
		text = nil
	}
	if bytes.Equal(text, stored) {
		return nil
	}
	return s.Devices.Remember(ctx, c.deviceID(), lastSync, text)
}

// hash names a request by what it means, keys included, so that its
// repetition is recognised however it is written.
func (w *syncWant) hash(v eas.Version) ([]byte, error) {
	doc, err := eas.Marshal(&w.SyncRequest, v)
	if err != nil {
		return nil, fmt.Errorf("easserver: naming a Sync: %w", err)
	}
	sum := sha256.Sum256(append(doc, byte(v)))
	return sum[:], nil
}

// hasCommands tells whether the phone brings changes or asks for items, which
// is answered at once, whatever Wait says.
func (w *syncWant) hasCommands() bool {
	for _, col := range w.Collections {
		if len(col.Commands) > 0 {
			return true
		}
	}
	return false
}

// window is how many items the whole answer may have.
func (w *syncWant) window() int {
	if w.WindowSize == nil {
		return MaxWindow
	}
	return boundWindow(*w.WindowSize)
}

// boundWindow takes 0 and what is too large for the maximum. See [MS-ASCMD]
// "WindowSize".
func boundWindow(n int) int {
	if n <= 0 || n > MaxWindow {
		return MaxWindow
	}
	return n
}
