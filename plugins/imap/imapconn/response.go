package imapconn

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A Response is what a server says: a line, or more with literals.
type Response struct {
	Tag    string // "*", "+", or that of a command
	Name   string // in capital letters: "OK", "LIST", "FETCH"
	Number uint32 // before the name: of "* 12 FETCH" the 12

	Code string // of OK, NO, BAD, BYE and PREAUTH, in capital letters: "UIDVALIDITY"
	Args []Value
	Text string // for people; also what follows "+"

	Numbers []uint32 // of SEARCH
	Message *Message // of FETCH
}

// A Message is what FETCH says of one.
type Message struct {
	UID       uint32
	Flags     []string
	HasFlags  bool
	ModSeq    uint64
	Date      time.Time
	Size      int64
	Structure Value
	Sections  map[string]Section // by what is between the brackets

	// Intricate tells that the structure was over a limit, and is not kept. It
	// is the message's doing, not the server's.
	Intricate bool

	kept    int64 // about how many bytes of memory Sections are
	skipped int64 // how many more there were that nobody may keep
}

const (
	// maxBeside is how many bytes of sections are kept of one message, beyond
	// the most that one of them may have: the headers of hundreds of parts.
	maxBeside = 8 << 20

	// maxKeys is how many of these are for names of sections alone: whoever wrote
	// the message may have filled the others.
	maxKeys = 1 << 20

	// sectionCost is about what a section costs beside its bytes.
	sectionCost = 100
)

// A Section is some bytes of a message.
type Section struct {
	Data []byte
	None bool // the server says that there is no such section
	Over bool // it was larger than what the caller wanted to keep, or than there was room for, and is not kept
}

// response reads the next response. sections says what to do with bytes of
// messages.
func (c *Conn) response(sections sectionHandler) (*Response, error) {
	c.in.begin()
	res := new(Response)
	var err error
	if res.Tag, err = c.in.word(); err != nil {
		return nil, err
	}
	if err := c.in.spaces(); err != nil {
		return nil, err
	}
	if res.Tag == "+" {
		res.Text, err = c.in.rest()
		return res, err
	}
	name, err := c.in.word()
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		res.Number = uint32(n)
		if err := c.in.spaces(); err != nil {
			return nil, err
		}
		if name, err = c.in.word(); err != nil {
			return nil, err
		}
	}
	res.Name = strings.ToUpper(name)
	if err := c.in.spaces(); err != nil {
		return nil, err
	}
	switch res.Name {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		err = c.condition(res)
	case "SEARCH":
		err = c.numbers(res)
	case "FETCH":
		err = c.fetched(res, sections)
	case "":
		err = fmt.Errorf("%w: a line without a word", errSyntax)
	default:
		err = c.values(res)
	}
	return res, err
}

// values takes the values that a response is made of.
func (c *Conn) values(res *Response) error {
	for {
		p, err := c.in.peek()
		if err != nil {
			return err
		}
		if p == '\r' || p == '\n' {
			return c.in.lineEnd()
		}
		v, err := c.in.value(0)
		if err != nil {
			return err
		}
		res.Args = append(res.Args, v)
		if err := c.in.spaces(); err != nil {
			return err
		}
	}
}

// condition takes the code and the text of a response such as OK. A code that
// is not understood is as none.
func (c *Conn) condition(res *Response) error {
	text, err := c.in.rest()
	if err != nil {
		return err
	}
	res.Text = text
	if !strings.HasPrefix(text, "[") {
		return nil
	}
	code, rest, ok := strings.Cut(text[1:], "]")
	if !ok {
		return nil
	}
	res.Text = strings.TrimSpace(rest)
	res.Code, rest, _ = strings.Cut(code, " ")
	res.Code = strings.ToUpper(res.Code)
	in := newReader(strings.NewReader(rest + "\r\n"))
	inner := &Conn{in: in}
	in.begin()
	var args Response
	if err := inner.values(&args); err == nil {
		res.Args = args.Args
	}
	return nil
}

// numbers takes the numbers of SEARCH. (With CONDSTORE a list may follow.)
func (c *Conn) numbers(res *Response) error {
	for {
		word, err := c.in.word()
		if err != nil {
			return err
		}
		if word == "" {
			p, err := c.in.peek()
			if err != nil {
				return err
			}
			if p == '(' {
				if _, err := c.in.value(0); err != nil {
					return err
				}
				continue
			}
			return c.in.lineEnd()
		}
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return fmt.Errorf("%w: SEARCH answers %.20q", errSyntax, word)
		}
		res.Numbers = append(res.Numbers, uint32(n))
		if err := c.in.spaces(); err != nil {
			return err
		}
	}
}

// A sectionHandler says what to do with bytes of messages.
type sectionHandler struct {
	// max is how many bytes of one section are kept.
	max int64

	// stream, unless nil, takes all of a section's bytes instead.
	stream io.Writer
}

