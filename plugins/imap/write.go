package imap

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// nameHeader is a line that is put before a message, so that a repeated Put
// finds its first try.
const nameHeader = "X-Pushbridge-Name"

// nameDays is for how many days a name is looked for. A phone repeats a request
// within minutes, or when it is switched on again.
const nameDays = 8

// createName is what the contract allows as the name of a new message.
var createName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Put appends a message.
func (s *session) Put(ctx context.Context, id backend.CollectionID, in backend.Item) (backend.Item, error) {
	const op = "Put"
	invalid := func(kind backend.Kind, format string, args ...any) (backend.Item, error) {
		return backend.Item{}, backend.Errorf(kind, "imap: "+op, format, args...)
	}
	switch {
	case in.Revision != "":
		return invalid(backend.Unsupported, "messages do not change")
	case !createName.MatchString(string(in.ID)):
		return invalid(backend.Invalid, "%.70q cannot name a new message", in.ID)
	case in.MediaType != "" && in.MediaType != backend.Mail.MediaType():
		return invalid(backend.Invalid, "%.70s in a mail folder", in.MediaType)
	case len(in.Body) == 0:
		return invalid(backend.Invalid, "the message is empty")
	case len(in.Body) > backend.MaxItemSize:
		return invalid(backend.TooLarge, "%d bytes, the limit is %d", len(in.Body), backend.MaxItemSize)
	}
	unlock, err := s.person.puts.lock(ctx, string(id)+" "+string(in.ID))
	if err != nil {
		return backend.Item{}, err
	}
	defer unlock()
	var out backend.Item
	err = s.inFolder(ctx, op, id, anew, func(c *conn) error {
		var err error
		if out, err = c.named(ctx, in.ID); err != nil || out.ID != "" {
			if err == nil {
				err = backend.Errorf(backend.Conflict, "imap: "+op, "%q exists", in.ID)
			}
			return err
		}
		out, err = c.put(ctx, in)
		return err
	})
	return out, err
}

// named finds the message that a Put under a name has made.
func (c *conn) named(ctx context.Context, name backend.ItemID) (backend.Item, error) {
	since := time.Now().AddDate(0, 0, -nameDays)
	cmd := imapconn.NewCommand("UID SEARCH UNDELETED SINCE " + imapconn.Date(since) + " HEADER " + nameHeader).String(string(name))
	uids, err := c.Search(ctx, cmd)
	if err != nil || len(uids) == 0 {
		return backend.Item{}, err
	}
	slices.Sort(uids)
	for _, uid := range uids { // HEADER finds parts of words, too
		it, err := c.itemNamed(ctx, uid, name)
		if err != nil || it.ID != "" {
			return it, err
		}
	}
	return backend.Item{}, nil
}

// itemNamed answers a message if it has just this name.
func (c *conn) itemNamed(ctx context.Context, uid uint32, name backend.ItemID) (backend.Item, error) {
	var out backend.Item
	section := "HEADER.FIELDS (" + strings.ToUpper(nameHeader) + ")"
	err := c.Fetch(ctx, fmt.Sprint(uid), "FLAGS BODY.PEEK["+section+"]", 4<<10, func(m *imapconn.Message) error {
		for _, header := range m.Sections { // the one, but servers write its name differently
			_, value, _ := strings.Cut(string(header.Data), ":")
			if m.UID != uid || strings.TrimSpace(value) != string(name) {
				continue
			}
			out = backend.Item{ID: itemID(c.Selected.Validity, uid), Revision: revision(backend.Flags(m.Flags))}
		}
		return nil
	})
	return out, err
}

// put appends a message to the folder that is selected.
func (c *conn) put(ctx context.Context, in backend.Item) (backend.Item, error) {
	body := make([]byte, 0, len(in.Body)+len(nameHeader)+len(in.ID)+4)
	body = append(body, nameHeader+": "+string(in.ID)+"\r\n"...)
	body = append(body, in.Body...)
	res, err := c.appendMessage(ctx, c.flagsThere(backend.Flags(in.Flags)), body)
	if err != nil {
		return backend.Item{}, err
	}
	if res.Code == "APPENDUID" && len(res.Args) == 2 { // RFC 4315
		validity, uid := uint32(res.Args[0].Number()), uint32(res.Args[1].Number())
		if validity != c.Selected.Validity || uid == 0 {
			return backend.Item{}, backend.Errorf(backend.Transient, "imap: APPEND", "the folder was made anew meanwhile")
		}
		flags, there, err := c.flags(ctx, uid)
		if err != nil || !there {
			flags = backend.Flags(in.Flags) // somebody was quick; the next listing tells
		}
		return backend.Item{ID: itemID(validity, uid), Revision: revision(flags)}, nil
	}
	out, err := c.named(ctx, in.ID)
	if err == nil && out.ID == "" {
		err = backend.Errorf(backend.Other, "imap: APPEND", "the message is not there afterwards")
	}
	return out, err
}

