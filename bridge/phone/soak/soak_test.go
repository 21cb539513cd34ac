package soak_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/phone/soak"
	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// house builds a bridge with people 1 to n.
func house(t testing.TB, n int) *bridge.Bridge {
	t.Helper()
	m := memory.New()
	for i := range n {
		m.AddUser(fmt.Sprint("p", i+1), "secret")
	}
	file := config.Default()
	file.State = bridge.Memory
	file.Heartbeat.Min, file.PollMin = time.Second, time.Second
	b, err := bridge.New(t.Context(), bridge.Options{
		Config: file, Logger: slog.New(slog.NewTextHandler(new(bridgetest.Log), nil)),
		Backends: []account.Named{{Name: "memory", Backend: m}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// run runs a soak and answers what it wrote.
func run(t *testing.T, c soak.Config) string {
	t.Helper()
	var out bytes.Buffer
	if err := soak.Run(t.Context(), &out, c); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// says finds the numbers of a line of the table.
func says(t *testing.T, out, line string) []float64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + line + `$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("the table has no line %s:\n%s", line, out)
	}
	var list []float64
	for _, s := range m[1:] {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	return list
}

// Phones of several people hear of what another phone edits, and the table and
// the plot say so.
func TestSoak(t *testing.T) {
	server := httptest.NewServer(house(t, 3).Handler())
	defer server.Close()
	plot := filepath.Join(t.TempDir(), "soak.png")
	out := run(t, soak.Config{
		URL: server.URL, User: "p{n}", Password: "secret", People: 3, Phones: 9, Rate: 20, For: 1500 * time.Millisecond,
		PIDs: []int{os.Getpid()}, Plot: plot,
	})
	if n := says(t, out, `phones +(\d+) of (\d+) people.*`); n[0] != 9 || n[1] != 3 {
		t.Errorf("phones and people: %v", n)
	}
	if n := says(t, out, `edits +(\d+) in .*another phone.*`); n[0] == 0 {
		t.Errorf("no edits:\n%s", out)
	}
	if n := says(t, out, `woken +(\d+) times; (\d+) phones lack the last edit`); n[0] == 0 || n[1] != 0 {
		t.Errorf("woken %v times, missed by %v phones:\n%s", n[0], n[1], out)
	}
	if n := says(t, out, `edit to item on phone .*\((\d+)\)`); n[0] < 9 {
		t.Errorf("only %v items came", n[0])
	}
	says(t, out, `edit to Ping's answer .*\((\d+)\)`)
	says(t, out, `waiting +(\d+) at the end, (\d+) or more.*`)
	says(t, out, `\S+ \((\d+)\) +memory .* KB per phone; .*`)
	if !regexp.MustCompile(`(?m)^errors +none$`).MatchString(out) {
		t.Errorf("there were errors:\n%s", out)
	}
	f, err := os.Open(plot)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if img, err := png.Decode(f); err != nil || img.Bounds().Dx() < 500 {
		t.Errorf("the plot is no picture: %v", err)
	}
}

// What an idle phone costs a day, counted on the connections between a real nginx
// and phones whose heartbeats pass: at 28 minutes, and at 59, which is what a phone
// learns where they live (TestHeartbeatConverges).
func TestIdlePhoneThroughNginx(t *testing.T) {
	b := house(t, 1)
	l, err := fcgi.Listen("tcp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &fcgi.Server{Handler: b.Handler()}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	n := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: "tcp:" + l.Addr().String()})
	out := run(t, soak.Config{
		URL: n.URL, User: "p1", Password: "secret", Phones: 2, For: 3500 * time.Millisecond,
		Heartbeat: phone.Heartbeat{Default: time.Second, Min: time.Second, Max: time.Second},
	})
	cycle := says(t, out, `an idle Ping +(\d+) bytes up, (\d+) down .*`)
	for _, f := range []struct {
		heartbeat time.Duration
		must, aim float64 // KB a day
	}{{28 * time.Minute, 25, 21}, {phone.HeartbeatMax, 14.4, 10}} {
		got := soak.PerDay(cycle[0]+cycle[1], f.heartbeat) / 1000
		t.Logf("%.0f bytes up, %.0f down: %.1f KB a day with heartbeats of %v", cycle[0], cycle[1], got, f.heartbeat)
		if got > f.must {
			t.Errorf("%.1f KB a day with heartbeats of %v, want at most %v", got, f.heartbeat, f.must)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	good := soak.Config{URL: "http://127.0.0.1:1", User: "p{n}", Password: "x", People: 2, Phones: 4, Rate: 1, For: time.Second}
	for _, tc := range []struct {
		name string
		edit func(*soak.Config)
		says string
	}{
		{"no phones", func(c *soak.Config) { c.Phones = 0 }, "0 phones"},
		{"more people than phones", func(c *soak.Config) { c.People = 5 }, "5 people"},
		{"people of one name", func(c *soak.Config) { c.User = "ann" }, "{n}"},
		{"no end", func(c *soak.Config) { c.For = 0 }, "last"},
		{"two places", func(c *soak.Config) { c.EditDir, c.EditDAV = "x", "y" }, "not both"},
		{"other people's server", func(c *soak.Config) { c.URL = "http://192.0.2.1" }, "--yes-this-is-my-server"},
		{"no server", func(c *soak.Config) { c.URL = "127.0.0.1" }, "is no server"},
		{"no directory", func(c *soak.Config) { c.EditDir = filepath.Join(t.TempDir(), "none") }, "DIR/NAME/contacts"},
		{"a name that is a path", func(c *soak.Config) { c.EditDir, c.User = t.TempDir(), "../{n}" }, "name of a directory"},
		{"one collection for all", func(c *soak.Config) { c.EditDAV = "http://127.0.0.1/c/" }, "{user}"},
		{"more phones than descriptors", func(c *soak.Config) { c.Phones = soak.MaxPhones + 1 }, "are possible"},
		{"no such process", func(c *soak.Config) { c.PIDs = []int{1 << 30} }, "process"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := good
			tc.edit(&c)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := soak.Run(ctx, new(bytes.Buffer), c)
			if err == nil || !strings.Contains(err.Error(), tc.says) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want something with %q", err, tc.says)
			}
		})
	}
}
