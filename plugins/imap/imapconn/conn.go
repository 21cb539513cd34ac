// Package imapconn speaks IMAP (RFC 9051, RFC 3501) over one connection, one command at a time.
//
// It starts no goroutines, keeps no more than it is asked for, and trusts a
// server with nothing: what is over a limit or no IMAP ends the connection. A
// message's bytes can be streamed.
package imapconn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// A Conn is a connection to a server. Its methods may not be called from
// several goroutines at a time. After an error that is no *StatusError it is of
// no more use, which Broken tells.
type Conn struct {
	link *Link
	nc   net.Conn // link, or TLS on top of it
	in   *reader
	out  *bufio.Writer

	caps   map[string]bool
	tag    int
	broken error
	bye    string // what the server said last

	// Selected is the mailbox that is selected; its Name is empty if none is.
	Selected Selected
}

// A StatusError is a command's answer NO or BAD.
type StatusError struct {
	Command string // "SELECT"
	Bad     bool   // it was BAD
	Code    string // "NONEXISTENT", in capital letters
	Text    string
}

// Error says what the server said.
func (e *StatusError) Error() string {
	word := "NO"
	if e.Bad {
		word = "BAD"
	}
	if e.Code != "" {
		word += " [" + e.Code + "]"
	}
	return fmt.Sprintf("%s: %s %.500s", e.Command, word, strings.ToValidUTF8(e.Text, "\uFFFD"))
}

func newReader(r io.Reader) *reader { return &reader{br: bufio.NewReaderSize(r, 32<<10)} }

