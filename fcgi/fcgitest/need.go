package fcgitest

import (
	"os"
	"os/exec"
	"testing"
)

// needCI is the environment variable that turns a missing program from a
// reason to skip into a failure.
const needCI = "PUSHBRIDGE_CI"

// Need answers the path of a program, and skips the test if there is none.
// Debian keeps servers where an ordinary user's PATH does not look.
func Need(t testing.TB, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program, "/usr/local/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv(needCI) == "1" {
		t.Fatalf("%s is not installed, and %s=1 says that it must be", program, needCI)
	}
	t.Skipf("%s is not installed", program)
	return ""
}
