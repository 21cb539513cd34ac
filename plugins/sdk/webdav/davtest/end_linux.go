package davtest

import (
	"os/exec"
	"syscall"
)

// endWithUs lets the process end when this one does, be it by a panic or a
// time limit, after which no cleanup runs.
func endWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
