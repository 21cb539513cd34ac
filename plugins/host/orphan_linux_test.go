package host_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pushbridge/pushbridge/plugins/host"
)

// playHost starts a plugin, says its process ID and waits to be killed.
func playHost() {
	h := host.New(host.Options{Logger: slog.New(slog.DiscardHandler)})
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	p, err := h.Start(context.Background(), "store", host.Spec{Command: []string{exe}, Env: []string{roleKey + "=memory"}, Settings: settings})
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Info().PID)
	select {}
}

func TestPluginDiesWithTheHost(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleKey+"=host")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, err2 := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || err2 != nil {
		t.Fatalf("the host says %q, %v", line, err)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("the plugin is not there: %v", err)
	}
	defer unix.Close(fd)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if n, err := pollIn(fd); n != 1 {
		t.Errorf("the plugin outlives the host that was killed (%v)", err)
		unix.Kill(pid, unix.SIGKILL)
	}
}

// pollIn waits until a process that a descriptor stands for has ended.
func pollIn(fd int) (int, error) {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 30_000)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// A plugin that hangs as a whole is ended, and its calls are asked again.
func TestHangingPluginIsReplaced(t *testing.T) {
	h := host.New(host.Options{Logger: slog.New(slog.DiscardHandler)})
	defer h.Close()
	h.SetPulse(200*time.Millisecond, 200*time.Millisecond)
	p, err := h.Start(t.Context(), "store", spec(t, "memory", settings))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(p.Info().PID, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := unix.Waitid(unix.P_PID, p.Info().PID, nil, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Session(ann).Collections(t.Context()); err != nil {
		t.Errorf("Collections of a plugin that hangs: %v, want an answer of the next one", err)
	}
	if p.Restarts() == 0 {
		t.Error("the plugin was not restarted")
	}
}
