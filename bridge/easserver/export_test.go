package easserver

import (
	"context"
	"io"
	"net/http"

	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// CauseOf is causeOf.
var CauseOf = causeOf

// Answered is Server.answered.
func Answered(c Counts, e *telemetry.Event) { (&Server{Options: Options{Counts: c}}).answered(e) }

// Decode is decode of a part that box has, without an encoding.
func Decode(ctx context.Context, box backend.Mailbox, to io.Writer) error {
	return (&heldMessage{box: box}).decode(ctx, mail.Part{}, to)
}

// Spooled writes n bytes into a spool which is to go into an answer that has files of
// such sizes already.
func Spooled(n int, there ...int64) error {
	fs := make(files)
	for i, size := range there {
		fs[string(rune('a'+i))] = piece{file: &spool{size: size}}
	}
	to := &spool{room: fs.room()}
	defer to.Close()
	_, err := to.Write(make([]byte, n))
	return err
}

// Bodies are those of requests that are under way.
type Bodies = bodies

// NewBodies is newBodies.
var NewBodies = newBodies

// Enter is enter, for a request that is read up to MaxMail.
func (b bodies) Enter(r *http.Request) (leave func(), err error) { return b.enter(r, MaxMail) }
