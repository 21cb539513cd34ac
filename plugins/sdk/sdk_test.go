package sdk_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/sdk"
)

// roleKey makes this test's binary a plugin.
const roleKey = "PUSHBRIDGE_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleKey) != "" {
		sdk.Main("memory", memory.Open)
		return
	}
	os.Exit(m.Run())
}

func plugin(env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), roleKey+"=memory"), env...)
	return cmd
}

func TestStartedByAPerson(t *testing.T) {
	out, err := plugin().CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Errorf("the plugin ends with %v, want status 1", err)
	}
	if !bytes.Contains(out, []byte("This binary is a plugin")) {
		t.Errorf("the plugin says\n%s\nwant it to explain itself", out)
	}
}

// A host that is gone closes the plugin's standard input, whatever the
// operating system does for us beside that.
func TestEndsWithItsParent(t *testing.T) {
	dir, err := os.MkdirTemp("", "pb") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cmd := plugin("PUSHBRIDGE_PLUGIN=backend", "PUSHBRIDGE_PARENT=stdin", "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_UNIX_SOCKET_DIR="+dir)
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := cmd.Start(); err1 != nil || err2 != nil || err != nil {
		t.Fatal(err1, err2, err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "1|1|unix|"+dir) || !strings.Contains(line, "|grpc|") {
		t.Errorf("the plugin says %q, %v; want where it listens", line, err)
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the plugin whose host is gone ends with %v, want success", err)
	}
}
