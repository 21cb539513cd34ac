package fcgitest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// doors are the ways in which a test may send HTTP to a FastCGI server.
var doors = []struct {
	name string
	open func(t *testing.T, addr string) (client *http.Client, url string)
}{
	{"Transport", func(_ *testing.T, addr string) (*http.Client, string) {
		return &http.Client{Transport: fcgitest.Transport{Addr: addr}}, "http://mail.example.com"
	}},
	{"WebServer", func(t *testing.T, addr string) (*http.Client, string) {
		s := fcgitest.WebServer(t, addr)
		return s.Client(), s.URL
	}},
	{"StartNginx", func(t *testing.T, addr string) (*http.Client, string) {
		n := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: addr})
		return n.Client, n.URL
	}},
}

const path = "/Microsoft-Server-ActiveSync"

func TestDoorsPassBodies(t *testing.T) {
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Header().Set("X-URI", r.RequestURI)
		io.Copy(w, r.Body)
	}))
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			client, url := door.open(t, addr)
			for _, size := range []int{0, 1, 100_000, 1 << 20} {
				body := bytes.Repeat([]byte("x"), size)
				resp, err := client.Post(url+path+"?a+b/c==", "application/vnd.ms-sync.wbxml", bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || !bytes.Equal(got, body) {
					t.Errorf("%d bytes came back as %d, %v", size, len(got), err)
				}
				if got := resp.Header.Get("X-URI"); got != path+"?a+b/c==" {
					t.Errorf("URI = %q", got)
				}
			}
		})
	}
}

func TestDoorsHangUp(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			entered, left := make(chan struct{}), make(chan error, 1)
			addr := fcgitest.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(entered)
				<-r.Context().Done()
				left <- context.Cause(r.Context())
			}))
			client, url := door.open(t, addr)
			why := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			req, err := http.NewRequestWithContext(ctx, "POST", url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if resp, err := client.Do(req); err == nil {
					resp.Body.Close()
					t.Errorf("answer = %s, want an error", resp.Status)
				}
			})
			<-entered
			cancel(why)
			if got := <-left; got != fcgi.ErrHungUp {
				t.Errorf("context.Cause = %v, want %v", got, fcgi.ErrHungUp)
			}
			wg.Wait()
		})
	}
}

func TestDoorsTellOfBrokenAnswers(t *testing.T) {
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, 100_000))
		panic(http.ErrAbortHandler)
	}))
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			client, url := door.open(t, addr)
			resp, err := client.Get(url + path)
			if err != nil {
				return
			}
			defer resp.Body.Close()
			if n, err := io.Copy(io.Discard, resp.Body); err == nil {
				t.Errorf("%d bytes and no error: half an answer passes for a whole one", n)
			}
		})
	}
}
