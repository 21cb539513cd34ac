package easserver

import (
	"context"
	"errors"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// getItemEstimate tells how many changes a Sync would bring; it moves no key.
// See [MS-ASCMD] "GetItemEstimate".
func (s *Server) getItemEstimate(ctx context.Context, c *call) (answer, error) {
	var req eas.GetItemEstimateRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if n := len(req.Collections); n == 0 || n > MaxCollections {
		return eas.GetItemEstimateResponse{Responses: []eas.Estimate{{Status: eas.EstimateBadCollection}}}, nil
	}
	var response eas.GetItemEstimateResponse
	for i := range req.Collections {
		e, err := s.estimate(ctx, c, &req.Collections[i])
		if err != nil {
			return nil, err
		}
		c.event.Status = int(e.Status)
		response.Responses = append(response.Responses, e)
	}
	return response, nil
}

// estimate counts for one folder, by preparing the round that a Sync would be.
func (s *Server) estimate(ctx context.Context, c *call, col *eas.EstimateCollection) (eas.Estimate, error) {
	if len(col.CollectionID) > MaxID || col.CollectionID == "" && (col.Class == "" || c.version >= eas.V121) {
		return eas.Estimate{Status: eas.EstimateBadCollection}, nil // that cannot be named in the answer
	}
	result := &eas.EstimateResult{CollectionID: col.CollectionID}
	e := eas.Estimate{Collection: result}
	if syncengine.Key(col.SyncKey) == syncengine.NoKey {
		e.Status = eas.EstimateNotPrimed
		return e, nil
	}
	options := col.Options
	if options == nil && col.FilterType != nil {
		options = []eas.SyncOptions{{FilterType: col.FilterType}}
	}
	f := &folderSync{server: s, call: c, request: &eas.SyncCollection{
		Class: col.Class, SyncKey: col.SyncKey, CollectionID: col.CollectionID, Options: options}}
	status, err := f.open(ctx)
	if err == nil && status == eas.SyncOK && f.failed == nil {
		status = f.takeSettings()
	}
	switch {
	case err != nil:
		return e, err
	case f.failed != nil:
		return e, f.failed
	case status == eas.SyncBadKey:
		e.Status = eas.EstimateBadKey
		return e, nil
	case status != eas.SyncOK:
		e.Status = eas.EstimateBadCollection
		return e, nil
	}
	result.CollectionID = f.folder.ID.String()
	if f.folder.ID.Merged() {
		return f.estimateParts(ctx, e)
	}
	if _, err := s.Engine.Refresh(ctx, f.folder, f.session); err != nil {
		if errors.Is(err, syncengine.ErrNoFolder) || backend.KindOf(err) == backend.NotFound {
			e.Status = eas.EstimateBadCollection
			return e, nil
		}
		return e, err
	}
	n, err := f.round.Estimate(ctx)
	if err != nil {
		return e, err
	}
	e.Status, result.Class, result.Estimate = eas.EstimateOK, f.class.name, &n
	return e, nil
}
