package fcgi

import (
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A poller watches the descriptors of parked connections for all of a server.
// Its epoll instance is itself watched by the runtime, so that no thread waits.
type poller struct {
	mu    sync.Mutex
	file  *os.File // the epoll instance; nil before the first connection is parked
	fd    int
	gen   int32
	table []*parked // by descriptor
	ended chan struct{}

	stopped bool
}

const (
	// pollEvents are asked for once at a time: what happened is looked at before
	// the next thing is told.
	pollEvents = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT

	// pollBatch is how many events are taken at a time.
	pollBatch = 128
)

// start makes the epoll instance, if there is none.
func (l *poller) start() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.stopped:
		return net.ErrClosed
	case l.file != nil:
		return nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return err
	}
	l.fd, l.file, l.ended = fd, os.NewFile(uintptr(fd), "epoll"), make(chan struct{})
	go l.loop(l.file, l.ended)
	return nil
}

// stop ends the loop and waits for it.
func (l *poller) stop() {
	l.mu.Lock()
	file, ended := l.file, l.ended
	l.file, l.stopped = nil, true
	l.mu.Unlock()
	if file != nil {
		file.Close()
		<-ended
	}
}

// register remembers whose descriptor fd is, and gives it a generation: an
// event of a descriptor's earlier life must not end a later one.
func (l *poller) register(fd int, p *parked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fd >= len(l.table) {
		l.table = append(l.table, nil)
	}
	l.table[fd] = p
	l.gen++
	p.gen = l.gen
}

// forget takes fd out; closing it happens under the same lock, since its
// number may be somebody else's at once.
func (l *poller) forget(fd int, p *parked, shut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.table[fd] == p {
		l.table[fd] = nil
	}
	if shut {
		unix.Close(fd) // epoll forgets it
	} else if l.file != nil {
		unix.EpollCtl(l.fd, unix.EPOLL_CTL_DEL, fd, nil)
	}
}

// arm lets fd's next event be told.
func (l *poller) arm(op, fd int, gen int32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return net.ErrClosed
	}
	return unix.EpollCtl(l.fd, op, fd, &unix.EpollEvent{Events: pollEvents, Fd: int32(fd), Pad: gen})
}

func (l *poller) find(ev unix.EpollEvent) *parked {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.table[ev.Fd]; p != nil && p.gen == ev.Pad {
		return p
	}
	return nil
}

// loop tells parked connections of their events.
func (l *poller) loop(file *os.File, ended chan<- struct{}) {
	defer close(ended)
	rc, err := file.SyscallConn()
	if err != nil {
		return
	}
	var events [pollBatch]unix.EpollEvent
	for {
		n := 0
		err := rc.Read(func(fd uintptr) bool {
			var err error
			n, err = unix.EpollWait(int(fd), events[:], 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
		if err != nil || n < 0 {
			return
		}
		for _, ev := range events[:n] {
			if p := l.find(ev); p != nil {
				p.event()
			}
		}
	}
}
