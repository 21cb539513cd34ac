package imap

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
	"github.com/pushbridge/pushbridge/plugins/sdk/mailpart"
)

// Bounds of what is asked for in one command.
const (
	// fetchBatch is how many messages. Between batches other calls may have the
	// server's attention.
	fetchBatch = 256

	// nearly is how much larger than what is wanted a message may be that is read
	// whole and cut here, rather than asked for in parts.
	nearly = 24 << 10

	// maxHeader bounds the header of a message or of a part.
	maxHeader = 512 << 10
)

// Get answers whole messages.
func (s *session) Get(ctx context.Context, id backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	return s.messages(ctx, "Get", id, ids, backend.MaxItemSize, func(m backend.Message) error {
		f := backend.Fetched{Item: backend.Item{ID: m.ID}, Err: m.Err}
		switch {
		case m.Err != nil:
		case len(m.Left) > 0 || m.Size > backend.MaxItemSize:
			f.Err = backend.Errorf(backend.TooLarge, "imap: Get", "%d bytes, the limit is %d", m.Size, backend.MaxItemSize)
		default:
			f.Revision, f.MediaType, f.Body, f.Flags = m.Revision, backend.Mail.MediaType(), m.Body, m.Flags
		}
		return yield(f)
	})
}

// Messages answers messages with hollow parts. Those that fit come with one
// command for many; the others cost two more each.
func (s *session) Messages(ctx context.Context, id backend.CollectionID, ids []backend.ItemID, limit int, yield func(backend.Message) error) error {
	return s.messages(ctx, "Messages", id, ids, limit, yield)
}

