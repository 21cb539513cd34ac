package easserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/profile"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/bridge/trace"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// An answer is a message of package eas; nil is an empty body, encoded is a
// message that was marshalled before, multipart one with parts behind it, and
// *wait comes later.
type answer any

type encoded []byte

// A call is one command of one phone. It is what a waiting phone costs, so what
// is of no use after the waiting is its arrival.
type call struct {
	*arrival
	version   eas.Version
	account   *account.Account
	phone     syncengine.Phone
	kind      string           // its DeviceType
	profile   *profile.Profile // shared
	event     *telemetry.Event
	start     time.Time
	from      netip.AddrPort
	gzip      bool
	announces bool            // the answer says which commands there are now
	tape      *trace.Exchange // nil unless the phone is recorded
	self      []string        // the person's addresses, beside the one that follows from the login; see recognize

	behind []syncengine.FolderID // parts of merged folders that the phone waits for
}

// An arrival is what a request brought, and what was found out to admit it.
type arrival struct {
	query   eas.Query
	device  device.Phone
	body    []byte
	refused error // by the register, of a phone that may provision all the same
	waits   bool  // it is in quarantine
	parts   bool
	key     *uint32 // of the header
}

// waited are what is left of the arrivals of those that waited.
var waited = map[eas.Command]*arrival{
	eas.CmdPing: {query: eas.Query{Command: eas.CmdPing}},
	eas.CmdSync: {query: eas.Query{Command: eas.CmdSync}},
}

func (c *call) deviceID() device.ID {
	return device.ID{User: c.phone.User, Device: c.phone.Device}
}

// newCall admits the device and reads the body.
func (s *Server) newCall(r *http.Request, q eas.Query, acct *account.Account, event *telemetry.Event) (*call, error) {
	version, err := protocolVersion(r, q)
	if err != nil {
		return nil, err
	}
	event.Version = version.String()
	c := &call{
		arrival: &arrival{query: q, parts: wantsParts(r), key: eas.ParsePolicyKey(r.Header.Get("X-MS-PolicyKey"))},
		version: version, account: acct, event: event, start: time.Now(),
		phone: syncengine.Phone{User: acct.Name(), Device: q.DeviceID}, kind: q.DeviceType,
		profile: s.Profiles.Of(q.DeviceType, r.UserAgent(), q.DeviceID),
		from:    clientAddress(r.RemoteAddr), gzip: acceptsGzip(r),
	}
	event.User = c.phone.User
	c.gzip = c.gzip && !c.profile.NoGzip
	if c.profile.Name != "" {
		c.note(slog.String("profile", c.profile.Name))
	}
	c.device, err = s.Devices.Admit(r.Context(), device.Visit{
		ID: c.deviceID(), Type: q.DeviceType, UserAgent: r.UserAgent(), Version: version.String(),
	})
	switch {
	case err == nil:
	case errors.Is(err, device.ErrQuarantined):
		c.waits = true
		c.note(slog.Bool("quarantined", true))
	case q.Command == eas.CmdProvision && (errors.Is(err, device.ErrWipe) || errors.Is(err, device.ErrBlocked)):
		c.refused = err // a phone that is to erase itself hears it there, and says there what came of it
	default:
		return c, refusal(err)
	}
	s.heard(r.Context(), c)
	c.body, err = readBody(r, mostBody(q.Command), c.composes(), c.isMail())
	return c, err
}

// composes tells whether the command brings a mail.
func (c *call) composes() bool { return composes(c.query.Command) }

func composes(c eas.Command) bool {
	switch c {
	case eas.CmdSendMail, eas.CmdSmartForward, eas.CmdSmartReply:
		return true
	}
	return false
}

// mostBody is how large a command's body may be.
func mostBody(c eas.Command) int {
	if composes(c) {
		return MaxMail
	}
	return MaxBody
}

// isMail tells whether the body is a mail, as it is. See [MS-ASCMD] "SendMail".
func (c *call) isMail() bool {
	return c.version < eas.V140 && c.composes()
}

// protocolVersion lets the header and the query's first byte help each other.
// A phone that names none is served as one of 12.1, which needs no header that
// it would have forgotten. See [MS-ASHTTP] "MS-ASProtocolVersion".
func protocolVersion(r *http.Request, q eas.Query) (eas.Version, error) {
	if q.Version != 0 {
		return q.Version, nil
	}
	header := r.Header.Get("MS-ASProtocolVersion")
	if header == "" {
		return eas.V121, nil
	}
	v, err := eas.ParseVersion(header)
	if err != nil {
		// [MS-ASCMD] "Common Status Codes", 138.
		return 0, &problem{status: http.StatusHTTPVersionNotSupported, text: err.Error()}
	}
	return v, nil
}

