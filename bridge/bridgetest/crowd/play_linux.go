package crowd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A player is the process's own half: descriptors, and an epoll instance that
// looks after them.
type player struct {
	socket string
	epoll  int

	mu    sync.Mutex
	conns map[int]*connection // by descriptor
	last  map[int]int         // each phone's last descriptor

	writing sync.Mutex
	out     *bufio.Writer
}

type connection struct {
	phone int
	at    time.Duration // of the first byte
	got   []byte
}

// play does what it is told on the standard input until that ends.
func play(socket string) error {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	p := &player{socket: socket, epoll: epoll, conns: make(map[int]*connection), last: make(map[int]int), out: bufio.NewWriter(os.Stdout)}
	go p.look() // ends with the process
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		f, err := readFrame(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = p.obey(f)
		}
		if err != nil {
			return err
		}
	}
}

func (p *player) obey(f frame) error {
	switch f.kind {
	case frameSend:
		return p.send(f.phone, f.body)
	case frameHangUp:
		p.mu.Lock()
		defer p.mu.Unlock()
		if fd, ok := p.last[f.phone]; ok {
			p.close(fd)
		}
		return nil
	case frameSync:
		return p.tell(f)
	}
	return fmt.Errorf("a frame %q", f.kind)
}

// send connects a phone, waiting where the worker's queue is full.
func (p *player) send(phone int, records []byte) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("a socket: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: p.socket}); err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	if n, err := unix.Write(fd, records); err != nil || n < len(records) {
		return fmt.Errorf("sending %d of %d bytes: %w", n, len(records), err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[fd], p.last[phone] = &connection{phone: phone}, fd
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// look reads what comes.
func (p *player) look() {
	events := make([]unix.EpollEvent, 256)
	buf := make([]byte, 1<<16)
	for {
		n, err := unix.EpollWait(p.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			fmt.Fprintln(os.Stderr, "crowd: epoll:", err)
			os.Exit(1)
		}
		now := Now()
		for _, e := range events[:max(n, 0)] {
			p.read(int(e.Fd), now, buf)
		}
	}
}

func (p *player) read(fd int, now time.Duration, buf []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.conns[fd]
	if c == nil {
		return // hung up
	}
	n, err := unix.Read(fd, buf)
	if errors.Is(err, unix.EINTR) {
		return // it is told again
	}
	if n > 0 {
		if len(c.got) == 0 {
			c.at = now
		}
		c.got = append(c.got, buf[:n]...)
		return
	}
	p.close(fd)
	if err := p.tell(frame{kind: frameAnswer, phone: c.phone, at: c.at, body: c.got}); err != nil {
		fmt.Fprintln(os.Stderr, "crowd: telling:", err)
		os.Exit(1)
	}
}

// close forgets a connection. p.mu is held.
func (p *player) close(fd int) {
	if c := p.conns[fd]; c != nil {
		if p.last[c.phone] == fd {
			delete(p.last, c.phone)
		}
		delete(p.conns, fd)
		unix.Close(fd) // which takes it out of the epoll instance, too
	}
}

func (p *player) tell(f frame) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	if err := writeFrame(p.out, f); err != nil {
		return err
	}
	return p.out.Flush()
}
