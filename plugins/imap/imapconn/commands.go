package imapconn

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// StartTLS goes on with TLS. Whatever the server said before is forgotten. See
// RFC 9051, section 6.2.1.
func (c *Conn) StartTLS(ctx context.Context, config *tls.Config) error {
	if _, err := c.Run(ctx, NewCommand("STARTTLS"), nil); err != nil {
		return err
	}
	return c.within(ctx, func() error {
		if c.in.br.Buffered() > 0 { // somebody on the way put words in the server's mouth
			return fmt.Errorf("%w: more after the answer to STARTTLS", errSyntax)
		}
		secure := tls.Client(c.link, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		c.nc, c.caps = secure, nil
		c.in = newReader(secure)
		c.out.Reset(secure)
		return nil
	})
}

// Login says who the person is.
func (c *Conn) Login(ctx context.Context, user, password string) error {
	cmd := NewCommand("LOGIN").String(user).String(password)
	if c.Has("AUTH=PLAIN") {
		first := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
		cmd = NewCommand("AUTHENTICATE PLAIN")
		if c.Has("SASL-IR") { // RFC 4959
			cmd.Raw(" " + first)
		} else {
			cmd.More(func(string) (string, error) { return first, nil })
		}
	}
	before := c.caps
	c.caps = nil
	res, err := c.Run(ctx, cmd, nil)
	if err != nil {
		if c.caps == nil {
			c.caps = before
		}
		return err
	}
	c.learn(res)
	return c.Capabilities(ctx)
}

// Selected is what is known of the mailbox that is selected.
type Selected struct {
	Name        string // on the wire
	Writable    bool
	Validity    uint32
	Next        uint32 // 0: the server does not say
	Exists      uint32
	ModSeq      uint64 // 0: the mailbox does not count changes
	Keywords    bool   // new ones can be made
	Permanent   []string
	HasFlagList bool // Permanent was told
	Told        int  // how often the server told of messages
}

// noteSelected notes what untagged responses say of the selected mailbox.
func (c *Conn) noteSelected(res *Response) {
	s := &c.Selected
	first := Value{}
	if len(res.Args) > 0 {
		first = res.Args[0]
	}
	switch res.Name {
	case "EXISTS", "EXPUNGE", "VANISHED", "FETCH":
		s.Told++
	}
	switch {
	case res.Name == "EXISTS":
		s.Exists = res.Number
	case res.Name != "OK":
	case res.Code == "UIDVALIDITY":
		s.Validity = uint32(first.Number())
	case res.Code == "UIDNEXT":
		s.Next = uint32(first.Number())
	case res.Code == "HIGHESTMODSEQ":
		s.ModSeq = first.Number()
	case res.Code == "NOMODSEQ":
		s.ModSeq = 0
	case res.Code == "PERMANENTFLAGS":
		s.HasFlagList, s.Permanent = true, nil
		for _, f := range first.List {
			s.Permanent = append(s.Permanent, f.Text)
			s.Keywords = s.Keywords || f.Text == `\*`
		}
	}
}

// Select selects a mailbox anew, to write to it or only to read.
func (c *Conn) Select(ctx context.Context, name string, write bool) error {
	word := "EXAMINE"
	if write {
		word = "SELECT"
	}
	cmd := NewCommand(word).String(name)
	if c.Has("CONDSTORE") || c.Has("QRESYNC") {
		cmd.Raw(" (CONDSTORE)")
	}
	c.Selected = Selected{}
	res, err := c.Run(ctx, cmd, nil)
	if err != nil {
		c.Selected = Selected{}
		return err
	}
	c.Selected.Name, c.Selected.Writable = name, write && res.Code != "READ-ONLY"
	return nil
}

// Fetch asks for items of messages: "1:*", "FLAGS RFC822.SIZE". Sections are
// kept up to a size.
func (c *Conn) Fetch(ctx context.Context, uids, items string, keep int64, yield func(*Message) error) error {
	return c.FetchWith(ctx, NewCommand("UID FETCH "+uids+" ("+items+")").Keep(keep), yield)
}

// FetchWith is Fetch with a command of the caller's.
func (c *Conn) FetchWith(ctx context.Context, cmd *Command, yield func(*Message) error) error {
	_, err := c.Run(ctx, cmd, func(res *Response) error {
		if res.Message == nil || res.Message.UID == 0 {
			return nil // of the server's own accord
		}
		return yield(res.Message)
	})
	return err
}

// maxFound bounds what one search finds.
const maxFound = 4_000_000

// Search answers the UIDs of messages, in order where the server keeps to it.
func (c *Conn) Search(ctx context.Context, cmd *Command) ([]uint32, error) {
	var uids []uint32
	_, err := c.Run(ctx, cmd, func(res *Response) error {
		if uids = append(uids, res.Numbers...); len(uids) > maxFound {
			return errLimit
		}
		return nil
	})
	return uids, err
}

// Idle waits for news of the selected mailbox until one comes, or a while has
// passed, and tells which. See RFC 2177. The server has to end it within the
// patience of the connection.
func (c *Conn) Idle(ctx context.Context, wait time.Duration, ready func()) (news bool, err error) {
	timer := time.Now().Add(wait)
	err = c.within(ctx, func() error {
		c.tag++
		tag := "t" + strconv.Itoa(c.tag)
		c.out.WriteString(tag + " IDLE\r\n")
		if err := c.out.Flush(); err != nil {
			return err
		}
		var err error
		news, err = c.idle(tag, timer, ready)
		return err
	})
	return news, err
}

func (c *Conn) idle(tag string, until time.Time, ready func()) (news bool, err error) {
	done := false // DONE is sent
	for {
		if !done && (news || !time.Now().Before(until)) {
			done = true
			c.out.WriteString("DONE\r\n")
			if err := c.out.Flush(); err != nil {
				return news, err
			}
		}
		if !done {
			ok, err := c.quiet(until)
			if err != nil {
				return news, err
			}
			if ok {
				continue
			}
		}
		res, err := c.response(sectionHandler{})
		switch {
		case err != nil:
			return news, err
		case res.Tag == "+":
			ready()
		case res.Tag == tag:
			if res.Name != "OK" {
				return news, &StatusError{Command: "IDLE", Bad: res.Name == "BAD", Code: res.Code, Text: res.Text}
			}
			return news, nil
		case res.Name == "BYE":
			c.bye = res.Code + " " + res.Text
		case res.Name == "EXISTS" || res.Name == "EXPUNGE" || res.Name == "VANISHED" || res.Name == "FETCH":
			c.noteSelected(res)
			news = true
		}
	}
}

// quiet waits for the server's next word until a moment, and tells whether none
// has come.
func (c *Conn) quiet(until time.Time) (bool, error) {
	before := c.link.SetPatience(max(time.Until(until), time.Millisecond))
	_, err := c.in.peek()
	c.link.SetPatience(before)
	if e, ok := err.(net.Error); ok && e.Timeout() && !c.link.IsCut() {
		return true, nil
	}
	return false, err
}

// Listen waits for the next untagged response until a while has passed; then it
// answers none.
func (c *Conn) Listen(ctx context.Context, wait time.Duration) (*Response, error) {
	var res *Response
	err := c.within(ctx, func() error {
		ok, err := c.quiet(time.Now().Add(wait))
		if ok || err != nil {
			return err
		}
		res, err = c.response(sectionHandler{})
		if err == nil && res.Name == "BYE" {
			c.bye = res.Code + " " + res.Text
		}
		return err
	})
	return res, err
}

// UIDSet writes UIDs as ranges: "1:3,7". They have to be in order.
func UIDSet(uids []uint32) string {
	var b strings.Builder
	for n := 0; n < len(uids); {
		first, last := uids[n], uids[n]
		for n++; n < len(uids) && uids[n] <= last+1; n++ {
			last = uids[n]
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d", first)
		if last > first {
			fmt.Fprintf(&b, ":%d", last)
		}
	}
	return b.String()
}

// ParseUIDSet calls yield for each UID of a set, until it answers false. It
// answers false if the text is no set.
func ParseUIDSet(set string, yield func(uint32) bool) bool {
	if set == "" {
		return true
	}
	for _, r := range strings.Split(set, ",") {
		a, b, isRange := strings.Cut(r, ":")
		first, err1 := strconv.ParseUint(a, 10, 32)
		last := first
		var err2 error
		if isRange {
			last, err2 = strconv.ParseUint(b, 10, 32)
		}
		if err1 != nil || err2 != nil || first == 0 {
			return false
		}
		for u := min(first, last); u <= max(first, last); u++ {
			if !yield(uint32(u)) {
				return true
			}
		}
	}
	return true
}
