package admin

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/audit"
)

const (
	// MostEntries bounds how many entries of the audit are answered at a time.
	MostEntries = 500

	// usualEntries are answered to who does not say how many.
	usualEntries = 50
)

// An AuditRequest asks for entries of the audit, the newest first.
type AuditRequest struct {
	Before int64 `json:"before,omitempty"` // a number; 0 means from the newest on
	Most   int   `json:"most,omitempty"`
}

// An ExportRequest asks for entries in their order, MostEntries at a time.
type ExportRequest struct {
	After int64 `json:"after,omitempty"` // a number
}

// An AnchorRequest has the chain verified. Number and Hash are of a link that
// somebody noted earlier; a hash that is empty means that nobody did.
type AnchorRequest struct {
	Number int64  `json:"number,omitempty"`
	Hash   string `json:"hash,omitempty"`
}

// noAudit is for workers that write nothing down.
var noAudit = &Error{Unknown, "This worker writes no audit."}

func (s *Server) audit(ctx context.Context, _ *visit, r AuditRequest) ([]audit.Record, error) {
	if s.Audit == nil {
		return nil, noAudit
	}
	switch {
	case r.Most == 0:
		r.Most = usualEntries
	case r.Most < 0, r.Most > MostEntries:
		return nil, invalid("at most %d entries are answered at a time", MostEntries)
	}
	list, err := s.Audit.Newest(ctx, r.Before, r.Most)
	return some(list), err
}

func (s *Server) auditExport(ctx context.Context, _ *visit, r ExportRequest) ([]audit.Record, error) {
	if s.Audit == nil {
		return nil, noAudit
	}
	list, err := s.Audit.After(ctx, r.After, MostEntries)
	return some(list), err
}

func (s *Server) auditVerify(ctx context.Context, _ *visit, r AnchorRequest) (audit.Finding, error) {
	if s.Audit == nil {
		return audit.Finding{}, noAudit
	}
	var anchor *audit.Link
	if r.Hash != "" {
		anchor = &audit.Link{Number: r.Number, Hash: r.Hash}
	}
	return s.Audit.Verify(ctx, anchor)
}

// some makes a list that is empty instead of none, for JSON.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
