// Package outbox sees to it that what a phone sends goes out once.
//
// What is about to be done with a mail is noted before it is done: that it is
// going to be sent, that all of it was given to the mail system, that the mail
// system took it, that everything else is done. A phone whose answer got lost, or
// whose worker died, sends the same mail again, and is met by the note:
//
//   - Before the last byte was given to the mail system nothing can have been
//     sent, for SMTP takes a mail with its end (RFC 5321, section 4.1.1.4): it is
//     sent now.
//   - A mail that was taken is not sent again.
//   - Between the two lies the moment in which the mail system takes the mail and
//     says so. If the worker dies in it, or the connection breaks, nobody can
//     know. Mail servers send once more then (RFC 5321, section 4.2.5), since
//     they have nobody to ask; here there is a person. The mail is not sent again:
//     the person is told, and has it at hand to send it once more.
package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// MaxLetters bounds the letters that are remembered for one phone: those of
	// weeks. A phone repeats the last one.
	MaxLetters = 500

	// MaxName bounds the name of a letter, in bytes.
	MaxName = 256

	// SendTime is how long a letter may take to go out: a large one over a slow
	// line, to a server that thinks about it.
	SendTime = 5 * time.Minute

	// retry is when a phone may come back whose letter is under way elsewhere.
	retry = 30 * time.Second
)

// ErrUnderWay means that another worker is sending the letter.
var ErrUnderWay = errors.New("outbox: the mail is being sent already")

// A Letter is a mail of a phone's that goes out.
type Letter struct {
	User, Device string // of what any phone of the person's may send, Device is empty

	// Name is what the phone calls it whenever it sends it, at most MaxName
	// bytes long. Of a letter without a name nothing is noted: the same again is
	// another one.
	Name string
}

// A State is how far a letter is. The values are stored and therefore append-only.
type State int

// The states.
const (
	Begun State = iota + 1 // nothing of it was sent
	Given                  // all of it was given to the mail system, which may have taken it
	Taken                  // by the mail system; the rest is still to be done
	Done
	Told // the person, that nobody knows whether it was taken
)

// over tells whether nobody is going to send the letter.
func (s State) over() bool { return s == Taken || s == Done || s == Told }

// A Record is what is known of a letter.
type Record struct {
	Name   string
	State  State
	Holder string    // the worker that is at it
	At     time.Time // when that worker began, in whole seconds
}

// A Store keeps records. Its methods may be called from many goroutines.
type Store interface {
	// ChangeLetter finds the record of a letter, which has State 0 if there is
	// none, and stores what change makes of it, in one transaction: State 0
	// deletes it. An error of change comes back and changes nothing. Of a phone's
	// records beyond MaxLetters those that began first are deleted. change may be
	// called more than once.
	ChangeLetter(ctx context.Context, l Letter, change func(*Record) error) error
}

// An Outbox sends letters. Its methods may be called from many goroutines.
type Outbox struct {
	store  Store
	logger *slog.Logger
	holder string

	mu   sync.Mutex
	busy map[Letter]*attempt
}

// An attempt is one sending of a letter.
type attempt struct {
	over chan struct{} // closed when it is
	err  error         // what came of it, from then on
}

// New makes an outbox. A nil logger means slog.Default.
func New(s Store, logger *slog.Logger) *Outbox {
	if logger == nil {
		logger = slog.Default()
	}
	return &Outbox{store: s, logger: logger, holder: rand.Text(), busy: make(map[Letter]*attempt)}
}

// A Post is what is to be done with a letter.
type Post struct {
	Message io.Reader

	// Send gives the message to the mail system; see backend.Sender for its
	// errors.
	Send func(ctx context.Context, r io.Reader) error

	// After is done when the message is out, such as keeping a copy. It is done
	// again when the phone repeats itself after it failed. Nil does nothing.
	After func(ctx context.Context) error

	// Tell tells the person that nobody knows whether the message went out at an
	// earlier time. It may be called again after it failed. Nil sends the message
	// once more.
	Tell func(ctx context.Context) error
}

