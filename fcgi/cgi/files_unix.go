//go:build unix

package cgi

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Interruptible answers a file like f whose reads end at its read deadline, as
// far as the system can do that: with pipes and sockets, which are what has to
// be waited for.
func Interruptible(f *os.File) *os.File {
	fd := f.Fd() // once: it makes the descriptor block
	if err := unix.SetNonblock(int(fd), true); err != nil {
		return f
	}
	return os.NewFile(fd, f.Name())
}

// WatchReader calls gone if whoever reads what is written to f, a pipe or a
// socket, closes it. stop ends the watching, and waits for that.
func WatchReader(f *os.File, gone func()) (stop func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cgi: %w", err)
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		// Without events only those are told that nobody can ask for: an error
		// of the pipe, or the end of it.
		fds := []unix.PollFd{{Fd: int32(f.Fd())}, {Fd: int32(r.Fd()), Events: unix.POLLIN}}
		for {
			_, err := unix.Poll(fds, -1)
			switch {
			case err == unix.EINTR:
				continue
			case err == nil && fds[1].Revents == 0 && fds[0].Revents&unix.POLLNVAL == 0:
				gone()
			}
			return
		}
	})
	return func() {
		w.Close() // the poll returns
		watching.Wait()
		r.Close()
	}, nil
}