// appendMessage appends, and tries once more without keywords if the server has
// no room for them.
func (c *conn) appendMessage(ctx context.Context, flags []string, body []byte) (*imapconn.Response, error) {
	cmd := func(flags []string) *imapconn.Command {
		return imapconn.NewCommand("APPEND").String(c.Selected.Name).Raw(" (" + strings.Join(flags, " ") + ")").Literal(body)
	}
	res, err := c.Run(ctx, cmd(flags), nil)
	if limited(err) && !c.Broken() {
		return c.Run(ctx, cmd(systemFlags(flags)), nil)
	}
	return res, err
}

// limited tells whether a server has no room for a keyword. See RFC 9051,
// section 7.1, "LIMIT".
func limited(err error) bool {
	status, ok := err.(*imapconn.StatusError)
	return ok && (status.Code == "LIMIT" || strings.Contains(strings.ToLower(status.Text), "keyword"))
}

func systemFlags(flags []string) []string {
	return slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return !strings.HasPrefix(f, `\`) })
}

// flagsThere leaves out keywords that the folder cannot keep.
func (c *conn) flagsThere(flags []string) []string {
	s := c.Selected
	if !s.HasFlagList || len(s.Permanent) == 0 || s.Keywords { // a folder opened for reading may tell of none
		return flags
	}
	return slices.DeleteFunc(slices.Clone(flags), func(f string) bool {
		return !backend.HasFlag(s.Permanent, f) && !strings.HasPrefix(f, `\`)
	})
}

// flags answers a message's flags, and whether it is there.
func (c *conn) flags(ctx context.Context, uid uint32) (flags []string, there bool, err error) {
	err = c.Fetch(ctx, fmt.Sprint(uid), "FLAGS", 0, func(m *imapconn.Message) error {
		if m.UID == uid && m.HasFlags {
			flags, there = backend.Flags(m.Flags), true
		}
		return nil
	})
	return flags, there && !gone(flags), err
}

// find finds a message of the folder that is selected, and its flags.
func (c *conn) find(ctx context.Context, op string, id backend.ItemID) (uid uint32, flags []string, err error) {
	if uid = uidOf(id, c.Selected.Validity); uid == 0 {
		return 0, nil, notFound(op, "no message %.70q", id)
	}
	flags, there, err := c.flags(ctx, uid)
	if err == nil && !there {
		err = notFound(op, "no message %.70q", id)
	}
	return uid, flags, err
}

// SetFlags sets and clears flags.
func (s *session) SetFlags(ctx context.Context, id backend.CollectionID, item backend.ItemID, set, clear []string) (backend.Revision, error) {
	const op = "SetFlags"
	var rev backend.Revision
	err := s.inFolder(ctx, op, id, writing, func(c *conn) error {
		uid, flags, err := c.find(ctx, op, item)
		if err != nil {
			return err
		}
		set, clear := c.flagsThere(backend.Flags(set)), backend.Flags(clear)
		if want := backend.ChangeFlags(flags, set, clear); !slices.Equal(want, flags) {
			if flags, err = c.store(ctx, uid, set, clear); err != nil {
				return err
			}
		}
		rev = revision(flags)
		return nil
	})
	return rev, err
}

// store changes a message's flags and answers them.
func (c *conn) store(ctx context.Context, uid uint32, set, clear []string) ([]string, error) {
	if !c.Selected.Writable {
		return nil, backend.Errorf(backend.ReadOnly, "imap: STORE", "the folder is read-only")
	}
	run := func(sign string, flags []string) error {
		if len(flags) == 0 {
			return nil
		}
		_, err := c.Run(ctx, imapconn.NewCommand(fmt.Sprintf("UID STORE %d %sFLAGS.SILENT (%s)", uid, sign, strings.Join(flags, " "))), nil)
		if limited(err) && !c.Broken() && sign == "+" {
			if flags = systemFlags(flags); len(flags) == 0 {
				return nil
			}
			_, err = c.Run(ctx, imapconn.NewCommand(fmt.Sprintf("UID STORE %d +FLAGS.SILENT (%s)", uid, strings.Join(flags, " "))), nil)
		}
		return err
	}
	clear = slices.DeleteFunc(slices.Clone(clear), func(f string) bool { return backend.HasFlag(set, f) })
	if err := run("-", clear); err != nil {
		return nil, err
	}
	if err := run("+", set); err != nil {
		return nil, err
	}
	flags, there, err := c.flags(ctx, uid)
	if err == nil && !there && !backend.HasFlag(set, backend.FlagDeleted) {
		err = notFound("SetFlags", "the message went meanwhile")
	}
	return flags, err
}

// Delete removes a message for good.
func (s *session) Delete(ctx context.Context, id backend.CollectionID, item backend.ItemID, rev backend.Revision) error {
	const op = "Delete"
	return s.inFolder(ctx, op, id, writing, func(c *conn) error {
		uid, flags, err := c.find(ctx, op, item)
		if err != nil {
			return err
		}
		if rev != "" && rev != revision(flags) {
			return backend.Errorf(backend.Conflict, "imap: "+op, "the message has other flags")
		}
		return c.remove(ctx, uid)
	})
}

// remove marks a message as deleted and has the server remove it, and no other
// one that somebody marked. Where it cannot do that, the mark has to do.
func (c *conn) remove(ctx context.Context, uid uint32) error {
	if _, err := c.store(ctx, uid, []string{backend.FlagDeleted}, nil); err != nil {
		return err
	}
	if c.Has("UIDPLUS") || c.Has("IMAP4REV2") { // RFC 4315
		_, err := c.Run(ctx, imapconn.NewCommand(fmt.Sprintf("UID EXPUNGE %d", uid)), nil)
		return err
	}
	marked, err := c.Search(ctx, imapconn.NewCommand("UID SEARCH DELETED"))
	if err == nil && len(marked) == 1 && marked[0] == uid {
		_, err = c.Run(ctx, imapconn.NewCommand("EXPUNGE"), nil)
	}
	return err
}

// Move takes a message to another folder, with MOVE (RFC 6851) or by a copy that
// the server confirms.
func (s *session) Move(ctx context.Context, from backend.CollectionID, item backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	const op = "Move"
	var out backend.Item
	err := s.inFolder(ctx, op, from, writing, func(c *conn) error {
		uid, flags, err := c.find(ctx, op, item)
		if err != nil {
			return err
		}
		target, err := s.folder(ctx, c, to, true)
		if err != nil {
			return err
		}
		if from == to {
			out = backend.Item{ID: item, Revision: revision(flags)}
			return nil
		}
		if !c.Selected.Writable {
			return backend.Errorf(backend.ReadOnly, "imap: "+op, "the folder is read-only")
		}
		if !c.Has("UIDPLUS") && !c.Has("IMAP4REV2") {
			return backend.Errorf(backend.Unsupported, "imap: "+op, "the server does not say what becomes of a copy")
		}
		id, err := c.move(ctx, uid, target.wire)
		out = backend.Item{ID: id, Revision: revision(flags)}
		return err
	})
	if err != nil {
		return backend.Item{}, err
	}
	return out, nil
}

// move moves a message and answers its new ID.
func (c *conn) move(ctx context.Context, uid uint32, wire string) (backend.ItemID, error) {
	moves := c.Has("MOVE") || c.Has("IMAP4REV2")
	word := "UID COPY"
	if moves {
		word = "UID MOVE"
	}
	var id backend.ItemID
	note := func(r *imapconn.Response) error {
		if r.Code == "COPYUID" && len(r.Args) == 3 {
			validity, uid := uint32(r.Args[0].Number()), firstUID(r.Args[2].Text)
			if validity != 0 && uid != 0 {
				id = itemID(validity, uid)
			}
		}
		return nil
	}
	res, err := c.Run(ctx, imapconn.NewCommand(word+" "+strconv.FormatUint(uint64(uid), 10)).String(wire), note)
	if err != nil {
		return "", err
	}
	note(res)
	if id == "" {
		return "", notFound("Move", "the message went meanwhile")
	}
	if moves {
		return id, nil
	}
	why := c.remove(ctx, uid)
	if why == nil || c.Broken() { // the next try makes another copy; nobody knows what became of this one
		return id, why
	}
	switch _, there, err := c.flags(ctx, uid); {
	case err != nil:
		return "", fmt.Errorf("%w (and whether it is marked as deleted is not known, so that the copy stays: %v)", why, err)
	case there:
		return "", c.unmake(ctx, wire, id, why)
	}
	return id, nil // the mark has to do: without it there would be no message left
}

// unmake removes the copy of a message that has to stay where it is, and answers
// why. What is in the way of that stands beside it.
func (c *conn) unmake(ctx context.Context, wire string, id backend.ItemID, why error) error {
	err := c.Select(ctx, wire, true)
	if uid := uidOf(id, c.Selected.Validity); err == nil && uid != 0 {
		err = c.remove(ctx, uid)
	}
	if err != nil {
		return fmt.Errorf("%w (and the copy stays: %v)", why, err)
	}
	return why
}

func firstUID(set string) uint32 {
	var first uint32
	imapconn.ParseUIDSet(set, func(uid uint32) bool { first = uid; return false })
	return first
}
