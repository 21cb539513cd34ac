package imap_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// A script is a server that says what a test wants. It answers a command, which
// comes without its tag, with untagged lines, and ends with OK unless the last of
// them is a tagged answer: "NO [INUSE] not now".
type script func(command string) []string

// usual answers what every session begins with, and Bob's inbox and one more
// folder.
func usual(command string) []string {
	word, _, _ := strings.Cut(command, " ")
	switch word {
	case "CAPABILITY":
		return []string{"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR IDLE NAMESPACE"}
	case "NAMESPACE":
		return []string{`* NAMESPACE (("" "/")) NIL NIL`}
	case "LIST":
		return []string{`* LIST () "/" INBOX`, `* LIST () "/" Other`}
	case "STATUS":
		if strings.Contains(command, "X-GUID") {
			_, name, _ := strings.Cut(command, " ")
			name, _, _ = strings.Cut(name, " (")
			return []string{fmt.Sprintf("* STATUS %s (X-GUID g-%s)", name, strings.Trim(name, `"`))}
		}
	case "EXAMINE", "SELECT":
		return []string{"* 1 EXISTS", "* OK [UIDVALIDITY 7] ok", "* OK [UIDNEXT 2] ok"}
	}
	return nil
}

// serve runs a script, for one connection after the other.
func serve(t *testing.T, s script) backend.Settings {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex // the script is asked by one at a time
	all.Go(func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { speak(nc, &mu, s) })
		}
	})
	t.Cleanup(func() { listener.Close(); all.Wait() })
	return backend.Settings{"url": "imap+plain://" + listener.Addr().String(), "timeout": "10s", "poll": "1h"}
}

func speak(nc net.Conn, mu *sync.Mutex, s script) {
	defer nc.Close()
	in, idle := bufio.NewReader(nc), ""
	fmt.Fprint(nc, "* OK hello\r\n")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if tag == "DONE" {
			tag, command = idle, "DONE"
		}
		mu.Lock()
		answer := s(command)
		mu.Unlock()
		end := "OK done"
		if n := len(answer) - 1; n >= 0 && !strings.HasPrefix(answer[n], "*") {
			end, answer = answer[n], answer[:n]
		}
		if command == "IDLE" {
			fmt.Fprint(nc, "+ idling\r\n")
		}
		for _, a := range answer {
			fmt.Fprintf(nc, "%s\r\n", a)
		}
		if idle = tag; command != "IDLE" {
			fmt.Fprintf(nc, "%s %s\r\n", tag, end)
		}
	}
}

// What a server cannot say just now is not that there is nothing: a folder that
// is missing in a list would be removed from phones with all that is in it.
func TestAnAnswerThatFailsIsNoAnswer(t *testing.T) {
	for _, test := range []struct{ name, command, refusal, want string }{
		{"all is well", "-", "", "ig-INBOX ig-Other"},
		{"a folder is in use", "STATUS \"Other\"", "NO [INUSE] not now", "an error"},
		{"a server with trouble", "STATUS \"Other\"", "NO [SERVERBUG] internal error", "an error"},
		{"a folder with trouble that has no name", "STATUS \"Other\"", "NO System I/O error", "an error"},
		{"a folder that went", "STATUS \"Other\"", "NO [NONEXISTENT] no such mailbox", "ig-INBOX"},
		{"a folder that is others'", "STATUS \"Other\"", "NO [NOPERM] not yours", "ig-INBOX"},
		{"a folder that is others', without a code", "STATUS \"Other\"", "NO Permission denied", "ig-INBOX"},
		{"lasting IDs, with trouble", "STATUS INBOX (X-GUID)", "NO [UNAVAILABLE] not now", "an error"},
		{"no lasting IDs", "STATUS INBOX (X-GUID)", "BAD unknown item", "nINBOX nOther"},
		{"no lasting IDs, said politely", "STATUS INBOX (X-GUID)", "NO unknown item", "nINBOX nOther"},
		{"names, with trouble", "NAMESPACE", "NO [UNAVAILABLE] not now", "an error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			trouble := true
			b := open(t, serve(t, func(command string) []string {
				if trouble && strings.HasPrefix(command, test.command) {
					return []string{test.refusal}
				}
				return usual(command)
			}))
			s := login(t, b, imaptest.Bob)
			list := func() string {
				all, err := s.Collections(t.Context())
				if err != nil {
					return "an error"
				}
				var ids []string
				for _, c := range all {
					ids = append(ids, string(c.ID))
				}
				return strings.Join(ids, " ")
			}
			if got := list(); got != test.want {
				t.Errorf("there is %q, want %q", got, test.want)
			}
			if trouble = false; test.want == "an error" {
				if got := list(); got != "ig-INBOX ig-Other" {
					t.Errorf("afterwards there is %q, want everything under its lasting ID", got)
				}
			}
		})
	}
}

