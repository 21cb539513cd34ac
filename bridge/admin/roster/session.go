package roster

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/audit"
)

const (
	// MaxSessions is how many sessions one person has at a time; another one ends
	// the oldest.
	MaxSessions = 20

	// SeenStep is how exactly it is known when a session was used last: not every
	// request is to write.
	SeenStep = time.Minute

	secretLength = 32  // bytes
	maxAgent     = 200 // characters of a browser's name
	shownID      = 16  // digits of a session's number
)

// A Session is somebody who is signed in.
type Session struct {
	ID            string    `json:"-"`                       // the hash of its secret
	Administrator string    `json:"administrator,omitempty"` // or
	User          string    `json:"user,omitempty"`          // a phone's owner
	Began         time.Time `json:"began"`
	Seen          time.Time `json:"seen"` // to within SeenStep
	Address       string    `json:"address,omitempty"`
	Agent         string    `json:"agent,omitempty"` // what the browser calls itself

	// Outside has the roles of an administrator who is not in the list, for whom
	// somebody else vouched.
	Outside []string `json:"outside,omitempty"`
}

// Number is what a session is called where people see it. It is of no use to
// whoever wants to be that person.
func (s Session) Number() string { return s.ID[:min(shownID, len(s.ID))] }

// whose tells two people's sessions apart.
func (s Session) whose() string { return s.Administrator + "\x00" + s.User }

// over tells whether a session has ended by itself.
func (s *Roster) over(x Session, now time.Time) bool {
	return now.Sub(x.Seen) > s.options.Idle+SeenStep || now.Sub(x.Began) > s.options.Longest
}

// A Caller is where somebody signs in from.
type Caller struct {
	Address netip.Addr
	Agent   string
}

func (c Caller) account() account.Caller { return account.Caller{Address: c.Address} }

// text is the address for people; empty if it is not known.
func (c Caller) text() string {
	if !c.Address.IsValid() {
		return ""
	}
	return c.Address.String()
}

// actions of the audit.
const (
	actionSignIn  = "signin"
	actionSignOut = "signout"
)

// SignIn begins a session of an administrator, and answers its secret. The code is
// empty for who has no second factor.
func (s *Roster) SignIn(ctx context.Context, name, password, code string, from Caller) (secret string, err error) {
	name = Name(name)
	a, err := s.proved(ctx, name, password, from)
	known := a.Password != ""
	if err == nil {
		secret, err = s.enter(ctx, a, code, from)
	}
	if errors.Is(err, ErrWrong) {
		e := audit.Entry{Actor: "nobody", Address: from.text(), Action: actionSignIn, Outcome: audit.Denied, Detail: "there is no such administrator"}
		if known { // what else is typed there may be a password
			e.Actor, e.Object, e.Detail = name, "administrator "+name, "the password or the code is wrong, or the administrator is switched off"
		}
		err = errors.Join(err, s.note(context.WithoutCancel(ctx), e))
	}
	if errors.Is(err, ErrSealed) {
		e := audit.Entry{Actor: name, Address: from.text(), Action: actionSignIn, Object: "administrator " + name, Outcome: audit.Failed, Detail: "the key of the second factor is not there"}
		err = errors.Join(err, s.note(context.WithoutCancel(ctx), e))
	}
	return secret, err
}

// enter begins the session of somebody who knows the password.
func (s *Roster) enter(ctx context.Context, a Administrator, code string, from Caller) (secret string, err error) {
	err = s.options.Transact(ctx, func(ctx context.Context) error {
		now, err := s.Administrator(ctx, a.Name)
		if errors.Is(err, ErrUnknown) || err == nil && (now.Disabled || now.Password != a.Password) {
			return ErrWrong // somebody changed that meanwhile
		}
		if err != nil {
			return err
		}
		if now.TwoFactors() {
			right, err := s.takes(a.Name, now.Factor, strings.ReplaceAll(code, " ", ""))
			switch {
			case err != nil:
				return err
			case !right:
				return ErrWrong
			}
			if err := save(ctx, s.options.Store, kindAdministrator, a.Name, now); err != nil {
				return err
			}
		}
		secret, err = s.begin(ctx, Session{Administrator: a.Name}, from)
		return err
	})
	who := from.account()
	switch {
	case err == nil:
		s.throttle.Give(throttled(a.Name), who)
	case errors.Is(err, ErrWrong):
		s.throttle.Settle(throttled(a.Name), who)
	default:
		s.throttle.Give(throttled(a.Name), who)
	}
	return secret, err
}

