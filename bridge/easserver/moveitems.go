package easserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// MaxMoved bounds the items that one request moves. See [MS-ASCMD] "Limiting
// Size of Command Requests".
const MaxMoved = 1000

// What moves fail with that is no backend's fault.
var (
	errMoveSource  = errors.New("easserver: there is no such item to move")
	errMoveTarget  = errors.New("easserver: there is no such folder to move to")
	errMoveSame    = errors.New("easserver: the item is in the folder already")
	errMoveTwice   = errors.New("easserver: the item stands twice in the request")
	errMoveMeeting = errors.New("easserver: the store would mail to the guests")
	errMoveKind    = errors.New("easserver: the folder holds another kind of items")
)

// moveStatus tells a phone what came of a move. It is the one place where errors
// become statuses of MoveItems. See [MS-ASCMD] "Status (MoveItems)".
func moveStatus(err error) eas.MoveStatus {
	switch {
	case err == nil:
		return eas.MoveOK
	case errors.Is(err, errMoveSource), errors.Is(err, syncengine.ErrNoItem), backend.KindOf(err) == backend.NotFound:
		return eas.MoveBadSource
	case errors.Is(err, errMoveTarget):
		return eas.MoveBadDestination
	case errors.Is(err, errMoveSame):
		return eas.MoveSameFolder
	case errors.Is(err, syncengine.ErrKeyMoved), errors.Is(err, errAgain):
		return eas.MoveLocked // by the same request, which came twice, or by somebody who edits it again and again
	}
	return eas.MoveFailed
}

// moveItems takes items to other folders. See [MS-ASCMD] "MoveItems".
//
// There is no key: a phone whose answer got lost sends the same again. What it
// moved is remembered, and what was about to be done is noted first, so that the
// repetition is answered with the same ids, and goes on where a worker died.
func (s *Server) moveItems(ctx context.Context, c *call) (answer, error) {
	var req eas.MoveItemsRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if n := len(req.Moves); n == 0 || n > MaxMoved || !movesNameable(&req) {
		c.event.Status = int(eas.MoveFailed)
		return eas.MoveItemsResponse{Status: eas.MoveFailed}, nil
	}
	var response eas.MoveItemsResponse
	moved := make(map[string]bool, len(req.Moves))
	c.event.Status = int(eas.MoveOK)
	for _, m := range req.Moves {
		out := eas.MoveOutcome{SrcMsgID: m.SrcMsgID}
		err := error(errMoveTwice)
		if !moved[m.SrcMsgID] {
			moved[m.SrcMsgID] = true
			out.DstMsgID, err = s.moveItem(ctx, c, m)
		}
		if err != nil && passing(err) && !isMoveError(err) {
			return nil, err // to be sent again: what was moved is not moved twice
		}
		if out.Status = moveStatus(err); err != nil {
			c.event.Status = int(out.Status)
			c.note(slog.Any("refused_move", err))
		}
		response.Responses = append(response.Responses, out)
	}
	return response, nil
}

