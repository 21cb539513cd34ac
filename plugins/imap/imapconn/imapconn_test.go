package imapconn

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// dialogue is a connection to a server that says these things: one after the
// greeting, and one after each line that comes. %s in them is the tag.
func dialogue(t *testing.T, answers ...string) (*Conn, func() []string) {
	t.Helper()
	client, server := net.Pipe()
	var heard []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		io.WriteString(server, "* OK [CAPABILITY IMAP4rev1] hello\r\n")
		in := bufio.NewReader(server)
		for _, answer := range answers {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			heard = append(heard, strings.TrimRight(line, "\r\n"))
			tag, _, _ := strings.Cut(line, " ")
			if _, err := io.WriteString(server, strings.ReplaceAll(answer, "%s", tag)); err != nil {
				return
			}
		}
		io.Copy(io.Discard, in)
	}()
	c, err := New(t.Context(), client, time.Second, nil)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { c.Close(); <-done })
	return c, func() []string { c.Close(); <-done; return heard }
}

func TestFetch(t *testing.T) {
	c, _ := dialogue(t, "* 3 EXISTS\r\n"+
		"* 1 FETCH (UID 7 FLAGS (\\Seen $Forwarded) INTERNALDATE \" 2-Jan-2026 03:04:05 +0100\" RFC822.SIZE 12 MODSEQ (99) BODY[HEADER.FIELDS (TO)] {4}\r\nTo:x BODY[1]<0> \"a\\\"b\" BODY[2] NIL)\r\n"+
		"* 2 FETCH (BODY[] {5}\r\n12345 UID 8)\r\n"+
		"* 2 FETCH (FLAGS ())\r\n"+
		"%s OK done\r\n")
	var got []string
	err := c.Fetch(t.Context(), "1:*", "FLAGS", 4, func(m *Message) error {
		got = append(got, fmt.Sprintf("%d %q %s %d %d %v", m.UID, m.Flags, m.Date.UTC().Format(time.RFC3339), m.Size, m.ModSeq, len(m.Sections)))
		if s := m.Sections["HEADER.FIELDS (TO)"]; m.UID == 7 && string(s.Data) != "To:x" {
			t.Errorf("the header is %q", s.Data)
		}
		if s := m.Sections["1"]; m.UID == 7 && string(s.Data) != `a"b` {
			t.Errorf("part 1 is %q", s.Data)
		}
		if s := m.Sections["2"]; m.UID == 7 && !s.None {
			t.Errorf("part 2 is %+v, want none", s)
		}
		if s := m.Sections[""]; m.UID == 8 && !s.Over {
			t.Errorf("a message over the limit is %+v, want it left out", s)
		}
		return nil
	})
	want := `[7 ["\\Seen" "$Forwarded"] 2026-01-02T02:04:05Z 12 99 3 8 [] 0001-01-01T00:00:00Z 0 0 1]`
	if fmt.Sprint(got) != want || err != nil || c.Selected.Exists != 3 {
		t.Errorf("Fetch: %v, error %v, %d exist; want %s", got, err, c.Selected.Exists, want)
	}
}

// TestBadServers says what ends a connection, and that it is no *StatusError.
func TestBadServers(t *testing.T) {
	tests := []struct{ name, answer, want string }{
		{"a literal without end", "* 1 FETCH (BODYSTRUCTURE {999999999999}\r\n", "over a limit"},
		{"a literal that is no number", "* 1 FETCH (BODYSTRUCTURE {-1}\r\n", "no IMAP"},
		{"a literal of many digits", "* LIST () {" + strings.Repeat("1", 60) + "}\r\n", "no IMAP"},
		{"lists in lists", "* 1 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 1000) + "\r\n", "over a limit"},
		{"a word without end", "* LIST () " + strings.Repeat("x", maxText+10) + "\r\n", "over a limit"},
		{"quotes without end", "* LIST () \"abc\r\n", "no IMAP"},
		{"another tag", "zzz OK\r\n", "no IMAP"},
		{"a request to go on", "+ go on\r\n", "asked to go on"},
		{"an end", "* BYE [UNAVAILABLE] going home\r\n", "going home"},
		{"no parentheses", "* 1 FETCH UID 3\r\n", "no IMAP"},
		{"a tagged something", "%s MAYBE\r\n", "no IMAP"},
		{"a number that is none", "* SEARCH 1 x\r\n", "no IMAP"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := dialogue(t, test.answer)
			c.Patience(200 * time.Millisecond)
			_, err := c.Run(t.Context(), NewCommand("NOOP"), nil)
			if _, ok := errors.AsType[*StatusError](err); err == nil || ok || !strings.Contains(err.Error(), test.want) || !c.Broken() {
				t.Errorf("error %v, broken %t; want one with %q, and true", err, c.Broken(), test.want)
			}
			if _, err := c.Run(t.Context(), NewCommand("NOOP"), nil); err == nil {
				t.Error("the connection goes on")
			}
		})
	}
}

