package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// recentLines bounds how many lines are remembered: some screens full.
	recentLines = 200

	// recentText bounds a line, in bytes.
	recentText = 400
)

// A Line is something that the log has.
type Line struct {
	Number int64
	Time   time.Time
	Level  slog.Level
	Text   string // message and attributes
}

// Recent remembers the last lines of a log, in memory: those that say more than
// that a request was answered as it should be. The zero value is ready for use.
type Recent struct {
	mu    sync.Mutex
	lines [recentLines]Line
	last  int64
}

// Since answers the lines behind a number, the oldest first, as far as they are
// remembered.
func (r *Recent) Since(number int64) []Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number > r.last { // of an earlier worker
		number = 0
	}
	list := []Line{}
	for n := max(number+1, r.last-recentLines+1, 1); n <= r.last; n++ {
		list = append(list, r.lines[n%recentLines])
	}
	return list
}

func (r *Recent) add(l Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	l.Number = r.last
	r.lines[r.last%recentLines] = l
}

// Handler passes everything on to another handler, and has r remember it.
func (r *Recent) Handler(next slog.Handler) slog.Handler { return remembering{Handler: next, to: r} }

// remembering is such a handler.
type remembering struct {
	slog.Handler
	to     *Recent
	before string // attributes that come before those of each record
	group  string // in front of their names
}

// Handle implements slog.Handler.
func (h remembering) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo && (r.Message != requestMessage || r.Level >= slog.LevelWarn) {
		var text strings.Builder
		text.WriteString(r.Message)
		text.WriteString(h.before)
		r.Attrs(func(a slog.Attr) bool {
			write(&text, h.group, a)
			return text.Len() < recentText
		})
		h.to.add(Line{Time: r.Time, Level: r.Level, Text: clipped(text.String())})
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h remembering) WithAttrs(list []slog.Attr) slog.Handler {
	var text strings.Builder
	for _, a := range list {
		write(&text, h.group, a)
	}
	h.Handler, h.before = h.Handler.WithAttrs(list), clipped(h.before+text.String())
	return h
}

// WithGroup implements slog.Handler.
func (h remembering) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	if name != "" {
		h.group += name + "."
	}
	return h
}

// write writes an attribute behind what is there.
func write(to *strings.Builder, group string, a slog.Attr) {
	if a.Equal(slog.Attr{}) {
		return
	}
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		for _, b := range v.Group() {
			write(to, group+a.Key+".", b)
		}
		return
	}
	fmt.Fprintf(to, " %s%s=%.*s", group, a.Key, recentText, v.String())
}

func clipped(s string) string {
	if len(s) <= recentText {
		return s
	}
	return strings.ToValidUTF8(s[:recentText], "") + "…"
}
