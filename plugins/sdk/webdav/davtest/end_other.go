//go:build !linux

package davtest

import (
	"os"
	"os/exec"
)

// endWithUs does nothing: only cleanup ends the process here.
func endWithUs(*exec.Cmd, bool) {}

// kill ends a process. It may have ended already.
func kill(p *os.Process, _ bool) { p.Kill() } //nolint:errcheck