// malformed answers, per command, that the request contradicts the protocol.
// GetItemEstimate and MoveItems have no such status; "invalid collection" and
// "failed" come nearest. Neither has a Search beside its stores.
var malformed = map[eas.Command]eas.Status{
	eas.CmdFind:              eas.Status(eas.FindInvalid),
	eas.CmdFolderCreate:      eas.Status(eas.FolderMalformed),
	eas.CmdFolderDelete:      eas.Status(eas.FolderMalformed),
	eas.CmdFolderUpdate:      eas.Status(eas.FolderMalformed),
	eas.CmdMoveItems:         eas.Status(eas.MoveFailed),
	eas.CmdFolderSync:        eas.Status(eas.FolderMalformed),
	eas.CmdGetItemEstimate:   eas.Status(eas.EstimateBadCollection),
	eas.CmdItemOperations:    eas.Status(eas.ItemOperationsProtocol),
	eas.CmdMeetingResponse:   eas.Status(eas.MeetingInvalid),
	eas.CmdPing:              eas.Status(eas.PingSyntax),
	eas.CmdProvision:         eas.Status(eas.ProvisionProtocol),
	eas.CmdResolveRecipients: eas.Status(eas.ResolveProtocol),
	eas.CmdSearch:            eas.Status(eas.SearchServerError),
	eas.CmdSendMail:          eas.InvalidContent,
	eas.CmdSettings:          eas.Status(eas.SettingsProtocol),
	eas.CmdSmartForward:      eas.InvalidContent,
	eas.CmdSmartReply:        eas.InvalidContent,
	eas.CmdSync:              eas.Status(eas.SyncProtocol),
	eas.CmdValidateCert:      eas.Status(eas.CertProtocol),
}

// decode reads the call's body into a message. A body that is no WBXML is HTTP
// status 400; one that says something else than the command is a status.
func (c *call) decode(message any) error {
	if len(c.body) == 0 {
		return &problem{status: http.StatusBadRequest, text: string(c.query.Command) + " needs a body"}
	}
	err := eas.Unmarshal(c.body, message)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*wbxml.SyntaxError](err); ok {
		return err
	}
	return &inBand{status: malformed[c.query.Command], err: err}
}

// answer runs the command and writes what comes of it.
func (s *Server) answer(ctx context.Context, w *recorder, c *call) error {
	c.event.In = int64(len(c.body))
	run, ok := commands[c.query.Command]
	if !ok || !c.query.Command.KnownIn(c.version) || !s.answers(c.query.Command) {
		return c.notSupported()
	}
	if c.waits {
		if run = quarantined[c.query.Command]; run == nil {
			run = refusedInQuarantine
		}
	}
	if err := s.checkPolicyKey(ctx, c); err != nil {
		return s.answerStatus(w, c, err)
	}
	message, err := run(s, ctx, c)
	if wt, ok := message.(*wait); ok && err == nil {
		return s.sit(ctx, w, c, wt)
	}
	return s.conclude(w, c, message, err)
}

// conclude answers what came of a command.
func (s *Server) conclude(w *recorder, c *call, message answer, err error) error {
	if err != nil {
		return s.answerStatus(w, c, err)
	}
	return s.write(w, c, message)
}

// write marshals a message and sends it.
func (s *Server) write(w *recorder, c *call, message answer) error {
	s.announce(c, w.Header())
	switch m := message.(type) {
	case nil:
		w.empty()
		return nil
	case encoded:
		w.message(c.gzip, m)
		return nil
	case multipart:
		w.body(c.gzip, multipartType, m)
		return nil
	case *streamed:
		return w.stream(m)
	}
	doc, err := eas.Marshal(message, c.version)
	if err != nil {
		return fmt.Errorf("easserver: the answer to %s: %w", c.query.Command, err)
	}
	w.message(c.gzip, doc)
	return nil
}

// An inBand error is told to phones in a 200 answer that has a status and
// nothing else. Common statuses, those above 100, are unknown before 14.0,
// where an HTTP status stands for them. See [MS-ASCMD] "Common Status Codes".
type inBand struct {
	status eas.Status
	http   int
	err    error
}