// Send sends a letter. sentBefore says that it went out an earlier time, or that the
// person was told that it may have, and not again. An error means that it did not go out, as far as anybody can know; that
// After failed is said in the log only, for the letter is out. It goes on when
// the phone hangs up: that one will ask again what came of it. A phone that asks again
// while the letter is being sent hears what comes of that, also that it was refused:
// to try once more would send what the phone may by then have been told is not sent.
func (o *Outbox) Send(ctx context.Context, l Letter, p Post) (sentBefore bool, err error) {
	release, err := o.claim(ctx, l)
	if err != nil {
		return false, err
	}
	defer func() { release(err) }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), SendTime)
	defer cancel()
	before, err := o.begin(ctx, l)
	if err != nil {
		return false, err
	}
	switch before.State {
	case Done, Told:
		return true, nil
	case Taken:
		o.finish(ctx, l, p)
		return true, nil
	case Given:
		if p.Tell != nil {
			return o.tell(ctx, l, p, fmt.Errorf("the worker that began at %s did not note what came of it", before.At.UTC().Format(time.RFC3339)))
		}
		o.logger.WarnContext(ctx, "a mail goes out once more: whether the mail system took it the first time is not known",
			"user", l.User, "device", l.Device, "first", before.At)
	}
	switch given, err := o.send(ctx, l, p); {
	case given && p.Tell != nil && taken(err):
		return o.tell(ctx, l, p, err)
	case err != nil:
		return false, err
	}
	o.finish(ctx, l, p)
	return false, nil
}

// tell tells the person of a letter of which nobody knows whether it went out.
func (o *Outbox) tell(ctx context.Context, l Letter, p Post, why error) (told bool, err error) {
	ctx = context.WithoutCancel(ctx) // whose time sending may have taken
	o.logger.WarnContext(ctx, "whether a mail went out is not known: it is not sent again, and the person is told",
		"user", l.User, "device", l.Device, "error", why)
	ctx, cancel := context.WithTimeout(ctx, SendTime)
	defer cancel()
	if err := p.Tell(ctx); err != nil {
		return false, err
	}
	return true, o.note(context.WithoutCancel(ctx), l, Told)
}

// WasSent tells whether a phone's letter went out, or may have.
func (o *Outbox) WasSent(ctx context.Context, l Letter) (bool, error) {
	state, err := o.state(ctx, l)
	return state.over(), err
}

// WasGiven tells whether all of a phone's letter was given to the mail system: also
// where it is not known whether that took it, and the person is not told yet.
func (o *Outbox) WasGiven(ctx context.Context, l Letter) (bool, error) {
	state, err := o.state(ctx, l)
	return state == Given || state.over(), err
}

