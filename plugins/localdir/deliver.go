package localdir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A delivery is a message for several people that all of them get, or nobody: it is
// on the disk in every Maildir, under a name that nobody reads, before the first of
// them has it. See the maildir manual page of qmail, which knows it as safe writing.
type delivery struct {
	b    *Backend
	op   string
	name string
	body []byte
}

func newDelivery(b *Backend, op string, body []byte) *delivery {
	name := strconv.FormatInt(time.Now().Unix(), 10) + "." + strings.ToLower(rand.Text()) + ".pushbridge"
	return &delivery{b, op, name, body}
}

// waiting and arrived are where the message is in a Maildir.
func (d *delivery) waiting() string { return "tmp/" + draft + d.name }
func (d *delivery) arrived() string { return "new/" + d.name }

// send delivers. The error is Other if somebody has it and somebody else has not, and
// that could not be undone.
func (d *delivery) send(ctx context.Context, people []string) error {
	for n, user := range people {
		if err := d.in(ctx, user, d.stage); err != nil {
			return errors.Join(failure(d.op, err), d.each(ctx, people[:n+1], d.drop))
		}
	}
	for _, user := range people {
		err := d.in(ctx, user, d.place)
		if err == nil {
			continue
		}
		if back := d.each(ctx, people, d.takeBack); back != nil {
			return backend.E(backend.Other, d.op, fmt.Errorf("some may have the message: %w", errors.Join(err, back)))
		}
		return failure(d.op, err)
	}
	return nil
}

// each does a step for people. All are tried, whatever becomes of one.
func (d *delivery) each(ctx context.Context, people []string, step func(*folder) error) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, user := range people {
		errs = append(errs, d.in(ctx, user, step))
	}
	return errors.Join(errs...)
}

// in does a step in somebody's inbox.
func (d *delivery) in(ctx context.Context, user string, step func(*folder) error) error {
	f, err := (&Session{b: d.b, user: user}).open(ctx, d.op, mailID)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.readOnly() {
		return backend.Errorf(backend.ReadOnly, d.op, "the inbox of %.80q", user)
	}
	return step(f)
}

// stage writes the message where nobody reads it.
func (d *delivery) stage(f *folder) error {
	for _, dir := range []string{"cur", "new", "tmp"} {
		if err := f.make(dir); err != nil {
			return err
		}
	}
	return f.writeIn("tmp/", d.body, newMode, func(from string) error { return f.Rename(from, d.waiting()) })
}

// place gives the message its name.
func (d *delivery) place(f *folder) error {
	if err := f.Rename(d.waiting(), d.arrived()); err != nil {
		return err
	}
	arrivals, err := f.OpenRoot("new")
	if err != nil {
		return err
	}
	defer arrivals.Close()
	return syncDirectory(arrivals)
}

// drop removes a message that is staged.
func (d *delivery) drop(f *folder) error {
	if err := f.Remove(d.waiting()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// takeBack removes a message that is staged or placed. One that is in neither place
// was read, by somebody who has it now.
func (d *delivery) takeBack(f *folder) error {
	err := f.Remove(d.waiting())
	if errors.Is(err, fs.ErrNotExist) {
		err = f.Remove(d.arrived())
	}
	return err
}
