package soak

import (
	"fmt"
	"time"
)

// A process is one that is measured: the worker, nginx.
type process struct {
	pid  int
	name string

	first, full, last usage // before the phones came, when all waited, at the end
	from, to          time.Time
}

// A usage is what a process uses.
type usage struct {
	rss int64         // bytes of memory
	cpu time.Duration // since it began
}

// findProcesses finds those that are named, and the worker behind its admin
// socket.
func findProcesses(pids []int, socket string) ([]*process, error) {
	if socket != "" {
		pid, err := listener(socket)
		if err != nil {
			return nil, fmt.Errorf("soak: the worker's admin socket: %w", err)
		}
		pids = append([]int{pid}, pids...)
	}
	var list []*process
	for _, pid := range pids {
		name, err := nameOf(pid)
		if err != nil {
			return nil, fmt.Errorf("soak: process %d: %w", pid, err)
		}
		list = append(list, &process{pid: pid, name: name})
	}
	return list, nil
}

// snapshot measures all processes. One that ended is left as it was.
func (s *soak) snapshot(take func(*process, usage)) {
	for _, p := range s.procs {
		if u, err := measure(p.pid); err == nil {
			take(p, u)
		} else {
			s.tally.fail(fmt.Sprintf("measuring %s (%d): %v", p.name, p.pid, err))
		}
	}
}
