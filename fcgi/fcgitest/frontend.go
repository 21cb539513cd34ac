package fcgitest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A FrontEnd is a running web server other than nginx, on plain HTTP.
type FrontEnd struct {
	URL    string
	Client *http.Client // keeps no connection
	Dir    string       // where its configuration and its error.log are
}

// PublicDir makes a directory that other users may enter, for as long as the
// test runs: web servers that a privileged user starts work as somebody else.
func PublicDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "web")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// apacheModules are where Debian, and the others, keep Apache's modules.
var apacheModules = []string{"/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules"}

// StartApache starts a real Apache with the modules - "cgid" is mod_cgid.so -
// and lines of configuration, and waits until it answers. It ends with the test.
// Without Apache the test is skipped, or fails if PUSHBRIDGE_CI is 1.
func StartApache(t testing.TB, conf string, modules ...string) *FrontEnd {
	t.Helper()
	program := Need(t, "apache2")
	return startFrontEnd(t, program, []string{"-D", "FOREGROUND", "-f"}, func(dir string, port int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "ServerRoot %[1]s\nServerName localhost\nListen 127.0.0.1:%[2]d\nPidFile %[1]s/pid\nErrorLog %[1]s/error.log\nLogLevel info\n", dir, port)
		for _, m := range append([]string{"authz_core", "alias", "setenvif"}, modules...) {
			fmt.Fprintf(&b, "LoadModule %s_module %s/mod_%s.so\n", m, firstDir(apacheModules), m)
		}
		fmt.Fprintf(&b, "DefaultRuntimeDir %[1]s\nDocumentRoot %[1]s/htdocs\n", dir)
		if os.Geteuid() == 0 { // it refuses to work as root
			b.WriteString("User nobody\nGroup nogroup\n")
		}
		return b.String() + conf + "\n"
	})
}

// StartLighttpd does the same with lighttpd.
func StartLighttpd(t testing.TB, conf string) *FrontEnd {
	t.Helper()
	program := Need(t, "lighttpd")
	return startFrontEnd(t, program, []string{"-D", "-f"}, func(dir string, port int) string {
		return fmt.Sprintf("server.bind = \"127.0.0.1\"\nserver.port = %d\nserver.document-root = \"%[2]s/htdocs\"\nserver.errorlog = \"%[2]s/error.log\"\n%s\n", port, dir, conf)
	})
}

func firstDir(list []string) string {
	for _, dir := range list {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	return list[0]
}

func startFrontEnd(t testing.TB, program string, args []string, conf func(dir string, port int) string) *FrontEnd {
	t.Helper()
	for try := 1; ; try++ {
		f := &FrontEnd{Dir: PublicDir(t), Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		f.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
		path := filepath.Join(f.Dir, "server.conf")
		if err := os.Mkdir(filepath.Join(f.Dir, "htdocs"), 0o755); err != nil {
			t.Fatal(err)
		}
		ready := filepath.Base(f.Dir) // so that another server on a port that changed hands does not pass for ours
		if err := os.WriteFile(filepath.Join(f.Dir, "htdocs", ready), []byte(ready), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(conf(f.Dir, port)), 0o644); err != nil {
			t.Fatal(err)
		}
		err = f.run(t, exec.Command(program, append(args, path)...), ready)
		if err == nil {
			return f
		}
		if !errors.Is(err, errPortTaken) || try == portTries {
			t.Fatalf("fcgitest: start %s: %v", program, err)
		}
	}
}

// run starts the server and waits until it answers.
func (f *FrontEnd) run(t testing.TB, cmd *exec.Cmd, ready string) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Apache ends its whole process group, and shall not end ours
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	for deadline := time.Now().Add(startPatience); time.Now().Before(deadline); {
		resp, err := f.Client.Get(f.URL + "/" + ready)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ended:
			log := out.String() + f.ErrorLog()
			if strings.Contains(log, "ddress already in use") {
				return errPortTaken
			}
			return fmt.Errorf("it ended:\n%s", log)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return fmt.Errorf("it does not answer:\n%s", f.ErrorLog())
}

// ErrorLog answers what the server has logged.
func (f *FrontEnd) ErrorLog() string {
	b, _ := os.ReadFile(filepath.Join(f.Dir, "error.log"))
	return string(b)
}
