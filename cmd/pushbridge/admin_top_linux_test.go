package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
)

// openPty makes a terminal, and answers both ends of it.
func openPty(t *testing.T) (person, program *os.File) {
	t.Helper()
	none := t.Skipf
	if os.Getenv("PUSHBRIDGE_CI") == "1" {
		none = t.Fatalf
	}
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		none("no terminal can be made here: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		none("no terminal can be made here: %v", err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	return person, program
}

// TestTopLive shows the view on a terminal, ends it in each way that there is, and
// looks whether the terminal is as it was.
func TestTopLive(t *testing.T) {
	o := openOffice(t)
	for name, key := range map[string]string{"q": "q", "Ctrl-C": "\x03", "a signal": ""} {
		t.Run(name, func(t *testing.T) {
			person, program := openPty(t)
			before, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			seen := new(bridgetest.Log)
			go io.Copy(seen, person) // ends when the test closes it
			ctx, signal := context.WithCancel(t.Context())
			defer signal()
			ended := make(chan error, 1)
			go func() {
				ended <- (&top{ask: admin.NewClient(o.socket), interval: leastInterval}).live(ctx, program, program)
			}()
			w := &world{t: t, log: o.log}
			w.await("the view is there, with the backends", func() bool {
				return strings.Contains(seen.String(), "0 waiting") && strings.Contains(seen.String(), "0 restarts, well")
			})
			if key == "" {
				signal()
			} else if _, err := person.WriteString(key); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(time.Minute):
				t.Fatal("it does not end")
			}
			w.await("the screen is given back", func() bool { return strings.HasSuffix(seen.String(), leaveScreen) })
			if !strings.HasPrefix(seen.String(), enterScreen) {
				t.Errorf("it begins with %.40q", seen.String())
			}
			after, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
			if err != nil || *after != *before {
				t.Errorf("the terminal is %+v, %v, and was %+v", after, err, before)
			}
		})
	}
}
