package bridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// checkTime bounds how long Check waits for a backend. Servers delay the
// answer to a wrong password by seconds.
const checkTime = 15 * time.Second

// Check asks every backend whether it is there. Nobody's password is known
// yet, so it logs in as nobody, and "no" is the answer that it hopes for. The
// error names each backend that answers something else, or nothing. Of one that
// lets in who has no password, there is a word in the log.
func (b *Bridge) Check(ctx context.Context) error {
	if b.plugins == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	errs := make([]error, len(b.plugins.backends))
	var asking sync.WaitGroup
	for i, named := range b.plugins.backends {
		asking.Go(func() { errs[i] = b.checkBackend(ctx, named) })
	}
	asking.Wait()
	return errors.Join(errs...)
}

func (b *Bridge) checkBackend(ctx context.Context, named account.Named) error {
	session, err := named.Backend.Open(ctx, backend.Credentials{})
	if err == nil {
		b.logger.Warn("a backend asks nobody for a password: whoever reaches pushbridge can be anybody", "backend", named.Name)
		err = session.Close()
	}
	if err == nil || backend.KindOf(err) == backend.Denied {
		return nil
	}
	return fmt.Errorf("%s: does not answer as it should: %w; is its server running, and is the url right?", b.place(named.Name), err)
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
