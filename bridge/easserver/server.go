// Package easserver answers the commands of ActiveSync, a file per command.
//
// A request walks from the query to the account, the admission of the device,
// the decoded message and the command's function in [commands], which asks the
// rooms below and answers a message. See [MS-ASHTTP] and [MS-ASCMD]; the
// revisions are those that package eas names.
package easserver

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"
	"unique"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/profile"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/bridge/trace"
	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Options tell New what to build with. Accounts, Devices, Engine and Hub are
// required.
type Options struct {
	Accounts *account.Accounts
	Devices  *device.Register
	Engine   *syncengine.Engine
	Hub      *hub.Hub

	// Elsewhere answers where somebody's server is, by the login; empty if it is
	// here. Nil means that everybody is here. See account.Redirects.
	Elsewhere func(login string) string

	// Outbox sends mail. It is required where a backend sends any.
	Outbox *outbox.Outbox

	// Problems is told of objects that cannot be shown. Nil means that nobody is.
	Problems Problems

	// Choices say which folders each phone is shown. Nil shows all.
	Choices Choices

	// PollMin and PollMax bound the time between two questions to a backend
	// while a phone waits; 0 means the defaults of package watch.
	PollMin, PollMax time.Duration

	// Desk is where word of changes arrives from outside. Nil means that none
	// does.
	Desk *watch.Desk

	// Subscribe is called while a collection is watched, with a session of the
	// user's, to have its server push changes. Nil means that none is asked to.
	Subscribe func(ctx context.Context, backendName, user string, c backend.CollectionID, s backend.Session)

	// Placeholder is the name of the backend that stands in for what nobody
	// serves; its answer alone does not mean that a server can be reached.
	Placeholder string

	// Profiles say what each sort of phone wants to be treated like. Nil means
	// the built-in ones.
	Profiles *profile.Table

	// Directory finds people. Nil means one of address books alone that are the
	// person's own.
	Directory *directory.Directory

	// InDirectory tells which of a person's own address books are the
	// administrator's directory. Nil means none.
	InDirectory func(syncengine.Folder) bool

	// SearchTime bounds how long a question for people waits for address books
	// that are read for the first time; 0 means DefaultSearchTime.
	SearchTime time.Duration

	// Roots are the authorities that certificates for mail are judged by. Nil
	// means the system's.
	Roots *x509.CertPool

	Heartbeat Heartbeat
	Zone      *time.Location // where people are; nil means UTC
	Logger    *slog.Logger   // nil means slog.Default

	// Tracer records the phones that an administrator wants to look at. Nil
	// records none.
	Tracer *trace.Tracer

	// Counts are told of what is answered. Nil means that nobody is.
	Counts Counts
}

// Choices decide which folders phones are shown. *choice.Choices is one.
type Choices interface {
	For(ctx context.Context, p choice.Phone) (func(syncengine.Folder) bool, error)
}

// Heartbeat bounds how long a phone may wait. See [MS-ASCMD]
// "HeartbeatInterval (Ping)".
type Heartbeat = device.Bounds

// inSeconds are bounds in whole seconds, as Ping says them.
func inSeconds(h Heartbeat) (least, most int) {
	return int((h.Min + time.Second - 1) / time.Second), int(h.Max / time.Second)
}

// DefaultHeartbeat is the whole range of the specification; the default is the
// one that the first Android clients began with.
var DefaultHeartbeat = Heartbeat{Min: 60 * time.Second, Default: 480 * time.Second, Max: 3540 * time.Second}

// A Server answers phones. It is an http.Handler.
type Server struct {
	Options
	handler  http.Handler
	searches *searches
	endings  endings
	probes   probes
	bodies   bodies
	turns    turns
	moving   single
	selves   *selves
	listed   *watch.List // of the backends whose collections come and go
}

