package imap

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// A folder is a mailbox of the server.
type folder struct {
	id         backend.CollectionID
	wire       string // its name as the server writes it
	delimiter  string // between the names of folders inside of one another; may be empty
	attributes []string
	listed     bool // it can be selected
	status     map[string]string
}

// A directory is a person's folders as they were listed last.
type directory struct {
	mu      sync.Mutex
	folders []folder
	prefix  string // before the names of one's own folders: "INBOX."
}

// An idSource is how a server names its folders for as long as they exist.
type idSource struct {
	mu    sync.Mutex
	known bool
	item  string // of STATUS: "MAILBOXID", "X-GUID", or nothing
}

// statusID finds out what to ask for. See RFC 8474, section 4.2; X-GUID is
// Dovecot's.
func (s *store) statusID(ctx context.Context, c *conn) (string, error) {
	s.ids.mu.Lock()
	defer s.ids.mu.Unlock()
	if s.ids.known {
		return s.ids.item, nil
	}
	if c.Has("OBJECTID") {
		s.ids.known, s.ids.item = true, "MAILBOXID"
		return s.ids.item, nil
	}
	item := ""
	_, err := c.Run(ctx, imapconn.NewCommand("STATUS INBOX (X-GUID)"), func(r *imapconn.Response) error {
		if r.Name == "STATUS" && len(r.Args) == 2 && r.Args[1].At(0).Is("X-GUID") && r.Args[1].At(1).Text != "" {
			item = "X-GUID"
		}
		return nil
	})
	switch kind := backend.KindOf(failure("STATUS", err)); {
	case err == nil:
	case kind == backend.Transient: // on the answer hang everybody's IDs
		return "", err
	case kind == backend.NotFound:
		return "", nil // somebody without an inbox, which says nothing of the server
	}
	s.ids.known, s.ids.item = true, item
	return item, nil
}

// folder finds a folder by its ID, in what is remembered unless it is to be
// read anew: somebody else may have given its name to another one.
func (s *session) folder(ctx context.Context, c *conn, id backend.CollectionID, again bool) (folder, error) {
	d := &s.person.dir
	find := func() (folder, bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		n := slices.IndexFunc(d.folders, func(f folder) bool { return f.id == id && f.listed })
		if n < 0 {
			return folder{}, false
		}
		return d.folders[n], true
	}
	if !again {
		if f, ok := find(); ok {
			return f, nil
		}
	}
	if err := s.list(ctx, c); err != nil {
		return folder{}, err
	}
	if f, ok := find(); ok {
		return f, nil
	}
	return folder{}, notFound("folder", "no folder %.70q", id)
}

// list reads the list of folders.
func (s *session) list(ctx context.Context, c *conn) error {
	item, err := s.store.statusID(ctx, c)
	if err != nil {
		return err
	}
	prefix, err := c.prefix(ctx)
	if err != nil {
		return err
	}
	folders, err := c.folders(ctx, item)
	if err != nil {
		return err
	}
	for n := range folders {
		f := &folders[n]
		f.id = backend.CollectionID("n" + f.wire)
		if id := f.status[item]; id != "" && item != "" {
			f.id = backend.CollectionID("i" + id)
		}
		f.listed = f.listed && len(f.id) <= backend.MaxIDLength
	}
	d := &s.person.dir
	d.mu.Lock()
	defer d.mu.Unlock()
	d.folders, d.prefix = folders, prefix
	return nil
}

// maxFolders bounds one person's folders.
const maxFolders = 10_000