// isMoveError tells what concerns one item from errors after which the request is
// to be sent again.
func isMoveError(err error) bool {
	for _, e := range []error{errMoveSource, errMoveTarget, errMoveSame, errMoveTwice, errMoveMeeting, errMoveKind, syncengine.ErrNoItem, syncengine.ErrKeyMoved} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// movesNameable tells whether an answer could name every item.
func movesNameable(req *eas.MoveItemsRequest) bool {
	for _, m := range req.Moves {
		if m.SrcMsgID == "" || len(m.SrcMsgID) > MaxID || len(m.SrcFldID) > MaxID || len(m.DstFldID) > MaxID {
			return false
		}
	}
	return true
}

// moveItem moves one item and answers its new ServerId.
func (s *Server) moveItem(ctx context.Context, c *call, m eas.ItemMove) (string, error) {
	id, n, err := syncengine.ParseServerID(m.SrcMsgID)
	if err != nil || m.SrcFldID == "" || !mayBeIn(m.SrcFldID, id) {
		return "", fmt.Errorf("%w: %.70q of folder %.70q", errMoveSource, m.SrcMsgID, m.SrcFldID)
	}
	from, err := s.movable(ctx, c, m.SrcFldID, errMoveSource)
	if err != nil {
		return "", err
	}
	if m.DstFldID == m.SrcFldID { // of a merged folder, too: its phone knows no other one of the kind
		return "", errMoveSame
	}
	to, err := s.movable(ctx, c, m.DstFldID, errMoveTarget)
	switch {
	case err != nil:
		return "", err
	case from.Kind != to.Kind || !classes[to.Kind].shown():
		return "", fmt.Errorf("%w: %s and %s", errMoveKind, from.Kind, to.Kind)
	}
	move, err := s.Engine.BeginMove(ctx, c.phone, from, n, to)
	if err != nil {
		return "", err
	}
	number := move.Result
	if !move.Done() {
		if number, err = s.carry(ctx, c, move); err != nil {
			return "", err
		}
	}
	return syncengine.ServerID(to.ID, number), nil
}

// movable finds a folder that things can be taken from or put into.
func (s *Server) movable(ctx context.Context, c *call, id string, missing error) (syncengine.Folder, error) {
	f, err := s.wantedFolder(ctx, c, id, "")
	switch {
	case errors.Is(err, syncengine.ErrNoFolder):
		return f, fmt.Errorf("%w: %w", missing, err)
	case err == nil && f.ReadOnly:
		err = backend.Errorf(backend.ReadOnly, "easserver: move", "folder %s is read-only", f.ID)
	}
	return f, err
}

// A carrier carries one item from store to store.
type carrier struct {
	*syncengine.Move
	from, to backend.Session
	engine   *syncengine.Engine
	user     string
}

// carry moves an item: the store does it where it can, else it is copied, and
// removed when the copy is there. At no moment it is in neither folder.
func (s *Server) carry(ctx context.Context, c *call, m *syncengine.Move) (syncengine.Number, error) {
	k := carrier{Move: m, engine: s.Engine, user: c.phone.User}
	var err error
	if k.from, err = c.account.Session(ctx, m.Source.Backend); err != nil {
		return 0, err
	}
	if k.to, err = c.account.Session(ctx, m.Target.Backend); err != nil {
		return 0, err
	}
	moved, err := k.whole(ctx)
	if backend.KindOf(err) == backend.Unsupported {
		moved, err = k.copied(ctx)
	}
	if err != nil {
		return 0, err
	}
	return m.Moved(ctx, moved)
}

// whole lets the store move the item. Where the item is gone, and one of the same
// name that was not there before is in the other folder, an earlier try did it.
func (k *carrier) whole(ctx context.Context) (backend.Item, error) {
	if k.Source.Backend != k.Target.Backend || k.Taken || k.Sum != nil {
		return backend.Item{}, backend.Errorf(backend.Unsupported, "easserver: move", "not as a whole")
	}
	moved, err := k.from.Move(ctx, k.Source.Collection, k.ID, k.Target.Collection)
	if backend.KindOf(err) != backend.NotFound {
		return moved, err
	}
	before, looked := getOne(ctx, k.to, k.Target.Collection, k.ID)
	if looked != nil {
		return backend.Item{}, err
	}
	return before, nil
}

// sumOf is what a move remembers of a copy.
func sumOf(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:]
}

// copied puts a copy of the item into the other folder and removes the item in
// that very revision. What somebody edits meanwhile, here or there, stays.
func (k *carrier) copied(ctx context.Context) (backend.Item, error) {
	for range maxMerges {
		now, err := getOne(ctx, k.from, k.Source.Collection, k.ID)
		if backend.KindOf(err) == backend.NotFound && k.Copy != "" {
			there, err := getOne(ctx, k.to, k.Target.Collection, k.Copy)
			if err != nil {
				return there, err
			}
			return k.gone(ctx, there) // an earlier try removed it, or somebody else
		}
		if err != nil {
			return backend.Item{}, err
		}
		if err := k.quiet(ctx, now.Body); err != nil {
			return backend.Item{}, err
		}
		there, err := k.place(ctx, now)
		if errors.Is(err, errAgain) {
			continue
		}
		if err != nil {
			return backend.Item{}, err
		}
		err = k.from.Delete(ctx, k.Source.Collection, k.ID, now.Revision)
		switch backend.KindOf(err) {
		case backend.Conflict:
			continue // somebody changed it since it was copied
		case backend.NotFound:
			return k.gone(ctx, there)
		case backend.ReadOnly, backend.Unsupported, backend.Invalid:
			if err := k.undo(ctx, there); err != nil {
				return backend.Item{}, err // to be sent again, lest it stays in both
			}
			return backend.Item{}, err
		}
		return there, err
	}
	return backend.Item{}, errAgain
}

// gone is asked for when the item is gone and its copy is there. That is how a
// move ends; unless somebody else took the item to a third folder at the same
// moment: then it is there, and the copy is one too many. Where that is not
// certain the copy stays.
func (k *carrier) gone(ctx context.Context, there backend.Item) (backend.Item, error) {
	folders, err := k.engine.Folders(ctx, k.user)
	if err != nil {
		return there, nil
	}
	for _, f := range folders {
		if !k.came(ctx, f, there.Body) {
			continue
		}
		if err := k.undo(ctx, there); err != nil {
			return backend.Item{}, err
		}
		return backend.Item{}, fmt.Errorf("%w: somebody else moved it to folder %v", errMoveSource, f.ID)
	}
	return there, nil
}

