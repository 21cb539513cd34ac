package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
)

// DefaultMode of the socket lets its owner and its group send.
const DefaultMode fs.FileMode = 0o660

// A Listener receives datagrams.
type Listener struct {
	conn *net.UnixConn
	path string
	once sync.Once // of Close
}

// Listen opens the socket that spec names:
//
//	unixgram:/run/x.sock                            mode 0660
//	unixgram:/run/x.sock?mode=0600&group=radicale   with another mode or group
//
// A socket that another process has left behind is replaced; one at which
// somebody listens is an error, as is a file that is no socket.
func Listen(spec string) (*Listener, error) {
	path, mode, group, err := parse(spec)
	if err == nil {
		var conn *net.UnixConn
		if conn, err = listen(path, mode, group); err == nil {
			return &Listener{conn: conn, path: path}, nil
		}
	}
	return nil, fmt.Errorf("notify: listen %q: %w", spec, err)
}

// Path is the path of the socket that spec names, or empty.
func Path(spec string) string {
	path, _, _, err := parse(spec)
	if err != nil {
		return ""
	}
	return path
}

func parse(spec string) (path string, mode fs.FileMode, group string, err error) {
	rest, ok := strings.CutPrefix(spec, "unixgram:")
	path, query, _ := strings.Cut(rest, "?")
	if !ok || path == "" {
		return "", 0, "", errors.New("want unixgram:PATH")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return "", 0, "", err
	}
	mode = DefaultMode
	for key, values := range options {
		switch v := values[len(values)-1]; key {
		case "mode":
			n, err := strconv.ParseUint(v, 8, 9)
			if err != nil {
				return "", 0, "", fmt.Errorf("mode %q is not an octal mode like 0660", v)
			}
			mode = fs.FileMode(n)
		case "group":
			group = v
		default:
			return "", 0, "", fmt.Errorf("unknown option %q, want mode or group", key)
		}
	}
	return path, mode, group, nil
}

// Addr is where the listener listens.
func (l *Listener) Addr() net.Addr { return l.conn.LocalAddr() }

// Close removes the socket's file and closes it: in this order, since nobody else
// puts a socket there while somebody listens. To close it again does nothing.
func (l *Listener) Close() (err error) {
	l.once.Do(func() {
		if err = os.Remove(l.path); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		err = errors.Join(err, l.conn.Close())
	})
	return err
}

// Serve gives each notice to take, which must not block, until the listener is
// closed; then it answers net.ErrClosed. Each datagram leaves one line in the
// log, at level debug: whoever may send may send many.
func (l *Listener) Serve(ctx context.Context, log *slog.Logger, take func(Notice)) error {
	buf := make([]byte, MaxDatagram+1) // one more shows that it was longer
	for {
		n, err := l.conn.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return net.ErrClosed
		}
		if err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		notice, err := Parse(buf[:n])
		if err != nil {
			log.LogAttrs(ctx, slog.LevelDebug, "notice refused", slog.Int("bytes", n), slog.Any("error", err))
			continue
		}
		log.LogAttrs(ctx, slog.LevelDebug, "notice", slog.String("backend", notice.Backend), slog.String("user", notice.User), slog.String("path", notice.Path))
		take(notice)
	}
}