// folders lists all folders, with an item of their status where there is one.
func (c *conn) folders(ctx context.Context, item string) ([]folder, error) {
	items := "UIDVALIDITY"
	if item != "" {
		items += " " + item
	}
	cmd := imapconn.NewCommand(`LIST "" "*"`)
	together := c.Has("LIST-STATUS") // RFC 5819, which needs LIST-EXTENDED
	switch {
	case together && c.Has("SPECIAL-USE"):
		cmd.Raw(" RETURN (SPECIAL-USE STATUS (" + items + "))")
	case together:
		cmd.Raw(" RETURN (STATUS (" + items + "))")
	}
	var list []folder
	statuses := make(map[string]map[string]string)
	_, err := c.Run(ctx, cmd, func(r *imapconn.Response) error {
		switch {
		case r.Name == "LIST" && len(r.Args) >= 3:
			if len(list) >= maxFolders {
				return backend.Errorf(backend.TooLarge, "imap: LIST", "more than %d folders", maxFolders)
			}
			list = append(list, listedFolder(r.Args))
		case r.Name == "STATUS" && len(r.Args) == 2 && len(statuses) <= maxFolders:
			statuses[inboxName(r.Args[0].Text)] = statusOf(r.Args[1])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	list = slices.DeleteFunc(list, func(f folder) bool {
		twice := seen[f.wire]
		seen[f.wire] = true
		return twice
	})
	for n := range list {
		f := &list[n]
		f.status = statuses[f.wire]
		if f.listed && f.status == nil && item != "" {
			if f.status, err = c.status(ctx, f.wire, items); err != nil {
				return nil, err
			}
			f.listed = f.status != nil
		}
	}
	return list, nil
}

func listedFolder(args []imapconn.Value) folder {
	f := folder{wire: inboxName(args[2].Text), delimiter: args[1].Text, listed: true}
	for _, a := range args[0].List {
		attribute := strings.ToLower(a.Text)
		f.attributes = append(f.attributes, attribute)
		if attribute == `\noselect` || attribute == `\nonexistent` {
			f.listed = false
		}
	}
	return f
}

// inboxName writes the one name that is the same in any case. See RFC 9051,
// section 5.1.
func inboxName(wire string) string {
	if strings.EqualFold(wire, "INBOX") {
		return "INBOX"
	}
	return wire
}

// statusOf reads what STATUS says of a folder.
func statusOf(v imapconn.Value) map[string]string {
	status := make(map[string]string)
	for n := 0; n+1 < len(v.List); n += 2 {
		value := v.At(n + 1)
		if value.Kind == imapconn.List { // MAILBOXID (F2212ea87)
			value = value.At(0)
		}
		status[strings.ToUpper(v.At(n).Text)] = value.Text
	}
	return status
}

// status asks for a folder's status; nil if there is no such folder.
func (c *conn) status(ctx context.Context, wire, items string) (map[string]string, error) {
	var status map[string]string
	_, err := c.Run(ctx, imapconn.NewCommand("STATUS").String(wire).Raw(" ("+items+")"), func(r *imapconn.Response) error {
		if r.Name == "STATUS" && len(r.Args) == 2 && inboxName(r.Args[0].Text) == wire {
			status = statusOf(r.Args[1])
		}
		return nil
	})
	if err != nil && !absent(err) {
		return nil, err // else phones would remove a folder that is only out of reach
	}
	return status, nil
}

// absent tells whether a refusal means that a folder is not there for this
// person: it went, or is somebody else's, or the server cannot be asked so.
func absent(err error) bool {
	status, ok := errors.AsType[*imapconn.StatusError](err)
	kind := backend.KindOf(failure("STATUS", err))
	return ok && (status.Bad || kind == backend.NotFound || kind == backend.ReadOnly || kind == backend.Invalid)
}

// prefix answers what stands before the names of one's own folders. See RFC
// 2342.
func (c *conn) prefix(ctx context.Context) (string, error) {
	if !c.Has("NAMESPACE") {
		return "", nil
	}
	prefix := ""
	_, err := c.Run(ctx, imapconn.NewCommand("NAMESPACE"), func(r *imapconn.Response) error {
		if r.Name == "NAMESPACE" && len(r.Args) > 0 {
			prefix = r.Args[0].At(0).At(0).Text
		}
		return nil
	})
	if status, ok := errors.AsType[*imapconn.StatusError](err); err != nil && !(ok && status.Bad) {
		return "", err // without it folders would stand elsewhere
	}
	return prefix, nil
}

// Collections lists the folders.
func (s *session) Collections(ctx context.Context) ([]backend.Collection, error) {
	var list []backend.Collection
	err := s.with(ctx, "Collections", func(c *conn) error {
		if err := s.list(ctx, c); err != nil {
			return err
		}
		list = s.person.dir.collections()
		return nil
	})
	return list, err
}

// collections answers the folders as the contract describes them.
func (d *directory) collections() []backend.Collection {
	d.mu.Lock()
	defer d.mu.Unlock()
	roles := rolesOf(d.folders, d.prefix)
	byName := make(map[string]folder, len(d.folders))
	for _, f := range d.folders {
		byName[f.wire] = f
	}
	var list []backend.Collection
	for _, f := range d.folders {
		if !f.listed {
			continue
		}
		c := backend.Collection{ID: f.id, Kind: backend.Mail, Role: roles[f.wire], Default: f.wire == "INBOX"}
		c.Name, c.Parent = d.place(f, byName)
		list = append(list, c)
	}
	return list
}

// place answers what a folder is called and in which one it is: the nearest one
// that can be selected. What is in between belongs to the name. d.mu is held.
func (d *directory) place(f folder, byName map[string]folder) (name string, parent backend.CollectionID) {
	if f.wire == "INBOX" {
		return "Inbox", ""
	}
	own := strings.TrimPrefix(f.wire, d.prefix)
	if f.delimiter == "" {
		return shownName(own, ""), ""
	}
	parts := strings.Split(own, f.delimiter)
	for n := len(parts) - 1; n > 0; n-- {
		above := d.prefix + strings.Join(parts[:n], f.delimiter)
		if !strings.HasPrefix(f.wire, d.prefix) {
			above = strings.Join(parts[:n], f.delimiter)
		}
		if p, ok := byName[inboxName(above)]; ok && p.listed {
			return shownNames(parts[n:], f.delimiter), p.id
		}
	}
	return shownNames(parts, f.delimiter), ""
}

func shownNames(parts []string, delimiter string) string {
	shown := make([]string, len(parts))
	for n, p := range parts {
		shown[n] = shownName(p, delimiter)
	}
	return strings.Join(shown, "/")
}

// Names that people type may have a delimiter in them, which the server would
// take for one. It is written as a letter that looks like it.
var lookalikes = map[string]string{"/": "\u2215", ".": "\u2024", `\`: "\u2216", "^": "\u02c4"}

func lookalike(delimiter string) string {
	if l, ok := lookalikes[delimiter]; ok {
		return l
	}
	return "_"
}

// shownName is the inverse of wireName.
func shownName(wire, delimiter string) string {
	name := imapconn.DecodeName(wire)
	if l, ok := lookalikes[delimiter]; ok {
		name = strings.ReplaceAll(name, l, delimiter)
	}
	if clean := backend.CollectionName(name); clean != "" {
		return clean
	}
	return strings.ToValidUTF8(wire, "\uFFFD")
}

// wireName writes a name that somebody typed as the server wants it.
func wireName(name, delimiter string) string {
	if delimiter != "" {
		name = strings.ReplaceAll(name, delimiter, lookalike(delimiter))
	}
	return imapconn.EncodeName(name)
}
