package imaptest

import (
	"os/exec"
	"syscall"
)

// endWithUs lets the process end when this one does, be it by a panic or a
// time limit, after which no cleanup runs.
func endWithUs(cmd *exec.Cmd, c *syscall.Credential) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Credential: c}
}
