package imap

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// A sieveConn is a connection to a ManageSieve server (RFC 5804) on which the
// person is logged in.
type sieveConn struct {
	link       *imapconn.Link
	in         *bufio.Reader
	out        io.Writer
	extensions []string // that scripts may use
	startTLS   bool     // is offered
}

// sieve lends do a connection.
func (s *session) sieve(ctx context.Context, op string, do func(*sieveConn) error) error {
	if s.store.Sieve == "" {
		return backend.Errorf(backend.Unsupported, "imap: "+op, "no ManageSieve server is configured")
	}
	if err := s.enter(ctx, s.store.slots); err != nil {
		return err
	}
	defer func() { <-s.store.slots }()
	err := s.store.logins.wait(ctx)
	if err == nil {
		err = s.sieveOnce(ctx, do)
	}
	if e := ended(ctx, op); err != nil && e != nil {
		return e
	}
	return sieveFailure(op, err)
}

func (s *session) sieveOnce(ctx context.Context, do func(*sieveConn) error) error {
	h := s.store.hosts.sieve
	nc, err := h.dial(ctx)
	if err != nil {
		return err
	}
	link := imapconn.NewLink(nc, s.store.Timeout)
	stop := context.AfterFunc(ctx, link.Sever)
	defer stop()
	defer link.Close()
	c := &sieveConn{link: link, in: bufio.NewReader(link), out: link}
	if err := c.greeting(); err != nil {
		return err
	}
	if h.security == startTLS {
		if !c.startTLS {
			return errors.New("the server offers no STARTTLS; sieve+plain:// does without")
		}
		if err := c.ok("STARTTLS"); err != nil {
			return err
		}
		if c.in.Buffered() > 0 {
			return errors.New("more than the answer to STARTTLS came")
		}
		secure := tls.Client(link, h.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		c.in, c.out = bufio.NewReader(secure), secure
		if err := c.greeting(); err != nil { // the capabilities once more
			return err
		}
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + s.credentials.User + "\x00" + s.credentials.Password))
	if err := c.ok("AUTHENTICATE", `"PLAIN"`, quoteSieve(plain)); err != nil {
		if said, ok := errors.AsType[*sieveError](err); ok && said.code == "" {
			said.login = true
		}
		return err
	}
	if err := do(c); err != nil {
		return err
	}
	_, _ = io.WriteString(c.out, "LOGOUT\r\n") // what was said counts
	return nil
}

// A sieveError is NO or BYE.
type sieveError struct {
	command, word, code, text string
	login                     bool // it is about the password
}

func (e *sieveError) Error() string {
	return fmt.Sprintf("%s: %s %s %.300q", e.command, e.word, e.code, e.text)
}

// sieveFailure is the error of a call. See RFC 5804, section 1.3.
func sieveFailure(op string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*backend.Error](err); ok {
		return e
	}
	kind := backend.Transient
	if said, ok := errors.AsType[*sieveError](err); ok {
		switch {
		case said.word == "BYE" || said.code == "TRYLATER":
		case said.login:
			kind = backend.Denied
		case strings.HasPrefix(said.code, "QUOTA"):
			kind = backend.TooLarge
		default:
			kind = backend.Invalid
		}
	}
	return backend.E(kind, "imap: "+op, err)
}

