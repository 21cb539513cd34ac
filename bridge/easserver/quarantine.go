package easserver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A phone in quarantine waits for an administrator. It gets the list of folders,
// so that the account can be set up, and in its inbox one message that says what
// is going on; nothing of what the person has, and nothing is taken of it.
//
// Its keys are none of the engine's. When it is let in, the engine does not know
// them and has the phone begin anew, with which the message goes.

// quarantined is what such a phone can ask for.
var quarantined = map[eas.Command]func(*Server, context.Context, *call) (answer, error){
	eas.CmdFolderSync:      (*Server).folderSync,
	eas.CmdGetItemEstimate: (*Server).estimateInQuarantine,
	eas.CmdPing:            (*Server).pingInQuarantine,
	eas.CmdProvision:       (*Server).provision,
	eas.CmdSettings:        (*Server).settings,
	eas.CmdSync:            (*Server).syncInQuarantine,
}

// refusedInQuarantine answers everything else.
func refusedInQuarantine(*Server, context.Context, *call) (answer, error) {
	return nil, refusal(device.ErrBlocked)
}

// The keys: of a folder that was begun, and of one with the message.
const (
	keyBegun   = "Q1"
	keyMessage = "Q2"

	// messageID names the message in the inbox.
	messageID = "quarantine"
)

// syncInQuarantine answers a Sync folder by folder.
func (s *Server) syncInQuarantine(ctx context.Context, c *call) (answer, error) {
	want, err := s.wantedSync(ctx, c)
	if err != nil {
		return nil, err
	}
	if want.refuse != 0 {
		return s.syncRefusal(c, want), nil
	}
	var response eas.SyncResponse
	for i := range want.Collections {
		r, err := s.folderInQuarantine(ctx, c, &want.Collections[i])
		if err != nil {
			return nil, err
		}
		if r != nil {
			response.Collections = append(response.Collections, *r)
		}
	}
	c.event.Status = int(eas.SyncOK)
	switch {
	case len(response.Collections) > 0:
		return response, nil
	case want.wait == 0:
		return nil, nil
	}
	return s.waitInQuarantine(c, want.wait, nil), nil
}

// folderInQuarantine answers for one folder; nil if there is nothing to say.
func (s *Server) folderInQuarantine(ctx context.Context, c *call, col *eas.SyncCollection) (*eas.SyncResult, error) {
	r := &eas.SyncResult{CollectionID: col.CollectionID, SyncKey: col.SyncKey, Status: eas.SyncOK}
	if c.version < eas.V121 {
		r.Class = col.Class
	}
	f, err := s.wantedFolder(ctx, c, col.CollectionID, col.Class)
	if errors.Is(err, syncengine.ErrNoFolder) {
		r.Status = eas.SyncHierarchyChanged
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	r.CollectionID = f.ID.String()
	switch {
	case len(col.Commands) > 0:
		r.Status = eas.SyncServerError // it keeps them, and tries again later
	case col.SyncKey == string(syncengine.NoKey):
		r.SyncKey = keyBegun
	case col.SyncKey == keyBegun && isInbox(f):
		r.SyncKey = keyMessage
		r.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ServerID: messageID, Data: quarantineMessage(c)}}
	default:
		return nil, nil
	}
	return r, nil
}

func isInbox(f syncengine.Folder) bool { return f.Kind == backend.Mail && f.Default }

// quarantineMessage is what the person reads.
func quarantineMessage(c *call) eas.Properties {
	text := fmt.Sprintf("This phone (%s, %s) is new here, and has to be let in by an administrator before it gets contacts, calendars and mail. "+
		"Nothing needs to be done on the phone: once it is let in, everything comes by itself, and this message goes.", c.kind, c.phone.Device)
	p := eas.Properties{
		eas.T(tag.EmailSubject, "This phone waits to be let in"),
		eas.T(tag.EmailFrom, `"pushbridge" <`+c.account.Address()+`>`),
		eas.T(tag.EmailDateReceived, c.device.FirstSeen.UTC().Format("2006-01-02T15:04:05.000Z")),
		eas.T(tag.EmailImportance, "1"),
		eas.T(tag.EmailRead, "0"),
		eas.T(tag.EmailMessageClass, "IPM.Note"),
	}
	if c.version < eas.V120 {
		return append(p, eas.T(tag.EmailBody, text))
	}
	return append(p, eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"),
		eas.T(tag.AirSyncBaseEstimatedDataSize, strconv.Itoa(len(text))), eas.T(tag.AirSyncBaseData, text)))
}

// pingInQuarantine waits for being let in.
func (s *Server) pingInQuarantine(ctx context.Context, c *call) (answer, error) {
	want, _, refusal, err := s.wantedPing(ctx, c)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return s.pinged(c, *refusal), nil
	}
	if s.Devices.Stale(c.device) {
		return s.pinged(c, eas.PingResponse{Status: eas.PingHierarchyChanged}), nil
	}
	return s.waitInQuarantine(c, time.Duration(want.Heartbeat)*time.Second, s.pinged(c, eas.PingResponse{Status: eas.PingExpired})), nil
}

// waitInQuarantine lets a phone wait until its heartbeat ends or an administrator
// decides.
func (s *Server) waitInQuarantine(c *call, heartbeat time.Duration, over answer) answer {
	return &wait{
		topics: []hub.Topic{{User: c.phone.User}}, heartbeat: heartbeat,
		then: func(_ context.Context, _ []hub.Topic, err error) (answer, error) {
			if err != nil && !errors.Is(err, hub.ErrReplaced) && !errors.Is(err, hub.ErrShutdown) && !errors.Is(err, device.ErrStale) {
				return nil, err
			}
			return over, nil
		},
	}
}

// estimateInQuarantine counts the message.
func (s *Server) estimateInQuarantine(ctx context.Context, c *call) (answer, error) {
	var req eas.GetItemEstimateRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if n := len(req.Collections); n == 0 || n > MaxCollections {
		return eas.GetItemEstimateResponse{Responses: []eas.Estimate{{Status: eas.EstimateBadCollection}}}, nil
	}
	var response eas.GetItemEstimateResponse
	for _, col := range req.Collections {
		e := eas.Estimate{Status: eas.EstimateOK}
		f, err := s.wantedFolder(ctx, c, col.CollectionID, col.Class)
		switch {
		case errors.Is(err, syncengine.ErrNoFolder):
			e.Status = eas.EstimateBadCollection
		case err != nil:
			return nil, err
		case col.SyncKey == string(syncengine.NoKey):
			e.Status = eas.EstimateNotPrimed
			e.Collection = &eas.EstimateResult{CollectionID: f.ID.String()}
		default:
			n := 0
			if col.SyncKey == keyBegun && isInbox(f) {
				n = 1
			}
			e.Collection = &eas.EstimateResult{CollectionID: f.ID.String(), Estimate: &n}
		}
		if e.Collection != nil && c.version < eas.V121 {
			e.Collection.Class = col.Class
		}
		response.Responses = append(response.Responses, e)
	}
	return response, nil
}
