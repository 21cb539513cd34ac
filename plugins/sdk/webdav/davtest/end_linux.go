package davtest

import (
	"os"
	"os/exec"
	"syscall"
)

// endWithUs lets the process end when this one does, be it by a panic or a
// time limit, after which no cleanup runs. One that has others under it is asked,
// so that it ends them; it heads a group of its own.
func endWithUs(cmd *exec.Cmd, several bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if several {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	}
}

// kill ends a process, or its group, at once. It may have ended already.
func kill(p *os.Process, several bool) {
	if several {
		syscall.Kill(-p.Pid, syscall.SIGKILL) //nolint:errcheck
		return
	}
	p.Kill() //nolint:errcheck
}
