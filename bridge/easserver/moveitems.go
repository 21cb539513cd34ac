package easserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

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
	leave, err := s.moving.enter(ctx, c.phone)
	if err != nil {
		return "", err
	}
	defer leave()
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
