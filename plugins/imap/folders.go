package imap

import (
	"context"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// CreateCollection makes a folder. A folder is known by its name and by where it
// stands, so that a repeated create finds the first one there.
func (s *session) CreateCollection(ctx context.Context, in backend.Collection) (backend.Collection, error) {
	const op = "CreateCollection"
	var made backend.Collection
	switch {
	case in.Kind != backend.Mail:
		return made, backend.Errorf(backend.Unsupported, "imap: "+op, "no collections of kind %.40q", in.Kind)
	case !createName.MatchString(string(in.ID)):
		return made, backend.Errorf(backend.Invalid, "imap: "+op, "%.70q cannot name a new folder", in.ID)
	case in.Name == "" || backend.CollectionName(in.Name) != in.Name:
		return made, backend.Errorf(backend.Invalid, "imap: "+op, "a folder cannot be called %.70q", in.Name)
	}
	err := s.with(ctx, op, func(c *conn) error {
		wire, err := s.place(ctx, c, in.Name, in.Parent)
		if err != nil {
			return err
		}
		if there, ok := s.person.dir.named(wire); ok {
			made = there
			return backend.Errorf(backend.Conflict, "imap: "+op, "%.70q exists", in.Name)
		}
		if _, err := c.Run(ctx, imapconn.NewCommand("CREATE").String(wire), nil); err != nil {
			return badName(err)
		}
		// Most programs show only what is subscribed to. If that fails, the folder is still there.
		_, _ = c.Run(ctx, imapconn.NewCommand("SUBSCRIBE").String(wire), nil)
		made, err = s.relisted(ctx, c, wire)
		return err
	})
	return made, err
}

// badName gives a refusal without a reason the kind Invalid: there is nothing
// else that a server could have against it.
func badName(err error) error {
	status, ok := err.(*imapconn.StatusError)
	if ok && codes[status.Code] == backend.Other && failure("", err).(*backend.Error).Kind == backend.Other {
		return backend.E(backend.Invalid, "imap: folder", err)
	}
	return err
}

// place answers the name on the wire of a folder inside of another one, from a
// fresh list.
func (s *session) place(ctx context.Context, c *conn, name string, parent backend.CollectionID) (string, error) {
	if err := s.list(ctx, c); err != nil {
		return "", err
	}
	d := &s.person.dir
	d.mu.Lock()
	defer d.mu.Unlock()
	prefix, delimiter := d.prefix, ""
	for _, f := range d.folders {
		if f.delimiter != "" && strings.HasPrefix(f.wire, d.prefix) || delimiter == "" {
			delimiter = f.delimiter
		}
	}
	if parent != "" {
		n := slices.IndexFunc(d.folders, func(f folder) bool { return f.id == parent && f.listed })
		switch {
		case n < 0:
			return "", notFound("folder", "no folder %.70q", parent)
		case d.folders[n].delimiter == "" || slices.Contains(d.folders[n].attributes, `\noinferiors`):
			return "", backend.Errorf(backend.Invalid, "imap: folder", "the server has no folders inside of %.70q", d.folders[n].wire)
		}
		delimiter = d.folders[n].delimiter
		prefix = d.folders[n].wire + delimiter
	}
	return prefix + wireName(name, delimiter), nil
}

// named answers the folder of a name on the wire.
func (d *directory) named(wire string) (backend.Collection, bool) {
	d.mu.Lock()
	n := slices.IndexFunc(d.folders, func(f folder) bool { return f.wire == wire && f.listed })
	var id backend.CollectionID
	if n >= 0 {
		id = d.folders[n].id
	}
	d.mu.Unlock()
	if n < 0 {
		return backend.Collection{}, false
	}
	for _, c := range d.collections() {
		if c.ID == id {
			return c, true
		}
	}
	return backend.Collection{}, false
}

// relisted reads the list again and answers a folder.
func (s *session) relisted(ctx context.Context, c *conn, wire string) (backend.Collection, error) {
	if err := s.list(ctx, c); err != nil {
		return backend.Collection{}, err
	}
	there, ok := s.person.dir.named(wire)
	if !ok {
		return backend.Collection{}, backend.Errorf(backend.Other, "imap: folder", "the server does not list %.70q", wire)
	}
	return there, nil
}

// UpdateCollection renames and moves a folder, and with it those inside of it.
func (s *session) UpdateCollection(ctx context.Context, in backend.Collection) (backend.Collection, error) {
	const op = "UpdateCollection"
	var is backend.Collection
	if in.Name == "" || backend.CollectionName(in.Name) != in.Name {
		return is, backend.Errorf(backend.Invalid, "imap: "+op, "a folder cannot be called %.70q", in.Name)
	}
	err := s.with(ctx, op, func(c *conn) error {
		wire, err := s.place(ctx, c, in.Name, in.Parent)
		if err != nil {
			return err
		}
		f, err := s.folder(ctx, c, in.ID, false)
		if err != nil {
			return err
		}
		if f.wire == wire {
			is, err = s.relisted(ctx, c, wire)
			return err
		}
		switch {
		case f.wire == "INBOX":
			return backend.Errorf(backend.Unsupported, "imap: "+op, "the inbox stays what it is") // RENAME would move its messages
		case f.delimiter != "" && strings.HasPrefix(wire, f.wire+f.delimiter):
			return backend.Errorf(backend.Invalid, "imap: "+op, "a folder inside of itself")
		}
		if c.Selected.Name != "" {
			if err := c.leave(ctx); err != nil {
				return err
			}
		}
		if _, err := c.Run(ctx, imapconn.NewCommand("RENAME").String(f.wire).String(wire), nil); err != nil {
			return badName(err)
		}
		_, _ = c.Run(ctx, imapconn.NewCommand("UNSUBSCRIBE").String(f.wire), nil)
		_, _ = c.Run(ctx, imapconn.NewCommand("SUBSCRIBE").String(wire), nil)
		is, err = s.relisted(ctx, c, wire)
		return err
	})
	return is, err
}

// leave selects nothing: some servers keep a folder's name while it is selected.
func (c *conn) leave(ctx context.Context) error {
	c.Selected = imapconn.Selected{}
	if !c.Has("UNSELECT") {
		return nil
	}
	_, err := c.Run(ctx, imapconn.NewCommand("UNSELECT"), nil)
	if c.Broken() {
		return err
	}
	return nil
}

// DeleteCollection removes a folder.
func (s *session) DeleteCollection(ctx context.Context, id backend.CollectionID) error {
	const op = "DeleteCollection"
	return s.with(ctx, op, func(c *conn) error {
		f, err := s.folder(ctx, c, id, true)
		if err != nil {
			return err
		}
		if err := s.list(ctx, c); err != nil {
			return err
		}
		if f.wire == "INBOX" || s.person.dir.inside(f) {
			return backend.Errorf(backend.Unsupported, "imap: "+op, "the inbox and folders with others inside of them stay")
		}
		if err := c.leave(ctx); err != nil {
			return err
		}
		if _, err := c.Run(ctx, imapconn.NewCommand("DELETE").String(f.wire), nil); err != nil {
			return err
		}
		_, _ = c.Run(ctx, imapconn.NewCommand("UNSUBSCRIBE").String(f.wire), nil)
		return s.list(ctx, c)
	})
}

// inside tells whether a folder has others inside of it.
func (d *directory) inside(f folder) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return f.delimiter != "" && slices.ContainsFunc(d.folders, func(o folder) bool { return strings.HasPrefix(o.wire, f.wire+f.delimiter) })
}
