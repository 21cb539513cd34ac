package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

const (
	// grace is how much longer than its heartbeat a phone waits for an answer.
	grace = 15 * time.Second

	// retry and maxRetry bound the pause of a phone after something went wrong.
	retry    = time.Second
	maxRetry = 30 * time.Second

	// maxRounds bounds the answers that one Sync takes.
	maxRounds = 1000

	// window is how many items an answer brings at most.
	window = 100
)

// errAnew says that the server wants the phone to begin anew.
var errAnew = errors.New("the server asked to start over")

// A handset is one phone.
type handset struct {
	soak      *soak
	person    *person
	device    string
	line      line
	heartbeat phone.Heartbeat
	folders   []folder
	full      bool // the next Ping has to say everything
	asked     time.Duration
	ready     atomic.Bool   // it has waited once
	seen      atomic.Uint32 // the last edit that it was brought
}

// A folder is what a phone has to know of one.
type folder struct {
	id, key string
	class   string
	kind    eas.FolderType
}

func newHandset(s *soak, n int) *handset {
	h := &handset{soak: s, person: s.people[n%len(s.people)], device: fmt.Sprintf("soak%06d", n), heartbeat: s.Heartbeat}
	h.line = line{target: &s.target, source: sourceAddress(n), auth: basicAuth(h.person.name, s.Password)}
	if n == 0 && s.Heartbeat == (phone.Heartbeat{}) {
		// The meter: a whole heartbeat is to pass within a short soak, too.
		h.heartbeat = phone.Heartbeat{Default: time.Minute, Max: time.Minute}
	}
	return h
}

// live is a phone's life.
func (h *handset) live(ctx context.Context) {
	pause := retry
	for ctx.Err() == nil {
		err := h.turn(ctx)
		if err == nil {
			pause = retry
			continue
		}
		if ctx.Err() != nil {
			return
		}
		h.soak.tally.fail(kindOf(err))
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, maxRetry)
	}
}

// kindOf names an error without what differs from phone to phone.
func kindOf(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was cut off"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer came in time"
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Sprint("connecting: ", op.Err)
	}
	return strings.TrimPrefix(err.Error(), "soak: ")
}

// turn sets the account up, if it is not, and waits in one Ping.
func (h *handset) turn(ctx context.Context) error {
	if len(h.folders) == 0 {
		select {
		case h.soak.setup <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		err := h.setUp(ctx)
		<-h.soak.setup
		if err != nil {
			return err
		}
	}
	return h.ping(ctx)
}

func (h *handset) query(c eas.Command) eas.Query {
	key := uint32(0)
	return eas.Query{Base64: true, Version: h.soak.Version, Command: c, DeviceID: h.device, DeviceType: deviceType, PolicyKey: &key}
}

// exchange sends a message, nil for none, and reads the answer into another; an
// empty one leaves it as it is.
func (h *handset) exchange(ctx context.Context, c eas.Command, message, answer any) error {
	body, err := eas.Marshal(message, h.soak.Version)
	if err != nil {
		return err
	}
	doc, err := h.line.ask(ctx, h.query(c), body, answerTime, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	if len(doc) == 0 {
		return nil
	}
	if err := eas.Unmarshal(doc, answer); err != nil {
		return fmt.Errorf("%s: an answer that cannot be read", c)
	}
	return nil
}

// classes of the folders that the phones synchronize.
var classes = map[eas.FolderType]string{
	eas.FolderContacts: eas.ClassContacts, eas.FolderCalendar: eas.ClassCalendar, eas.FolderTasks: eas.ClassTasks,
}

// setUp asks for the folders and for what is in them.
func (h *handset) setUp(ctx context.Context) error {
	var answer eas.FolderSyncResponse
	if err := h.exchange(ctx, eas.CmdFolderSync, &eas.FolderSyncRequest{SyncKey: "0"}, &answer); err != nil {
		return err
	}
	if answer.Status != eas.FolderOK || answer.Changes == nil {
		return fmt.Errorf("soak: FolderSync: status %d%s", answer.Status, hint(int(answer.Status)))
	}
	var list []folder
	for _, f := range answer.Changes.Adds {
		if class := classes[f.Type]; class != "" {
			list = append(list, folder{id: f.ServerID, key: "0", class: class, kind: f.Type})
		}
	}
	if len(list) == 0 {
		return errors.New("soak: FolderSync: the account has neither contacts nor a calendar")
	}
	if err := h.sync(ctx, list); err != nil { // the keys
		return err
	}
	if err := h.sync(ctx, list); err != nil { // the items
		return err
	}
	h.folders, h.full = list, true
	return nil
}

// hint says what can be done about a status.
func hint(status int) string {
	switch eas.Status(status) {
	case eas.DeviceNotProvisioned, eas.PolicyRefresh, eas.InvalidPolicyKey:
		return " (soak with [policy] require = false)"
	}
	return ""
}

// sync asks for what is new in some folders until there is no more.
func (h *handset) sync(ctx context.Context, list []folder) error {
	left := make([]*folder, len(list))
	for i := range list {
		left[i] = &list[i]
	}
	for range maxRounds {
		m := new(eas.SyncRequest)
		for _, f := range left {
			c := eas.SyncCollection{SyncKey: f.key, CollectionID: f.id}
			if f.key != "0" {
				size := window
				c.WindowSize = &size
			}
			m.Collections = append(m.Collections, c)
		}
		var answer eas.SyncResponse
		if err := h.exchange(ctx, eas.CmdSync, m, &answer); err != nil {
			return err
		}
		if answer.Status > eas.SyncOK {
			return fmt.Errorf("soak: Sync: status %d%s", answer.Status, hint(int(answer.Status)))
		}
		var more []*folder
		for i := range answer.Collections {
			again, err := h.take(&answer.Collections[i], left)
			if err != nil {
				return err
			}
			if again != nil {
				more = append(more, again)
			}
		}
		if left = more; len(left) == 0 {
			return nil
		}
	}
	return errors.New("soak: Sync: there is always more")
}

// take takes over what is said of a folder, and answers it if there is more.
func (h *handset) take(r *eas.SyncResult, list []*folder) (*folder, error) {
	i := slices.IndexFunc(list, func(f *folder) bool { return f.id == r.CollectionID })
	if i < 0 {
		return nil, errors.New("soak: Sync: a folder that was not asked for")
	}
	if r.Status != eas.SyncOK {
		return nil, fmt.Errorf("soak: Sync: %w (status %d)", errAnew, r.Status)
	}
	list[i].key = r.SyncKey
	for _, c := range r.Commands {
		if c.Do == tag.AirSyncAdd || c.Do == tag.AirSyncChange {
			if n, ok := h.soak.cardNumber(phone.Title(c.Data)); ok {
				h.brought(n)
			}
		}
	}
	if r.MoreAvailable {
		return list[i], nil
	}
	return nil, nil
}

// brought notes that the card came as it was after an edit.
func (h *handset) brought(n uint32) {
	if n <= h.seen.Load() {
		return
	}
	if at, ok := h.person.at(n); ok && h.soak.counting.Load() {
		h.soak.tally.item.add(time.Since(at))
	}
	h.seen.Store(n)
}
