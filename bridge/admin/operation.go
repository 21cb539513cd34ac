package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/audit"
)

// A Mode is what an operation does to the state, and therefore how it comes into
// the audit.
type Mode int

// The modes.
const (
	// Reads: it changes nothing, and stands nowhere.
	Reads Mode = iota

	// Changes: what it changes and its entry in the audit come true together, or
	// neither does.
	Changes

	// Orders: what it changes is not in the database alone, or takes its time. An
	// entry that it begins comes before it, another one says what came of it.
	Orders

	// Streams: it is called again and again by a program on behalf of a Changes or
	// Orders that stands in the audit.
	Streams
)

// An Operation is one thing that can be asked for or ordered, and who may. The
// list of them is [Operations].
type Operation struct {
	Name    string // for the audit, and for documents: "wipe.order"
	Method  string // of HTTP
	Path    string
	Summary string // a sentence
	Roles   []Role // who may
	Own     bool   // SelfService may, with what is the actor's own
	Mode    Mode
	Large   bool // its request may have MaxLarge bytes

	// Request and Answer are what it is given and what it answers, as JSON. With
	// GET the fields of Request come as the query.
	Request, Answer reflect.Type

	run func(*Server, context.Context, *visit, any) (any, error)
}

// An Op is an operation with its types. Everything that anybody does to a worker
// is done by Do.
type Op[Q, A any] struct{ *Operation }

// Operations are all that there are.
var Operations []*Operation

// byPath finds them.
var byPath = map[string]*Operation{}

// Nothing is the request of an operation that needs to know nothing.
type Nothing struct{}

// op enters an operation into the list.
func op[Q, A any](o Operation, run func(*Server, context.Context, *visit, Q) (A, error)) Op[Q, A] {
	o.Request, o.Answer = reflect.TypeFor[Q](), reflect.TypeFor[A]()
	o.run = func(s *Server, ctx context.Context, v *visit, q any) (any, error) { return run(s, ctx, v, q.(Q)) }
	if o.Own {
		o.Roles = append(slices.Clone(o.Roles), SelfService)
		if _, ok := any(*new(Q)).(owned); !ok {
			panic("admin: a request of " + o.Name + " does not say whose")
		}
	}
	if byPath[o.Path] != nil {
		panic("admin: two operations have the path " + o.Path)
	}
	Operations = append(Operations, &o)
	byPath[o.Path] = &o
	return Op[Q, A]{&o}
}

// get and post begin the description of an operation.
func get(name, path, summary string, roles []Role) Operation {
	return Operation{Name: name, Method: http.MethodGet, Path: path, Summary: summary, Roles: roles}
}

func post(name, path, summary string, roles []Role, m Mode) Operation {
	return Operation{Name: name, Method: http.MethodPost, Path: path, Summary: summary, Roles: roles, Mode: m}
}

// large lets a request have MaxLarge bytes.
func large(o Operation) Operation { o.Large = true; return o }

// own lets people do it with what is theirs.
func own(o Operation) Operation { o.Own = true; return o }

// owned are requests about something of a person's: a phone, a folder, or all
// that they have.
type owned interface {
	whose() (user, device string, folder int64)
}

// named are requests about something that is nobody's: a group, the policies.
type named interface{ about() string }

// Allows tells whether an actor may, with this request. What SelfService may is
// decided here and nowhere else.
func (o *Operation) Allows(a Actor, request any) bool {
	if o.forRoleOf(a) {
		return true
	}
	if !o.Own || !a.Is(SelfService) || a.User == "" {
		return false
	}
	q, ok := request.(owned)
	if !ok {
		return false
	}
	user, _, _ := q.whose()
	return user == a.User
}

// forRoleOf tells whether an actor may whoever it concerns, and not only as a
// phone's owner.
func (o *Operation) forRoleOf(a Actor) bool {
	return slices.ContainsFunc(a.Roles, func(r Role) bool { return r != SelfService && slices.Contains(o.Roles, r) })
}

// A visit is one call of an operation.
type visit struct {
	Actor
	alone         bool   // the actor may as the phone's owner alone, whatever other roles there are
	object        string // whom it concerns, for the audit
	before, after any    // what changed; nil for nothing
	then          []func(context.Context)
	note          []slog.Attr // for the log
}

// of notes whom an operation concerns.
func (v *visit) of(user, device string, folder int64) {
	user, device = cut(user), cut(device)
	v.note = []slog.Attr{slog.String("user", user)}
	v.object = user
	if device != "" {
		v.note = append(v.note, slog.String("phone", device))
		v.object = phoneObject(user, device)
	}
	if folder != 0 {
		v.note = append(v.note, slog.Int64("folder", folder))
		v.object = fmt.Sprintf("folder %d, %s", folder, v.object)
	}
}

// phoneObject names a phone in the audit.
func phoneObject(user, device string) string { return "phone " + cut(device) + " of " + cut(user) }

// about notes what an operation concerns that is nobody's.
func (v *visit) about(format string, args ...any) {
	v.object = cut(fmt.Sprintf(format, args...))
	v.note = []slog.Attr{slog.String("object", v.object)}
}