// TestManySections is about a server that sends more than it was asked for.
func TestManySections(t *testing.T) {
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.WriteString(server, "* OK hello\r\n")
		bufio.NewReader(server).ReadString('\n')
		io.WriteString(server, "* 1 FETCH (UID 1")
		body := strings.Repeat("x", 1<<20)
		for n := range 1000 {
			if _, err := fmt.Fprintf(server, " BODY[%d] {%d}\r\n%s", n+1, len(body), body); err != nil {
				return
			}
		}
	}()
	c, err := New(t.Context(), client, 5*time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	err = c.Fetch(t.Context(), "1", "BODY.PEEK[1]", 1<<20, func(m *Message) error {
		for _, s := range m.Sections {
			kept += len(s.Data)
		}
		return nil
	})
	if err == nil || !c.Broken() || kept > 0 {
		t.Errorf("a thousand megabytes come for one: %d are kept, error %v", kept, err)
	}
	c.Close()
	server.Close()
	<-done
}

// TestIntricate is about what anybody can do to a person: send a message whose
// structure is over our limits. The messages after it have to come.
func TestIntricate(t *testing.T) {
	long := strings.Repeat("x", maxText+10)
	for name, structure := range map[string]string{
		"a long text":    `("TEXT" "PLAIN" ("NAME" "` + long + `") NIL NIL "7BIT" 1 1)`,
		"a long literal": fmt.Sprintf(`("TEXT" "PLAIN" ("NAME" {%d}`, len(long)) + "\r\n" + long + `) NIL NIL "7BIT" 1 1)`,
		"many values":    "(" + strings.Repeat(`("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)`, maxValues/8) + ` "MIXED")`,
		"lists in lists": strings.Repeat("(", 3*maxDepth) + `"a\")" {2}` + "\r\n)(" + strings.Repeat(")", 3*maxDepth),
		"much of it":     "(" + strings.Repeat(`("`+long[:maxText-10]+`") `, maxResponse/maxText+2) + ")",
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := dialogue(t, "* 1 FETCH (UID 7 BODYSTRUCTURE "+structure+" FLAGS (\\Seen))\r\n* 2 FETCH (UID 8 BODYSTRUCTURE (\"TEXT\" \"PLAIN\"))\r\n%s OK done\r\n")
			var got []string
			err := c.Fetch(t.Context(), "1:*", "BODYSTRUCTURE", 0, func(m *Message) error {
				got = append(got, fmt.Sprint(m.UID, m.Intricate, len(m.Structure.List), m.HasFlags))
				return nil
			})
			if want := "[7 true 0 true 8 false 2 false]"; fmt.Sprint(got) != want || err != nil {
				t.Errorf("there come %v, error %v; want %s", got, err, want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	c, _ := dialogue(t, "%s NO [NONEXISTENT] not here\r\n", "%s BAD what\r\n", "* OK [X (] odd\r\n* OK [] odd\r\n* NO nothing\r\n%s OK [APPENDUID 1 2] fine\r\n")
	_, err := c.Run(t.Context(), NewCommand("SELECT").String("x"), nil)
	if e, ok := errors.AsType[*StatusError](err); !ok || e.Code != "NONEXISTENT" || e.Command != "SELECT" || e.Bad || e.Text != "not here" {
		t.Errorf("NO: %#v", err)
	}
	_, err = c.Run(t.Context(), NewCommand("UID FETCH 1 X"), nil)
	if e, ok := errors.AsType[*StatusError](err); !ok || !e.Bad || e.Command != "UID FETCH" {
		t.Errorf("BAD: %#v", err)
	}
	res, err := c.Run(t.Context(), NewCommand("NOOP"), nil)
	if err != nil || res.Code != "APPENDUID" || len(res.Args) != 2 || res.Args[1].Number() != 2 {
		t.Errorf("OK: %+v, %v", res, err)
	}
}

// TestQuoting says how texts are written, and that none can be a command.
func TestQuoting(t *testing.T) {
	tests := []struct{ give, want string }{
		{"plain", `t1 X "plain"`},
		{`a"b\c`, `t1 X "a\"b\\c"`},
		{"", `t1 X ""`},
		{"a\r\nt2 LOGOUT", "t1 X {12}"},
		{"Zoë", "t1 X {4}"},
	}
	for _, test := range tests {
		c, heard := dialogue(t, "+ \r\n", "%s OK\r\n")
		if !strings.Contains(test.want, "{") {
			c, heard = dialogue(t, "%s OK\r\n")
		} else {
			c.caps["LITERAL+"] = false
		}
		c.Patience(300 * time.Millisecond)
		c.Run(t.Context(), NewCommand("X").String(test.give), nil)
		if lines := heard(); lines[0] != test.want {
			t.Errorf("%q is written as %q, want %q", test.give, lines, test.want)
		}
	}
	c, heard := dialogue(t)
	for _, cmd := range []*Command{NewCommand("X\r\nt2 LOGOUT"), NewCommand("X").Raw(" a\nb"), NewCommand("X").String("a\x00b")} {
		if _, err := c.Run(t.Context(), cmd, nil); err == nil {
			t.Error("a command with a line end or NUL is sent")
		}
	}
	if lines := heard(); len(lines) > 0 {
		t.Errorf("the server heard %q", lines)
	}
}

func TestStream(t *testing.T) {
	body := strings.Repeat("x", 300_000)
	answer := "* 1 FETCH (UID 3 BODY[2]<0> {300000}\r\n" + body + ")\r\n%s OK\r\n"
	c, _ := dialogue(t, answer)
	var got bytes.Buffer
	if err := c.FetchWith(t.Context(), NewCommand("UID FETCH 3 (BODY.PEEK[2]<0.1>)").Stream(&got), func(*Message) error { return nil }); err != nil || got.String() != body {
		t.Errorf("%d bytes come, error %v", got.Len(), err)
	}
	c, _ = dialogue(t, answer)
	full := errors.New("full")
	err := c.FetchWith(t.Context(), NewCommand("UID FETCH 3 (BODY.PEEK[2]<0.1>)").Stream(failing{full}), func(*Message) error { return nil })
	if e, ok := errors.AsType[*WriteError](err); !ok || e.Err != full || !c.Broken() {
		t.Errorf("error %v, want the writer's", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestPatience is about servers that are silent, and callers who have enough.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go io.WriteString(server, "* OK hello\r\n")
		c, err := New(t.Context(), client, time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, server)
		start := time.Now()
		res, err := c.Listen(t.Context(), 10*time.Minute)
		if res != nil || err != nil || time.Since(start) != 10*time.Minute {
			t.Errorf("Listen: %v, %v after %v; want nothing after ten minutes", res, err, time.Since(start))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		time.AfterFunc(time.Second, func() { cancel(enough) })
		if _, err := c.Listen(ctx, time.Hour); !errors.Is(err, enough) || !c.Broken() {
			t.Errorf("Listen whose context ends: %v, want the cause", err)
		}
		c.Close()
		server.Close()
	})
}

func TestNames(t *testing.T) {
	for name, wire := range map[string]string{
		"INBOX": "INBOX", "Entwürfe": "Entw&APw-rfe", "A & B": "A &- B", "日本語": "&ZeVnLIqe-", "𝄞": "&2DTdHg-", "&": "&-", "~peter/mail/台北/日本語": "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
	} {
		if got := EncodeName(name); got != wire {
			t.Errorf("EncodeName(%q) = %q, want %q", name, got, wire)
		}
		if got := DecodeName(wire); got != name {
			t.Errorf("DecodeName(%q) = %q, want %q", wire, got, name)
		}
	}
	for _, odd := range []string{"&", "&x", "&!!!-", "&AA-", "Entwürfe"} {
		if got := DecodeName(odd); got != odd {
			t.Errorf("DecodeName(%q) = %q, want it as it is", odd, got)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("Entwürfe & more")
	f.Add("a\x00\U0001D11E&")
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) {
			return
		}
		wire := EncodeName(name)
		if strings.ContainsFunc(wire, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("EncodeName(%q) = %q, want printable ASCII", name, wire)
		}
		if got := DecodeName(wire); got != name {
			t.Errorf("%q comes back as %q, by way of %q", name, got, wire)
		}
	})
}

// FuzzResponses tries that nothing a server says makes us keep more than the
// limits, or go on after what is no IMAP.
func FuzzResponses(f *testing.F) {
	f.Add([]byte("* 1 FETCH (UID 7 FLAGS (\\Seen) BODY[1] {3}\r\nabc BODYSTRUCTURE ((\"a\" NIL) (\"b\")))\r\n* SEARCH 1 2\r\n* OK [X 1] y\r\n"))
	f.Add([]byte("* LIST () \"/\" {2}\r\nab\r\n+ \r\n* VANISHED (EARLIER) 1:4\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &Conn{in: newReader(bytes.NewReader(data))}
		for {
			res, err := c.response(sectionHandler{max: 100})
			if err != nil {
				return
			}
			if res.Message != nil {
				for name, s := range res.Message.Sections {
					if len(s.Data) > 100 && !bytes.Contains(data, s.Data) {
						t.Errorf("section %q has %d bytes", name, len(s.Data))
					}
				}
			}
		}
	})
}

func TestUIDSets(t *testing.T) {
	uids := []uint32{1, 2, 3, 7, 9, 10, 1 << 31}
	set := UIDSet(uids)
	if set != "1:3,7,9:10,2147483648" {
		t.Errorf("UIDSet = %q", set)
	}
	var back []uint32
	if !ParseUIDSet(set, func(u uint32) bool { back = append(back, u); return true }) || fmt.Sprint(back) != fmt.Sprint(uids) {
		t.Errorf("ParseUIDSet(%q) = %v", set, back)
	}
	for _, bad := range []string{"x", "1:", "1,,2", "0", "1:4294967296", "-1"} {
		if ParseUIDSet(bad, func(uint32) bool { return true }) {
			t.Errorf("ParseUIDSet(%q) takes it", bad)
		}
	}
	n := 0
	ParseUIDSet("1:4294967295", func(uint32) bool { n++; return n < 10 })
	if n != 10 {
		t.Errorf("a set of everything calls %d times after false", n)
	}
}
