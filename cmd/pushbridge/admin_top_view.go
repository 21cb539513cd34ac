package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/width"
)

const (
	// plainWidth and plainEvents are for what is no terminal.
	plainWidth  = 200
	plainEvents = 20
)

// A look is how a line is shown.
type look int

const (
	ordinary look = iota
	heading
	bad
)

// A viewLine is a line of the view, harmless to a terminal.
type viewLine struct {
	text string
	look look
}

// lines are those of a view as text.
func lines(view []viewLine, end string) string {
	var text strings.Builder
	for _, l := range view {
		text.WriteString(strings.TrimRight(l.text, " ") + end)
	}
	return text.String()
}

// view lays everything out, in lines of so many columns. What phones, people and
// servers named themselves cannot tell the terminal anything.
func (f figures) view(columns, events int) []viewLine {
	var list []viewLine
	add := func(l look, format string, args ...any) {
		list = append(list, viewLine{fit(harmless(fmt.Sprintf(format, args...)), columns), l})
	}
	if !f.Now.IsZero() {
		add(heading, "pushbridge %s, up %v, %s", f.Version, f.Now.Sub(f.Started).Truncate(time.Second), moment(f.Now))
	}
	if f.Trouble != "" {
		add(bad, "%s", f.Trouble)
	}
	if !f.Now.IsZero() {
		add(ordinary, "phones    %d waiting, %d being answered, %d known", f.Waiting, f.Syncing, f.Phones)
		add(ordinary, "requests  %s/s%s", figure(f.Requests), each(f.Answers))
		add(ordinary, "woken     %s/s%s", figure(total(f.Woken)), each(f.Woken))
		add(ordinary, "latency   %s", f.latency())
		add(ordinary, "items     %s/s in %s rounds/s", figure(f.Items), figure(f.Rounds))
		if f.Holds > 0 || f.Problems > 0 {
			add(bad, "held      %d large deletions, %d objects that cannot be shown", f.Holds, f.Problems)
		}
	}
	if f.backends {
		list = append(list, viewLine{}, viewLine{fit("BACKENDS", columns), heading})
		for _, b := range f.Backends {
			state, l := "well", ordinary
			if !b.Well {
				state, l = "does not answer as it should", bad
			}
			if b.Detail != "" {
				state += ": " + b.Detail
			}
			add(l, "%-16s %s, %s", b.Name, count(b.Restarts, "restart", "restarts"), state)
		}
	}
	if len(f.Events) > 0 && events > 0 {
		list = append(list, viewLine{}, viewLine{fit("EVENTS", columns), heading})
		for _, e := range f.Events[max(len(f.Events)-events, 0):] {
			l := ordinary
			if e.Level == "ERROR" || e.Level == "WARN" {
				l = bad
			}
			add(l, "%s %-5s %s", e.Time.Local().Format(time.TimeOnly), e.Level, e.Text)
		}
	}
	return list
}

// latency says how soon phones heard of what woke them.
func (f figures) latency() string {
	if f.Wakes == 0 {
		return fmt.Sprintf("nobody was woken by a change in the last %v", f.sinceWhen.Round(time.Second))
	}
	var words []string
	for _, q := range quantiles {
		took := time.Duration(f.Latency[q.name] * float64(time.Second))
		words = append(words, q.name+" "+took.Round(max(took/100, time.Microsecond)).String())
	}
	return fmt.Sprintf("%s, of %d in the last %v", strings.Join(words, ", "), f.Wakes, f.sinceWhen.Round(time.Second))
}

// each lists those that there were any of, the most frequent first.
func each(rates map[string]float64) string {
	names := slices.Sorted(maps.Keys(rates))
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case rates[a] > rates[b]:
			return -1
		case rates[a] < rates[b]:
			return 1
		}
		return 0
	})
	text := ""
	for _, n := range names {
		if rates[n] > 0 {
			text += fmt.Sprintf(", %s %s", n, figure(rates[n]))
		}
	}
	return strings.Replace(text, ",", ":", 1)
}

func total(rates map[string]float64) (sum float64) {
	for _, r := range rates {
		sum += r
	}
	return sum
}

// figure is a rate with as many digits as make sense.
func figure(r float64) string {
	if r >= 100 || r == 0 {
		return fmt.Sprintf("%.0f", r)
	}
	return fmt.Sprintf("%.1f", r)
}

// fit cuts a line to so many columns of a terminal. Characters of East Asian
// scripts take two.
func fit(s string, columns int) string {
	used := 0
	for i, r := range s {
		one := 1
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			one = 2
		}
		if used+one > columns {
			return s[:i]
		}
		used += one
	}
	return s
}

// paint is a picture of the view for a terminal of a size: from its left upper
// corner, and what was there before is wiped off.
func paint(view []viewLine, rows int, colours bool) []byte {
	var b bytes.Buffer
	b.WriteString("\x1b[H")
	for i, l := range view[:min(len(view), rows)] {
		if i > 0 {
			b.WriteString("\r\n")
		}
		begin := ""
		switch {
		case l.look == heading:
			begin = "\x1b[1m"
		case l.look == bad && colours:
			begin = "\x1b[31m"
		}
		b.WriteString(begin + l.text)
		if begin != "" {
			b.WriteString("\x1b[0m")
		}
		b.WriteString("\x1b[K")
	}
	b.WriteString("\x1b[J")
	return b.Bytes()
}
