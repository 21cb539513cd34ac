package console

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/page"
)

const (
	// maxWatchers bounds how many pages are followed at a time. Each is a goroutine
	// and a connection of the web server.
	maxWatchers = 64

	// stillThere is how often a stream says something, so that a proxy does not take
	// it for dead.
	stillThere = 20 * time.Second

	// maxWatch bounds a stream. The browser asks for another one, for which it has
	// to be signed in.
	maxWatch = 2 * time.Minute

	// maxFollowed is how long after it was made a page is followed: one that is left
	// open is not to keep somebody signed in who is not there.
	maxFollowed = 15 * time.Minute

	// writeTime is how long a browser may take to accept a message.
	writeTime = 10 * time.Second
)

// A part is a piece of a page that is followed: the name of the event, and what to
// show.
type part struct {
	event string
	make  func(*sight) ([]byte, error)
}

// events follows a page.
func (c *Console) events(a *ask) error {
	s, err := c.look(a.Context(), a.actor)
	if err != nil {
		return err
	}
	parts, err := c.parts(a, s)
	if err != nil {
		return err
	}
	select {
	case c.watchers <- struct{}{}:
		defer func() { <-c.watchers }()
	default:
		a.w.Header().Set("Retry-After", "60")
		http.Error(a.w, "Too many pages are being followed.", http.StatusServiceUnavailable)
		return nil
	}
	h := a.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx passes each message on
	since, err := strconv.ParseInt(a.URL.Query().Get("since"), 10, 64)
	if err != nil || time.Since(time.Unix(since, 0)) > maxFollowed {
		io.WriteString(a.w, "event: over\ndata: This page does not follow what happens any more. Load it again to see how things are.\n\n")
		return nil
	}
	ctx, cancel := context.WithTimeout(a.Context(), maxWatch)
	defer cancel()
	c.follow(ctx, a, parts, s)
	return nil
}

// parts are what a page has that changes.
func (c *Console) parts(a *ask, s *sight) ([]part, error) {
	switch q := a.URL.Query(); q.Get("view") {
	case "overview":
		return []part{{"overview", func(s *sight) ([]byte, error) { return c.fragment("overview", "live", c.overviewOf(s)) }}}, nil
	case "devices":
		var parts []part
		for _, r := range s.list(searchOf(q)).Rows {
			parts = append(parts, c.healthPart(r.User, r.Device.Device))
		}
		return parts, nil
	case "device":
		return []part{c.healthPart(q.Get("user"), q.Get("device"))}, nil
	}
	return nil, &admin.Error{Kind: admin.NotFound, Text: "There is no such page to follow."}
}

// healthPart is how a phone is.
func (c *Console) healthPart(user, id string) part {
	return part{"health", func(s *sight) ([]byte, error) {
		d, known := s.of(user, id)
		if !known {
			return nil, nil
		}
		return c.fragment("devices", "followed", rowOf(d))
	}}
}

// follow sends what changes, as often as there is another sight, until the context ends, or the worker. What the page
// shows already is sent once more at the beginning: it may have changed on the way.
func (c *Console) follow(ctx context.Context, a *ask, parts []part, s *sight) {
	control := http.NewResponseController(a.w)
	sent := make([][]byte, len(parts))
	message := bytes.NewBufferString("retry: 2000\n\n")
	ticks := time.NewTicker(c.age)
	defer ticks.Stop()
	spoke := time.Now()
	for {
		for i, p := range parts {
			is, err := p.make(s)
			if err != nil {
				c.Logger.Error("a page could not be followed", "error", err)
				return
			}
			if !bytes.Equal(is, sent[i]) {
				sent[i] = is
				event(message, p.event, is)
			}
		}
		if message.Len() == 0 && time.Since(spoke) >= stillThere {
			message.WriteString(":\n\n")
		}
		if message.Len() > 0 {
			control.SetWriteDeadline(time.Now().Add(writeTime)) // not every connection knows any
			if _, err := message.WriteTo(a.w); err != nil || control.Flush() != nil {
				return
			}
			spoke = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-c.ending:
			return
		case <-ticks.C:
		}
		var err error
		if a.actor, err = c.Gate.Actor(a.Request); err == nil {
			s, err = c.look(ctx, a.actor)
		}
		if err != nil { // who was signed out meanwhile sees no more
			if ctx.Err() == nil && !page.IsStranger(err) {
				c.Logger.Error("a page could not be followed", "error", err)
			}
			return
		}
	}
}

// event writes a message. Each of its lines begins as the format wants it, whichever
// way it ends.
func event(to *bytes.Buffer, name string, data []byte) {
	fmt.Fprintf(to, "event: %s\n", name)
	for line := range bytes.Lines(data) {
		to.WriteString("data: ")
		to.Write(bytes.ReplaceAll(bytes.TrimRight(line, "\r\n"), []byte("\r"), []byte(" ")))
		to.WriteByte('\n')
	}
	to.WriteByte('\n')
}
