package imapconn

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
)

// A Command is what a client says. Make one with NewCommand.
type Command struct {
	name     string
	parts    []part // all but the last announce a literal
	pending  []byte // a literal that the server has not asked for yet
	sections sectionHandler
	more     func(string) (string, error) // answers a request to go on
	err      error
}

type part struct {
	text    string
	literal []byte // that follows
}

// NewCommand begins a command: with its name and what else needs no quoting.
func NewCommand(text string) *Command {
	name := text
	if rest, ok := strings.CutPrefix(text, "UID "); ok {
		name, _, _ = strings.Cut(rest, " ")
		name = "UID " + name
	} else {
		name, _, _ = strings.Cut(text, " ")
	}
	cmd := &Command{name: name, parts: []part{{}}}
	return cmd.Raw(text)
}

var errInjection = errors.New("a line end within a command")

// Raw adds text as it is. It has to be the program's own, or checked.
func (cmd *Command) Raw(text string) *Command {
	if strings.ContainsAny(text, "\r\n\x00") {
		cmd.err = errInjection
	}
	cmd.parts[len(cmd.parts)-1].text += text
	return cmd
}

var errNul = errors.New("a NUL byte, which IMAP cannot carry")

// String adds a blank and a text that may be anything, in quotes or as a
// literal. See RFC 9051, section 9, "astring".
func (cmd *Command) String(text string) *Command {
	plain := len(text) <= 1000 && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
	if !plain {
		return cmd.Literal([]byte(text))
	}
	return cmd.Raw(` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`)
}

// Literal adds a blank and bytes.
func (cmd *Command) Literal(data []byte) *Command {
	if bytes.IndexByte(data, 0) >= 0 {
		cmd.err = errNul
	}
	cmd.Raw(" ")
	cmd.parts[len(cmd.parts)-1].literal = data
	cmd.parts = append(cmd.parts, part{})
	return cmd
}

// Keep says how many bytes of one section of a message are kept; larger ones
// are not.
func (cmd *Command) Keep(size int64) *Command {
	cmd.sections.max = size
	return cmd
}

// Stream has a section of a message written to w. Its error comes back as a
// *WriteError.
func (cmd *Command) Stream(w io.Writer) *Command {
	cmd.sections.stream = w
	return cmd
}

// More says what to answer when the server asks to go on.
func (cmd *Command) More(answer func(challenge string) (string, error)) *Command {
	cmd.more = answer
	return cmd
}

// Date writes a day for SEARCH.
func Date(t time.Time) string { return t.Format("2-Jan-2006") }

// First is String without the blank, for the first member of a list.
func (cmd *Command) First(text string) *Command {
	last := len(cmd.parts) - 1
	before := len(cmd.parts[last].text)
	cmd.String(text)
	p := &cmd.parts[last]
	p.text = p.text[:before] + p.text[before+1:]
	return cmd
}
