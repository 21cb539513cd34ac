package phone

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// signs are how Watch marks what happened.
var signs = map[Kind]string{
	Added: "+", Changed: "*", Removed: "-", Left: "-",
	FolderAdded: "+", FolderChanged: "*", FolderRemoved: "-",
}

// settled is how long a Ping has to wait, after trouble, until the server is
// said to be there again.
const settled = 2 * time.Second

// Watch syncs everything, then waits in Pings and writes a line for each change
// as it comes, until ctx ends.
func Watch(ctx context.Context, w io.Writer, c Config) error {
	if c.Classes == nil { // all, and of mail the last week's
		c.Classes = []string{eas.ClassContacts, eas.ClassCalendar, eas.ClassTasks, eas.ClassNotes, eas.ClassEmail}
		if c.Filters == nil {
			c.Filters = map[string]int{eas.ClassEmail: 3}
		}
	}
	p, err := c.connect(ctx, "watch")
	if err != nil {
		return err
	}
	r := report{w: w, phone: p}
	err = p.Watch(ctx, r.tell)
	r.end()
	if err != nil {
		return Explain(err)
	}
	return beware(w, p)
}

// A report is what Watch writes.
type report struct {
	phone   *Phone
	held    int
	waiting bool // the first Ping has begun
	length  int  // of the last Ping, in seconds

	mu    sync.Mutex // for the writer and what follows
	w     io.Writer
	lost  bool // there was trouble, and no sign since that it is over
	timer *time.Timer
}

func (r *report) tell(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case e.Kind == Troubled:
		r.lost = true
		r.stop()
		printEvent(r.w, e)
	case e.Kind == Waiting && !r.waiting:
		r.waiting, r.lost, r.length = true, false, e.Status
		fmt.Fprintf(r.w, "%s  holding %s in %s; waiting for changes (heartbeat %d s)\n",
			now(), count(r.held, "item"), count(len(r.phone.Folders()), "folder"), e.Status)
	case e.Kind == Waiting && !r.lost && e.Status != r.length:
		r.length = e.Status
		fmt.Fprintf(r.w, "%s  the heartbeat is %v now\n", now(), time.Duration(e.Status)*time.Second)
	case e.Kind == Waiting && r.lost:
		r.stop()
		r.timer = time.AfterFunc(settled, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.found()
		})
	case e.Kind == Woken:
		r.found()
	case r.waiting:
		printEvent(r.w, e)
	case e.Kind == Added:
		r.held++
	}
}

// found says once that the server is there again.
func (r *report) found() {
	if r.lost {
		fmt.Fprintf(r.w, "%s  the server is there again; waiting for changes\n", now())
	}
	r.lost = false
}

func (r *report) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// end lets nothing be written any more.
func (r *report) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	r.lost = false
}

func printEvent(w io.Writer, e Event) {
	switch sign := signs[e.Kind]; {
	case e.Kind == Troubled:
		fmt.Fprintf(w, "%s  %v (trying again)\n", now(), Explain(e.Err))
	case e.Kind == Restarted:
		fmt.Fprintf(w, "%s  %s: the server asked to start over\n", now(), e.Folder)
	case sign == "":
	case e.ServerID == "":
		fmt.Fprintf(w, "%s  %s folder %s\n", now(), sign, e.Folder)
	default:
		fmt.Fprintf(w, "%s  %s %s: %s\n", now(), sign, e.Folder, Title(e.Item))
	}
}

func now() string { return time.Now().Format(time.TimeOnly) }