// Mail that comes while the watcher is busy with the news before is told of, too.
func TestWatchMissesNothingBetweenTwoWaits(t *testing.T) {
	messages, told := 1, 1 // of the inbox: there, and said on this connection
	news := func() []string {
		if told == messages {
			return nil
		}
		told = messages
		return []string{fmt.Sprintf("* %d EXISTS", messages)}
	}
	idles := 0
	b := open(t, serve(t, func(command string) []string {
		switch {
		case command == "IDLE":
			if idles++; idles == 1 {
				messages++ // the first comes while we wait
			}
			return news()
		case command == "DONE" && idles == 1:
			messages++ // and the second just afterwards
			return nil
		case strings.HasPrefix(command, "STATUS") && !strings.Contains(command, "X-GUID") && strings.Contains(command, "INBOX"):
			return append(news(), fmt.Sprintf("* STATUS INBOX (MESSAGES %d UIDNEXT %d UIDVALIDITY 7 UNSEEN 0)", messages, messages+1))
		case strings.HasPrefix(command, "EXAMINE"):
			told = messages
		}
		return usual(command)
	}))
	s := login(t, b, imaptest.Bob)
	if _, err := s.Collections(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, _ := backend.As[backend.Watcher](backend.Session(s))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	times := 0
	_ = w.Watch(ctx, []backend.CollectionID{"ig-INBOX", "ig-Other"}, func() {}, func(c backend.CollectionID) {
		if c != "ig-INBOX" {
			t.Errorf("%s is said to have changed", c)
		}
		if times++; times == 2 {
			cancel()
		}
	})
	if times != 2 {
		t.Errorf("two messages came, one after the other, and a change was told of %d times", times)
	}
}

// Where a message can be copied but not removed, it is not moved, and there are
// not two of it.
func TestMoveLeavesNoCopy(t *testing.T) {
	selected, removed := "", []string(nil)
	b := open(t, serve(t, func(command string) []string {
		switch word, rest, _ := strings.Cut(command, " "); {
		case word == "CAPABILITY":
			return []string{"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS"}
		case word == "SELECT":
			selected = strings.Trim(rest, `"`)
		case strings.HasPrefix(command, "UID FETCH"):
			return []string{"* 1 FETCH (UID 1 FLAGS ())"}
		case strings.HasPrefix(command, "UID COPY"):
			return []string{"OK [COPYUID 7 1 5] copied"}
		case strings.HasPrefix(command, "UID STORE") && selected == "INBOX":
			return []string{"NO [NOPERM] nothing is removed here"}
		case strings.HasPrefix(command, "UID EXPUNGE"):
			removed = append(removed, selected+strings.TrimPrefix(rest, "EXPUNGE"))
		}
		return usual(command)
	}))
	s := login(t, b, imaptest.Bob)
	_, err := s.Move(t.Context(), "ig-INBOX", "7.1", "ig-Other")
	if backend.KindOf(err) != backend.ReadOnly {
		t.Errorf("error %v, want the kind %v", err, backend.ReadOnly)
	}
	if got := fmt.Sprint(removed); got != "[Other 5]" {
		t.Errorf("removed are %s, want the copy", got)
	}
}

// Where the message is marked as deleted and the server does not remove it, nobody sees
// it there any more: the copy is all that is left, and stays.
func TestMoveOfWhatIsOnlyMarked(t *testing.T) {
	for _, fails := range []string{"UID EXPUNGE", "UID FETCH"} {
		marked, removed := false, 0
		b := open(t, serve(t, func(command string) []string {
			switch {
			case command == "CAPABILITY":
				return []string{"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS"}
			case marked && strings.HasPrefix(command, "UID EXPUNGE"):
				if removed++; fails == "UID EXPUNGE" {
					return []string{"NO [NOPERM] nothing is removed here"}
				}
			case marked && strings.HasPrefix(command, fails):
				return []string{"NO [INUSE] not now"}
			case strings.HasPrefix(command, "UID FETCH") && marked:
				return []string{`* 1 FETCH (UID 1 FLAGS (\Deleted))`}
			case strings.HasPrefix(command, "UID FETCH"):
				return []string{"* 1 FETCH (UID 1 FLAGS ())"}
			case strings.HasPrefix(command, "UID COPY"):
				return []string{"OK [COPYUID 7 1 5] copied"}
			case strings.HasPrefix(command, "UID STORE"):
				marked = true
			}
			return usual(command)
		}))
		s := login(t, b, imaptest.Bob)
		moved, err := s.Move(t.Context(), "ig-INBOX", "7.1", "ig-Other")
		switch {
		case fails == "UID EXPUNGE" && (err != nil || moved.ID != "7.5" || removed != 1):
			t.Errorf("moved to %q, %v, and %d were to be removed, want the message alone", moved.ID, err, removed)
		case fails == "UID FETCH" && (err == nil || removed != 0):
			t.Errorf("whether it is marked cannot be read: error %v, and %d were to be removed", err, removed)
		}
	}
}

// A search of a hundred folders is no hundred lists of them.
func TestSearchListsFoldersOnce(t *testing.T) {
	lists, searches := 0, 0
	b := open(t, serve(t, func(command string) []string {
		switch {
		case strings.HasPrefix(command, "LIST"):
			lists++
		case strings.HasPrefix(command, "UID SEARCH"):
			searches++
		}
		return usual(command)
	}))
	s, _ := backend.As[backend.Searcher](backend.Session(login(t, b, imaptest.Bob)))
	if _, err := s.Search(t.Context(), backend.Query{Collections: []backend.CollectionID{"ig-INBOX", "ig-Other"}, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if lists != 1 || searches != 2 {
		t.Errorf("%d searches, %d lists of the folders, want 2 and 1", searches, lists)
	}
}

// A part that the server cannot read now is not one that is not there.
func TestAPartThatCannotBeHad(t *testing.T) {
	b := open(t, serve(t, func(command string) []string {
		switch {
		case strings.Contains(command, "BODYSTRUCTURE"):
			return []string{`* 1 FETCH (UID 1 BODYSTRUCTURE (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1) "MIXED" ("BOUNDARY" "x")))`}
		case strings.Contains(command, "BODY.PEEK"):
			return []string{"NO System I/O error"}
		}
		return usual(command)
	}))
	s := login(t, b, imaptest.Bob)
	for path, want := range map[string]backend.Kind{"2": backend.Other, "": backend.Other, "3": backend.NotFound} {
		if err := s.Part(t.Context(), "ig-INBOX", "7.1", path, 0, -1, io.Discard); backend.KindOf(err) != want {
			t.Errorf("part %q: error %v, want the kind %v", path, err, want)
		}
	}
}