// New builds a Server.
func New(o Options) *Server {
	if o.Accounts == nil || o.Devices == nil || o.Engine == nil || o.Hub == nil {
		panic("easserver: Accounts, Devices, Engine and Hub are required")
	}
	if o.Heartbeat == (Heartbeat{}) {
		o.Heartbeat = DefaultHeartbeat
	}
	if o.Desk == nil {
		o.Desk = new(watch.Desk)
	}
	if o.Profiles == nil {
		o.Profiles = profile.Default()
	}
	if o.Directory == nil {
		o.Directory = directory.New(directory.Options{})
	}
	if o.SearchTime == 0 {
		o.SearchTime = DefaultSearchTime
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Counts == nil {
		o.Counts = uncounted{}
	}
	s := &Server{Options: o, searches: newSearches(), bodies: newBodies(), selves: newSelves()}
	s.listed = &watch.List{Backends: slices.DeleteFunc(o.Accounts.Names(), func(name string) bool { return name == o.Placeholder })}
	o.Accounts.WhenRefused(s.refused)
	s.handler = fcgi.Waitable(http.HandlerFunc(s.serve))
	return s
}

// commands is everything that a phone can ask for and get an answer.
var commands = map[eas.Command]func(*Server, context.Context, *call) (answer, error){
	eas.CmdFind:              (*Server).find,
	eas.CmdFolderCreate:      (*Server).folderCreate,
	eas.CmdFolderDelete:      (*Server).folderDelete,
	eas.CmdFolderSync:        (*Server).folderSync,
	eas.CmdFolderUpdate:      (*Server).folderUpdate,
	eas.CmdGetAttachment:     (*Server).getAttachment,
	eas.CmdGetItemEstimate:   (*Server).getItemEstimate,
	eas.CmdItemOperations:    (*Server).itemOperations,
	eas.CmdMeetingResponse:   (*Server).meetingResponse,
	eas.CmdMoveItems:         (*Server).moveItems,
	eas.CmdPing:              (*Server).ping,
	eas.CmdProvision:         (*Server).provision,
	eas.CmdResolveRecipients: (*Server).resolveRecipients,
	eas.CmdSearch:            (*Server).search,
	eas.CmdSendMail:          (*Server).sendMail,
	eas.CmdSettings:          (*Server).settings,
	eas.CmdSmartForward:      (*Server).smartForward,
	eas.CmdSmartReply:        (*Server).smartReply,
	eas.CmdSync:              (*Server).sync,
	eas.CmdValidateCert:      (*Server).validateCert,
}

// announced lists the commands in the order in which Exchange does. A command
// that is not answered is not announced; see offered for those of mail.
const announced = "Sync,SendMail,SmartForward,SmartReply,GetAttachment,FolderSync,FolderCreate,FolderDelete,FolderUpdate,MoveItems,GetItemEstimate,MeetingResponse,Search,Settings,Ping,ItemOperations,Provision,ResolveRecipients,ValidateCert,Find"

// ServeHTTP answers one request and logs it in one line.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	// Thousands of phones that wait have a few agents between them.
	event := &telemetry.Event{Agent: unique.Make(r.UserAgent()).Value(), Command: r.Method}
	rec := &recorder{ResponseWriter: w}
	s.guarded(r.Context(), rec, event, time.Now(), func() {
		switch r.Method {
		case http.MethodOptions:
			s.options(rec, r, event)
		case http.MethodPost:
			ctx, cancel := finishing(r.Context())
			defer cancel()
			s.post(rec, r.WithContext(ctx), event)
		default:
			rec.Header().Set("Allow", "OPTIONS, POST")
			rec.fail(http.StatusMethodNotAllowed, "This address is for phones: an account of the type Exchange uses it. A browser has nothing to see here.")
		}
	})
}

// options tells a phone which versions and commands there are. See [MS-ASHTTP]
// "HTTP OPTIONS Response".
func (s *Server) options(w *recorder, r *http.Request, event *telemetry.Event) {
	acct, ok := s.login(w, r, event, "")
	if !ok || s.probe(w, r, acct) {
		return
	}
	// Many phones ask without a query; their user agent has to do.
	q, err := eas.ParseQuery(r.URL.RawQuery)
	if err != nil {
		q = eas.Query{}
	}
	h := w.Header()
	h.Set("MS-Server-ActiveSync", "15.1")
	h.Set("MS-ASProtocolVersions", versionsFor(s.Profiles.For(q.DeviceType, r.UserAgent(), q.DeviceID)))
	h.Set("MS-ASProtocolCommands", s.announcedFor(s.Profiles.For(q.DeviceType, r.UserAgent(), q.DeviceID)))
	h.Set("Allow", "OPTIONS, POST")
	h.Set("Public", "OPTIONS, POST")
	w.empty()
}

// post answers a command.
func (s *Server) post(w *recorder, r *http.Request, event *telemetry.Event) {
	query, err := eas.ParseQuery(r.URL.RawQuery)
	if err != nil {
		event.Err = err
		w.fail(http.StatusBadRequest, "the query is neither plain nor base64: "+err.Error())
		return
	}
	event.Command, event.Phone = string(query.Command), query.DeviceID
	if s.Devices.Listed(query.DeviceID) { // before a password is tried
		s.refuse(r.Context(), w, event, fmt.Errorf("%w: its DeviceId is on the block list", device.ErrBlocked))
		return
	}
	acct, ok := s.login(w, r, event, query.DeviceID)
	if !ok {
		return
	}
	leave := s.Devices.Presence.Enter(device.ID{User: acct.Name(), Device: query.DeviceID})
	defer leave()
	emptied, err := s.bodies.enter(r, mostBody(query.Command))
	if err != nil {
		s.refuse(r.Context(), w, event, err)
		return
	}
	defer emptied()
	c, err := s.newCall(r, query, acct, event)
	if c != nil {
		c.tape = s.Tracer.Begin(trace.Phone{User: c.phone.User, Device: c.phone.Device}, string(query.Command), c.version.String(), c.body)
		w.tape = c.tape
	}
	if err == nil {
		err = s.answer(r.Context(), w, c)
	} else if c != nil {
		err = s.answerStatus(w, c, err)
	}
	if err != nil {
		s.refuse(r.Context(), w, event, err)
	}
}

// login finds out who asks; where it cannot, it has answered.
func (s *Server) login(w *recorder, r *http.Request, event *telemetry.Event, phone string) (*account.Account, bool) {
	user, password, ok := account.Basic(r.Header.Get("Authorization"))
	if !ok {
		w.unauthorized(eas.TextNoLogin)
		return nil, false
	}
	if s.Elsewhere != nil {
		if to := s.Elsewhere(user); to != "" {
			event.User = user
			w.elsewhere(to)
			return nil, false
		}
	}
	from := account.Caller{Device: phone, Address: account.ClientAddress(r.RemoteAddr)}
	acct, err := s.Accounts.LoginFrom(r.Context(), user, password, from)
	if err != nil {
		event.User = user
		if backend.KindOf(err) == backend.Denied && phone != "" {
			s.Devices.Presence.Refuse(device.ID{User: s.Accounts.NameOf(user), Device: phone})
		}
		if from.Address.IsValid() {
			event.Add(slog.String("address", from.Address.String()))
		}
		s.refuse(r.Context(), w, event, err)
		return nil, false
	}
	event.User = acct.Name()
	return acct, true
}
