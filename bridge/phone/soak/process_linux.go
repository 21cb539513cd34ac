package soak

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of /proc/PID/stat, the same on all of Linux that Go runs on.
const tick = 10 * time.Millisecond

func nameOf(pid int) (string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(b)), err
}

// measure reads what a process uses. See proc(5).
func measure(pid int) (usage, error) {
	var u usage
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The name in parentheses may hold anything.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 22 {
		return u, errors.New("its statistics cannot be read")
	}
	number := func(i int) (n int64) {
		n, e := strconv.ParseInt(string(fields[i]), 10, 64)
		err = errors.Join(err, e)
		return n
	}
	u.cpu = time.Duration(number(11)+number(12)) * tick
	u.rss = number(21) * int64(os.Getpagesize())
	return u, err
}

// listener is the process that listens at a socket.
func listener(socket string) (int, error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *syscall.Ucred
	if e := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); e != nil || err != nil {
		return 0, errors.Join(e, err)
	}
	return int(cred.Pid), nil
}
