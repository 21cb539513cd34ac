package bridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// checkTime bounds how long Check waits for a backend. Servers delay the
// answer to a wrong password by seconds.
const checkTime = 15 * time.Second

// stranger is who Check pretends to be to find servers that let in everybody.
// There is no such person, and the password is no secret.
var stranger = backend.Credentials{User: "pushbridge-check", Password: "nobody has this password"}

// Check asks every backend whether it is there. Nobody's password is known
// yet, so it logs in as nobody, and "no" is the answer that it hopes for. The
// error names each backend that answers something else, or nothing; and the mail
// server for notices, if it does not let this worker in.
//
// A thorough check tries a made-up person with a made-up password, too: a
// server that lets that one in would give everything to everybody. It costs
// the server a line in its log, and is for when a person looks on.
func (b *Bridge) Check(ctx context.Context, thorough bool) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return errors.Join(b.checkBackends(ctx, thorough), b.checkMail(ctx))
}

// checkMail asks the mail server whether it takes notices.
func (b *Bridge) checkMail(ctx context.Context) error {
	if b.mailer == nil {
		return nil
	}
	if err := b.mailer.Try(ctx); err != nil {
		return fmt.Errorf("[mail]: the server takes nothing: %w; is it running, and are mail.smtp, user and password right?", err)
	}
	return nil
}

func (b *Bridge) checkBackends(ctx context.Context, thorough bool) error {
	if b.plugins == nil {
		return nil
	}
	errs := make([]error, len(b.plugins.backends))
	var asking sync.WaitGroup
	for i, named := range b.plugins.backends {
		asking.Go(func() {
			open, err := letsIn(ctx, named.Backend, backend.Credentials{})
			if err == nil && !open && thorough {
				open, err = letsIn(ctx, named.Backend, stranger)
			}
			if open {
				b.logger.Warn("a backend asks nobody for a password: whoever reaches pushbridge can be anybody", "backend", named.Name)
			}
			if err != nil {
				errs[i] = fmt.Errorf("%s: does not answer as it should: %w; is its server running, and is the url right?", b.place(named.Name), err)
			}
		})
	}
	asking.Wait()
	if shared := b.people.Shared(); shared != nil {
		if _, _, err := shared.Open(ctx); err != nil {
			errs = append(errs, fmt.Errorf("[directory]: it cannot be read: %w", err))
		}
	}
	return errors.Join(errs...)
}

// letsIn tells whether a backend takes these credentials. "No" is no error.
func letsIn(ctx context.Context, at backend.Backend, c backend.Credentials) (bool, error) {
	session, err := at.Open(ctx, c)
	switch {
	case backend.KindOf(err) == backend.Denied:
		return false, nil
	case err != nil:
		return false, err
	}
	return true, session.Close()
}

// place says where a backend stands in the configuration.
func (b *Bridge) place(name string) string {
	for _, c := range b.config.Backends {
		if c.Name == name && c.At != "" {
			return c.At + ": [backend." + name + "]"
		}
	}
	return "[backend." + name + "]"
}
