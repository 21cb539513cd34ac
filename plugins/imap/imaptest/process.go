package imaptest

import (
	"bytes"
	"net"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// A process is a server that a test has started.
type process struct {
	t          testing.TB
	path       string
	args       []string
	ready      string // the address on which it listens
	credential *syscall.Credential

	cmd   *exec.Cmd
	ended chan struct{}
	out   bytes.Buffer // read only when ended
}

// start starts it and waits until it listens.
func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.path, p.args...)
	p.out.Reset()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.WaitDelay = time.Second
	endWithUs(p.cmd, p.credential)
	ended := make(chan struct{})
	p.ended = ended
	begun := make(chan error)
	go func() { // the thread that starts it has to live as long as it
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		begun <- err
		if err == nil {
			p.cmd.Wait()
		}
	}()
	if err := <-begun; err != nil {
		p.t.Fatalf("imaptest: %s: %v", p.path, err)
	}
	for until := time.Now().Add(startTimeout); ; {
		nc, err := net.Dial("tcp", p.ready)
		if err == nil {
			nc.Close()
			return
		}
		select {
		case <-ended:
			p.t.Fatalf("imaptest: %s has ended:\n%s", p.path, p.out.Bytes())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(until) {
			p.t.Fatalf("imaptest: %s does not answer: %v", p.path, err)
		}
	}
}

// stop ends it and waits.
func (p *process) stop() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(2 * time.Second): // it waits for those who are logged in
		p.cmd.Process.Kill()
		<-p.ended
	}
}