// came tells whether the item came to a third folder just now: it is there, and
// nobody knew it there before.
func (k *carrier) came(ctx context.Context, f syncengine.Folder, body []byte) bool {
	if f.Kind != k.Source.Kind || f.Backend != k.Source.Backend || f.ID == k.Source.ID || f.ID == k.Target.ID {
		return false
	}
	if known, err := k.engine.Lists(ctx, f, k.ID); known || err != nil {
		return false
	}
	it, err := getOne(ctx, k.from, f.Collection, k.ID)
	return err == nil && bytes.Equal(it.Body, body)
}

// errAgain means that the item changes faster than it can be copied.
var errAgain = backend.Errorf(backend.Conflict, "easserver: move", "the item changes faster than it can be moved")

// quiet refuses to copy a meeting where a store would invite its guests anew, or
// tell them that it is off when the first one is removed. See RFC 6638, section 3.2.
func (k *carrier) quiet(ctx context.Context, body []byte) error {
	if upper := strings.ToUpper(string(body)); !strings.Contains(upper, "\nATTENDEE") && !strings.Contains(upper, "\nORGANIZER") {
		return nil
	}
	one, err := schedules(ctx, k.from, k.Source)
	if err != nil {
		return err
	}
	two, err := schedules(ctx, k.to, k.Target)
	if err == nil && (one || two) {
		err = errMoveMeeting
	}
	return err
}

// place sees to it that the copy is there, and says what is.
func (k *carrier) place(ctx context.Context, now backend.Item) (backend.Item, error) {
	sum := sumOf(now.Body)
	first, err := k.Copying(ctx, sum)
	if err != nil {
		return backend.Item{}, err
	}
	media := k.Target.Kind.MediaType()
	there, err := k.to.Put(ctx, k.Target.Collection, backend.Item{ID: backend.ItemID(k.Name), MediaType: media, Body: now.Body})
	if backend.KindOf(err) == backend.Conflict && there.ID != "" {
		there, err = k.met(ctx, there.ID, now, first)
	} else if err == nil {
		there.Body = now.Body
	}
	if err != nil {
		return backend.Item{}, err
	}
	there.MediaType = media
	return there, k.Copied(ctx, there.ID, sumOf(there.Body))
}

// met is a copy that meets something: an earlier try's, which may have been
// edited since or may lack what was edited since, or something else with the same
// UID, which stays as it is, and so does the item.
func (k *carrier) met(ctx context.Context, id backend.ItemID, now backend.Item, first bool) (backend.Item, error) {
	there, err := getOne(ctx, k.to, k.Target.Collection, id)
	if backend.KindOf(err) == backend.NotFound {
		return there, errAgain
	}
	if err != nil {
		return there, err
	}
	ours := !first && (id == k.Copy || strings.Contains(string(id), k.Name))
	switch sum := sumOf(there.Body); {
	case !ours:
		if err := k.forget(ctx, first); err != nil {
			return there, err
		}
		return there, backend.Errorf(backend.Conflict, "easserver: move", "%.70q is there already", id)
	case bytes.Equal(there.Body, now.Body), bytes.Equal(k.Sum, sumOf(now.Body)):
		return there, nil
	case !bytes.Equal(k.Sum, sum):
		return there, backend.Errorf(backend.Conflict, "easserver: move", "the item and its copy were both edited")
	}
	if err := k.Copied(ctx, id, sumOf(now.Body)); err != nil {
		return there, err
	}
	put, err := k.to.Put(ctx, k.Target.Collection, backend.Item{ID: id, Revision: there.Revision, MediaType: now.MediaType, Body: now.Body})
	if backend.KindOf(err) == backend.Conflict || backend.KindOf(err) == backend.NotFound {
		return there, errAgain
	}
	put.Body = now.Body
	return put, err
}

// forget notes that no copy was made, if this was the first try to make one.
func (k *carrier) forget(ctx context.Context, first bool) error {
	if !first {
		return nil
	}
	return k.Uncopied(ctx)
}

// undo removes the copy of an item that cannot be removed itself.
func (k *carrier) undo(ctx context.Context, there backend.Item) error {
	err := k.to.Delete(ctx, k.Target.Collection, there.ID, there.Revision)
	if err != nil && backend.KindOf(err) != backend.NotFound {
		return err
	}
	return k.Uncopied(ctx)
}
