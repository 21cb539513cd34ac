package fcgi_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// aPing is what a phone's Ping looks like when it has come through nginx.
var aPing = fcgitest.Request{
	Method: "POST",
	URI:    activeSync + "?Cmd=Ping&User=ann%40example.com&DeviceId=6F24CAD599A5BF1A690246B8C68FAE8D&DeviceType=SmartPhone",
	Header: http.Header{
		"Content-Type":         {"application/vnd.ms-sync.wbxml"},
		"Authorization":        {"Basic YW5uQGV4YW1wbGUuY29tOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="},
		"User-Agent":           {"Android-SAMSUNG-SM-G991B/101.1300"},
		"Ms-Asprotocolversion": {"14.1"},
		"X-Ms-Policykey":       {"1307199584"},
	},
	Env:  map[string]string{"HTTPS": "on"},
	Body: make([]byte, 40),
}

// exchange sends a request and reads its answer whole, on a new connection.
func exchange(path string, request []byte) error {
	nc, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	defer nc.Close()
	if _, err := nc.Write(request); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, nc)
	return err
}

// BenchmarkRequests is a connection for each request, as nginx does it.
func BenchmarkRequests(b *testing.B) {
	path := fcgitest.Serve(b, discard)[len("unix:"):]
	request := aPing.Records()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := exchange(path, request); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkRequestsKept is one connection after another's request.
func BenchmarkRequestsKept(b *testing.B) {
	path := fcgitest.Serve(b, discard)[len("unix:"):]
	ping := aPing
	ping.KeepConn = true
	request := ping.Records()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		nc, err := net.Dial("unix", path)
		if err != nil {
			b.Error(err)
			return
		}
		defer nc.Close()
		for pb.Next() {
			nc.Write(request)
			for {
				rec, err := fcgitest.ReadRecord(nc)
				if err != nil {
					b.Error(err)
					return
				}
				if rec.Type == fcgitest.EndRequest {
					break
				}
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkThroughNginx is phones that keep their connections to nginx.
func BenchmarkThroughNginx(b *testing.B) {
	n := fcgitest.StartNginx(b, fcgitest.NginxOptions{Addr: fcgitest.Serve(b, discard)})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.Post(n.URL+activeSync, "application/vnd.ms-sync.wbxml", bytes.NewReader(aPing.Body))
			if err != nil {
				b.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Errorf("answer = %s", resp.Status)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkLargeAnswer streams 16 MB.
func BenchmarkLargeAnswer(b *testing.B) {
	answer := make([]byte, 1<<20)
	path := fcgitest.Serve(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 16 {
			w.Write(answer)
		}
	}))[len("unix:"):]
	request := fcgitest.Request{}.Records()
	b.SetBytes(16 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if err := exchange(path, request); err != nil {
			b.Fatal(err)
		}
	}
}

// discard reads its request and answers nothing.
var discard = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })

// BenchmarkWaiting says what a waiting request costs, in bytes of the process:
// ours and, as little as it is, that of the connection's other end.
func BenchmarkWaiting(b *testing.B) {
	for _, n := range []int{1000, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				heap, stack := waitingCost(b, n)
				b.ReportMetric(heap, "heap-B/waiting")
				b.ReportMetric(stack, "stack-B/waiting")
			}
		})
	}
}

// maxWaiting bounds the heap that a waiting request may hold, in bytes. The
// standard library's server holds 144 KB.
const maxWaiting = 16 << 10

func TestWaitingCostsLittle(t *testing.T) {
	if heap, stack := waitingCost(t, 500); heap > maxWaiting {
		t.Errorf("a waiting request holds %.0f bytes of heap (and %.0f of stack), want at most %d", heap, stack, maxWaiting)
	} else {
		t.Logf("a waiting request holds %.0f bytes of heap and %.0f of stack", heap, stack)
	}
}

// waitingCost lets n requests wait, each on a connection of its own, and
// answers what each holds.
func waitingCost(t testing.TB, n int) (heap, stack float64) {
	entered := make(chan struct{}, n)
	s := &fcgi.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		entered <- struct{}{}
		<-r.Context().Done()
	})}
	path := fcgitest.Start(t, s)[len("unix:"):]
	request := aPing.Records()
	before := memory()
	conns := make([]net.Conn, 0, n)
	for range n {
		nc, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		conns = append(conns, nc)
		if _, err := nc.Write(request); err != nil {
			t.Fatal(err)
		}
		<-entered
	}
	after := memory()
	runtime.KeepAlive(conns)
	heap = float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / float64(n)
	stack = float64(int64(after.StackInuse)-int64(before.StackInuse)) / float64(n)
	return heap, stack
}

// memory collects twice: what the pools hold survives once.
func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}
