package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// A gag stands between a worker and its SMTP server and lets everything through; but
// once so many bytes of a mail went to the server, it keeps to itself what the server
// says.
type gag struct {
	after int64
	addr  string
}

// startGag starts one that ends with the test.
func startGag(t *testing.T, server string, after int64) *gag {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gag{after: after, addr: l.Addr().String()}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { g.carry(ctx, c, server) })
		}
	})
	t.Cleanup(func() {
		stop()
		l.Close()
		all.Wait()
	})
	return g
}

func (g *gag) carry(ctx context.Context, c net.Conn, server string) {
	defer c.Close()
	s, err := net.Dial("tcp", server)
	if err != nil {
		return // which the worker says
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { c.Close(); s.Close() })()
	var sent atomic.Int64
	var back sync.WaitGroup
	back.Go(func() {
		b := make([]byte, 4096)
		for {
			n, err := s.Read(b)
			if err != nil {
				c.Close()
				return
			}
			if sent.Load() > g.after {
				continue // said, and not heard
			}
			if _, err := c.Write(b[:n]); err != nil {
				return
			}
		}
	})
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		sent.Add(int64(n))
		if n > 0 {
			if _, err := s.Write(b[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	s.Close()
	back.Wait()
}

// startServe starts a worker in a process of its own. end ends it by a signal.
func startServe(t *testing.T, config string, log *bridgetest.Log) (end func(syscall.Signal)) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "serve", "--config", config)
	cmd.Stdout, cmd.Stderr = log, log
	before := strings.Count(log.String(), serves)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	end = func(s syscall.Signal) {
		once.Do(func() {
			cmd.Process.Signal(s)
			if err := cmd.Wait(); err != nil && s == syscall.SIGTERM {
				t.Errorf("the worker ended with %v", err)
			}
		})
	}
	t.Cleanup(func() { end(syscall.SIGTERM) })
	(&world{t: t, log: log}).await("the worker listens", func() bool { return strings.Count(log.String(), serves) > before })
	return end
}

// A worker is killed while the SMTP server has taken a mail and the worker has not
// heard of it. The phone sends the mail again to the worker that comes then: it is not
// sent twice, and the person is told that nobody knows whether it was sent.
func TestWorkerIsKilledBetweenTakenAndNoted(t *testing.T) {
	if testing.Short() {
		t.Skip("starts mail servers, nginx and workers")
	}
	mail, dir, log := imaptest.Start(t), t.TempDir(), new(bridgetest.Log)
	const size = 1 << 20
	g := startGag(t, mail.SMTPS, size/2)
	config, state, addr := filepath.Join(dir, "pushbridge.toml"), filepath.Join(dir, "state"), "unix:"+fcgitest.SocketPath(t)
	text := fmt.Sprintf("listen = %q\nstate = %q\n[login]\ndomain = %q\n[backend.mail]\nplugin = \"imap\"\nurl = \"imaps://%s\"\nsmtp = \"smtps://%s\"\nca_file = %q\n",
		addr, state, imaptest.Domain, mail.IMAPS, g.addr, mail.CAFile)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	end := startServe(t, config, log)
	web := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: addr})
	w := &mailWorld{&world{t: t, log: log, nginx: web}, mail}
	c := &easclient.Client{URL: web.URL, User: imaptest.Ann.Name, Password: imaptest.Ann.Password, Version: eas.V161, DeviceID: "killed", DeviceType: "test",
		HTTP: &http.Client{Transport: web.Client.Transport}}
	p := phone.New(c, phone.Settings{Classes: []string{eas.ClassEmail}})
	bridgetest.Sync(t, p)
	m := eas.SendMailRequest{ClientID: "one", SaveInSentItems: true, Mime: []byte(fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: Only once\r\n\r\n%s",
		imaptest.Ann.Address(), imaptest.Bob.Address(), strings.Repeat(strings.Repeat("x", 62)+"\r\n", size/64)))}
	answered := make(chan error, 1)
	go func() { answered <- c.SendMail(t.Context(), m) }()
	s := &mailStory{mailWorld: w, t: t, v: eas.V161, client: c, phone: p}
	s.arrived("Only once") // so the SMTP server took it
	end(syscall.SIGKILL)
	if err := <-answered; err == nil {
		t.Error("the phone is told that the mail was sent")
	}
	age(t, filepath.Join(state, "pushbridge.db"))
	startServe(t, config, log)
	again := c.SendMail(t.Context(), m)
	if refused, ok := errors.AsType[*easclient.StatusError](again); !ok || refused.Status != int(eas.MessagePreviouslySent) {
		t.Errorf("sent again it is answered with %v, want status 118", again)
	}
	s.find(eas.FolderInbox, "Sent or not? Only once")
	s.find(eas.FolderSent, "Only once")
	s.arrived("Only once") // one still
}

// age has what workers began lie further back than any of them takes for a mail.
func age(t *testing.T, database string) {
	db, err := sql.Open("sqlite", database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	res, err := db.Exec("UPDATE letters SET began = began - ?", int(2*outbox.SendTime/time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%d letters are noted, error %v, want 1", n, err)
	}
}