// quoteSieve writes a string. What cannot stand in quotes is a literal.
func quoteSieve(text string) string {
	if len(text) > 1000 || strings.ContainsAny(text, "\r\n\x00") {
		return literalSieve(text)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func literalSieve(text string) string { return fmt.Sprintf("{%d+}\r\n%s", len(text), text) }

// greeting reads the capabilities.
func (c *sieveConn) greeting() error {
	lines, err := c.answer("greeting")
	for _, l := range lines {
		switch strings.ToUpper(at(l, 0)) {
		case "SIEVE":
			c.extensions = strings.Fields(at(l, 1))
		case "STARTTLS":
			c.startTLS = true
		}
	}
	return err
}

func at(words []string, n int) string {
	if n >= len(words) {
		return ""
	}
	return words[n]
}

// ok runs a command that answers nothing else.
func (c *sieveConn) ok(command string, args ...string) error {
	_, err := c.run(command, args...)
	return err
}

// run runs a command and answers the lines before the last.
func (c *sieveConn) run(command string, args ...string) ([][]string, error) {
	if _, err := io.WriteString(c.out, strings.Join(append([]string{command}, args...), " ")+"\r\n"); err != nil {
		return nil, err
	}
	return c.answer(command)
}

// scripts lists the names of the person's scripts, and the active one.
func (c *sieveConn) scripts() (names []string, active string, err error) {
	lines, err := c.run("LISTSCRIPTS")
	for _, l := range lines {
		names = append(names, at(l, 0))
		if strings.EqualFold(at(l, 1), "ACTIVE") {
			active = at(l, 0)
		}
	}
	return names, active, err
}

// get reads a script.
func (c *sieveConn) get(name string) (string, error) {
	lines, err := c.run("GETSCRIPT", quoteSieve(name))
	if err != nil || len(lines) == 0 {
		return "", err
	}
	return at(lines[0], 0), nil
}

// maxSieveLines bounds the lines of an answer: a server has tens of capabilities,
// and a person tens of scripts.
const maxSieveLines = 2000

// answer reads lines up to OK, NO or BYE.
func (c *sieveConn) answer(command string) ([][]string, error) {
	var lines [][]string
	for range maxSieveLines {
		words, bare, err := c.line()
		if err != nil {
			return nil, err
		}
		if !bare {
			lines = append(lines, words)
			continue
		}
		word, rest := strings.ToUpper(at(words, 0)), words[1:]
		code := ""
		if strings.HasPrefix(at(rest, 0), "(") {
			code, rest = strings.ToUpper(strings.Trim(rest[0], "()")), rest[1:]
		}
		switch word {
		case "OK":
			return lines, nil
		case "NO", "BYE":
			return nil, &sieveError{command: command, word: word, code: code, text: strings.Join(rest, " ")}
		}
		return nil, fmt.Errorf("the server says %.40q", word)
	}
	return nil, errors.New("the server's answer has too many lines")
}

// line reads the strings and words of a line, and tells whether it begins with
// a word.
func (c *sieveConn) line() (words []string, bare bool, err error) {
	size := 0
	for {
		b, err := c.in.ReadByte()
		if err != nil {
			return nil, false, err
		}
		var word string
		switch b {
		case ' ', '\r':
			continue
		case '\n':
			if len(words) == 0 {
				continue
			}
			return words, bare, nil
		case '"':
			word, err = c.quoted()
		case '{':
			word, err = c.literal()
		default:
			bare = bare || len(words) == 0
			c.in.UnreadByte()
			word, err = c.word()
		}
		if err != nil {
			return nil, false, err
		}
		if size += len(word) + 16; size > maxScript {
			return nil, false, errSieveLimit
		}
		words = append(words, word)
	}
}

var errSieveLimit = errors.New("the server's answer is over a limit")

func (c *sieveConn) quoted() (string, error) {
	var b strings.Builder
	for {
		ch, err := c.in.ReadByte()
		if err != nil {
			return "", err
		}
		switch ch {
		case '"':
			return b.String(), nil
		case '\\':
			if ch, err = c.in.ReadByte(); err != nil {
				return "", err
			}
		}
		if b.WriteByte(ch); b.Len() > maxScript {
			return "", errSieveLimit
		}
	}
}

func (c *sieveConn) literal() (string, error) {
	head, err := c.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	size, err := strconv.Atoi(strings.TrimRight(string(head), "+}\r\n"))
	if err != nil || size < 0 || size > maxScript {
		return "", errSieveLimit
	}
	data := make([]byte, size)
	_, err = io.ReadFull(c.in, data)
	return string(data), err
}

// word takes a word, or a code in parentheses with all that is inside.
func (c *sieveConn) word() (string, error) {
	var b strings.Builder
	for depth := 0; ; {
		ch, err := c.in.ReadByte()
		if err != nil {
			return "", err
		}
		switch {
		case ch == '(':
			depth++
		case ch == ')':
			depth--
		case ch == '\r' || ch == '\n' || ch == ' ' && depth <= 0:
			return b.String(), c.in.UnreadByte()
		}
		if b.WriteByte(ch); b.Len() > 4096 {
			return "", errSieveLimit
		}
	}
}