// state is how far a letter is.
func (o *Outbox) state(ctx context.Context, l Letter) (state State, err error) {
	looked := errors.New("looked")
	err = o.store.ChangeLetter(ctx, l, func(r *Record) error { state = r.State; return looked })
	if err != nil && !errors.Is(err, looked) {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	return state, nil
}

// Note notes that a letter is done, whoever sent it.
func (o *Outbox) Note(ctx context.Context, l Letter) error {
	return o.change(context.WithoutCancel(ctx), l, func(r *Record) error {
		r.State, r.Holder, r.At = Done, o.holder, time.Now().Truncate(time.Second)
		return nil
	})
}

// Forget forgets a letter that is out: the same again is another one. One that is under
// way is left to who is at it.
func (o *Outbox) Forget(ctx context.Context, l Letter) error {
	return o.change(context.WithoutCancel(ctx), l, func(r *Record) error {
		if r.State.over() {
			r.State = 0
		}
		return nil
	})
}

// claim waits until nobody else in this process is at the letter. release says what
// came of it. An error that is not the wait's own is that of whom it waited for.
func (o *Outbox) claim(ctx context.Context, l Letter) (release func(error), err error) {
	if l.Name == "" {
		return func(error) {}, nil
	}
	if len(l.Name) > MaxName {
		return nil, backend.Errorf(backend.Invalid, "outbox: send", "the name of the mail is longer than %d bytes", MaxName)
	}
	mine := &attempt{over: make(chan struct{})}
	for {
		other := o.take(l, mine)
		if other == nil {
			return func(err error) { o.giveUp(l, mine, err) }, nil
		}
		select {
		case <-other.over:
		case <-ctx.Done():
			return nil, backend.E(backend.Transient, "outbox: send", context.Cause(ctx))
		}
		// What other phones of the person's send under the same name may differ.
		if l.Device != "" && other.err != nil && backend.KindOf(other.err) != backend.Transient {
			return nil, other.err
		}
	}
}

// take makes mine the attempt at the letter, or answers the one that is.
func (o *Outbox) take(l Letter, mine *attempt) (other *attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if other, taken := o.busy[l]; taken {
		return other
	}
	o.busy[l] = mine
	return nil
}

// giveUp ends the attempt at the letter.
func (o *Outbox) giveUp(l Letter, mine *attempt, err error) {
	o.mu.Lock()
	delete(o.busy, l)
	o.mu.Unlock()
	mine.err = err
	close(mine.over)
}

// begin notes that the letter is going to be sent, and answers what was known of
// it before.
func (o *Outbox) begin(ctx context.Context, l Letter) (before Record, err error) {
	now := time.Now().Truncate(time.Second)
	err = o.change(ctx, l, func(r *Record) error {
		before = *r
		switch {
		case r.State.over():
			return nil
		case r.State != 0 && r.Holder != o.holder && now.Sub(r.At) < SendTime:
			return &backend.Error{Kind: backend.Transient, Op: "outbox: send", Err: ErrUnderWay, RetryAfter: retry}
		case r.State == 0:
			r.State = Begun
		}
		r.Holder, r.At = o.holder, now
		return nil
	})
	return before, err
}

// change changes the record of a letter that has a name.
func (o *Outbox) change(ctx context.Context, l Letter, change func(*Record) error) error {
	if l.Name == "" {
		return change(new(Record))
	}
	if err := o.store.ChangeLetter(ctx, l, change); err != nil {
		return fmt.Errorf("outbox: noting a mail: %w", err)
	}
	return nil
}

// note notes how far a letter is.
func (o *Outbox) note(ctx context.Context, l Letter, s State) error {
	return o.change(ctx, l, func(r *Record) error { r.State = s; return nil })
}

// send gives the letter to the mail system. given says that it was given all of it.
func (o *Outbox) send(ctx context.Context, l Letter, p Post) (given bool, err error) {
	reader := &noting{r: p.Message, atEnd: func() error { return o.note(ctx, l, Given) }}
	err = p.Send(ctx, reader)
	given = reader.noted.Load()
	// The letter is out, or is not: the end of the context changes nothing of that.
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		if err := o.note(ctx, l, Taken); err != nil {
			// To say that it failed would be a lie. Should the phone not hear this
			// answer, nobody knows any more.
			o.logger.ErrorContext(ctx, "a mail went out, and that cannot be noted", "user", l.User, "device", l.Device, "error", err)
		}
		return given, nil
	}
	if !taken(err) {
		if err := o.note(ctx, l, 0); err != nil {
			o.logger.ErrorContext(ctx, "a mail did not go out, and that cannot be noted", "user", l.User, "device", l.Device, "error", err)
		}
	}
	return given, err
}

// taken tells of an error whether the mail system may have taken the letter all
// the same. See backend.Sender.
func taken(err error) bool {
	if err == nil {
		return false
	}
	_, typed := errors.AsType[*backend.Error](err)
	return !typed || backend.KindOf(err) == backend.Other
}

// finish does what is to be done when a letter is out.
func (o *Outbox) finish(ctx context.Context, l Letter, p Post) {
	if p.After != nil {
		if err := p.After(ctx); err != nil {
			o.logger.WarnContext(ctx, "a mail went out, but what belongs to it could not be done: a copy, or a mark at the mail that it answers",
				"user", l.User, "device", l.Device, "error", err)
			return
		}
	}
	if err := o.note(context.WithoutCancel(ctx), l, Done); err != nil {
		o.logger.ErrorContext(ctx, "a mail went out, and that cannot be noted", "user", l.User, "device", l.Device, "error", err)
	}
}

// A noting reader notes its end before it says it: whoever has read less cannot
// have sent the whole.
type noting struct {
	r     io.Reader
	atEnd func() error
	noted atomic.Bool
}

// Read implements io.Reader.
func (n *noting) Read(p []byte) (int, error) {
	k, err := n.r.Read(p)
	if err != io.EOF {
		return k, err
	}
	if !n.noted.Load() {
		if err := n.atEnd(); err != nil {
			return 0, err
		}
		n.noted.Store(true)
	}
	return k, io.EOF
}