func (e *inBand) Error() string {
	return fmt.Sprintf("easserver: status %d: %v", e.status, e.err)
}

func (e *inBand) Unwrap() error { return e.err }

// answerStatus tells a phone of an error by a status where its version knows
// it; other errors are left to HTTP.
func (s *Server) answerStatus(w *recorder, c *call, err error) error {
	e, ok := errors.AsType[*inBand](err)
	if !ok {
		return err
	}
	doc := eas.Failure(c.query.Command, e.status)
	if doc == nil || e.status > 100 && c.version < eas.V140 {
		return &problem{status: e.http, text: e.err.Error(), err: e.err}
	}
	c.event.Status, c.event.Err = int(e.status), e.err
	return s.write(w, c, encoded(doc))
}

// notSupported answers a command that we do not have, that the phone's version
// does not have, or that nobody knows.
func (c *call) notSupported() error {
	if c.query.Command == "" {
		return &problem{status: http.StatusBadRequest, text: "the query names no command"}
	}
	return &problem{status: http.StatusNotImplemented,
		text: fmt.Sprintf("%.40q is not supported in version %s; OPTIONS lists the commands that are", c.query.Command, c.version)}
}

// refusal turns a refusal by the register into a common status.
func refusal(err error) error {
	switch {
	case errors.Is(err, device.ErrInvalidID):
		return &inBand{status: eas.DeviceIDMissingOrInvalid, http: http.StatusBadRequest, err: err}
	case errors.Is(err, device.ErrWipe):
		return &inBand{status: eas.RemoteWipeRequested, http: statusProvision, err: err}
	case errors.Is(err, device.ErrBlocked):
		return &inBand{status: eas.DeviceIsBlockedForThisUser, http: http.StatusForbidden, err: err}
	case errors.Is(err, device.ErrUserOff):
		return &inBand{status: eas.UserDisabledForSync, http: http.StatusForbidden, err: err}
	case errors.Is(err, device.ErrTooMany):
		return &inBand{status: eas.MaximumDevicesReached, http: http.StatusForbidden, err: err}
	case errors.Is(err, device.ErrNotApplied):
		return &inBand{status: eas.DeviceNotFullyProvisionable, http: http.StatusForbidden, err: err}
	case errors.Is(err, device.ErrExternal):
		return &inBand{status: eas.ExternallyManagedDevicesForbidden, http: http.StatusForbidden, err: err}
	case errors.Is(err, device.ErrStale):
		return &inBand{status: eas.PolicyRefresh, http: statusProvision, err: err}
	}
	return err
}

// checkPolicyKey sends a phone to provision first, where that is required.
// Ping carries no key, and up to 14.0 a phone may say what it is by Settings
// before it provisions. See [MS-ASPROV] "Policy Key".
func (s *Server) checkPolicyKey(ctx context.Context, c *call) error {
	switch {
	case c.query.Command == eas.CmdProvision, c.query.Command == eas.CmdPing:
		return nil
	case c.query.Command == eas.CmdSettings && c.version < eas.V141:
		return nil
	}
	need := s.Devices.NeedsProvision(c.device, c.policyKey())
	switch {
	case need == device.NoNeed:
		return nil
	case need.Hopeless():
		return &inBand{status: eas.Status(need), http: http.StatusForbidden, err: fmt.Errorf("the phone is not served (%d): %s", int(need), c.device.Policy.Turns.Loop)}
	}
	if err := s.Devices.Told(ctx, c.deviceID()); err != nil {
		c.note(slog.Any("not_counted", err))
	}
	return &inBand{status: eas.Status(need), http: statusProvision, err: fmt.Errorf("the phone has to provision first (%d)", int(need))}
}

// policyKey is the key that the phone sent in its query or header; nil if it sent
// none.
func (c *call) policyKey() *uint32 {
	if c.query.PolicyKey != nil {
		return c.query.PolicyKey
	}
	return c.key
}

// park notes in the log how long a call waited for a change.
func (c *call) park(start time.Time) { c.event.Parked += time.Since(start) }

// found notes in the log how many were found.
func (c *call) found(n int) { c.note(slog.Int("found", n)) }

// note adds numbers to the call's log line.
func (c *call) note(attrs ...slog.Attr) { c.event.Add(attrs...) }
