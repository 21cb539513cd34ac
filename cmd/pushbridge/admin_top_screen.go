package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

const (
	// enterScreen and leaveScreen are for xterm's other screen, which has no lines
	// that roll away, and the cursor.
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"

	// keyTime is how long, in milliseconds, it may take until the end of the view is
	// noticed by who waits for a key.
	keyTime = 100
)

// A screen is a terminal that belongs to the view until it is closed.
type screen struct {
	in, out *os.File
	before  *term.State // nil if nothing is typed there
	colours bool
}

// openScreen takes a terminal. Where in is none, nothing can be typed.
func openScreen(in, out *os.File) (*screen, error) {
	s := &screen{in: in, out: out, colours: os.Getenv("NO_COLOR") == ""}
	if term.IsTerminal(int(in.Fd())) {
		var err error
		if s.before, err = term.MakeRaw(int(in.Fd())); err != nil {
			return nil, fmt.Errorf("the terminal: %w", err)
		}
	}
	if _, err := out.WriteString(enterScreen); err != nil {
		s.close()
		return nil, fmt.Errorf("the terminal: %w", err)
	}
	return s, nil
}

// close gives the terminal back as it was.
func (s *screen) close() {
	s.out.WriteString(leaveScreen) // a terminal that is gone needs nothing
	if s.before != nil {
		_ = term.Restore(int(s.in.Fd()), s.before)
	}
}

// draw shows the figures.
func (s *screen) draw(f figures) error {
	columns, rows, err := term.GetSize(int(s.out.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		columns, rows = 80, 24
	}
	space := rows - len(f.view(columns, 0)) - 2 // a line between, and the heading
	_, err = s.out.Write(paint(f.view(columns, max(space, 0)), rows, s.colours))
	if err != nil {
		return fmt.Errorf("the terminal: %w", err)
	}
	return nil
}

// keys waits for q, Ctrl-C or Ctrl-D, and calls stop.
func (s *screen) keys(ctx context.Context, stop func()) {
	if s.before == nil {
		return
	}
	typed := make([]byte, 16)
	for ctx.Err() == nil {
		ready := []unix.PollFd{{Fd: int32(s.in.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(ready, keyTime)
		switch {
		case err == unix.EINTR, err == nil && n == 0:
			continue
		case err != nil:
			return
		}
		n, err = unix.Read(int(s.in.Fd()), typed)
		if n <= 0 || err != nil {
			stop() // the terminal is gone
			return
		}
		for _, b := range typed[:n] {
			if b == 'q' || b == 'Q' || b == 3 || b == 4 {
				stop()
				return
			}
		}
	}
}
