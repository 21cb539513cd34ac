package bridge_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// A scraped worker serves phones over FastCGI and HTTP, and Prometheus.
type scraped struct {
	t      *testing.T
	house  *bridgetest.House
	socket string
	plain  string
	url    string // of its metrics
	end    context.CancelFunc
	ended  chan error
}

func startScraped(t *testing.T) *scraped {
	t.Helper()
	s := &scraped{t: t, socket: "unix:" + fcgitest.SocketPath(t), ended: make(chan error, 1)}
	s.house = bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Listen, o.Config.HTTP, o.Config.Metrics = s.socket, "127.0.0.1:0", "127.0.0.1:0"
		o.Version = "1.2.3"
	}})
	l, err := s.house.Bridge.Listen()
	if err != nil {
		t.Fatal(err)
	}
	s.plain, s.url = l.HTTP.Addr().String(), "http://"+l.Metrics.Addr().String()
	ctx, end := context.WithCancel(t.Context())
	s.end = end
	go func() { s.ended <- s.house.Bridge.Serve(ctx, l) }()
	return s
}

// close ends the worker.
func (s *scraped) close() {
	s.t.Helper()
	s.end()
	if err := <-s.ended; err != nil {
		s.t.Error(err)
	}
}

// get asks one of the paths.
func (s *scraped) get(path string) (status int, text string) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// scrape is a scrape as Prometheus reads it.
func (s *scraped) scrape() (text string, families map[string]*dto.MetricFamily) {
	s.t.Helper()
	status, text := s.get("/metrics")
	if status != http.StatusOK {
		s.t.Fatalf("status %d: %s", status, text)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	return text, families
}

// value is that of a counter or gauge, or how much a histogram has counted, of
// those metrics that have the labels, "name=value".
func value(families map[string]*dto.MetricFamily, name string, labels ...string) (sum float64) {
	for _, m := range families["pushbridge_"+name].GetMetric() {
		have := map[string]bool{}
		for _, l := range m.GetLabel() {
			have[l.GetName()+"="+l.GetValue()] = true
		}
		if !slices.ContainsFunc(labels, func(l string) bool { return !have[l] }) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

// phone is one that asks over FastCGI.
func (s *scraped) phone(device string) *phone.Phone {
	c := s.house.Client(eas.V141, device)
	c.HTTP = &http.Client{Transport: fcgitest.Transport{Addr: s.socket}}
	return bridgetest.Checked(s.t, phone.New(c, phone.Settings{}))
}

// await scrapes until a value is there.
func (s *scraped) await(want float64, name string, labels ...string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) { // gives way; the value decides
		_, families := s.scrape()
		if value(families, name, labels...) == want {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s%q is %v, want %v", name, labels, value(families, name, labels...), want)
		}
	}
}

// TestMetricsOfAStory has a phone synchronize, wait and be woken, and looks what
// is counted of it, and that none of it says whose it is.
func TestMetricsOfAStory(t *testing.T) {
	s := startScraped(t)
	defer s.close()
	_, families := s.scrape()
	for _, cause := range []string{"change", "heartbeat", "newer_request", "recalled", "hang_up", "order", "shutdown", "error"} {
		if n := value(families, "waits_ended_total", "cause="+cause); n != 0 {
			t.Errorf("%v waits ended by %s before any began", n, cause)
		}
	}
	s.house.Store("contacts", "a", bridgetest.Card("a", "Ann"))
	p := s.phone("SECRETDEVICE")
	bridgetest.Sync(t, p)
	pinged := make(chan int, 1)
	ping := func(heartbeat time.Duration) {
		r, err := p.Ping(t.Context(), heartbeat)
		if err != nil {
			t.Errorf("Ping: %v", err)
		}
		pinged <- int(r.Status)
	}
	go ping(50 * time.Minute)
	s.await(1, "fastcgi_parked_connections")
	s.await(1, "phones_waiting")
	s.house.Store("contacts", "b", bridgetest.Card("b", "Bob"))
	if got := <-pinged; got != int(eas.PingChanges) {
		t.Fatalf("the Ping says %d, want %d", got, eas.PingChanges)
	}
	bridgetest.Sync(t, p)
	go ping(time.Second)
	if <-pinged != int(eas.PingExpired) {
		t.Error("the short Ping is not over")
	}
	unknown, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.plain+"/Microsoft-Server-ActiveSync?Cmd=MyOwn&User=ann&DeviceId=SECRETDEVICE&DeviceType=test", nil)
	if err != nil {
		t.Fatal(err)
	}
	unknown.SetBasicAuth(bridgetest.User, bridgetest.Password)
	resp, err := http.DefaultClient.Do(unknown)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	s.await(1, "request_duration_seconds", "command=other", "status=5xx")
	s.await(2, "request_duration_seconds", "command=Ping", "status=2xx")

	text, families := s.scrape()
	for _, want := range []struct {
		name  string
		label string
		n     float64
	}{
		{"phones_waiting", "", 0},
		{"waits_ended_total", "", 2},
		{"waits_ended_total", "cause=change", 1},
		{"waits_ended_total", "cause=heartbeat", 1},
		{"wake_latency_seconds", "", 1},
		{"wake_latency_seconds", "command=Ping", 1},
		{"sync_items_sent_total", "", 2},
		{"watch_poll_errors_total", "", 0},
		{"held_brakes", "", 0},
		{"problems", "", 0},
		{"build_info", "version=1.2.3", 1},
	} {
		labels := strings.Fields(want.label)
		if got := value(families, want.name, labels...); got != want.n {
			t.Errorf("%s%q is %v, want %v", want.name, labels, got, want.n)
		}
	}
	for _, name := range []string{"watch_polls_total", "watch_poll_seconds_total", "watch_events_total"} {
		if value(families, name, "backend=memory") <= 0 {
			t.Errorf("%s says nothing of the backend", name)
		}
	}
	checkNames(t, families)
	checkRules(t, families)
	for _, whose := range []string{bridgetest.User + `"`, "SECRETDEVICE", "127.0.0.1", "MyOwn"} {
		if strings.Contains(text, whose) {
			t.Errorf("%q is among the metrics", whose)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if t.Failed() {
		t.Log(text)
	}
}

// checkRules looks whether the alert rules in the README ask for what there is:
// each metric, and each label that they name.
func checkRules(t *testing.T, families map[string]*dto.MetricFamily) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, _ := strings.Cut(string(text), "```yaml\ngroups:\n")
	rules, _, whole := strings.Cut(rules, "\n```")
	asked := regexp.MustCompile(`\b(pushbridge_[a-z_]+)(\{[^}]*\})?`).FindAllStringSubmatch(rules, -1)
	if !whole || len(asked) < 10 || strings.Count(rules, "- alert: ") != strings.Count(rules, "expr: ") {
		t.Fatalf("the README has %d metrics in rules:\n%s", len(asked), rules)
	}
	names := map[string]bool{"pushbridge_plugin_restarts_total": true} // there are no plugins here; package metrics tries it
	for name, f := range families {
		names[name] = true
		if f.GetType() == dto.MetricType_HISTOGRAM {
			names[name+"_bucket"], names[name+"_count"], names[name+"_sum"] = true, true, true
		}
	}
	quoted := regexp.MustCompile(`([a-z_]+)=~?"([^"]*)"`)
	for _, m := range asked {
		if !names[m[1]] {
			t.Errorf("the README's rules ask for %s, which there is not", m[1])
		}
		family := families[strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(m[1], "_bucket"), "_count"), "_sum")]
		for _, label := range quoted.FindAllStringSubmatch(m[2], -1) {
			if !hasLabel(family, label[1], label[2]) {
				t.Errorf("the README's rules ask for %s, and no %s is like that", m[0], m[1])
			}
		}
	}
}

