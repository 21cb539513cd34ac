package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A usage is what a stack holds at a moment, in bytes, and has cost so far.
type usage struct {
	at                    time.Time
	worker, plugin, nginx part
	slab                  int64 // of the kernel, of everybody on this computer
	tcp                   int64 // data in its connections
}

// A part is some processes together.
type part struct {
	memory int64         // that is their own
	cpu    time.Duration // since they began
}

// measure reads what all processes of the stack use.
func (s *stack) measure() usage {
	u := usage{at: time.Now()}
	for _, d := range s.workers {
		s.add(&u.worker, d.cmd.Process.Pid)
		for _, child := range s.children(d.cmd.Process.Pid) {
			s.add(&u.plugin, child)
		}
	}
	for _, l := range s.lanes {
		for _, child := range s.children(l.web.PID) {
			s.add(&u.nginx, child)
		}
	}
	u.slab = s.field("/proc/meminfo", "Slab:", 0) << 10
	u.tcp = s.field("/proc/net/sockstat", "TCP:", 9) * int64(os.Getpagesize())
	return u
}

// add adds what a process uses. See proc(5), proc_pid_status and proc_pid_stat.
func (s *stack) add(p *part, pid int) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	p.memory += s.field(dir+"status", "RssAnon:", 0) << 10
	fields := s.statistics(pid)
	for _, i := range []int{11, 12} { // utime and stime, in hundredths of a second
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			s.b.Fatalf("process %d: %v", pid, errStatistics)
		}
		p.cpu += time.Duration(n) * 10 * time.Millisecond
	}
}

// statistics are the fields of /proc/PID/stat behind the name, which may hold
// anything.
func (s *stack) statistics(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		s.b.Fatal(err)
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 22 {
		s.b.Fatalf("process %d: %v", pid, errStatistics)
	}
	return fields
}

// children are the processes that a process has started.
func (s *stack) children(pid int) (list []int) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(tasks) == 0 {
		s.b.Fatalf("process %d has no list of children: %v", pid, err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended since
		}
		for _, text := range strings.Fields(string(b)) {
			child, err := strconv.Atoi(text)
			if err != nil {
				s.b.Fatal(err)
			}
			list = append(list, child)
		}
	}
	return list
}

// field is a number in the line of a file that begins with a word: the nth after
// it.
func (s *stack) field(path, word string, n int) int64 {
	f, err := os.Open(path)
	if err != nil {
		s.b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > n+1 && fields[0] == word {
			number, err := strconv.ParseInt(fields[n+1], 10, 64)
			if err != nil {
				s.b.Fatal(err)
			}
			return number
		}
	}
	s.b.Fatalf("%s has no %s", path, word)
	return 0
}
