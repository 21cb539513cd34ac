package admin

import (
	"context"
	"net/netip"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// An Account is what an administrator can see of themselves.
type Account struct {
	Administrator
	Sessions []Session `json:"sessions"`
	Tokens   []Token   `json:"tokens"`
}

// A ProofRequest has the actor's password once more: a browser that was left open
// is not to be enough.
type ProofRequest struct {
	Password string `json:"password"`
}

// String hides the password.
func (ProofRequest) String() string { return "password" }

// GoString hides it from %#v, too.
func (ProofRequest) GoString() string { return "password" }

// A ChangeRequest changes the actor's own password.
type ChangeRequest struct {
	Password string `json:"password"`
	New      string `json:"new"`
}

// String hides the passwords.
func (ChangeRequest) String() string { return "passwords" }

// GoString hides them from %#v, too.
func (ChangeRequest) GoString() string { return "passwords" }

// A NewFactor is what an app is given to compute codes from. It cannot be read
// again.
type NewFactor struct {
	Secret string `json:"secret"` // to be typed
	URL    string `json:"url"`    // to be read from a QR code
}

// A CodeRequest has a code that an app shows.
type CodeRequest struct {
	Code string `json:"code"`
}

// issuer is what apps call this program.
const issuer = "pushbridge"

// self is the administrator who signed in.
func (s *Server) self(v *visit) (string, error) {
	if err := s.managing(v); err != nil {
		return "", err
	}
	if v.Administrator == "" {
		return "", invalid("This is about whoever is signed in with a name of the list of administrators, and %s is not.", v.Name)
	}
	v.about("administrator %s", v.Administrator)
	return v.Administrator, nil
}

// from is where the actor is.
func (v *visit) from() roster.Caller {
	address, err := netip.ParseAddr(v.Address)
	if err != nil {
		return roster.Caller{}
	}
	return roster.Caller{Address: address}
}

func (s *Server) account(ctx context.Context, v *visit, _ Nothing) (Account, error) {
	me, err := s.self(v)
	if err != nil {
		return Account{}, err
	}
	a, err := s.Roster.Administrator(ctx, me)
	if err != nil {
		return Account{}, ofRoster(err, me)
	}
	sessions, err := s.sessions(ctx, v, SessionRequest{Administrator: me})
	if err != nil {
		return Account{}, err
	}
	tokens, err := s.tokens(ctx, v, TokensRequest{Administrator: me})
	return Account{view(a), sessions, tokens}, err
}

func (s *Server) changePassword(ctx context.Context, v *visit, r ChangeRequest) (Done, error) {
	me, err := s.self(v)
	if err != nil {
		return Done{}, err
	}
	if err := s.Roster.Prove(ctx, me, r.Password, v.from()); err != nil {
		return Done{}, ofRoster(err, me)
	}
	if err := s.Roster.SetPassword(ctx, me, r.New); err != nil {
		return Done{}, ofRoster(err, me)
	}
	return Done{"The password is changed: sign in with it."}, nil
}

func (s *Server) beginFactor(ctx context.Context, v *visit, r ProofRequest) (NewFactor, error) {
	me, err := s.self(v)
	if err != nil {
		return NewFactor{}, err
	}
	if err := s.Roster.Prove(ctx, me, r.Password, v.from()); err != nil {
		return NewFactor{}, ofRoster(err, me)
	}
	secret, url, err := s.Roster.BeginFactor(ctx, me, issuer)
	if err != nil {
		return NewFactor{}, ofRoster(err, me)
	}
	return NewFactor{secret, url}, nil
}

func (s *Server) confirmFactor(ctx context.Context, v *visit, r CodeRequest) (Done, error) {
	me, err := s.self(v)
	if err != nil {
		return Done{}, err
	}
	if err := s.Roster.ConfirmFactor(ctx, me, r.Code, v.from()); err != nil {
		return Done{}, ofRoster(err, me)
	}
	return Done{"From now on a code is asked for, too."}, nil
}

func (s *Server) dropOwnFactor(ctx context.Context, v *visit, r ProofRequest) (Done, error) {
	me, err := s.self(v)
	if err != nil {
		return Done{}, err
	}
	if err := s.Roster.Prove(ctx, me, r.Password, v.from()); err != nil {
		return Done{}, ofRoster(err, me)
	}
	if err := s.Roster.DropFactor(ctx, me); err != nil {
		return Done{}, ofRoster(err, me)
	}
	return Done{"No code is asked for any more."}, nil
}

func (s *Server) revokeOwn(ctx context.Context, v *visit, r RevokeRequest) (Done, error) {
	me, err := s.self(v)
	switch {
	case err != nil:
		return Done{}, err
	case r.Administrator != "" && r.Administrator != me:
		return Done{}, &Error{Refused, "This is for tokens of one's own."}
	}
	v.about("token %s of administrator %s", r.ID, me)
	return s.revoked(ctx, v, me, r.ID)
}

// A NumberRequest ends a session of the actor's; without a number, all but the one
// that asks.
type NumberRequest struct {
	Number string `json:"number,omitempty"`
}

func (s *Server) endOwn(ctx context.Context, v *visit, r NumberRequest) (Done, error) {
	me, err := s.self(v)
	if err != nil {
		return Done{}, err
	}
	return s.end(ctx, EndRequest{Number: r.Number, Administrator: me}, func(x roster.Session) bool { return r.Number != "" || x.ID != v.Session })
}
