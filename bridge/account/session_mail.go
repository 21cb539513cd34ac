package account

import (
	"context"
	"io"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// mail makes a call of a session with messages.
func (w watched) mail(call func(backend.Mailbox) error) error {
	inside, ok := backend.As[backend.Mailbox](w.Session)
	if !ok {
		return backend.E(backend.Unsupported, "account: mail", nil)
	}
	return w.ask(func() error { return call(inside) })
}

func (w watched) Messages(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, limit int, yield func(backend.Message) error) error {
	return w.mail(func(m backend.Mailbox) error { return m.Messages(ctx, c, ids, limit, yield) })
}

func (w watched) Part(ctx context.Context, c backend.CollectionID, id backend.ItemID, path string, offset, length int64, to io.Writer) error {
	return w.mail(func(m backend.Mailbox) error { return m.Part(ctx, c, id, path, offset, length, to) })
}

func (w watched) SetFlags(ctx context.Context, c backend.CollectionID, id backend.ItemID, set, clear []string) (rev backend.Revision, err error) {
	err = w.mail(func(m backend.Mailbox) (err error) { rev, err = m.SetFlags(ctx, c, id, set, clear); return err })
	return rev, err
}

// Send says nothing of the password when it is denied: somebody who may read mail
// need not be allowed to send it.
func (w watched) Send(ctx context.Context, e backend.Envelope, r io.Reader) error {
	inside, ok := backend.As[backend.Sender](w.Session)
	if !ok {
		return backend.E(backend.Unsupported, "account: send", nil)
	}
	if err := w.account.standing.err(); err != nil {
		return err
	}
	return inside.Send(ctx, e, r)
}

func (w watched) Search(ctx context.Context, q backend.Query) (found []backend.Found, err error) {
	inside, ok := backend.As[backend.Searcher](w.Session)
	if !ok {
		return nil, backend.E(backend.Unsupported, "account: search", nil)
	}
	err = w.ask(func() (err error) { found, err = inside.Search(ctx, q); return err })
	return found, err
}

func (w watched) Vacation(ctx context.Context) (v backend.Vacation, err error) {
	inside, ok := backend.As[backend.Vacationer](w.Session)
	if !ok {
		return v, backend.E(backend.Unsupported, "account: vacation", nil)
	}
	err = w.ask(func() (err error) { v, err = inside.Vacation(ctx); return err })
	return v, err
}

func (w watched) SetVacation(ctx context.Context, v backend.Vacation) error {
	inside, ok := backend.As[backend.Vacationer](w.Session)
	if !ok {
		return backend.E(backend.Unsupported, "account: vacation", nil)
	}
	return w.ask(func() error { return inside.SetVacation(ctx, v) })
}
