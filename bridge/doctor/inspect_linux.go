//go:build linux

package doctor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// leastSpace is what the state should be able to grow by, in bytes: a
	// hundred thousand items and the log of writing them.
	leastSpace = 256 << 20

	// leastFiles is how many descriptors a worker should have: a waiting phone
	// needs one, a backend and the database some dozens.
	leastFiles = 4096
)

// socket looks at the one for the web server: is it there, who may open it, and
// what limits does the worker behind it have?
func (n *notes) socket(ctx context.Context, o Inspection) {
	const step = "socket"
	spec, isUnix := strings.CutPrefix(o.Listen, "unix:")
	path, _, _ := strings.Cut(spec, "?")
	if !isUnix || strings.HasPrefix(path, "@") {
		if o.Listen != "" {
			n.ok(step, "%s is not a file, and has no permissions to look at", o.Listen)
		}
		return
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		n.fail(step, "socket-missing", path+" is not there: no worker runs with this configuration", "systemctl start pushbridge, and look why it ended: journalctl -u pushbridge")
		return
	case errors.Is(err, fs.ErrPermission):
		n.advise(step, "socket-hidden", err.Error(), "ask again as root")
		return
	case err != nil:
		n.fail(step, "socket-missing", err.Error(), "correct the path in listen")
		return
	case info.Mode().Type() != fs.ModeSocket:
		n.fail(step, "socket-file", path+" is not a socket", "remove it, and restart pushbridge")
		return
	}
	n.webUsers(o, path)
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		n.advise(step, "socket-hidden", err.Error(), "ask again as root")
		return
	case err != nil:
		n.fail(step, "socket-dead", "nobody can be reached through it: "+err.Error(), "systemctl restart pushbridge: the worker that made it has gone")
		return
	}
	defer c.Close()
	n.limits(c.(*net.UnixConn), o.Proc)
}

// webUsers says which web server may open the socket.
func (n *notes) webUsers(o Inspection, path string) {
	const step = "socket"
	known, may := 0, []string{}
	for _, name := range o.WebUsers {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		known++
		where, err := reaches(u, path)
		if err == nil && where == "" {
			may = append(may, name)
		}
	}
	switch {
	case known == 0:
		n.advise(step, "socket-nobody", "there is no user here that web servers usually work as", "see that the web server's user may open "+path)
	case len(may) == 0:
		n.fail(step, "socket-permission", fmt.Sprintf("the web server (%s) may not open %s, which gives 502", strings.Join(o.WebUsers, ", "), path),
			fmt.Sprintf("listen = \"unix:%s?group=www-data\" (the group of your web server, with pushbridge's user in it), and let others enter the directories above it", path))
	default:
		n.ok(step, "%s may open %s", strings.Join(may, ", "), path)
	}
}

// reaches tells whether a user may connect to a socket, and what is in the way
// if not.
func reaches(u *user.User, path string) (string, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return "", err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	if uid == 0 {
		return "", nil
	}
	for at, need := path, fs.FileMode(2); ; at, need = filepath.Dir(at), 1 {
		info, err := os.Stat(at)
		if err != nil {
			return "", err
		}
		st := info.Sys().(*syscall.Stat_t)
		bits := info.Mode().Perm()
		switch {
		case uint64(st.Uid) == uid:
			bits >>= 6
		case slices.Contains(groups, strconv.FormatUint(uint64(st.Gid), 10)):
			bits >>= 3
		}
		if bits&need == 0 {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", nil
		}
	}
}

// limits are those of the process that listens.
func (n *notes) limits(c *net.UnixConn, proc string) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	var peer *unix.Ucred
	if raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }) != nil || err != nil {
		return
	}
	file, err := os.Open(fmt.Sprintf("%s/%d/limits", proc, peer.Pid))
	if err != nil {
		n.advise("descriptors", "limits-hidden", "the worker's limits cannot be read: "+err.Error(), "ask again as root")
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), "Max open files")
		if f := strings.Fields(rest); ok && len(f) > 0 {
			most, err := strconv.Atoi(f[0])
			if err == nil && most < leastFiles {
				n.advise("descriptors", "descriptors", fmt.Sprintf("the worker may have %d files open, and each phone that waits needs one", most), "LimitNOFILE=65536 in pushbridge.service")
				return
			}
			n.ok("descriptors", "the worker may have %s files open, one for each phone that waits", f[0])
		}
	}
}

// state looks at the state directory.
func (n *notes) state(dir string, least uint64) {
	const step = "state"
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		n.advise(step, "state-hidden", err.Error(), "ask again as root")
		return
	case err != nil:
		n.fail(step, "state-missing", err.Error(), "start pushbridge once, which makes it, or create it, owned by the user that pushbridge runs as")
		return
	case !info.IsDir():
		n.fail(step, "state-file", dir+" is not a directory", "name another one in state = \"...\"")
		return
	}
	if info.Mode().Perm()&0o077 != 0 {
		n.advise(step, "state-open", fmt.Sprintf("others may look into %s (mode %o)", dir, info.Mode().Perm()), "chmod 700 "+dir)
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	for _, name := range []string{"pushbridge.db", "pushbridge.db-wal"} {
		f, err := os.Stat(filepath.Join(dir, name))
		if err == nil && f.Sys().(*syscall.Stat_t).Uid != owner {
			n.fail(step, "state-owner", fmt.Sprintf("%s in %s belongs to another user than the directory", name, dir), fmt.Sprintf("chown -R --reference=%s %s", dir, dir))
			return
		}
	}
	if err := unix.Access(dir, unix.W_OK); err != nil && int(owner) == os.Geteuid() {
		n.fail(step, "state-readonly", dir+" cannot be written: "+err.Error(), "mount it for writing, and chmod 700 "+dir)
		return
	}
	var space unix.Statfs_t
	if err := unix.Statfs(dir, &space); err != nil {
		n.fail(step, "state-missing", err.Error(), "look at the file system")
		return
	}
	free := space.Bavail * uint64(space.Bsize)
	if least == 0 {
		least = leastSpace
	}
	if free < least {
		n.fail(step, "state-full", fmt.Sprintf("the disk of %s has room for %d MB only", dir, free>>20), "make room: while it is full phones are told to come back later")
		return
	}
	n.ok(step, "%s has room for %d MB", dir, free>>20)
}