// New takes over a network connection whose server may be silent for a while.
// wrap, unless nil, puts TLS on top. It reads the greeting.
func New(ctx context.Context, nc net.Conn, timeout time.Duration, wrap func(net.Conn) net.Conn) (*Conn, error) {
	c := &Conn{link: NewLink(nc, timeout)}
	c.nc = c.link
	if wrap != nil {
		c.nc = wrap(c.link)
	}
	c.in, c.out = newReader(c.nc), bufio.NewWriter(c.nc)
	err := c.within(ctx, func() error {
		res, err := c.response(sectionHandler{})
		switch {
		case err != nil:
			return err
		case res.Name == "BYE":
			return &StatusError{Command: "greeting", Code: res.Code, Text: res.Text}
		case res.Tag != "*" || res.Name != "OK":
			return fmt.Errorf("%w: the greeting is %s %s", errSyntax, res.Tag, res.Name)
		}
		c.learn(res)
		return nil
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// within does something that ends early when ctx does.
func (c *Conn) within(ctx context.Context, do func() error) error {
	if c.broken != nil {
		return c.broken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, c.link.Sever)
	err := do()
	if !stop() {
		if err == nil {
			err = errCut // what it severed is of no more use
		}
		err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		c.broken = err
		return err
	}
	if _, refused := errors.AsType[*StatusError](err); err != nil && !refused {
		if c.bye != "" {
			err = fmt.Errorf("%w (the server said %.200q)", err, c.bye)
		}
		c.broken = err
	}
	return err
}

// Broken tells whether the connection is of no more use.
func (c *Conn) Broken() bool { return c.broken != nil }

// Close closes the connection without another word.
func (c *Conn) Close() error {
	if c.broken == nil {
		c.broken = net.ErrClosed
	}
	return c.link.Conn.Close()
}

// Logout says goodbye and closes the connection, without waiting for an answer.
func (c *Conn) Logout() {
	if c.broken == nil {
		c.link.SetPatience(time.Second)
		c.out.WriteString("bye LOGOUT\r\n")
		c.out.Flush()
	}
	c.Close()
}

// learn notes capabilities that a response tells.
func (c *Conn) learn(res *Response) {
	if res.Name != "CAPABILITY" && res.Code != "CAPABILITY" {
		return
	}
	c.caps = make(map[string]bool, len(res.Args))
	for _, v := range res.Args {
		c.caps[strings.ToUpper(v.Text)] = true
	}
}

// Has tells whether the server has a capability: "MOVE".
func (c *Conn) Has(capability string) bool { return c.caps[capability] }

// Capabilities asks for them unless the server told them already.
func (c *Conn) Capabilities(ctx context.Context) error {
	if c.caps != nil {
		return nil
	}
	_, err := c.Run(ctx, NewCommand("CAPABILITY"), nil)
	return err
}

// Run sends a command and calls handle, unless it is nil, for each untagged
// response that comes before the tagged one, which it answers. NO and BAD are a
// *StatusError.
func (c *Conn) Run(ctx context.Context, cmd *Command, handle func(*Response) error) (*Response, error) {
	var done *Response
	err := c.within(ctx, func() (err error) {
		done, err = c.run(cmd, handle)
		return err
	})
	return done, err
}

func (c *Conn) run(cmd *Command, handle func(*Response) error) (*Response, error) {
	if cmd.err != nil {
		return nil, &StatusError{Command: cmd.name, Code: "CANNOT", Text: cmd.err.Error()}
	}
	c.tag++
	tag := "t" + strconv.Itoa(c.tag)
	c.out.WriteString(tag + " ")
	for n, p := range cmd.parts {
		if n > 0 && !c.Has("LITERAL+") { // the part before announced a literal
			if err := c.out.Flush(); err != nil {
				return nil, err
			}
			res, err := c.await(tag, cmd, handle)
			if err != nil {
				return nil, err
			}
			if res.Tag == tag {
				return c.finish(cmd, res)
			}
		}
		if err := c.send(cmd, p, n == len(cmd.parts)-1); err != nil {
			return nil, err
		}
	}
	if err := c.out.Flush(); err != nil {
		return nil, err
	}
	for {
		res, err := c.await(tag, cmd, handle)
		if err != nil {
			return nil, err
		}
		if res.Tag == tag {
			return c.finish(cmd, res)
		}
		if cmd.more == nil {
			return nil, fmt.Errorf("%w: %s is asked to go on", errSyntax, cmd.name)
		}
		line, err := cmd.more(res.Text)
		if err != nil {
			line = "*" // RFC 9051, section 6.2.2: the client ends it
		}
		c.out.WriteString(line + "\r\n")
		if err := c.out.Flush(); err != nil {
			return nil, err
		}
	}
}

// send writes a part of a command and, unless it is the last, announces the
// literal that is the next one.
func (c *Conn) send(cmd *Command, p part, last bool) error {
	if _, err := c.out.WriteString(p.text); err != nil {
		return err
	}
	if last {
		_, err := c.out.WriteString("\r\n")
		return err
	}
	plus := ""
	if c.Has("LITERAL+") {
		plus = "+"
	}
	_, err := fmt.Fprintf(c.out, "{%d%s}\r\n", len(p.literal), plus)
	if err != nil {
		return err
	}
	if plus == "" {
		cmd.pending = p.literal
		return nil
	}
	_, err = c.out.Write(p.literal)
	return err
}

// await reads responses up to a tagged one or a request to go on.
func (c *Conn) await(tag string, cmd *Command, handle func(*Response) error) (*Response, error) {
	for {
		res, err := c.response(cmd.sections)
		if err != nil {
			return nil, err
		}
		c.learn(res)
		switch res.Tag {
		case tag:
			return res, nil
		case "+":
			if cmd.pending != nil {
				_, err := c.out.Write(cmd.pending)
				cmd.pending = nil
				return res, err
			}
			return res, nil
		case "*":
		default:
			return nil, fmt.Errorf("%w: the tag %.20q", errSyntax, res.Tag)
		}
		if res.Name == "BYE" {
			c.bye = res.Code + " " + res.Text
		}
		c.noteSelected(res)
		if handle != nil {
			if err := handle(res); err != nil {
				return nil, err
			}
		}
	}
}

func (c *Conn) finish(cmd *Command, res *Response) (*Response, error) {
	if res.Name == "OK" {
		return res, nil
	}
	if res.Name != "NO" && res.Name != "BAD" {
		return nil, fmt.Errorf("%w: %s ends with %.20q", errSyntax, cmd.name, res.Name)
	}
	return nil, &StatusError{Command: cmd.name, Bad: res.Name == "BAD", Code: res.Code, Text: res.Text}
}

// Patience sets how long the server may be silent, and answers how long it
// could be before.
func (c *Conn) Patience(timeout time.Duration) time.Duration { return c.link.SetPatience(timeout) }
