// Package trace records what one phone and the server say to each other, decoded to XML and without what people wrote.
//
// A [Tracer] without a recording costs a request one atomic load. A recording
// is of one phone, bounded in time and size, ends when nobody fetches it any
// more, and never has a header or a password in it.
package trace

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

const (
	// MaxTime bounds a recording: a day shows what happens at night.
	MaxTime = 24 * time.Hour

	// MaxSize bounds the text of a recording, in bytes; a first sync of some
	// thousand items fits.
	MaxSize = 16 << 20

	// MaxDocument bounds the text of one request or answer, in bytes. What is
	// longer is left out, and said to be.
	MaxDocument = 1 << 20

	// MaxRecordings bounds those that go on at a time.
	MaxRecordings = 8

	// patience is how long a recording goes on that nobody fetches.
	patience = time.Minute
)

// The reasons for which there is no recording.
var (
	ErrTooMany = errors.New("trace: too many recordings go on")
	ErrRunning = errors.New("trace: this phone is being recorded already")
	ErrNone    = errors.New("trace: there is no such recording")
)

// A Phone is whose conversation is recorded.
type Phone struct{ User, Device string }

// A Tracer keeps the recordings that go on. The zero value is ready for use.
type Tracer struct {
	running atomic.Int32
	mu      sync.Mutex
	all     map[Phone]*recording
}

// A recording is what was said since the text was fetched last.
type recording struct {
	content bool
	until   time.Time
	fetched time.Time
	text    strings.Builder
	size    int // of all that was recorded
	number  int // of the last exchange
	full    bool
}

// over tells whether a recording has ended by itself.
func (r *recording) over(now time.Time) bool { return now.After(r.until) || r.full }

// Start records a phone for some time; with content also what people wrote, but
// never passwords.
func (t *Tracer) Start(p Phone, length time.Duration, content bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for other, r := range t.all {
		if now.Sub(r.fetched) > patience {
			t.drop(other)
		}
	}
	switch {
	case t.all[p] != nil:
		return ErrRunning
	case len(t.all) >= MaxRecordings:
		return ErrTooMany
	}
	if t.all == nil {
		t.all = make(map[Phone]*recording)
	}
	r := &recording{content: content, until: now.Add(min(length, MaxTime)), fetched: now}
	kind := "masked"
	if content {
		kind = "with content"
	}
	fmt.Fprintf(&r.text, "%s, %s, from %s\n", heading, kind, now.UTC().Format(time.RFC3339))
	t.all[p] = r
	t.running.Add(1)
	return nil
}

// drop forgets a recording.
func (t *Tracer) drop(p Phone) {
	delete(t.all, p)
	t.running.Add(-1)
}

// Fetch answers what was recorded since it was called last, and whether that
// was the end.
func (t *Tracer) Fetch(p Phone) (text string, over bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.all[p]
	if r == nil {
		return "", true, ErrNone
	}
	now := time.Now()
	r.fetched = now
	text = r.text.String()
	r.text.Reset()
	if over = r.over(now); over {
		t.drop(p)
	}
	return text, over, nil
}

// Stop ends a recording and answers the rest of it.
func (t *Tracer) Stop(p Phone) (text string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.all[p]
	if r == nil {
		return "", ErrNone
	}
	t.drop(p)
	return r.text.String(), nil
}

// An Exchange is a request under way whose phone is recorded. A nil one does
// nothing.
type Exchange struct {
	tracer  *Tracer
	phone   Phone
	began   time.Time
	command string
	version string
	request string
}

// Begin notes a request. It answers nil, at once, where its phone is not
// recorded, and on a nil Tracer.
func (t *Tracer) Begin(p Phone, command, version string, body []byte) *Exchange {
	if t == nil || t.running.Load() == 0 {
		return nil
	}
	content, ok := t.wants(p)
	if !ok {
		return nil
	}
	return &Exchange{t, p, time.Now(), command, version, shown(body, content)}
}

// wants tells whether a phone is recorded, and whether with content.
func (t *Tracer) wants(p Phone) (content, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.all[p]
	if r == nil {
		return false, false
	}
	now := time.Now()
	if now.Sub(r.fetched) > patience {
		t.drop(p)
		return false, false
	}
	return r.content, !r.over(now)
}

// End notes the answer.
func (e *Exchange) End(http int, answer []byte) {
	if e == nil {
		return
	}
	content, ok := e.tracer.wants(e.phone)
	if !ok {
		return
	}
	said := shown(answer, content)
	e.tracer.mu.Lock()
	defer e.tracer.mu.Unlock()
	r := e.tracer.all[e.phone]
	if r == nil || r.full {
		return
	}
	r.number++
	one := fmt.Sprintf("\n%s%d %s %s version=%s http=%d took=%v\n%s\n%s%s\n%s", exchangeMark, r.number, e.began.UTC().Format(time.RFC3339),
		e.command, e.version, http, time.Since(e.began).Round(time.Millisecond), requestMark, e.request, answerMark, said)
	if r.size+len(one) > MaxSize {
		r.full = true
		one = fmt.Sprintf("\n# the recording ends: it would be longer than %d bytes\n", MaxSize)
	}
	r.size += len(one)
	r.text.WriteString(one)
}

// The marks of a recording's text. Documents are indented XML, no line of which
// begins like them.
const (
	heading      = "# pushbridge trace 1"
	exchangeMark = "== "
	requestMark  = "-- request"
	answerMark   = "-- answer"
)

// shown is a document as a recording has it.
func shown(doc []byte, content bool) string {
	if len(doc) == 0 {
		return "# empty\n"
	}
	masked, err := mask(doc, content)
	if err != nil {
		return fmt.Sprintf("# %d bytes that are no WBXML\n", len(doc))
	}
	text, err := wbxml.Text(masked, tag.Name)
	switch {
	case err != nil:
		return fmt.Sprintf("# %d bytes that are no WBXML\n", len(doc))
	case len(text) > MaxDocument:
		return fmt.Sprintf("# left out: %d bytes of XML\n", len(text))
	}
	return text
}
