package host

import "syscall"

// processAttr makes plugins die with the host, even if that is killed, and
// keeps the terminal's Ctrl-C from them.
func processAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
