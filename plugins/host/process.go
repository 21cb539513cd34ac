package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/pushbridge/pushbridge/plugins/internal/wire"
)

// A process is one run of a plugin.
type process struct {
	client *plugin.Client
	child  *child
	conn   *grpc.ClientConn
	info   wire.Info
	dir    string // with its socket
	since  time.Time
}

// launch starts the plugin once and hands over the settings.
func (p *Plugin) launch(ctx context.Context) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, p.host.options.StartTimeout)
	defer cancel()
	// Programs that tidy up temporary directories may have been here.
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	pr := &process{since: time.Now(), child: newChild(p)}
	pr.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{wire.MajorVersion: {wire.PluginName: dispensed{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		StartTimeout:     p.host.options.StartTimeout,
		GRPCDialOptions:  wire.DialOptions(),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: p.dir},
		SkipHostEnv:      true,
		Logger:           libraryLogger(p.log),
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, dir string) (runner.Runner, error) {
			pr.child.cmd.Env = append(pr.child.cmd.Env, cmd.Env...)
			pr.dir = dir
			return pr.child, nil
		},
	})
	err := pr.connect(ctx, p)
	if err != nil {
		pr.kill()
		if text := pr.child.lastWords(); text != "" && !isComplaint(err) {
			err = fmt.Errorf("%w; it says: %s", err, text)
		}
		return nil, err
	}
	return pr, nil
}

func isComplaint(err error) bool {
	_, ok := errors.AsType[*wire.Complaint](err)
	return ok
}

func (pr *process) connect(ctx context.Context, p *Plugin) error {
	// Start itself cannot be cancelled; killing the child ends it.
	stop := context.AfterFunc(ctx, func() { pr.child.Kill(ctx) })
	_, err := pr.client.Start()
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.spec.Command[0], plain(err))
	}
	protocol, err := pr.client.Client()
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", p.spec.Command[0], err)
	}
	raw, err := protocol.Dispense(wire.PluginName)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", p.spec.Command[0], err)
	}
	pr.conn = raw.(*grpc.ClientConn) // dispensed answers nothing else
	pr.info, err = wire.NewClient(p.name, pr.conn).Configure(ctx, p.spec.Settings)
	return err
}

// plain shortens go-plugin's advice, which is for the authors of hosts, to
// what an administrator can use.
func plain(err error) error {
	first, _, more := strings.Cut(err.Error(), "\n")
	if said, ok := strings.CutPrefix(first, "Unrecognized remote plugin message: "); ok {
		return fmt.Errorf("it does not begin as a plugin does, but with %q", said)
	}
	if more {
		return errors.New(first)
	}
	return err
}

// stopTime is how long a plugin may take to end when it is asked to. go-plugin
// itself waits without end for a process that hangs.
const stopTime = 5 * time.Second

// kill ends the process, politely first, and waits for it.
func (pr *process) kill() {
	impatient := time.AfterFunc(stopTime, func() { pr.child.Kill(context.Background()) })
	defer impatient.Stop()
	pr.client.Kill()
	if pr.dir != "" { // which go-plugin leaves behind if the program cannot be started
		os.RemoveAll(pr.dir)
	}
}

// dispensed makes go-plugin hand out the bare connection.
type dispensed struct {
	plugin.NetRPCUnsupportedPlugin
}

// GRPCServer is the plugin's side and not here.
func (dispensed) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("host: the plugin's side is in package sdk")
}

// GRPCClient answers the connection.
func (dispensed) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// passedOn are the variables of the host that a plugin sees: they say where
// things are and how to speak, and hold no secrets.
var passedOn = []string{
	"PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "GOCOVERDIR",
}

// A child is the operating system's process, in the words of go-plugin. It
// reads the plugin's log itself: go-plugin's reader panics on lines that only
// resemble its own.
type child struct {
	cmd     *exec.Cmd
	starter *starter
	log     *pluginLog
	stdin   *os.File // our end of what tells the plugin that we live
	stdout  *os.File
	stderr  *os.File
	exited  chan struct{} // closed when the process has ended
	logged  chan struct{} // closed when all it wrote has been read
	err     error         // of the process; read after exited

	mu      sync.Mutex
	process *os.Process // nil until it runs
	killed  bool
}

func newChild(p *Plugin) *child {
	cmd := exec.Command(p.spec.Command[0], p.spec.Command[1:]...)
	for _, name := range passedOn {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, wire.ParentKey+"="+wire.ParentStdin)
	cmd.Env = append(cmd.Env, p.spec.Env...)
	cmd.SysProcAttr = processAttr()
	return &child{
		cmd: cmd, starter: &p.host.starter, log: newPluginLog(p.log),
		exited: make(chan struct{}), logged: make(chan struct{}),
	}
}

// Start starts the process.
func (c *child) Start(context.Context) error {
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	stdinR, stdinW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("host: a pipe: %w", err)
	}
	theirs, c.stdin = append(theirs, stdinR), stdinW
	stdoutR, stdoutW, err := os.Pipe()
	if err != nil {
		stdinW.Close()
		return fmt.Errorf("host: a pipe: %w", err)
	}
	theirs, c.stdout = append(theirs, stdoutW), stdoutR
	stderrR, stderrW, err := os.Pipe()
	if err != nil {
		stdinW.Close()
		stdoutR.Close()
		return fmt.Errorf("host: a pipe: %w", err)
	}
	theirs, c.stderr = append(theirs, stderrW), stderrR
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = stdinR, stdoutW, stderrW
	if err := c.begin(); err != nil {
		stdinW.Close()
		stdoutR.Close()
		stderrR.Close()
		return err
	}
	go c.await()
	return nil
}

// begin starts the process unless it was killed before.
func (c *child) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed {
		return context.Canceled
	}
	if err := c.starter.start(c.cmd); err != nil {
		return err
	}
	c.process = c.cmd.Process
	return nil
}

// running is the process that was started, or nil.
func (c *child) running() *os.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.process
}

// drainTime is how long the log of a dead plugin is read on; its own children
// may hold the pipe open for ever.
const drainTime = time.Second

// await waits for the end of the process and reads its log until then.
func (c *child) await() {
	go func() {
		defer close(c.logged)
		c.log.read(c.stderr)
	}()
	c.err = c.cmd.Wait()
	close(c.exited)
	c.stdin.Close()
	deadline := time.Now().Add(drainTime)
	c.stdout.SetReadDeadline(deadline)
	c.stderr.SetReadDeadline(deadline)
	<-c.logged
	c.stderr.Close()
}

// Wait waits for the end of the process and of its log.
func (c *child) Wait(context.Context) error {
	<-c.exited
	<-c.logged
	c.stdout.Close()
	return c.err
}

// Kill kills the process, or keeps it from being started.
func (c *child) Kill(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	if c.process == nil {
		return nil
	}
	if err := c.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// lastWords is what a plugin that did not start wrote last that is not in the
// form of a log.
func (c *child) lastWords() string {
	if c.running() == nil {
		return ""
	}
	<-c.logged
	return c.log.lastWords()
}

// ID is the process ID.
func (c *child) ID() string {
	if p := c.running(); p != nil {
		return strconv.Itoa(p.Pid)
	}
	return ""
}

// Name is the program.
func (c *child) Name() string { return c.cmd.Path }

// Stdout is where the plugin says where it listens.
func (c *child) Stdout() io.ReadCloser { return c.stdout }

// Stderr is empty; see child.
func (c *child) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Diagnose adds nothing.
func (c *child) Diagnose(context.Context) string { return "" }

// PluginToHost changes nothing: both see the same files.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin changes nothing.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