// Admit begins a session of somebody for whom others vouch: of a phone's owner,
// whose password the backend took, or of an administrator from elsewhere.
func (s *Roster) Admit(ctx context.Context, x Session, from Caller) (secret string, err error) {
	err = s.options.Transact(ctx, func(ctx context.Context) error {
		secret, err = s.begin(ctx, x, from)
		return err
	})
	return secret, err
}

// Refused notes that somebody did not get in whom others did not vouch for.
func (s *Roster) Refused(ctx context.Context, who, object, why string, from Caller) error {
	return s.note(context.WithoutCancel(ctx), audit.Entry{Actor: who, Address: from.text(), Action: actionSignIn, Object: object, Outcome: audit.Denied, Detail: why})
}

// begin makes a session, and room for it.
func (s *Roster) begin(ctx context.Context, x Session, from Caller) (string, error) {
	now := time.Now().UTC()
	x.Began, x.Seen, x.Address, x.Agent = now, now, from.text(), strings.ToValidUTF8(fmt.Sprintf("%.*s", maxAgent, from.Agent), "?")
	all, err := loadAll[Session](ctx, s.options.Store, kindSession)
	if err != nil {
		return "", err
	}
	var mine []Session
	for id, other := range all {
		other.ID = id
		switch {
		case s.over(other, now):
			if err := drop(ctx, s.options.Store, kindSession, id); err != nil {
				return "", err
			}
		case other.whose() == x.whose():
			mine = append(mine, other)
		}
	}
	slices.SortFunc(mine, func(a, b Session) int { return cmp.Or(a.Seen.Compare(b.Seen), cmp.Compare(a.ID, b.ID)) })
	for _, old := range mine[:max(0, len(mine)-MaxSessions+1)] {
		if err := drop(ctx, s.options.Store, kindSession, old.ID); err != nil {
			return "", err
		}
	}
	secret := newSecret()
	x.ID = hashOf(secret)
	if err := save(ctx, s.options.Store, kindSession, x.ID, x); err != nil {
		return "", err
	}
	return secret, s.note(ctx, audit.Entry{Actor: cmp.Or(x.Administrator, x.User), Address: x.Address, Action: actionSignIn, Object: x.object(), Outcome: audit.Done})
}

// object names whose session it is in the audit.
func (s Session) object() string {
	if s.Administrator != "" {
		return "administrator " + s.Administrator
	}
	return "owner " + s.User
}

// An Identity is who somebody is, by a session or a token.
type Identity struct {
	Administrator string
	User          string // a phone's owner
	Outside       bool   // the administrator is not in the list
	Roles         []string
	Session       string // its ID; empty for a token
	Token         string // its name; empty for a session
}

// Session answers whose session has a secret.
func (s *Roster) Session(ctx context.Context, secret string) (Identity, error) {
	if len(secret) > 2*secretLength {
		return Identity{}, ErrEnded
	}
	id := hashOf(secret)
	x, err := load[Session](ctx, s.options.Store, kindSession, id)
	if errors.Is(err, ErrUnknown) {
		return Identity{}, ErrEnded
	}
	if err != nil {
		return Identity{}, err
	}
	now := time.Now().UTC()
	if s.over(x, now) || now.Sub(x.Seen) > s.options.Idle {
		return Identity{}, ErrEnded
	}
	who := Identity{Administrator: x.Administrator, User: x.User, Session: id}
	switch {
	case x.User != "":
	case x.Outside != nil:
		who.Outside, who.Roles = true, x.Outside
	default:
		if who.Roles, err = s.rolesOf(ctx, x.Administrator); err != nil {
			return Identity{}, err
		}
	}
	if now.Sub(x.Seen) >= SeenStep {
		err = s.seen(ctx, id, now)
	}
	return who, err
}

