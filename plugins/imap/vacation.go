package imap

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// What people say while they are away is a Sieve script (RFC 5228, RFC 5230) of
// our own. While it is switched on it is the active one and runs the script that
// was active before; while it is off, that one is active again. The other
// scripts are not touched.
const (
	scriptName = "pushbridge"

	// metaMark begins the line with what the script was made of.
	metaMark = "# pushbridge: "

	// maxScript bounds a script that is read back, in bytes: the text twice, once
	// in base64, and the rest.
	maxScript = 3*backend.MaxVacationText + 16<<10
)

// A scriptMeta is what a script was made of.
type scriptMeta struct {
	Enabled     bool
	From, Until time.Time
	Text        string
	Previous    string // the script that it runs
}

// Vacation reads the script.
func (s *session) Vacation(ctx context.Context) (backend.Vacation, error) {
	var v backend.Vacation
	err := s.sieve(ctx, "Vacation", func(c *sieveConn) error {
		_, active, err := c.scripts()
		if err != nil {
			return err
		}
		meta, err := c.meta()
		v = backend.Vacation{Enabled: meta.Enabled && active == scriptName, From: meta.From, Until: meta.Until, Text: meta.Text}
		return err
	})
	return v, err
}

// SetVacation writes the script and makes it the active one, or not.
func (s *session) SetVacation(ctx context.Context, v backend.Vacation) error {
	const op = "SetVacation"
	if len(v.Text) > backend.MaxVacationText {
		return backend.Errorf(backend.TooLarge, "imap: "+op, "%d bytes, the limit is %d", len(v.Text), backend.MaxVacationText)
	}
	return s.sieve(ctx, op, func(c *sieveConn) error {
		names, active, err := c.scripts()
		if err != nil {
			return err
		}
		meta, err := c.meta()
		if err != nil {
			return err
		}
		previous := active
		if active == scriptName {
			previous = meta.Previous
		}
		if !slices.Contains(names, previous) {
			previous = ""
		}
		script, err := c.script(scriptMeta{Enabled: v.Enabled, From: v.From.UTC(), Until: v.Until.UTC(), Text: v.Text, Previous: previous})
		if err != nil {
			return err
		}
		if err := c.ok("PUTSCRIPT", quoteSieve(scriptName), literalSieve(script)); err != nil {
			return err
		}
		switch {
		case v.Enabled:
			return c.ok("SETACTIVE", quoteSieve(scriptName))
		case active == scriptName:
			return c.ok("SETACTIVE", quoteSieve(previous))
		}
		return nil
	})
}

// script writes a script.
func (c *sieveConn) script(m scriptMeta) (string, error) {
	need := []string{"vacation"}
	if m.Previous != "" {
		need = append(need, "include")
	}
	if !m.From.IsZero() || !m.Until.IsZero() {
		need = append(need, "date", "relational")
	}
	for _, e := range need {
		if !slices.Contains(c.extensions, e) {
			return "", backend.Errorf(backend.Unsupported, "imap: sieve", "the server's scripts have no %q", e)
		}
	}
	meta, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("# Written by pushbridge, which will write it anew.")
	line("%s%s", metaMark, base64.StdEncoding.EncodeToString(meta))
	line(`require ["%s"];`, strings.Join(need, `", "`))
	if m.Enabled {
		var when []string
		for _, bound := range []struct {
			at      time.Time
			compare string
		}{{m.From, "ge"}, {m.Until, "lt"}} {
			if !bound.at.IsZero() { // RFC 5260, section 4
				when = append(when, fmt.Sprintf(`currentdate :zone "+0000" :value "%s" "iso8601" "%s"`, bound.compare, bound.at.Format("2006-01-02T15:04:05")+"+00:00"))
			}
		}
		if len(when) == 0 {
			when = append(when, "true")
		}
		line("if allof (%s) {", strings.Join(when, ", "))
		line("vacation :days 1 text:")
		for text := range strings.SplitSeq(strings.ReplaceAll(m.Text, "\r\n", "\n"), "\n") { // RFC 5228, section 2.4.2
			if strings.HasPrefix(text, ".") {
				text = "." + text
			}
			line("%s", strings.ReplaceAll(strings.ReplaceAll(text, "\r", ""), "\x00", ""))
		}
		line(".")
		line(";")
		line("}")
	}
	if m.Previous != "" { // RFC 6609
		line("include :personal %s;", quoteSieve(m.Previous))
	}
	return b.String(), nil
}

// meta answers what our script was made of; nothing if there is none.
func (c *sieveConn) meta() (scriptMeta, error) {
	var m scriptMeta
	names, _, err := c.scripts()
	if err != nil || !slices.Contains(names, scriptName) {
		return m, err
	}
	script, err := c.get(scriptName)
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(script) {
		if code, ok := strings.CutPrefix(strings.TrimSpace(line), metaMark); ok {
			data, err := base64.StdEncoding.DecodeString(code)
			if err != nil || json.Unmarshal(data, &m) != nil {
				return scriptMeta{}, nil // somebody has written in it; it is written anew
			}
			return m, nil
		}
	}
	return m, nil
}
