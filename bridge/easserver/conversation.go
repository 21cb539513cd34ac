package easserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// MaxConversation bounds the messages of a folder, the latest ones, among which
	// those of a conversation are looked for: their headers have to be read, since
	// mail servers know no conversations.
	MaxConversation = 20_000

	// conversationBatch is how many headers are read at a time.
	conversationBatch = 500
)

// errNotAlways means that a phone moves a conversation this once.
var errNotAlways = errors.New("easserver: a conversation is moved without MoveAlways")

// moveConversations moves conversations. An error means that the request is to be sent
// again: what was moved is moved.
func (s *Server) moveConversations(ctx context.Context, c *call, moves []eas.ConversationMove, forbidden eas.ItemOperationsStatus) ([]eas.MoveResult, error) {
	var results []eas.MoveResult
	for _, m := range moves {
		status := forbidden
		if c.version >= eas.V140 {
			err := s.moveConversation(ctx, c, m)
			if kind := backend.KindOf(err); kind == backend.Denied || kind == backend.Transient {
				return nil, err
			}
			if err != nil {
				c.note(slog.Any("refused_move", err))
			}
			if status = fetchStatus(err); errors.Is(err, errPartly) {
				status = eas.ItemOperationsStatus(eas.FailureInMoveOperation)
			}
		}
		results = append(results, eas.MoveResult{Status: status, ConversationID: m.ConversationID})
	}
	return results, nil
}

// moveConversation takes all messages of a conversation to a folder, out of all others
// but that for sent mail. What comes later stays where it is delivered. See [MS-ASCMD]
// "Move (ItemOperations)" and [MS-ASCON] "MoveAlways".
func (s *Server) moveConversation(ctx context.Context, c *call, m eas.ConversationMove) error {
	switch {
	case m.Options == nil || !m.Options.MoveAlways:
		return errNotAlways
	case len(m.ConversationID) == 0:
		return fmt.Errorf("%w: no conversation is named", syncengine.ErrNoItem)
	}
	to, err := s.wantedFolder(ctx, c, m.DstFldID, "")
	if err != nil {
		return err
	}
	if to.Kind != backend.Mail || to.ReadOnly || to.Role == backend.RoleSent || to.Role == backend.RoleDrafts {
		return fmt.Errorf("%w: folder %v", errNotTarget, to.ID)
	}
	all, err := s.Engine.Folders(ctx, c.phone.User)
	if err != nil {
		return err
	}
	session, err := c.account.Session(ctx, to.Backend)
	if err != nil {
		return err
	}
	found, stayed := 0, false
	for _, from := range all {
		if from.Kind != backend.Mail || from.Backend != to.Backend || from.Role == backend.RoleSent {
			continue
		}
		rows, err := s.conversationIn(ctx, from, session, m.ConversationID)
		if err != nil {
			return err
		}
		found += len(rows)
		if from.ID == to.ID {
			continue // an earlier try of the same request moved them
		}
		more, err := s.moveRows(ctx, from, session, rows, to)
		if err != nil {
			return err
		}
		stayed = stayed || more
	}
	switch {
	case stayed:
		return errPartly
	case found == 0:
		return fmt.Errorf("%w: nobody has messages of the conversation", syncengine.ErrNoItem)
	}
	return nil
}

// errNotTarget means that a conversation cannot be moved to a folder.
var errNotTarget = errors.New("easserver: messages are not moved to that folder")

// conversationIn finds the messages of a conversation in a folder.
func (s *Server) conversationIn(ctx context.Context, f syncengine.Folder, session backend.Session, conversation []byte) ([]syncengine.Row, error) {
	box, err := mailbox(session)
	if err != nil {
		return nil, err
	}
	if _, err := s.Engine.Refresh(ctx, f, session); err != nil {
		return nil, err
	}
	var rows []syncengine.Row
	if err := s.Engine.Items(ctx, f, func(r syncengine.Row) error { rows = append(rows, r); return nil }); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b syncengine.Row) int { return int(b.Number - a.Number) })
	rows = rows[:min(len(rows), MaxConversation)]
	var found []syncengine.Row
	for part := range slices.Chunk(rows, conversationBatch) {
		byID, ids := make(map[backend.ItemID]syncengine.Row, len(part)), make([]backend.ItemID, 0, len(part))
		for _, r := range part {
			byID[r.ID], ids = r, append(ids, r.ID)
		}
		err := box.Messages(ctx, f.Collection, ids, 1, func(m backend.Message) error {
			if r, ok := byID[m.ID]; ok && m.Err == nil && bytes.Equal(mail.ConversationID(messageOf(m)), conversation) {
				found = append(found, r)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// moveRows moves messages. stayed says that some could not be moved.
func (s *Server) moveRows(ctx context.Context, from syncengine.Folder, session backend.Session, rows []syncengine.Row, to syncengine.Folder) (stayed bool, err error) {
	for _, r := range rows {
		_, err := moveMessage(ctx, session, from.Collection, r.ID, to.Collection)
		switch kind := backend.KindOf(err); {
		case err == nil, kind == backend.NotFound:
			if err := s.Engine.Discarded(ctx, from, r.Number); err != nil {
				return stayed, err
			}
		case kind == backend.Denied, kind == backend.Transient:
			return stayed, err // to be sent again: what was moved is moved
		default:
			stayed = true
		}
	}
	return stayed, nil
}
