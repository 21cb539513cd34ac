package main

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

func TestTopPlain(t *testing.T) {
	o := openOffice(t)
	bridgetest.Sync(t, o.phone(eas.V141, "ABC123"))
	o.says("top --once --interval 200ms", "1 known", "requests", "woken", "BACKENDS", "files", "0 restarts, well", "EVENTS", "listening for phones")
	f := asked[figures](o, "top --once --interval 200ms")
	if f.Phones != 1 || f.Waiting != 0 || len(f.Backends) != 1 || len(f.Events) == 0 || f.Trouble != "" {
		t.Errorf("as JSON it is %+v", f)
	}
	for args, want := range map[string]int{"top --interval 1ms": exitUsage, "top --once more": exitUsage, "top --once --socket /nonexistent": exitFailure} {
		if status, out := o.admin(strings.Fields(args)...); status != want {
			t.Errorf("%s: status %d, want %d; it prints %s", args, status, want, out)
		}
	}
}

// TestTopCounts asks a worker what it does, twice.
func TestTopCounts(t *testing.T) {
	o := openOffice(t)
	client := admin.NewClient(o.socket)
	before, err := admin.OpTop.Ask(t.Context(), client, admin.TopRequest{})
	if err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, o.phone(eas.V141, "ABC123"))
	last := before.Events[len(before.Events)-1].Number
	after, err := admin.OpTop.Ask(t.Context(), client, admin.TopRequest{After: last})
	if err != nil {
		t.Fatal(err)
	}
	if after.Requests["2xx"] < before.Requests["2xx"]+2 || after.Items < before.Items+cardsOf || after.Rounds <= before.Rounds {
		t.Errorf("a phone that loaded %d cards makes %+v of %+v", cardsOf, after, before)
	}
	for _, e := range after.Events {
		if e.Number <= last {
			t.Errorf("event %d comes again", e.Number)
		}
	}
	resp, err := http.Post(o.url+"/Microsoft-Server-ActiveSync?Cmd=Ping&User=ann&DeviceId=ABC123&DeviceType=test", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	failed, err := admin.OpTop.Ask(t.Context(), client, admin.TopRequest{After: last})
	if err != nil || failed.Requests["4xx"] != after.Requests["4xx"]+1 {
		t.Errorf("a request without a password makes %+v, %v", failed.Requests, err)
	}
}

var topStart = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// at is what a worker says so many seconds after it began, which counted n of
// everything in each second.
func at(seconds int, n uint64, events ...admin.Event) admin.Top {
	now := uint64(seconds) * n
	return admin.Top{Version: "1.2.3", Started: topStart, Now: topStart.Add(time.Duration(seconds) * time.Second),
		Activity: admin.Activity{Waiting: 7, Syncing: 2, Ended: map[string]uint64{"change": now, "heartbeat": 2 * now, "order": 0},
			Requests: map[string]uint64{"2xx": 10 * now, "5xx": now}, Rounds: now, Items: 3 * now,
			Latency: admin.Latency{Bounds: []float64{0.001, 0.002, 0.1}, Counts: []uint64{now, now, 0, 0}}, Events: events}}
}

func TestTopFigures(t *testing.T) {
	var s samples
	if f := s.figures(admin.Status{}, false); f.Events == nil || f.Backends == nil || len(f.view(80, 5)) != 0 {
		t.Errorf("before anything was heard it is %+v", f)
	}
	for i := range 200 {
		s.add(at(i, 4))
	}
	f := s.figures(admin.Status{Phones: 9}, true)
	if f.Requests != 44 || f.Answers["5xx"] != 4 || f.Woken["heartbeat"] != 8 || f.Items != 12 || f.Rounds != 4 || f.Wakes != 480 || f.Phones != 9 {
		t.Errorf("the figures are %+v", f)
	}
	if len(s.list) > 63 {
		t.Errorf("%d samples are kept for a minute", len(s.list))
	}
	again := at(1, 1)
	again.Started = topStart.Add(time.Hour)
	s.add(again)
	if f := s.figures(admin.Status{}, true); f.Requests != 0 || f.Wakes != 0 {
		t.Errorf("after a restart the figures are %+v", f)
	}
	for i := range 2 * mostEvents {
		s.add(at(i, 1, admin.Event{Number: int64(i + 1)}))
	}
	if len(s.events) != mostEvents || s.event != 2*mostEvents {
		t.Errorf("%d events are kept, the last one is %d", len(s.events), s.event)
	}
}

