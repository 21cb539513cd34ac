package console_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/console"
)

// A stream is one that somebody follows.
type stream struct {
	*http.Response
	lines *bufio.Scanner
}

// follow opens a stream over a real connection.
func follow(t *testing.T, url, query string) stream {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/admin/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "test_roles", Value: string(admin.ReadOnly)})
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return stream{answer, bufio.NewScanner(answer.Body)}
}

// next is the data of the next message; empty when the stream has ended.
func (s stream) next() string {
	data := ""
	for s.lines.Scan() {
		line := s.lines.Text()
		if text, ok := strings.CutPrefix(line, "data: "); ok {
			data += text + "\n"
		} else if line == "" && data != "" {
			return data
		}
	}
	return ""
}

// TestStreams: what happens is told to who follows, until the worker ends.
func TestStreams(t *testing.T) {
	h := build(t, nil)
	h.Hurry()
	for i := range 3 {
		h.phone(t, "ann", fmt.Sprintf("P%d", i), nil)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	all := follow(t, server.URL, "view=devices&since="+now())
	one := follow(t, server.URL, "view=device&user=ann&device=P1&since="+now())
	for range 3 {
		if first := all.next(); !strings.Contains(first, "resting") {
			t.Fatalf("the first messages are %q", first)
		}
	}
	if first := one.next(); !strings.Contains(first, "resting") {
		t.Fatalf("the first message is %q", first)
	}
	h.engine.wait("ann", "P1")
	if next := one.next(); !strings.Contains(next, "waiting") || !strings.Contains(next, `hx-swap-oob="true"`) {
		t.Errorf("the phone waits, and the message is %q", next)
	}
	if next := all.next(); !strings.Contains(next, "waiting") {
		t.Errorf("one phone waits, and the message is %q", next)
	}
	h.End()
	if next := one.next() + all.next(); next != "" {
		t.Errorf("the worker ends, and the message is %q", next)
	}
	// What is asked meanwhile is answered.
	if w := h.get(t, "/admin/devices", admin.ReadOnly); w.Code != http.StatusOK {
		t.Errorf("a page is answered %d", w.Code)
	}
}

// A leaver is signed in until somebody ends that.
type leaver struct {
	out     atomic.Bool
	refused chan struct{} // gets something for each time that somebody was not let in
}

func (l *leaver) Actor(*http.Request) (admin.Actor, error) {
	if !l.out.Load() {
		return admin.Actor{Name: "jane", Roles: []admin.Role{admin.ReadOnly}}, nil
	}
	select {
	case l.refused <- struct{}{}:
	default:
	}
	return admin.Actor{}, errNobody
}

// TestStreamsEndWithTheSession: who is signed out sees nothing of what happens then.
func TestStreamsEndWithTheSession(t *testing.T) {
	h := build(t, nil)
	l := &leaver{refused: make(chan struct{}, 1)}
	h.Console = console.New(console.Options{Server: h.admin, Gate: l, Logger: slog.New(slog.DiscardHandler)})
	h.Hurry()
	h.phone(t, "ann", "P1", nil)
	server := httptest.NewServer(h)
	defer server.Close()
	defer h.End()
	one := follow(t, server.URL, "view=device&user=ann&device=P1&since="+now())
	if first := one.next(); !strings.Contains(first, "resting") {
		t.Fatalf("the first message is %q", first)
	}
	l.out.Store(true)
	select {
	case <-l.refused:
	case <-time.After(time.Minute):
		t.Fatal("nobody asks who follows the page")
	}
	h.engine.wait("ann", "P1")
	if next := one.next(); next != "" {
		t.Errorf("who is signed out is told %q", next)
	}
}

// Of very many who follow some are told to come later, and places become free.
func TestStreamsAreBounded(t *testing.T) {
	h := build(t, nil)
	h.Hurry()
	server := httptest.NewServer(h)
	defer server.Close()
	defer h.End()
	var open []stream
	for range 64 {
		open = append(open, follow(t, server.URL, "view=overview&since="+now()))
	}
	if s := follow(t, server.URL, "view=overview&since="+now()); s.StatusCode != http.StatusServiceUnavailable || s.Header.Get("Retry-After") == "" {
		t.Errorf("one too many is answered %s, %v", s.Status, s.Header)
	}
	open[0].Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for follow(t, server.URL, "view=overview&since="+now()).StatusCode != http.StatusOK {
		if ctx.Err() != nil {
			t.Fatal("no place becomes free")
		}
	}
}

// A page that was left open is not followed for ever, and says so.
func TestStreamsOfOldPages(t *testing.T) {
	h := build(t, nil)
	h.End()
	for _, tc := range []struct {
		since string
		over  bool
	}{{now(), false}, {fmt.Sprint(time.Now().Add(-14 * time.Minute).Unix()), false}, {fmt.Sprint(time.Now().Add(-16 * time.Minute).Unix()), true}, {"", true}, {"x", true}} {
		if w := h.get(t, "/admin/events?view=overview&since="+tc.since, admin.ReadOnly); strings.HasPrefix(w.Body.String(), "event: over\n") != tc.over {
			t.Errorf("since %q: the stream is %q", tc.since, w.Body)
		}
	}
}
