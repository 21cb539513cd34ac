package easserver

import (
	"context"
	"errors"
	"log/slog"

	problems "github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Problems is told which objects could not be shown to phones and with which
// nothing is wrong, and answers the failures that nobody knew of.
// *problem.Register is one.
type Problems interface {
	Note(ctx context.Context, f problems.Folder, failed []problems.Failure, fine []backend.ItemID) (news []problems.Problem, err error)
}

// A tally is what came of some objects of a folder.
type tally struct {
	failed []problems.Failure
	fine   []backend.ItemID
}

// add notes what came of an object. Nothing is wrong with one that phones have
// no place for; and of one that the backend has no time for, nobody knows.
func (t *tally) add(id backend.ItemID, err error) {
	_, stumbled := errors.AsType[*defect](err)
	switch kind := backend.KindOf(err); {
	case err == nil, errors.Is(err, translate.ErrNotShown):
		t.fine = append(t.fine, id)
	case kind == backend.Transient, kind == backend.NotFound:
	case stumbled:
		t.failed = append(t.failed, problems.Stumbled(id))
	default:
		t.failed = append(t.failed, problems.Failed(id, err))
	}
}

// tell reports a tally. What is news stands in the log once; where the
// register cannot be written, the phone gets its answer all the same.
func (s *Server) tell(ctx context.Context, c *call, f syncengine.Folder, t tally) {
	if s.Problems == nil || len(t.failed)+len(t.fine) == 0 {
		return
	}
	news, err := s.Problems.Note(ctx, problems.Folder{User: f.User, Backend: f.Backend, Collection: f.Collection, ID: f.ID}, t.failed, t.fine)
	for _, p := range news {
		s.Logger.WarnContext(ctx, "an object cannot be shown to phones; it stays as it is", "user", p.User, "backend", p.Backend,
			"collection", string(p.Collection), "id", string(p.ID), "kind", string(p.Kind), "reason", p.Reason)
	}
	if err != nil {
		c.note(slog.Any("problems_not_kept", err))
	}
}
