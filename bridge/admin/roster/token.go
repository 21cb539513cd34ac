package roster

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// TokenPrefix is what tokens begin with, so that programs that look for lost
	// secrets find them.
	TokenPrefix = "pushbridge_"

	// MaxTokens bounds the tokens of one administrator.
	MaxTokens = 50

	// DefaultToken and MaxToken are how long a token is valid.
	DefaultToken = 90 * 24 * time.Hour
	MaxToken     = 366 * 24 * time.Hour

	// UsedStep is how exactly it is known when a token was used last.
	UsedStep = time.Hour

	idLength     = 8  // bytes
	maxTokenName = 80 // bytes
)

// A Token lets a program do what its owner may.
type Token struct {
	ID      string    `json:"-"`
	Owner   string    `json:"owner"`
	Name    string    `json:"name"` // what it is for
	Roles   []string  `json:"roles"`
	Hash    string    `json:"hash"` // of its secret
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Used    time.Time `json:"used,omitzero"` // to within UsedStep
}

// String hides the hash.
func (t Token) String() string { return "token " + t.ID + " of " + t.Owner }

// GoString hides it from %#v, too.
func (t Token) GoString() string { return t.String() }

// NewToken makes a token, and answers what is shown once. What it may is no more
// than its owner may.
func (s *Roster) NewToken(ctx context.Context, t Token, life time.Duration) (made Token, shown string, err error) {
	if life == 0 {
		life = DefaultToken
	}
	switch {
	case t.Name == "" || len(t.Name) > maxTokenName || !utf8.ValidString(t.Name) || strings.ContainsFunc(t.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return t, "", mistake("A token has a name, of at most %d bytes, that says what it is for.", maxTokenName)
	case life < 0 || life > MaxToken:
		return t, "", mistake("A token is valid for at most %d days.", int(MaxToken.Hours()/24))
	case len(t.Roles) == 0:
		return t, "", mistake("A token has one role at least.")
	}
	id := make([]byte, idLength)
	rand.Read(id)
	secret := newSecret()
	t.ID, t.Hash, t.Created = hex.EncodeToString(id), hashOf(secret), time.Now().UTC()
	t.Expires = t.Created.Add(life)
	err = s.options.Transact(ctx, func(ctx context.Context) error {
		a, err := s.Administrator(ctx, t.Owner)
		if err != nil {
			return err
		}
		if extra := slices.DeleteFunc(slices.Clone(t.Roles), func(r string) bool { return slices.Contains(a.Roles, r) }); len(extra) > 0 {
			return mistake("%s does not have the role %s, and cannot hand it on.", a.Name, strings.Join(extra, ", "))
		}
		mine, err := s.Tokens(ctx, t.Owner)
		if err != nil {
			return err
		}
		for _, old := range mine {
			if old.Expires.Before(t.Created) {
				if err := drop(ctx, s.options.Store, kindToken, old.ID); err != nil {
					return err
				}
			}
		}
		mine = slices.DeleteFunc(mine, func(old Token) bool { return old.Expires.Before(t.Created) })
		switch {
		case len(mine) >= MaxTokens:
			return mistake("%s has %d tokens, which is as many as there may be.", a.Name, len(mine))
		case slices.ContainsFunc(mine, func(old Token) bool { return old.Name == t.Name }):
			return mistake("%s has a token %q already.", a.Name, t.Name)
		}
		return save(ctx, s.options.Store, kindToken, t.ID, t)
	})
	return t, TokenPrefix + t.ID + "_" + secret, err
}

// Tokens lists those of one administrator, or all if owner is empty, the newest
// first.
func (s *Roster) Tokens(ctx context.Context, owner string) ([]Token, error) {
	all, err := loadAll[Token](ctx, s.options.Store, kindToken)
	if err != nil {
		return nil, err
	}
	list := []Token{}
	for id, t := range all {
		if t.ID = id; owner == "" || t.Owner == owner {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b Token) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// Revoke ends a token of an administrator.
func (s *Roster) Revoke(ctx context.Context, owner, id string) (t Token, err error) {
	err = s.options.Transact(ctx, func(ctx context.Context) error {
		if t, err = load[Token](ctx, s.options.Store, kindToken, id); err != nil {
			return err
		}
		if t.ID = id; t.Owner != owner {
			return ErrUnknown
		}
		return drop(ctx, s.options.Store, kindToken, id)
	})
	return t, err
}

// Token answers who shows a token. It may what both the token and its owner may
// at this moment.
func (s *Roster) Token(ctx context.Context, shown string) (Identity, error) {
	rest, ok := strings.CutPrefix(shown, TokenPrefix)
	id, secret, ok2 := strings.Cut(rest, "_")
	if !ok || !ok2 || len(id) != 2*idLength || len(secret) > 2*secretLength {
		return Identity{}, ErrEnded
	}
	t, err := load[Token](ctx, s.options.Store, kindToken, id)
	if errors.Is(err, ErrUnknown) {
		return Identity{}, ErrEnded
	}
	if err != nil {
		return Identity{}, err
	}
	now := time.Now().UTC()
	if subtle.ConstantTimeCompare([]byte(hashOf(secret)), []byte(t.Hash)) != 1 || now.After(t.Expires) {
		return Identity{}, ErrEnded
	}
	roles, err := s.rolesOf(ctx, t.Owner)
	if err != nil {
		return Identity{}, err
	}
	if now.Sub(t.Used) >= UsedStep {
		err = s.used(ctx, id, now)
	}
	return Identity{Administrator: t.Owner, Roles: common(t.Roles, roles), Token: t.Name}, err
}

// used notes that a token is used, unless it was revoked meanwhile.
func (s *Roster) used(ctx context.Context, id string, now time.Time) error {
	return s.options.Transact(ctx, func(ctx context.Context) error {
		t, err := load[Token](ctx, s.options.Store, kindToken, id)
		if errors.Is(err, ErrUnknown) {
			return ErrEnded
		}
		if err != nil {
			return err
		}
		t.Used = now
		return save(ctx, s.options.Store, kindToken, id, t)
	})
}
