package fcgi_test

import (
	"fmt"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// BenchmarkDetached says what a detached request holds, in bytes of the process
// - ours and, as little as it is, that of the connection's other end - and how
// long it takes from End to the answer's first byte on the other side.
func BenchmarkDetached(b *testing.B) {
	for _, n := range []int{1000, 8000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				detachedCost(b, n)
			}
		})
	}
}

func detachedCost(b *testing.B, n int) {
	h := newShelf()
	h.deadline = time.Hour
	s := &fcgi.Server{Handler: h}
	path := fcgitest.Start(b, s)[len("unix:"):]
	request := aPing.Records()
	conns, waiting := make([]net.Conn, n), make([]*fcgi.Detached, n)
	before := memory()
	for i := range n {
		nc, err := net.Dial("unix", path)
		if err != nil {
			b.Fatal(err)
		}
		defer nc.Close()
		nc.Write(request)
		conns[i], waiting[i] = nc, <-h.detached
	}
	resting(b, s, n)
	after := memory()
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/float64(n)-otherEnd(b), "heap-B/waiting")
	b.ReportMetric(float64(int64(after.StackInuse)-int64(before.StackInuse))/float64(n), "stack-B/waiting")
	var took []time.Duration
	buf := make([]byte, 4096)
	for i := range min(n, 500) {
		start := time.Now()
		waiting[i].End(errNews)
		if _, err := conns[i].Read(buf); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		<-h.causes
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
	start := time.Now()
	for _, d := range waiting[len(took):] {
		d.End(errNews)
	}
	for range waiting[len(took):] {
		<-h.causes
	}
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "all-ms")
	runtime.KeepAlive(conns)
}

// otherEnd is what the net.Conn of the client's side holds, in bytes.
func otherEnd(b *testing.B) float64 {
	const n = 500
	l, err := net.Listen("unix", fcgitest.SocketPath(b))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	before := memory()
	conns := make([]net.Conn, n)
	for i := range conns {
		if conns[i], err = net.Dial("unix", l.Addr().String()); err != nil {
			b.Fatal(err)
		}
		defer conns[i].Close()
	}
	after := memory()
	runtime.KeepAlive(conns)
	return float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / n
}
