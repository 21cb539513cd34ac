// Package crowd plays thousands of waiting phones against a worker's socket, from a process of their own.
//
// The process is the test's own program, started once more: its TestMain calls
// [Main] first. So the worker's memory and descriptors are the worker's alone.
package crowd

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// socketVariable names the socket to the process that plays the phones.
const socketVariable = "PUSHBRIDGE_CROWD_SOCKET"

// The frames between the two processes: a letter, the phone's number, a time
// in nanoseconds, the length of what follows, and that.
const (
	frameSend   = 's' // to the phones: connect and send this
	frameHangUp = 'h' // to the phones: close the connection
	frameAnswer = 'a' // from the phones: this is what came before the connection was closed
	frameSync   = 'y' // both ways: everything before it is done
	headLen     = 1 + 4 + 8 + 4
)

type frame struct {
	kind  byte
	phone int
	at    time.Duration
	body  []byte
}

func writeFrame(w io.Writer, f frame) error {
	b := make([]byte, headLen, headLen+len(f.body))
	b[0] = f.kind
	binary.BigEndian.PutUint32(b[1:], uint32(f.phone))
	binary.BigEndian.PutUint64(b[5:], uint64(f.at))
	binary.BigEndian.PutUint32(b[13:], uint32(len(f.body)))
	_, err := w.Write(append(b, f.body...))
	return err
}

func readFrame(r io.Reader) (frame, error) {
	var b [headLen]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return frame{}, err
	}
	f := frame{
		kind: b[0], phone: int(binary.BigEndian.Uint32(b[1:])), at: time.Duration(binary.BigEndian.Uint64(b[5:])),
		body: make([]byte, binary.BigEndian.Uint32(b[13:])),
	}
	_, err := io.ReadFull(r, f.body)
	return f, err
}

// Now is a time that both processes have in common.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // there is such a clock since Linux 2.6
	}
	return time.Duration(t.Nano())
}

// An Answer is what one phone got.
type Answer struct {
	Phone   int
	At      time.Duration // of its first byte, as Now tells it
	Records []byte        // of FastCGI
}

// A Crowd is the phones, as seen by the test. Its methods are called by one
// goroutine.
type Crowd struct {
	t     testing.TB
	in    *bufio.Writer
	sync  chan struct{}
	mu    sync.Mutex
	inbox []Answer
	news  chan struct{} // capacity 1
}

// Start starts the process that plays the phones of a socket, and ends it with
// the test.
func Start(t testing.TB, socket string) *Crowd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), socketVariable+"="+socket)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &Crowd{t: t, in: bufio.NewWriter(in), sync: make(chan struct{}), news: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(c.sync)
		c.receive(bufio.NewReader(out))
	}()
	t.Cleanup(func() {
		in.Close()
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("the phones' process: %v", err)
		}
	})
	return c
}

func (c *Crowd) receive(r io.Reader) {
	for {
		f, err := readFrame(r)
		if err != nil {
			return // it has ended, which whoever waits for it finds out
		}
		if f.kind == frameSync {
			c.sync <- struct{}{}
			continue
		}
		c.mu.Lock()
		c.inbox = append(c.inbox, Answer{f.phone, f.at, f.body})
		c.mu.Unlock()
		select {
		case c.news <- struct{}{}:
		default:
		}
	}
}

func (c *Crowd) write(f frame) {
	if err := writeFrame(c.in, f); err != nil {
		c.t.Fatalf("telling the phones: %v", err)
	}
}

// Send lets a phone connect and send a request. One that waits already does so
// on a second connection, and lets the first one lie.
func (c *Crowd) Send(phone int, records []byte) {
	c.write(frame{kind: frameSend, phone: phone, body: records})
}

// HangUp closes a phone's last connection.
func (c *Crowd) HangUp(phone int) { c.write(frame{kind: frameHangUp, phone: phone}) }

// Sync answers when everything before it was done.
func (c *Crowd) Sync() {
	c.write(frame{kind: frameSync})
	if err := c.in.Flush(); err != nil {
		c.t.Fatalf("telling the phones: %v", err)
	}
	if _, ok := <-c.sync; !ok {
		c.t.Fatal("the phones' process has ended")
	}
}

// Answers waits for n answers, or as many as come in time.
func (c *Crowd) Answers(n int, patience time.Duration) []Answer {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		c.mu.Lock()
		if len(c.inbox) >= n {
			got := c.inbox
			c.inbox = nil
			c.mu.Unlock()
			return got
		}
		c.mu.Unlock()
		select {
		case <-c.news:
		case <-late.C:
			n = 0
		}
	}
}

// Main plays the phones and ends the process, if that is what it was started
// for.
func Main() {
	socket := os.Getenv(socketVariable)
	if socket == "" {
		return
	}
	if err := play(socket); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
