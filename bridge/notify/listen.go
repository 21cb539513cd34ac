package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/pushbridge/pushbridge/fcgi/socket"
)

// DefaultMode of the socket lets its owner and its group send.
const DefaultMode = socket.DefaultMode

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
	place, err := parse(spec)
	if err == nil {
		var conn *net.UnixConn
		if conn, err = listen(place); err == nil {
			return &Listener{conn: conn, path: place.Path}, nil
		}
	}
	return nil, fmt.Errorf("notify: listen %q: %w", spec, err)
}

// Path is the path of the socket that spec names, or empty.
func Path(spec string) string {
	place, err := parse(spec)
	if err != nil {
		return ""
	}
	return place.Path
}

func parse(spec string) (socket.Place, error) {
	rest, ok := strings.CutPrefix(spec, "unixgram:")
	if !ok {
		return socket.Place{}, errors.New("want unixgram:PATH")
	}
	return socket.Parse(rest)
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
