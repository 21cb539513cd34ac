//go:build !linux

package host

import "syscall"

// processAttr keeps the terminal's Ctrl-C from plugins. That the host is gone
// they notice by the end of their standard input.
func processAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
