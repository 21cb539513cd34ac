package admin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// socketAddress is where those are who may open the socket.
const socketAddress = "socket"

// An Administrator is a person who may sign in.
type Administrator struct {
	Name      string     `json:"name"`
	Roles     []string   `json:"roles"`
	Disabled  bool       `json:"disabled,omitempty"`
	Password  bool       `json:"password"`    // there is one: nobody signs in without
	TwoFactor bool       `json:"two_factors"` // a code is asked for, too
	Created   time.Time  `json:"created"`
	Changed   *time.Time `json:"password_changed,omitempty"`
}

// An AdministratorRequest makes an administrator, or changes one.
type AdministratorRequest struct {
	Name     string    `json:"name"`
	Create   bool      `json:"create,omitempty"` // there must not be one
	Roles    *[]string `json:"roles,omitempty"`
	Disabled *bool     `json:"disabled,omitempty"`
}

func (r AdministratorRequest) about() string { return "administrator " + r.Name }

// A NameRequest is about an administrator.
type NameRequest struct {
	Name string `json:"name"`
}

func (r NameRequest) about() string { return "administrator " + r.Name }

// A PasswordRequest gives an administrator a password.
type PasswordRequest struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

func (r PasswordRequest) about() string { return "administrator " + r.Name }

// String hides the password.
func (r PasswordRequest) String() string { return r.about() }

// GoString hides it from %#v, too.
func (r PasswordRequest) GoString() string { return r.about() }

// noRoster is for workers without a list of administrators.
var noRoster = &Error{Unknown, "This worker keeps no administrators."}

// ofRoster says for people what package roster says.
func ofRoster(err error, name string) error {
	wrong, ok := errors.AsType[roster.Mistake](err)
	throttled, slow := errors.AsType[roster.Throttled](err)
	switch {
	case ok:
		return invalid("%s", wrong.Text)
	case slow:
		return &Error{Busy, fmt.Sprintf("Too many wrong passwords: wait %d seconds.", int(math.Ceil(throttled.Wait.Seconds())))}
	case errors.Is(err, roster.ErrBusy):
		return &Error{Busy, "Too many passwords are being looked at just now: try again in a minute."}
	case errors.Is(err, roster.ErrSealed):
		return invalid("%s", sealed)
	case errors.Is(err, roster.ErrUnknown):
		return notFound("There is no such administrator, session or token: %.80q.", name)
	case errors.Is(err, roster.ErrWrong):
		return &Error{Refused, "The password is wrong."}
	}
	return err
}

// sealed says what to do where the key of a second factor is lost.
const sealed = "The secret of the second factor is encrypted with a key that is not in the file of policy.recovery_keys. Put that key back, or have another administrator drop the second factor."

// view is an administrator without secrets.
func view(a roster.Administrator) Administrator {
	v := Administrator{Name: a.Name, Roles: some(a.Roles), Disabled: a.Disabled, Password: a.Password != "", TwoFactor: a.TwoFactors(), Created: a.Created}
	if v.Password {
		v.Changed = &a.Changed
	}
	return v
}

func (s *Server) administrators(ctx context.Context, _ *visit, _ Nothing) ([]Administrator, error) {
	if s.Roster == nil {
		return nil, noRoster
	}
	all, err := s.Roster.Administrators(ctx)
	list := make([]Administrator, len(all))
	for i, a := range all {
		list[i] = view(a)
	}
	return list, err
}

// managing tells whether an actor may change who may sign in. Programs may not:
// whoever found a token would stay in by it after it was revoked.
func (s *Server) managing(v *visit) error {
	switch {
	case s.Roster == nil:
		return noRoster
	case v.Token != "":
		return &Error{Refused, "A token may not change who may sign in, and how: sign in, or ask at the socket."}
	}
	return nil
}

func (s *Server) editAdministrator(ctx context.Context, v *visit, r AdministratorRequest) (Administrator, error) {
	if err := s.managing(v); err != nil {
		return Administrator{}, err
	}
	if r.Roles != nil {
		for _, name := range *r.Roles {
			if role, err := ParseRole(name); err != nil || role == SelfService {
				return Administrator{}, invalid("%.40q is no role of an administrator; the roles are %s.", name, roleList(AllRoles))
			}
		}
	}
	var before Administrator
	after, err := s.Roster.Edit(ctx, r.Name, func(a *roster.Administrator, is bool) error {
		switch {
		case !is && !r.Create:
			return roster.ErrUnknown
		case is && r.Create:
			return roster.Mistake{Text: fmt.Sprintf("There is an administrator %q already.", r.Name)}
		case r.Create && (r.Roles == nil || len(*r.Roles) == 0):
			return roster.Mistake{Text: "Say which roles: " + roleList(AllRoles) + "."}
		}
		before = view(*a)
		if r.Roles != nil {
			a.Roles = *r.Roles
		}
		if r.Disabled != nil {
			a.Disabled = *r.Disabled
		}
		if before.runs() && !view(*a).runs() {
			return s.notTheLast(ctx, v, r.Name)
		}
		return nil
	})
	if err != nil {
		return Administrator{}, ofRoster(err, r.Name)
	}
	if r.Create {
		v.changed(nil, view(after))
	} else {
		v.changed(before, view(after))
	}
	return view(after), nil
}

// runs tells whether it is somebody who can mend everything else.
func (a Administrator) runs() bool {
	return !a.Disabled && a.Password && slices.Contains(a.Roles, string(ServerAdministrator))
}

// notTheLast keeps one server administrator at least, unless somebody asks who can
// make another one at the socket.
func (s *Server) notTheLast(ctx context.Context, v *visit, name string) error {
	if v.Address == socketAddress {
		return nil
	}
	all, err := s.Roster.Administrators(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(a roster.Administrator) bool { return a.Name != name && view(a).runs() }) {
		return roster.Mistake{Text: fmt.Sprintf("%s is the last server administrator: make another one first, or ask at the socket.", name)}
	}
	return nil
}

func (s *Server) removeAdministrator(ctx context.Context, v *visit, r NameRequest) (Done, error) {
	if err := s.managing(v); err != nil {
		return Done{}, err
	}
	err := s.Roster.Remove(ctx, r.Name, func(a roster.Administrator) error {
		v.changed(view(a), nil)
		if view(a).runs() {
			return s.notTheLast(ctx, v, r.Name)
		}
		return nil
	})
	if err != nil {
		return Done{}, ofRoster(err, r.Name)
	}
	return Done{fmt.Sprintf("%s is an administrator no more; their sessions and tokens have ended.", r.Name)}, nil
}

func (s *Server) setPassword(ctx context.Context, v *visit, r PasswordRequest) (Done, error) {
	if err := s.managing(v); err != nil {
		return Done{}, err
	}
	if err := s.Roster.SetPassword(ctx, r.Name, r.Password); err != nil {
		return Done{}, ofRoster(err, r.Name)
	}
	return Done{fmt.Sprintf("%s has a new password, and is signed in nowhere.", r.Name)}, nil
}

func (s *Server) dropFactor(ctx context.Context, v *visit, r NameRequest) (Done, error) {
	if err := s.managing(v); err != nil {
		return Done{}, err
	}
	if err := s.Roster.DropFactor(ctx, r.Name); err != nil {
		return Done{}, ofRoster(err, r.Name)
	}
	return Done{fmt.Sprintf("%s is asked for no code.", r.Name)}, nil
}