// seen notes that a session is used, unless it was ended meanwhile.
func (s *Roster) seen(ctx context.Context, id string, now time.Time) error {
	return s.options.Transact(ctx, func(ctx context.Context) error {
		x, err := load[Session](ctx, s.options.Store, kindSession, id)
		if errors.Is(err, ErrUnknown) {
			return ErrEnded
		}
		if err != nil {
			return err
		}
		x.Seen = now
		return save(ctx, s.options.Store, kindSession, id, x)
	})
}

// rolesOf answers the present roles of an administrator.
func (s *Roster) rolesOf(ctx context.Context, name string) ([]string, error) {
	a, err := s.Administrator(ctx, name)
	if errors.Is(err, ErrUnknown) || err == nil && a.Disabled {
		return nil, ErrEnded
	}
	return a.Roles, err
}

// SignOut ends the session that has a secret, if there is one.
func (s *Roster) SignOut(ctx context.Context, secret string, from Caller) error {
	id := hashOf(secret)
	return s.options.Transact(ctx, func(ctx context.Context) error {
		x, err := load[Session](ctx, s.options.Store, kindSession, id)
		if errors.Is(err, ErrUnknown) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := drop(ctx, s.options.Store, kindSession, id); err != nil {
			return err
		}
		return s.note(ctx, audit.Entry{Actor: cmp.Or(x.Administrator, x.User), Address: from.text(), Action: actionSignOut, Object: x.object(), Outcome: audit.Done})
	})
}

// Sessions lists those that go on, the one used last first; those of one
// administrator, or of one phone's owner, or all.
func (s *Roster) Sessions(ctx context.Context, administrator, user string) ([]Session, error) {
	all, err := loadAll[Session](ctx, s.options.Store, kindSession)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	list := []Session{}
	for id, x := range all {
		x.ID = id
		if s.over(x, now) || administrator != "" && x.Administrator != administrator || user != "" && x.User != user {
			continue
		}
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b Session) int { return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// EndSession ends one session, by its number.
func (s *Roster) EndSession(ctx context.Context, x Session) error {
	return drop(ctx, s.options.Store, kindSession, x.ID)
}

// EndOwner ends all sessions of a phone's owner, for a reason, and answers how many
// there were.
func (s *Roster) EndOwner(ctx context.Context, user, why string) (ended int, err error) {
	err = s.options.Transact(ctx, func(ctx context.Context) error {
		list, err := s.Sessions(ctx, "", user)
		if err != nil || len(list) == 0 || user == "" {
			return err
		}
		for _, x := range list {
			if err := drop(ctx, s.options.Store, kindSession, x.ID); err != nil {
				return err
			}
		}
		ended = len(list)
		return s.note(ctx, audit.Entry{Actor: "pushbridge", Action: actionSignOut, Object: "owner " + user, Outcome: audit.Done, Detail: why})
	})
	return ended, err
}

// endSessionsOf ends all sessions of an administrator.
func (s *Roster) endSessionsOf(ctx context.Context, name string) (int, error) {
	all, err := loadAll[Session](ctx, s.options.Store, kindSession)
	if err != nil {
		return 0, err
	}
	ended := 0
	for id, x := range all {
		if x.Administrator != name || x.Outside != nil {
			continue
		}
		if err := drop(ctx, s.options.Store, kindSession, id); err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}

// note writes into the audit.
func (s *Roster) note(ctx context.Context, e audit.Entry) error {
	if s.options.Audit == nil {
		return nil
	}
	if _, err := s.options.Audit.Append(ctx, e); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	return nil
}

func newSecret() string {
	random := make([]byte, secretLength)
	rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// hashOf is what is kept of a secret. It has 256 random bits, so that nothing
// slower is needed.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