func (s *session) messages(ctx context.Context, op string, id backend.CollectionID, ids []backend.ItemID, limit int, yield func(backend.Message) error) error {
	return s.inFolder(ctx, op, id, reading, func(c *conn) error {
		uids := c.uids(ids)
		for batch := range slices.Chunk(uids, fetchBatch) {
			g := getter{c: c, limit: int64(min(limit, backend.MaxItemSize)), yield: yield}
			if err := g.batch(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	})
}

// uids are the messages of the selected folder that IDs name, in order and each
// once.
func (c *conn) uids(ids []backend.ItemID) []uint32 {
	uids := make([]uint32, 0, len(ids))
	for _, id := range ids {
		if uid := uidOf(id, c.Selected.Validity); uid != 0 {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

// A getter reads messages.
type getter struct {
	c     *conn
	limit int64
	yield func(backend.Message) error
	large []backend.Message // whose bodies are still to be read
}

func (g *getter) give(m backend.Message) error {
	if err := g.yield(m); err != nil {
		return &yieldError{err}
	}
	return nil
}

func (g *getter) batch(ctx context.Context, uids []uint32) error {
	items, keep := "FLAGS INTERNALDATE RFC822.SIZE", int64(0)
	if g.limit > 0 {
		keep = g.limit + nearly
		items += fmt.Sprintf(" BODY.PEEK[]<0.%d>", keep)
	}
	seen := make(map[uint32]bool, len(uids))
	err := g.c.Fetch(ctx, imapconn.UIDSet(uids), items, keep, func(m *imapconn.Message) error {
		if _, asked := slices.BinarySearch(uids, m.UID); !asked || seen[m.UID] || !m.HasFlags || m.Size == 0 && m.Date.IsZero() {
			return nil // of the server's own accord
		}
		seen[m.UID] = true
		return g.first(m, keep)
	})
	if err != nil {
		return err
	}
	for _, m := range g.large {
		if err := g.parts(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// first deals with what is known of a message after the first command.
func (g *getter) first(m *imapconn.Message, keep int64) error {
	out := backend.Message{
		ID: itemID(g.c.Selected.Validity, m.UID), Flags: backend.Flags(m.Flags), Received: received(m.Date), Size: m.Size,
	}
	out.Revision = revision(out.Flags)
	if gone(out.Flags) {
		return nil
	}
	if g.limit == 0 {
		return g.give(out)
	}
	body, ok := m.Sections[""]
	switch {
	case !ok || body.None || body.Over:
		return g.give(backend.Message{ID: out.ID, Err: backend.Errorf(backend.Other, "imap: FETCH", "the server has no bytes of this message")})
	case int64(len(body.Data)) < keep:
		out.Size = int64(len(body.Data))
		out.Body, out.Left = mailpart.Hollow(body.Data, int(g.limit))
		return g.give(out)
	}
	g.large = append(g.large, out)
	return nil
}

// parts reads the parts of a large message that are wanted.
func (g *getter) parts(ctx context.Context, m backend.Message) error {
	uid := uidOf(m.ID, g.c.Selected.Validity)
	var root *node
	there := false
	err := g.c.Fetch(ctx, fmt.Sprint(uid), "BODYSTRUCTURE", 0, func(f *imapconn.Message) error {
		if f.UID == uid && (f.Structure.Kind != imapconn.Nil || f.Intricate) {
			there, root = true, parseStructure(f.Structure)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case !there:
		return nil // gone meanwhile
	case root == nil:
		return g.whole(ctx, m)
	}
	nodes := root.leaves()
	leaves := make([]mailpart.Leaf, len(nodes))
	for n, leaf := range nodes {
		leaves[n] = leaf.leaf
	}
	kept := make(map[*node]int64, len(nodes))
	for n, size := range mailpart.Plan(leaves, g.limit) {
		kept[nodes[n]] = size
	}
	sections, err := g.sections(ctx, uid, strings.Join(root.sections(kept), " "))
	if err != nil || sections == nil {
		return err
	}
	body, ok := root.compose(nil, sections, kept, &m.Left)
	if !ok {
		m.Left = nil
		return g.whole(ctx, m)
	}
	m.Body = body
	return g.give(m)
}

// sections asks for sections of one message; nil if it is gone.
func (g *getter) sections(ctx context.Context, uid uint32, items string) (map[string]imapconn.Section, error) {
	var sections map[string]imapconn.Section
	err := g.c.Fetch(ctx, fmt.Sprint(uid), items, max(g.limit, maxHeader), func(f *imapconn.Message) error {
		if f.UID == uid && f.Sections != nil {
			sections = f.Sections
		}
		return nil
	})
	return sections, err
}

// whole reads a message whose structure is of no use.
func (g *getter) whole(ctx context.Context, m backend.Message) error {
	if m.Size > backend.MaxItemSize {
		return g.give(backend.Message{ID: m.ID, Err: backend.Errorf(backend.TooLarge, "imap: FETCH", "%d bytes without a structure", m.Size)})
	}
	var body imapconn.Section
	there := false
	uid := uidOf(m.ID, g.c.Selected.Validity)
	err := g.c.Fetch(ctx, fmt.Sprint(uid), "BODY.PEEK[]", backend.MaxItemSize, func(f *imapconn.Message) error {
		if f.UID == uid {
			body, there = f.Sections[""]
		}
		return nil
	})
	if err != nil || !there {
		return err
	}
	m.Body, m.Left = mailpart.Hollow(body.Data, int(g.limit))
	return g.give(m)
}

// partPath is a number of a part. Anything else could mean something to a
// server.
var partPath = regexp.MustCompile(`^[1-9][0-9]{0,8}(\.[1-9][0-9]{0,8})*$`)

// Part streams bytes of a part.
func (s *session) Part(ctx context.Context, id backend.CollectionID, item backend.ItemID, path string, offset, length int64, w io.Writer) error {
	const op = "Part"
	if path != "" && (!partPath.MatchString(path) || strings.Count(path, ".") >= backend.MaxPartDepth) {
		return notFound(op, "no part %.70q", path)
	}
	return s.inFolder(ctx, op, id, reading, func(c *conn) error {
		uid := uidOf(item, c.Selected.Validity)
		if uid == 0 {
			return notFound(op, "no message %.70q", item)
		}
		there, err := c.part(ctx, uid, path, max(0, offset), length, w)
		if err == nil && !there {
			err = notFound(op, "no part %q of message %q", path, item)
		}
		return err
	})
}

// maxRange stands for the end of a part in a range; it is a number of 31 bits,
// which every server takes.
const maxRange = 1<<31 - 1

// part streams bytes of a part, and tells whether there is one.
func (c *conn) part(ctx context.Context, uid uint32, path string, offset, length int64, w io.Writer) (bool, error) {
	if offset > maxRange {
		offset, length = 0, 0
	}
	if length < 0 || length > maxRange {
		length = maxRange
	}
	if length == 0 {
		w, length = io.Discard, 1
	}
	count := &countingWriter{w: w}
	cmd := imapconn.NewCommand(fmt.Sprintf("UID FETCH %d (BODY.PEEK[%s]<%d.%d>)", uid, path, offset, length)).Stream(count)
	there := false
	err := c.FetchWith(ctx, cmd, func(m *imapconn.Message) error {
		if section, ok := m.Sections[path]; ok && m.UID == uid {
			there = !section.None
		}
		return nil
	})
	if status, ok := err.(*imapconn.StatusError); ok && path != "" && (status.Bad || status.Code == "" || status.Code == "CANNOT") {
		// Some servers have no words for a part that is not there. One that is there
		// cannot be had.
		if has, broken := c.hasPart(ctx, uid, path); broken != nil || !has {
			return false, broken
		}
		return false, err
	}
	if err == nil && there && count.n == 0 && path != "" {
		return c.hasPart(ctx, uid, path) // Dovecot says of what is not there that it is empty
	}
	return there, err
}

// A countingWriter counts what is written to another one.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// hasPart tells whether a message has a part.
func (c *conn) hasPart(ctx context.Context, uid uint32, path string) (bool, error) {
	has := false
	err := c.Fetch(ctx, fmt.Sprint(uid), "BODYSTRUCTURE", 0, func(m *imapconn.Message) error {
		if m.UID == uid && m.Structure.Kind == imapconn.List {
			has = hasPath(m.Structure, strings.Split(path, "."))
		}
		return nil
	})
	return has, err
}
