package host

import (
	"os/exec"
	"runtime"
	"sync"
)

// A starter starts processes from one OS thread that lives as long as the
// host. On Linux the kernel kills a plugin when the thread that started it
// ends, and Go ends threads as it likes; see prctl(2), PR_SET_PDEATHSIG. The
// zero value is ready for use.
type starter struct {
	mu     sync.Mutex
	jobs   chan func() // nil until the first start
	done   chan struct{}
	closed bool
}

// start is cmd.Start on the lasting thread.
func (s *starter) start(cmd *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.jobs == nil {
		s.jobs, s.done = make(chan func()), make(chan struct{})
		go s.work()
	}
	answer := make(chan error, 1)
	s.jobs <- func() { answer <- cmd.Start() }
	return <-answer
}

func (s *starter) work() {
	defer close(s.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // or the thread would end, too
	for job := range s.jobs {
		job()
	}
}

// close ends the thread's duty; start fails from now on.
func (s *starter) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs != nil && !s.closed {
		close(s.jobs)
		<-s.done
	}
	s.closed = true
}