// hasLabel tells whether one of the metrics has a label that fits a pattern.
func hasLabel(f *dto.MetricFamily, name, pattern string) bool {
	fits := regexp.MustCompile("^(?:" + pattern + ")$")
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == name && fits.MatchString(l.GetValue()) {
				return true
			}
		}
	}
	return false
}

// checkNames holds the labels against those that say nothing of anybody.
func checkNames(t *testing.T, families map[string]*dto.MetricFamily) {
	t.Helper()
	found := map[string]bool{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.HasPrefix(name, "pushbridge_") {
					found[l.GetName()] = true
				} else if !slices.Contains([]string{"quantile", "version"}, l.GetName()) {
					t.Errorf("%s has the label %s", name, l.GetName())
				}
			}
		}
	}
	var names []string
	for n := range found {
		names = append(names, n)
	}
	slices.Sort(names)
	if want := []string{"backend", "cause", "command", "goversion", "reason", "source", "status", "version"}; !slices.Equal(names, want) {
		t.Errorf("the labels are %q, want %q", names, want)
	}
}

// TestNoMetrics listens for nobody without the key.
func TestNoMetrics(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.HTTP = "127.0.0.1:0" }})
	l, err := h.Bridge.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Metrics != nil {
		t.Errorf("it listens at %v", l.Metrics.Addr())
	}
	bridgetest.Sync(t, bridgetest.Checked(t, phone.New(h.Client(eas.V141, "NOBODY"), phone.Settings{})))
}

