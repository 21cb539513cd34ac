package fcgitest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// exampleFile is the file under test, in the repository's root.
const exampleFile = "nginx.conf.example"

// exampleSocket is the address that the example names.
const exampleSocket = "unix:/run/pushbridge/pushbridge.sock"

const (
	// startPatience is how long nginx may take to answer; it takes 50 ms.
	startPatience = 20 * time.Second

	// portTries is how often a port that somebody else was quicker to take is
	// replaced by another.
	portTries = 5
)

// NginxOptions say what StartNginx starts. Addr is required.
type NginxOptions struct {
	Addr string // of the FastCGI server, as for fcgi.Listen

	Conf   string // path of the file to include; "" means the repository's nginx.conf.example
	TLS    bool   // serve HTTPS with a certificate of its own for 127.0.0.1, localhost and ServerName
	HTTP2  bool   // with TLS: HTTP/2
	Name   string // server_name; "" means localhost
	Conns  int    // worker_connections, of which a waiting request takes two; 0 means 4096
	Main   string // more directives for the top of the configuration
	HTTP   string // ... for its http block, e.g. zones, or other servers on the same port, for which {port} stands
	Server string // ... for its server block, e.g. other locations
}

// An Nginx is a running nginx.
type Nginx struct {
	URL    string         // "http://127.0.0.1:PORT" or "https://..."
	Client *http.Client   // trusts its certificate, keeps no connection
	Roots  *x509.CertPool // its certificate, nil without TLS
	Dir    string         // where its configuration (nginx.conf) and logs (error.log, access.log) are
	PID    int            // of the master process
}

// StartNginx starts a real nginx with the repository's nginx.conf.example in
// its server block - the socket's address replaced by opt.Addr - and waits
// until it answers. It ends with the test. Without nginx the test is skipped,
// or fails if PUSHBRIDGE_CI is 1.
func StartNginx(t testing.TB, opt NginxOptions) *Nginx {
	t.Helper()
	program := Need(t, "nginx")
	for try := 1; ; try++ {
		n, err := startNginx(t, program, opt)
		if err == nil {
			return n
		}
		if !errors.Is(err, errPortTaken) || try == portTries {
			t.Fatalf("fcgitest: start nginx: %v", err)
		}
	}
}

var errPortTaken = errors.New("the port was taken by somebody else")

func startNginx(t testing.TB, program string, opt NginxOptions) (*Nginx, error) {
	dir, err := os.MkdirTemp("", "nginx")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	n := &Nginx{Dir: dir}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if opt.Name == "" {
		opt.Name = "localhost"
	}
	n.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	transport := &http.Transport{DisableKeepAlives: true}
	if opt.TLS {
		n.URL = fmt.Sprintf("https://127.0.0.1:%d", port)
		if n.Roots, err = writeCertificate(dir, opt.Name); err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: n.Roots}
		transport.ForceAttemptHTTP2 = opt.HTTP2
	}
	n.Client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	if err := writeConf(dir, port, opt); err != nil {
		return nil, err
	}
	if err := n.run(t, program); err != nil {
		return nil, err
	}
	return n, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// readyPath is answered by nginx itself. It contains the directory's name, so
// that another server on a port that changed hands does not pass for ours.
func readyPath(dir string) string { return "/fcgitest/" + filepath.Base(dir) }

// writeConf writes a complete configuration around the example.
func writeConf(dir string, port int, opt NginxOptions) error {
	conf := opt.Conf
	if conf == "" {
		var err error
		if conf, err = findUp(exampleFile); err != nil {
			return err
		}
	}
	example, err := os.ReadFile(conf)
	if err != nil {
		return err
	}
	addr := strings.TrimPrefix(opt.Addr, "tcp:")
	example = bytes.ReplaceAll(example, []byte(exampleSocket+";"), []byte(addr+";"))
	if !bytes.Contains(example, []byte("fastcgi_pass "+addr+";")) {
		return fmt.Errorf("%s does not name %s", conf, exampleSocket)
	}
	if err := os.WriteFile(filepath.Join(dir, "pushbridge.conf"), example, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "nginx.conf"), mainConf(dir, port, opt), 0o644)
}

func mainConf(dir string, port int, opt NginxOptions) []byte {
	var b bytes.Buffer
	if os.Geteuid() == 0 {
		b.WriteString("user root root;\n") // or its workers could not open the test's socket
	}
	fmt.Fprintf(&b, "daemon off;\nworker_processes 1;\npid %[1]s/nginx.pid;\nerror_log %[1]s/error.log info;\n", dir)
	if opt.Conns == 0 {
		opt.Conns = 4096
	}
	fmt.Fprintf(&b, "%s\nevents { worker_connections %d; }\nhttp {\n", opt.Main, opt.Conns)
	fmt.Fprintf(&b, "access_log %s/access.log;\n", dir)
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, "%s_temp_path %s/%s;\n", temp, dir, temp)
	}
	fmt.Fprintf(&b, "%s\nserver {\nserver_name %s;\n", strings.ReplaceAll(opt.HTTP, "{port}", strconv.Itoa(port)), opt.Name)
	switch { // with the backlog that nginx.conf.example advises: beyond it phones knock again after 1, 3, 7, 15 seconds
	case opt.TLS && opt.HTTP2:
		fmt.Fprintf(&b, "listen 127.0.0.1:%d ssl http2 default_server backlog=16384;\n", port)
	case opt.TLS:
		fmt.Fprintf(&b, "listen 127.0.0.1:%d ssl default_server backlog=16384;\n", port)
	default:
		fmt.Fprintf(&b, "listen 127.0.0.1:%d default_server backlog=16384;\n", port)
	}
	if opt.TLS {
		fmt.Fprintf(&b, "ssl_certificate %[1]s/cert.pem;\nssl_certificate_key %[1]s/key.pem;\n", dir)
	}
	fmt.Fprintf(&b, "%s\nlocation = %s { return 204; }\n", opt.Server, readyPath(dir))
	fmt.Fprintf(&b, "include %s/pushbridge.conf;\n}\n}\n", dir)
	return b.Bytes()
}

// findUp looks for a file in the working directory and above it, up to the
// module's root.
func findUp(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil || filepath.Dir(dir) == dir {
			return "", fmt.Errorf("%s is not in the root of the module", name)
		}
		dir = filepath.Dir(dir)
	}
}

// run tests the configuration, starts nginx and waits until it answers.
func (n *Nginx) run(t testing.TB, program string) error {
	args := []string{"-e", filepath.Join(n.Dir, "error.log"), "-p", n.Dir, "-c", filepath.Join(n.Dir, "nginx.conf")}
	if out, err := exec.Command(program, append(args, "-t")...).CombinedOutput(); err != nil {
		if bytes.Contains(out, []byte("Address already in use")) {
			return errPortTaken
		}
		return fmt.Errorf("its configuration: %w\n%s", err, out)
	}
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	n.PID = cmd.Process.Pid
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	deadline := time.Now().Add(startPatience)
	for time.Now().Before(deadline) {
		resp, err := n.Client.Get(n.URL + readyPath(n.Dir))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusNoContent {
				return nil
			}
		}
		select {
		case <-ended:
			if strings.Contains(n.ErrorLog(), "Address already in use") {
				return errPortTaken
			}
			return fmt.Errorf("it ended:\n%s%s", out.String(), n.ErrorLog())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return fmt.Errorf("it does not answer:\n%s", n.ErrorLog())
}

// ErrorLog answers what nginx has logged.
func (n *Nginx) ErrorLog() string {
	b, _ := os.ReadFile(filepath.Join(n.Dir, "error.log"))
	return string(b)
}