func TestTopQuantile(t *testing.T) {
	bounds := []float64{1, 2, 4}
	for _, tc := range []struct {
		of     float64
		counts []uint64
		want   float64
	}{
		{0.5, []uint64{10, 0, 0, 0}, 0.5}, {0.5, []uint64{10, 10, 0, 0}, 1}, {0.75, []uint64{10, 10, 0, 0}, 1.5},
		{0.99, []uint64{0, 0, 100, 0}, 2 + 2*0.99}, {0.99, []uint64{1, 0, 0, 99}, 4}, {0.5, []uint64{0, 0, 0, 0}, 0}, {0.5, nil, 0},
	} {
		if got := quantile(tc.of, bounds, tc.counts); math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("quantile %v of %v is %v, want %v", tc.of, tc.counts, got, tc.want)
		}
	}
}

func TestTopView(t *testing.T) {
	var s samples
	s.add(at(0, 4))
	s.add(at(10, 4, admin.Event{Time: topStart, Level: "WARN", Text: "a new phone waits phone=\x1b[2J\x1b]0;evil\a\u202e"},
		admin.Event{Time: topStart, Level: "INFO", Text: strings.Repeat("漢字", 100)}))
	f := s.figures(admin.Status{Holds: 1, Backends: []admin.Backend{{Name: "calendar", Well: true}, {Name: "mail", Restarts: 2, Detail: "refused\r\n\x1b[31m"}}}, true)
	text := lines(f.view(80, 10), "\n")
	for _, want := range []string{
		"phones    7 waiting, 2 being answered, 0 known\n", "requests  44.0/s: 2xx 40.0, 5xx 4.0\n", "woken     12.0/s: heartbeat 8.0, change 4.0\n",
		"latency   p50 1ms, p90 1.8ms, p99 1.98ms, of 80 in the last 10s\n", "items     12.0/s in 4.0 rounds/s\n", "1 large deletions",
		"calendar         0 restarts, well\n", "mail             2 restarts, does not answer as it should: refused??", "WARN  a new phone waits",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the view is\n%s\nwithout %q", text, want)
		}
	}
	for _, l := range f.view(80, 10) {
		if columnsOf(l.text) > 80 {
			t.Errorf("%q takes more than 80 columns", l.text)
		}
	}
	if strings.ContainsAny(strings.ReplaceAll(text, "\n", ""), "\x1b\a\r\u202e") {
		t.Errorf("the view tells the terminal something: %q", text)
	}
	for rows := range 30 {
		if got := strings.Count(string(paint(f.view(80, 10), rows, true)), "\n"); got > max(rows-1, 0) {
			t.Errorf("on %d rows it breaks %d lines", rows, got)
		}
	}
	if plain := paint(f.view(80, 10), 30, false); strings.Contains(string(plain), "\x1b[3") {
		t.Error("it is coloured for whoever wants no colours")
	}
}

// columnsOf counts as the terminal does: the characters of the tests that are
// wide.
func columnsOf(s string) (n int) {
	for _, r := range s {
		if n++; r > 0x3000 {
			n++
		}
	}
	return n
}

// FuzzTopView has nothing of what a worker says reach the terminal as an order.
func FuzzTopView(f *testing.F) {
	f.Add("a\x1b[31m", "b\u009b2J", 10)
	f.Fuzz(func(t *testing.T, event, name string, columns int) {
		s := samples{}
		s.add(at(1, 1, admin.Event{Level: name, Text: event}))
		shown := s.figures(admin.Status{Backends: []admin.Backend{{Name: name, Detail: event}}}, true)
		shown.Trouble, shown.Version = event, name
		for _, l := range shown.view(columns, 5) {
			if strings.ContainsFunc(l.text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
				t.Errorf("a line is %q", l.text)
			}
		}
	})
}

// TestTopStream prints again and again until the context ends.
func TestTopStream(t *testing.T) {
	o := openOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &cutting{after: 3, cut: cancel}
	if status := run(ctx, []string{"admin", "--config", o.config, "--json", "top", "--interval", "200ms"}, out, out); status != exitOK {
		t.Errorf("status %d", status)
	}
	numbers := []int64{}
	for line := range strings.Lines(out.text) {
		var f figures
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for _, e := range f.Events {
			numbers = append(numbers, e.Number)
		}
	}
	if !slices.IsSorted(numbers) || len(slices.Compact(slices.Clone(numbers))) != len(numbers) {
		t.Errorf("the events are %v, want each once", numbers)
	}
}

// cutting calls cut after so many writes.
type cutting struct {
	text  string
	after int
	cut   func()
}

func (c *cutting) Write(p []byte) (int, error) {
	c.text += string(p)
	if c.after--; c.after == 0 {
		c.cut()
	}
	return len(p), nil
}
