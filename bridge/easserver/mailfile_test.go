package easserver_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/easserver"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// endless is a mailbox with a part that does not end before it is told to, as a
// plugin's.
type endless struct {
	backend.Mailbox
	breaks error // after the first bytes; nil goes on until the context ends
}

func (e endless) Part(ctx context.Context, _ backend.CollectionID, _ backend.ItemID, _ string, _, _ int64, w io.Writer) error {
	if _, err := w.Write(make([]byte, 100)); err != nil {
		return err
	}
	if e.breaks != nil {
		return e.breaks
	}
	<-ctx.Done()
	return backend.E(backend.Transient, "plugin: Part", ctx.Err())
}

// A refuser takes nothing.
type refuser struct{ err error }

func (r refuser) Write([]byte) (int, error) { return 0, r.err }

// Of a file that cannot be had it is said why, and not that reading it was given up
// for that.
func TestWhyThereIsNoFile(t *testing.T) {
	tooLarge := backend.Errorf(backend.TooLarge, "test", "too large")
	down := backend.Errorf(backend.Transient, "test", "down")
	for _, tt := range []struct {
		name string
		box  endless
		to   io.Writer
		want error
	}{
		{"the file is too large", endless{}, refuser{tooLarge}, tooLarge},
		{"the store breaks off", endless{breaks: down}, io.Discard, down},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := easserver.Decode(t.Context(), tt.box, tt.to); !errors.Is(err, tt.want) {
				t.Errorf("the error is %v, want %v", err, tt.want)
			}
		})
	}
}

// The files of one answer have a limit together: they are on the disk at a time.
func TestRoomForFiles(t *testing.T) {
	const most = easserver.MaxMailFile
	for _, tt := range []struct {
		name  string
		n     int
		there []int64
		fits  bool
	}{
		{"the only one", 1000, nil, true},
		{"beside small ones", 1000, []int64{most / 2, most / 4}, true},
		{"beside large ones", 1000, []int64{most / 2, most / 2}, false},
		{"the last bytes", 1000, []int64{most - 1000}, true},
		{"a byte more", 1001, []int64{most - 1000}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := easserver.Spooled(tt.n, tt.there...)
			if (err == nil) != tt.fits || err != nil && backend.KindOf(err) != backend.TooLarge {
				t.Errorf("%v, want that it fits: %t", err, tt.fits)
			}
		})
	}
}