// TestMetricsElsewhere says which key to mend where the address is taken.
func TestMetricsElsewhere(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.HTTP, o.Config.Metrics = "127.0.0.1:0", taken.Addr().String()
	}})
	l, err := h.Bridge.Listen()
	if err == nil {
		l.Close()
		t.Fatal("two programs listen there")
	}
	for _, want := range []string{`metrics = "127.0.0.1:`, "choose another address"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %q, without %q", err, want)
		}
	}
}

// TestReady asks a worker that serves, one that ends, and one that has lost its
// state.
func TestReady(t *testing.T) {
	s := startScraped(t)
	if status, text := s.get("/readyz"); status != 200 || text != "ready\n" {
		t.Errorf("a worker that serves says %d, %q", status, text)
	}

	// A phone that is slow to send its request keeps the worker from its end.
	slow, err := net.Dial("tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	body, err := eas.Marshal(&eas.FolderSyncRequest{SyncKey: "0"}, eas.V141)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(slow, "POST /Microsoft-Server-ActiveSync?Cmd=FolderSync&DeviceId=SLOW&DeviceType=test HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\n"+
		"MS-ASProtocolVersion: 14.1\r\nContent-Type: application/vnd.ms-sync.wbxml\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		base64.StdEncoding.EncodeToString([]byte(bridgetest.User+":"+bridgetest.Password)), len(body))
	answers := bufio.NewReader(slow)
	if resp, err := http.ReadResponse(answers, nil); err != nil || resp.StatusCode != http.StatusContinue {
		t.Fatalf("the phone is answered %v, %v, want to go on", resp, err)
	}
	s.end()
	status, text := s.get("/readyz")
	for deadline := time.Now().Add(time.Minute); status == http.StatusOK && time.Now().Before(deadline); status, text = s.get("/readyz") {
		time.Sleep(time.Millisecond) // gives way; the answer decides
	}
	if status != http.StatusServiceUnavailable || !strings.HasPrefix(text, "ending") || strings.Count(text, "\n") != 1 {
		t.Errorf("a worker that ends says %d, %q", status, text)
	}
	if status, _ := s.get("/healthz"); status != http.StatusOK {
		t.Errorf("a worker that ends says %d, want that it lives", status)
	}
	if _, err := slow.Write(body); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.ReadResponse(answers, nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the slow phone is answered %v, %v", resp, err)
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}

	lost := startScraped(t)
	defer lost.close()
	if err := lost.house.Bridge.LoseState(); err != nil {
		t.Fatal(err)
	}
	if status, text := lost.get("/readyz"); status != http.StatusServiceUnavailable || !strings.HasPrefix(text, "the state cannot be read: ") || strings.Count(text, "\n") != 1 {
		t.Errorf("a worker without its state says %d, %q", status, text)
	}
	if status, _ := lost.get("/healthz"); status != http.StatusOK {
		t.Errorf("a worker without its state says %d, want that it lives", status)
	}
	if text, _ := lost.scrape(); strings.Contains(text, "\npushbridge_held_brakes ") {
		t.Error("brakes are counted that cannot be read")
	}
}
