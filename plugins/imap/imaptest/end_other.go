//go:build !linux

package imaptest

import (
	"os/exec"
	"syscall"
)

func endWithUs(cmd *exec.Cmd, c *syscall.Credential) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c}
}