// fetched takes what FETCH says of a message.
func (c *Conn) fetched(res *Response, sections sectionHandler) error {
	res.Message = new(Message)
	if open, err := c.in.accept('('); !open || err != nil {
		return orSyntax(err, "FETCH without a list")
	}
	for {
		if err := c.in.spaces(); err != nil {
			return err
		}
		if end, err := c.in.accept(')'); err != nil {
			return err
		} else if end {
			return c.in.lineEnd()
		}
		name, err := c.in.word()
		if err != nil {
			return err
		}
		if name == "" {
			return orSyntax(nil, "FETCH without names")
		}
		if err := c.in.spaces(); err != nil {
			return err
		}
		if err := c.item(res.Message, strings.ToUpper(name), sections); err != nil {
			return err
		}
	}
}

func orSyntax(err error, what string) error {
	if err == nil {
		err = fmt.Errorf("%w: %s", errSyntax, what)
	}
	return err
}

// item takes one thing that FETCH says of a message.
func (c *Conn) item(m *Message, name string, sections sectionHandler) error {
	if key, ok := sectionName(name); ok {
		s, err := c.section(sections, m)
		if m.Sections == nil {
			m.Sections = make(map[string]Section)
		}
		m.kept += int64(len(s.Data) + len(key) + sectionCost)
		m.Sections[key] = s
		return err
	}
	if name == "BODYSTRUCTURE" {
		return c.structure(m)
	}
	v, err := c.in.value(0)
	if err != nil {
		return err
	}
	switch name {
	case "UID":
		m.UID = uint32(v.Number())
	case "FLAGS":
		m.HasFlags = true
		for _, f := range v.List {
			m.Flags = append(m.Flags, f.Text)
		}
	case "MODSEQ":
		m.ModSeq = v.At(0).Number()
	case "INTERNALDATE":
		m.Date, _ = time.Parse("_2-Jan-2006 15:04:05 -0700", strings.TrimSpace(v.Text)) // zero: not known
	case "RFC822.SIZE":
		m.Size = int64(min(v.Number(), 1<<62))
	}
	return nil
}

// structure takes the structure of a message. Anybody can send one that is over
// our limits, which must not keep the others from coming.
func (c *Conn) structure(m *Message) error {
	c.in.lenient = true
	v, err := c.in.value(0)
	m.Structure, m.Intricate = v, c.in.over
	if c.in.lenient, c.in.over = false, false; m.Intricate {
		m.Structure = Value{}
		c.in.begin()
	}
	return err
}

// sectionName answers "1.MIME" of BODY[1.MIME]<0>.
func sectionName(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "BODY[")
	if !ok {
		return "", false
	}
	end := strings.LastIndexByte(rest, ']')
	if end < 0 {
		return rest, true
	}
	return rest[:end], true
}

// section takes bytes of a message, of which no more than there is room for may
// be kept.
func (c *Conn) section(sections sectionHandler, m *Message) (Section, error) {
	p, err := c.in.peek()
	if err != nil {
		return Section{}, err
	}
	if p != '{' {
		v, err := c.in.value(0)
		if err == nil && v.Kind != Nil && sections.stream != nil {
			err = write(sections.stream, []byte(v.Text))
		}
		return Section{Data: []byte(v.Text), None: v.Kind == Nil}, err
	}
	size, err := c.in.literalSize()
	switch {
	case err != nil:
		return Section{}, err
	case sections.stream != nil:
		return Section{}, stream(sections.stream, io.LimitReader(c.in.br, size), size)
	case m.kept > sections.max+maxBeside:
		return Section{}, errLimit
	case size > sections.max:
		_, err := io.CopyN(io.Discard, c.in.br, size)
		return Section{Over: true}, err
	case m.kept+size > sections.max+maxBeside-maxKeys:
		if m.skipped += size; m.skipped > maxSkipped {
			return Section{}, errLimit
		}
		_, err := io.CopyN(io.Discard, c.in.br, size)
		return Section{Over: true}, err
	}
	data := make([]byte, size)
	_, err = io.ReadFull(c.in.br, data)
	return Section{Data: data}, err
}

// A WriteError is what the writer said that a section was streamed to.
type WriteError struct{ Err error }

// Error is the writer's.
func (e *WriteError) Error() string { return e.Err.Error() }

// Unwrap answers the writer's error.
func (e *WriteError) Unwrap() error { return e.Err }

func write(w io.Writer, data []byte) error {
	if _, err := w.Write(data); err != nil {
		return &WriteError{err}
	}
	return nil
}

// stream copies a literal.
func stream(w io.Writer, r io.Reader, size int64) error {
	buffer := make([]byte, min(size, 128<<10))
	for size > 0 {
		n, err := r.Read(buffer)
		if n > 0 {
			if err := write(w, buffer[:n]); err != nil {
				return err
			}
			size -= int64(n)
		}
		if err != nil && size > 0 {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}
