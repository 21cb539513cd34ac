package easserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// DefaultSearchTime bounds how long a question for people waits for address books that
// are read for the first time. Phones wait half a minute for an answer; the next
// question goes on where this one stopped.
const DefaultSearchTime = 20 * time.Second

// books are the address books in which one person may look for people.
type books struct {
	places  []directory.Place // those for everybody first
	sources map[directory.Place]backend.Session
	gal     map[directory.Place]bool // the administrator's directory
	err     error                    // of the books that could not be brought up to date
	late    bool                     // there was not time enough for all
}

// books finds a person's address books, and those for everybody, and brings
// their indexes up to date. A book that cannot be is asked as it was; only a
// password that is refused ends the question.
func (s *Server) books(ctx context.Context, c *call) (*books, error) {
	b := &books{sources: make(map[directory.Place]backend.Session), gal: make(map[directory.Place]bool)}
	within, cancel := context.WithTimeout(ctx, s.SearchTime)
	defer cancel()
	var errs []error
	if shared := s.Directory.Shared(); shared != nil {
		places, session, err := shared.Open(within)
		if err != nil {
			errs = append(errs, err)
		}
		for _, p := range places {
			b.add(p, session, true)
		}
	}
	folders, err := s.bookFolders(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, named := range []bool{true, false} {
		for _, f := range folders {
			gal := s.InDirectory != nil && s.InDirectory(f)
			if gal != named {
				continue
			}
			session, err := c.account.Session(ctx, f.Backend)
			if err != nil {
				if backend.KindOf(err) == backend.Denied {
					return nil, err
				}
				errs = append(errs, err)
				continue
			}
			b.add(directory.Place{Owner: c.phone.User, Backend: f.Backend, Collection: f.Collection}, session, gal)
		}
	}
	if err := s.refreshBooks(ctx, within, b, &errs); err != nil {
		return nil, err
	}
	if b.err = errors.Join(errs...); b.err != nil {
		s.Logger.WarnContext(ctx, "an address book cannot be read; people are found in it as it was", "user", c.phone.User, "error", b.err)
	}
	return b, nil
}

func (b *books) add(p directory.Place, session backend.Session, gal bool) {
	if _, twice := b.sources[p]; !twice {
		b.places = append(b.places, p)
		b.sources[p], b.gal[p] = session, gal
	}
}

// bookFolders are the person's address books. A phone may look for people before
// it asks for folders.
func (s *Server) bookFolders(ctx context.Context, c *call) ([]syncengine.Folder, error) {
	folders, err := s.Engine.Folders(ctx, c.phone.User)
	if err == nil && len(folders) == 0 {
		if _, err = s.refreshFolders(ctx, c.account); err == nil {
			folders, err = s.Engine.Folders(ctx, c.phone.User)
		}
	}
	var list []syncengine.Folder
	for _, f := range folders {
		if f.Kind == backend.Contacts {
			list = append(list, f)
		}
	}
	return list, err
}

// refreshBooks brings the indexes up to date within some time.
func (s *Server) refreshBooks(ctx, within context.Context, b *books, errs *[]error) error {
	for _, p := range b.places {
		err := s.Directory.Refresh(within, p, b.sources[p])
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case within.Err() != nil:
			b.late = true
		case p.IsShared():
			s.Directory.Shared().Failed(err)
			*errs = append(*errs, err)
		case backend.KindOf(err) == backend.Denied:
			return err
		case backend.KindOf(err) == backend.NotFound: // the next FolderSync tells
			s.Directory.Forget(p)
		default:
			*errs = append(*errs, err)
		}
	}
	return nil
}

// settled tells whether an answer with nobody in it is the truth, and otherwise
// why it is not.
func (b *books) settled(f directory.Found) error {
	switch {
	case f.Total > 0, b.err == nil && !b.late:
		return nil
	case b.late:
		return errLate
	}
	return backend.E(backend.Transient, "easserver: looking for people", b.err)
}

// errLate means that an address book was not read in time.
var errLate = errors.New("easserver: an address book is still being read")

// identity is who the person is: what a backend knows, else what the rule for
// logins says. An address without a domain is never told: an iPhone takes the
// sender of its mail from here.
func (s *Server) identity(ctx context.Context, c *call) (backend.Identity, error) {
	var id backend.Identity
	for _, name := range s.Accounts.Names() {
		if name == s.Placeholder {
			continue
		}
		session, err := c.account.Session(ctx, name)
		if err == nil {
			if i, ok := backend.As[backend.Identifier](session); ok {
				var found backend.Identity
				if found, err = i.Identity(ctx); err == nil && len(found.Addresses) > 0 {
					return found, nil
				} else if err == nil && id.Name == "" {
					id.Name = found.Name
				}
			}
		}
		switch kind := backend.KindOf(err); {
		case err == nil, kind == backend.Unsupported:
		case kind == backend.Denied:
			return id, fmt.Errorf("easserver: who the person is: %w", err)
		default:
			c.note(slog.Any("identity", err))
		}
	}
	if a := c.account.Address(); a != "" {
		id.Addresses = []string{a}
	}
	return id, nil
}

// userInformation answers the person's addresses: in one list up to 14.0, as one
// account from 14.1 on. Where none is known, none is said. See [MS-ASCMD]
// "UserInformation".
func (s *Server) userInformation(ctx context.Context, c *call) (*eas.UserInformationResult, error) {
	id, err := s.identity(ctx, c)
	if err != nil {
		return nil, err
	}
	account, addresses := eas.Account{UserDisplayName: id.Name}, &eas.EmailAddresses{}
	if len(id.Addresses) > 0 {
		*addresses = eas.EmailAddresses{SMTPAddresses: id.Addresses, PrimarySMTPAddress: id.Addresses[0]}
		account.EmailAddresses = addresses
	}
	return &eas.UserInformationResult{Status: eas.SettingsOK, Get: &eas.UserInformation{
		EmailAddresses: addresses, Accounts: []eas.Account{account}}}, nil
}
