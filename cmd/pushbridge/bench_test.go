package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// A worker is "pushbridge serve" in a process of its own upon a directory of
// cards.
type worker struct {
	pid   int
	url   string
	cards string
}

// startWorker starts a worker whose user has n contacts.
func startWorker(b *testing.B, n int) *worker {
	b.Helper()
	dir := b.TempDir()
	w := &worker{cards: filepath.Join(dir, "data", "ann", "contacts")}
	if err := os.MkdirAll(w.cards, 0o700); err != nil {
		b.Fatal(err)
	}
	for i := range n {
		w.write(b, i, "Person")
	}
	w.start(b, fmt.Sprintf("[backend.files]\nplugin = \"localdir\"\ndir = %q\nusers = {ann = \"secret\"}\n", filepath.Join(dir, "data")))
	return w
}

// start starts the process with backends.
func (w *worker) start(b *testing.B, backends string) {
	b.Helper()
	dir, addr := b.TempDir(), "unix:"+fcgitest.SocketPath(b)
	config := filepath.Join(dir, "pushbridge.toml")
	text := fmt.Sprintf("listen = %q\nstate = %q\n%s", addr, filepath.Join(dir, "state"), backends)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self, "serve", "--config", config)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	w.pid = cmd.Process.Pid
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "listening") {
	}
	go func() { // ends with the process
		for lines.Scan() {
		}
	}()
	w.url = fcgitest.WebServer(b, addr).URL
}

// write stores a card of about the usual size.
func (w *worker) write(b *testing.B, i int, name string) {
	b.Helper()
	card := strings.Replace(bridgetest.Card(fmt.Sprintf("card-%06d", i), fmt.Sprintf("%s %06d", name, i)), "END:VCARD",
		"EMAIL;TYPE=INTERNET,HOME:person@example.org\r\nADR;TYPE=HOME:;;12 Long Street;Springfield;;12345;Country\r\n"+
			"ORG:An Organization of Some Size;Department\r\nBDAY:1980-05-17\r\nNOTE:"+strings.Repeat("noted ", 40)+"\r\nEND:VCARD", 1)
	if err := os.WriteFile(filepath.Join(w.cards, fmt.Sprintf("card-%06d.vcf", i)), []byte(card), 0o600); err != nil {
		b.Fatal(err)
	}
}

func (w *worker) client(device string) *easclient.Client {
	return &easclient.Client{URL: w.url, User: "ann", Password: "secret", Version: eas.V141, DeviceID: device, DeviceType: "bench", HTTP: http.DefaultClient}
}

// peak is the most memory that the worker ever had resident, in bytes.
func (w *worker) peak(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.pid))
	if err != nil {
		b.Skip("no /proc here")
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kb) * 1024
		}
	}
	b.Fatal("no VmHWM in /proc/PID/status")
	return 0
}

// cpu is the processor time that the worker has used; plugins are processes of
// their own.
func (w *worker) cpu(b *testing.B) time.Duration {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", w.pid))
	if err != nil || len(tasks) == 0 {
		b.Skip("no /proc here")
	}
	var sum time.Duration
	for _, file := range tasks {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// BenchmarkFirstSync loads 10,000 contacts from files into a new phone,
// through FastCGI, worker and plugin process.
func BenchmarkFirstSync(b *testing.B) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	for _, window := range []int{100, 512} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			w := startWorker(b, n)
			device := 0
			for b.Loop() {
				device++
				p := phone.New(w.client(fmt.Sprintf("PHONE%d", device)), phone.Settings{WindowSize: window, Classes: []string{"Contacts"}})
				bridgetest.Sync(b, p)
				if got := len(bridgetest.FolderOf(b, p, "Contacts").Items); got != n {
					b.Fatalf("the phone holds %d contacts, want %d", got, n)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
			b.ReportMetric(w.peak(b)/(1<<20), "peak-MB")
		})
	}
}

// BenchmarkFirstEventSync is the same with 10,000 events and no filter, one of ten
// of them a series. Each is read for the phone, and of each is remembered when it is
// over and when phones are shown something else of it.
func BenchmarkFirstEventSync(b *testing.B) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	w := startWorker(b, 0)
	dir := filepath.Join(filepath.Dir(w.cards), "calendar")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	for i := range n {
		event := bridgetest.Event(fmt.Sprintf("event-%06d", i), fmt.Sprintf("Event %06d", i), time.Date(2026, 1, 1, i%24, 0, 0, 0, time.UTC).AddDate(0, 0, i/24))
		event = strings.Replace(event, "X-KEEP", "LOCATION:Room 5\r\nDESCRIPTION:"+strings.Repeat("noted ", 60)+"\r\nX-KEEP", 1)
		if i%10 == 0 {
			event = strings.Replace(event, "SUMMARY", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE\r\nSUMMARY", 1)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("event-%06d.ics", i)), []byte(event), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	var used time.Duration
	device := 0
	for b.Loop() {
		device++
		before := w.cpu(b)
		p := phone.New(w.client(fmt.Sprintf("PHONE%d", device)), phone.Settings{WindowSize: 512, Classes: []string{"Calendar"}})
		bridgetest.Sync(b, p)
		if device == 1 {
			used = w.cpu(b) - before // only the first phone's is the folder's first
		}
		if got := len(bridgetest.FolderOf(b, p, "Calendar").Items); got != n {
			b.Fatalf("the phone holds %d events, want %d", got, n)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
	b.ReportMetric(used.Seconds(), "first-worker-s")
	b.ReportMetric(w.peak(b)/(1<<20), "peak-MB")
}

// BenchmarkQuietSync asks for changes where there are none, and
// BenchmarkOneChange where there is one, in folders of several sizes. The
// figure that matters is worker-us/op: the worker's own processor time.
func BenchmarkQuietSync(b *testing.B) { benchmarkSync(b, false) }

func BenchmarkOneChange(b *testing.B) { benchmarkSync(b, true) }

func benchmarkSync(b *testing.B, change bool) {
	sizes := []int{100, 10_000, 100_000}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("items=%d", n), func(b *testing.B) {
			w := startWorker(b, n)
			p := phone.New(w.client("PHONE"), phone.Settings{WindowSize: 512, Classes: []string{"Contacts"}})
			bridgetest.Sync(b, p)
			folder := bridgetest.FolderOf(b, p, "Contacts").ServerID
			var used time.Duration
			for i := 0; b.Loop(); i++ {
				if change {
					w.write(b, n/2, fmt.Sprintf("Changed %d", i))
				}
				before := w.cpu(b)
				events, err := p.SyncFolders(b.Context(), folder)
				if err != nil {
					b.Fatal(err)
				}
				used += w.cpu(b) - before
				if got := len(events); change != (got == 1) {
					b.Fatalf("%d events", got)
				}
			}
			b.ReportMetric(float64(used.Microseconds())/float64(b.N), "worker-us/op")
			b.ReportMetric(w.peak(b)/(1<<20), "peak-MB")
		})
	}
}
