package host

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// maxLine bounds a line of a plugin's log; longer ones come in pieces.
const maxLine = 64 << 10

// A pluginLog passes a plugin's standard error on to our log. Lines in the
// form of hclog keep their level and values; the trace of a panic is Error;
// others are Info.
type pluginLog struct {
	log *slog.Logger

	mu    sync.Mutex
	plain []string // the last lines that were no records
}

func newPluginLog(log *slog.Logger) *pluginLog { return &pluginLog{log: log} }

func (l *pluginLog) read(r io.Reader) {
	lines := bufio.NewReaderSize(r, maxLine)
	panicking := false
	for {
		line, _, err := lines.ReadLine()
		if err != nil {
			return
		}
		if l.record(line) {
			continue
		}
		text := strings.ToValidUTF8(string(line), "\uFFFD")
		panicking = panicking || strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")
		level := slog.LevelInfo
		if panicking {
			level = slog.LevelError
		}
		l.log.Log(context.Background(), level, text)
		l.remember(text)
	}
}

// plainLines is how much of a plugin's last words is kept.
const plainLines = 3

func (l *pluginLog) remember(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.plain = append(l.plain, text); len(l.plain) > plainLines {
		l.plain = l.plain[1:]
	}
}

func (l *pluginLog) lastWords() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.plain, " ")
}

// record logs a line in the form of hclog, or tells that it is none.
func (l *pluginLog) record(line []byte) bool {
	if len(line) == 0 || line[0] != '{' {
		return false
	}
	var values map[string]any
	if json.Unmarshal(line, &values) != nil {
		return false
	}
	message, ok1 := values["@message"].(string)
	name, ok2 := values["@level"].(string)
	if !ok1 || !ok2 {
		return false
	}
	var level slog.Level
	if name == "trace" {
		level = slog.LevelDebug
	} else if level.UnmarshalText([]byte(name)) != nil {
		level = slog.LevelInfo
	}
	var attrs []slog.Attr
	for key, value := range values {
		if !strings.HasPrefix(key, "@") {
			attrs = append(attrs, slog.Any(key, value))
		}
	}
	l.log.LogAttrs(context.Background(), level, message, attrs...)
	return true
}

// libraryLogger takes what go-plugin itself has to say, for those who debug:
// what matters of it the host says in its own words.
func libraryLogger(log *slog.Logger) hclog.Logger {
	level := hclog.Off
	if log.Enabled(context.Background(), slog.LevelDebug) {
		level = hclog.Debug
	}
	return hclog.New(&hclog.LoggerOptions{Name: "go-plugin", Level: level, DisableTime: true, Output: debugLines{log}})
}

type debugLines struct{ log *slog.Logger }

func (d debugLines) Write(line []byte) (int, error) {
	d.log.Debug(strings.TrimSpace(string(line)))
	return len(line), nil
}
