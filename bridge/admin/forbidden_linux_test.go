package admin_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestForbiddenSocket has somebody else play the part of TestNobodyThere that root
// cannot play.
func TestForbiddenSocket(t *testing.T) {
	const part = "TestNobodyThere/a_socket_that_is_not_for_us"
	if os.Geteuid() != 0 {
		t.Skip("we are not root: " + part + " is played as it is")
	}
	dir, err := os.MkdirTemp("", "forbidden")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(part, "/")
	play := exec.Command("/proc/self/exe", "-test.v", "-test.run", "^"+before+"$/^"+after+"$")
	play.Env = append(os.Environ(), "TMPDIR="+dir)
	play.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := play.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+part) {
		t.Errorf("%v:\n%s", err, out)
	}
}

// nobody is the number of the user and of the group that own nothing.
const nobody = 65534
