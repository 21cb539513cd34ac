package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
)

// tryTime bounds the trial start of a new configuration: plugins start within
// 30 s or not at all, and an administrator waits for it.
const tryTime = time.Minute

// A successor is the worker that takes this one's place, in the same process.
type successor struct {
	program string
	sockets *bridge.Passed
}

// newSuccessor keeps the worker's sockets open for the next one.
func newSuccessor(b *bridge.Bridge, l bridge.Listeners) (*successor, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	sockets, err := b.Keep(l)
	if err != nil {
		return nil, err
	}
	if err := sockets.Receive(); err != nil {
		return nil, errors.Join(err, sockets.Close())
	}
	return &successor{program, sockets}, nil
}

// begin runs the program anew, as it now lies on the disk. It answers only if
// that fails, or if the context has ended meanwhile: the process is to end.
func (s *successor) begin(ctx context.Context) error {
	defer s.sockets.Close()
	signal.Reset(os.Interrupt, syscall.SIGTERM) // one that nobody would look at any more ends us at once
	if ctx.Err() != nil {
		return s.sockets.Remove()
	}
	passed, err := s.sockets.Environment()
	if err != nil {
		return err
	}
	err = syscall.Exec(s.program, os.Args, append(os.Environ(), passed))
	return fmt.Errorf("%s cannot be started again: %w", s.program, err)
}

// reloads waits for the signal to begin again.
type reloads struct {
	serving context.Context // ends when its parent does, or when next is ready
	waiting sync.WaitGroup
	cancel  context.CancelFunc
	next    *successor
}

// reloads makes SIGHUP end the serving, once it is sure that the next worker
// will start; keep makes ready for it. Where a terminal can hang up, SIGHUP is
// its signal and not ours.
func (w *service) reloads(ctx context.Context, logger *slog.Logger, keep func() (*successor, error)) *reloads {
	r := new(reloads)
	r.serving, r.cancel = context.WithCancel(ctx)
	hup := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) && !hasTerminal() {
		signal.Notify(hup, syscall.SIGHUP)
	}
	r.waiting.Go(func() {
		defer signal.Stop(hup)
		for {
			select {
			case <-r.serving.Done():
				return
			case <-hup:
			}
			logger.Info("asked to begin again: trying the new configuration")
			err := w.try(r.serving)
			if err == nil {
				r.next, err = keep()
			}
			if err == nil {
				logger.Info("beginning again")
				r.cancel()
				return
			}
			if r.serving.Err() == nil {
				logger.Error("the new configuration does not start; the worker goes on with the old one", "error", err)
			}
		}
	})
	return r
}

// stop ends the waiting for signals, and answers who takes over, if anybody
// does.
func (r *reloads) stop() *successor {
	r.cancel()
	r.waiting.Wait()
	return r.next
}

// try starts another worker with the configuration as it now is, beside this
// one and without serving anybody.
func (w *service) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	said, err := exec.CommandContext(ctx, program, "serve", "--config", w.path, "--check-start").CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		return errors.New(strings.TrimSpace(string(said)))
	}
	return err
}

// tellSystemd says how the service is, where systemd wants to know. See
// sd_notify(3).
func tellSystemd(logger *slog.Logger, state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	c, err := net.Dial("unixgram", path)
	if err == nil {
		_, err = c.Write([]byte(state))
		c.Close()
	}
	if err != nil {
		logger.Warn("systemd cannot be told that the service is "+state, "error", err)
	}
}
