package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// A Session is somebody who is signed in.
type Session struct {
	Number        string    `json:"number"`
	Administrator string    `json:"administrator,omitempty"`
	User          string    `json:"user,omitempty"` // a phone's owner
	Began         time.Time `json:"began"`
	Seen          time.Time `json:"seen"` // to within a minute
	Address       string    `json:"address,omitempty"`
	Agent         string    `json:"agent,omitempty"` // what the browser calls itself, which is not to be trusted
	This          bool      `json:"this,omitempty"`  // the one that asks
}

// A SessionRequest asks for sessions: of an administrator, of a phone's owner, or
// all.
type SessionRequest struct {
	Administrator string `json:"administrator,omitempty"`
	User          string `json:"user,omitempty"`
}

// An EndRequest ends a session, or all of an administrator or of a phone's owner.
type EndRequest struct {
	Number        string `json:"number,omitempty"`
	Administrator string `json:"administrator,omitempty"`
	User          string `json:"user,omitempty"`
}

func (r EndRequest) about() string {
	switch {
	case r.Number != "":
		return "session " + r.Number
	case r.Administrator != "":
		return "sessions of administrator " + r.Administrator
	}
	return "sessions of owner " + r.User
}

// A Token lets a program do what its owner may.
type Token struct {
	ID            string     `json:"id"`
	Administrator string     `json:"administrator"`
	Name          string     `json:"name"`
	Roles         []string   `json:"roles"`
	Created       time.Time  `json:"created"`
	Expires       time.Time  `json:"expires"`
	Used          *time.Time `json:"used,omitempty"` // to within an hour
}

// A TokensRequest asks for the tokens of an administrator, or all.
type TokensRequest struct {
	Administrator string `json:"administrator,omitempty"`
}

// A RevokeRequest ends a token.
type RevokeRequest struct {
	Administrator string `json:"administrator,omitempty"` // empty means the actor
	ID            string `json:"id"`
}

func (r RevokeRequest) about() string {
	return "token " + r.ID + " of administrator " + r.Administrator
}

func viewSession(x roster.Session, v *visit) Session {
	return Session{Number: x.Number(), Administrator: x.Administrator, User: x.User, Began: x.Began, Seen: x.Seen, Address: x.Address, Agent: x.Agent,
		This: v.Session != "" && x.ID == v.Session}
}

func viewToken(t roster.Token) Token {
	view := Token{ID: t.ID, Administrator: t.Owner, Name: t.Name, Roles: some(t.Roles), Created: t.Created, Expires: t.Expires}
	if !t.Used.IsZero() {
		view.Used = &t.Used
	}
	return view
}

func (s *Server) sessions(ctx context.Context, v *visit, r SessionRequest) ([]Session, error) {
	if s.Roster == nil {
		return nil, noRoster
	}
	all, err := s.Roster.Sessions(ctx, r.Administrator, r.User)
	list := make([]Session, len(all))
	for i, x := range all {
		list[i] = viewSession(x, v)
	}
	return list, err
}

func (s *Server) endSessions(ctx context.Context, v *visit, r EndRequest) (Done, error) {
	if err := s.managing(v); err != nil {
		return Done{}, err
	}
	if r == (EndRequest{}) {
		return Done{}, invalid("say which sessions: number, administrator or user")
	}
	return s.end(ctx, r, func(roster.Session) bool { return true })
}

// end ends sessions that there are, and are among those that may be ended.
func (s *Server) end(ctx context.Context, r EndRequest, may func(roster.Session) bool) (Done, error) {
	all, err := s.Roster.Sessions(ctx, r.Administrator, r.User)
	if err != nil {
		return Done{}, err
	}
	ended := 0
	for _, x := range all {
		if !may(x) || r.Number != "" && x.Number() != r.Number {
			continue
		}
		if err := s.Roster.EndSession(ctx, x); err != nil {
			return Done{}, err
		}
		ended++
	}
	if r.Number != "" && ended == 0 {
		return Done{}, notFound("There is no session %.40q, or not any more.", r.Number)
	}
	return Done{fmt.Sprintf("Sessions that have ended: %d.", ended)}, nil
}

func (s *Server) tokens(ctx context.Context, _ *visit, r TokensRequest) ([]Token, error) {
	if s.Roster == nil {
		return nil, noRoster
	}
	all, err := s.Roster.Tokens(ctx, r.Administrator)
	list := make([]Token, len(all))
	for i, t := range all {
		list[i] = viewToken(t)
	}
	return list, err
}

func (s *Server) revoke(ctx context.Context, v *visit, r RevokeRequest) (Done, error) {
	if err := s.managing(v); err != nil {
		return Done{}, err
	}
	return s.revoked(ctx, v, r.Administrator, r.ID)
}

func (s *Server) revoked(ctx context.Context, v *visit, owner, id string) (Done, error) {
	t, err := s.Roster.Revoke(ctx, owner, id)
	if err != nil {
		return Done{}, ofRoster(err, id)
	}
	v.changed(viewToken(t), nil)
	return Done{fmt.Sprintf("The token %s of %s is not valid any more.", t.Name, t.Owner)}, nil
}

// A NewTokenRequest makes a token.
type NewTokenRequest struct {
	Administrator string   `json:"administrator,omitempty"` // empty means the actor; somebody else only at the socket
	Name          string   `json:"name"`                    // what it is for
	Roles         []string `json:"roles"`                   // of those that the administrator has
	Days          int      `json:"days,omitempty"`          // that it is valid; 0 means 90
	Password      string   `json:"password,omitempty"`      // the actor's; not at the socket
}

func (r NewTokenRequest) about() string { return "token " + r.Name }

// String hides the password.
func (r NewTokenRequest) String() string { return r.about() }

// GoString hides it from %#v, too.
func (r NewTokenRequest) GoString() string { return r.about() }

// A NewToken is a token, and what is to be shown for it. It cannot be read again.
type NewToken struct {
	Token
	Secret string `json:"secret"`
}

func (s *Server) newToken(ctx context.Context, v *visit, r NewTokenRequest) (NewToken, error) {
	owner := r.Administrator
	if v.Address == socketAddress && s.Roster != nil && owner != "" {
		return s.makeToken(ctx, v, owner, r)
	}
	me, err := s.self(v)
	if err != nil {
		return NewToken{}, err
	}
	if owner != "" && owner != me {
		return NewToken{}, &Error{Refused, "Everybody makes their own tokens."}
	}
	if err := s.Roster.Prove(ctx, me, r.Password, v.from()); err != nil {
		return NewToken{}, ofRoster(err, me)
	}
	return s.makeToken(ctx, v, me, r)
}

func (s *Server) makeToken(ctx context.Context, v *visit, owner string, r NewTokenRequest) (NewToken, error) {
	v.about("token %s of administrator %s", r.Name, owner)
	const day = 24 * time.Hour
	if r.Days < 0 || r.Days > int(roster.MaxToken/day) {
		return NewToken{}, invalid("A token is valid for at most %d days.", int(roster.MaxToken/day))
	}
	t, secret, err := s.Roster.NewToken(ctx, roster.Token{Owner: owner, Name: strings.TrimSpace(r.Name), Roles: r.Roles}, time.Duration(r.Days)*day)
	if err != nil {
		return NewToken{}, ofRoster(err, owner)
	}
	v.changed(nil, viewToken(t))
	return NewToken{viewToken(t), secret}, nil
}