// changed notes what was before and what is now.
func (v *visit) changed(before, after any) { v.before, v.after = before, after }

// afterwards has something done once what was ordered is true: phones that are
// woken before would not see it.
func (v *visit) afterwards(f func(context.Context)) { v.then = append(v.then, f) }

func cut(s string) string { return fmt.Sprintf("%.*s", MaxName, s) }

// Do does it for an actor, if the actor may.
func (o Op[Q, A]) Do(ctx context.Context, s *Server, a Actor, request Q) (A, error) {
	answer, err := s.do(ctx, o.Operation, a, request)
	if err != nil {
		var none A
		return none, err
	}
	return answer.(A), nil
}

// do is the door that everything goes through. Errors are *Error.
func (s *Server) do(ctx context.Context, o *Operation, a Actor, request any) (any, error) {
	began := time.Now()
	v := &visit{Actor: a}
	switch q := request.(type) {
	case owned:
		v.of(q.whose())
	case named:
		v.about("%s", q.about())
	}
	answer, err := s.admitted(ctx, o, v, request)
	if err != nil {
		failed, ok := errors.AsType[*Error](err)
		if !ok {
			failed = &Error{Internal, "The worker could not do it: " + err.Error()}
		}
		answer, err = nil, failed
	}
	s.said(ctx, o, v, time.Since(began), err)
	return answer, err
}

// admitted does it if the actor may, and writes it down.
func (s *Server) admitted(ctx context.Context, o *Operation, v *visit, request any) (answer any, err error) {
	if !o.Allows(v.Actor, request) {
		err := &Error{Refused, fmt.Sprintf("%s may not do this: it is for %s.", v.Name, roleList(o.Roles))}
		if o.Mode == Changes || o.Mode == Orders {
			s.failed(ctx, o, v, audit.Denied, err)
		}
		return nil, err
	}
	v.alone = !o.forRoleOf(v.Actor)
	switch o.Mode {
	case Reads, Streams:
		return s.run(ctx, o, v, request)
	case Orders:
		if err := s.record(ctx, o, v, audit.Begun, nil); err != nil {
			return nil, err
		}
		if answer, err = s.run(ctx, o, v, request); err != nil {
			break
		}
		if err := s.record(context.WithoutCancel(ctx), o, v, audit.Done, nil); err != nil {
			// It is done, so that no entry may say that it failed.
			s.Logger.Error("an entry of the audit could not be written", "call", o.Path, "by", v.Name, "outcome", string(audit.Done), "error", err)
			return nil, &Error{Internal, "It is done; but the audit says only that it was begun, since the end of it could not be written: " + err.Error()}
		}
	case Changes:
		err = s.transact(ctx, func(ctx context.Context) error {
			if answer, err = s.run(ctx, o, v, request); err != nil {
				return err
			}
			return s.record(ctx, o, v, audit.Done, nil)
		})
	}
	if err != nil {
		s.failed(ctx, o, v, audit.Failed, err)
		return nil, err
	}
	for _, f := range v.then {
		f(context.WithoutCancel(ctx)) // and not that of the transaction, which is over
	}
	return answer, nil
}

// transact makes changes and their entry one.
func (s *Server) transact(ctx context.Context, work func(context.Context) error) error {
	if s.Transact == nil {
		return work(ctx)
	}
	return s.Transact(ctx, work)
}

// run carries an operation out. A mistake of ours concerns this call only.
func (s *Server) run(ctx context.Context, o *Operation, v *visit, request any) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Logger.Error("panic", "call", o.Path, "panic", p, "stack", string(debug.Stack()))
			err = &Error{Internal, "The worker made a mistake; its log has the particulars."}
		}
	}()
	return o.run(s, ctx, v, request)
}

// record writes an entry.
func (s *Server) record(ctx context.Context, o *Operation, v *visit, what audit.Outcome, why error) error {
	if s.Audit == nil {
		return nil
	}
	e := audit.Entry{Actor: v.Name, Address: v.Address, Action: o.Name, Object: v.object, Outcome: what}
	if why != nil {
		e.Detail = why.Error()
	}
	if what == audit.Done {
		for _, half := range []struct {
			from any
			to   *json.RawMessage
		}{{v.before, &e.Before}, {v.after, &e.After}} {
			if half.from == nil {
				continue
			}
			text, err := json.Marshal(half.from)
			if err != nil {
				return fmt.Errorf("admin: what changed: %w", err)
			}
			*half.to = text
		}
	}
	_, err := s.Audit.Append(ctx, e)
	return err
}

// failed writes down what did not come about. If that cannot be written either,
// the log has to do.
func (s *Server) failed(ctx context.Context, o *Operation, v *visit, what audit.Outcome, why error) {
	if err := s.record(context.WithoutCancel(ctx), o, v, what, why); err != nil {
		s.Logger.Error("an entry of the audit could not be written", "call", o.Path, "by", v.Name, "outcome", string(what), "error", err)
	}
}

func roleList(roles []Role) string {
	text := ""
	for i, r := range roles {
		switch {
		case i == 0:
		case i == len(roles)-1:
			text += " and "
		default:
			text += ", "
		}
		text += string(r)
	}
	return text
}
