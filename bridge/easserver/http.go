package easserver

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/autodiscover"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/bridge/trace"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// MaxBody bounds a request's body. 200 commands with a picture of 48 KB
	// each are 10 MB; mail with attachments has a limit of its own.
	MaxBody = 20 << 20

	// MinCompress is the length below which an answer is not worth
	// compressing: it fits a packet either way.
	MinCompress = 1 << 10

	// DefaultRetry is what a phone is told to wait when a backend is down and
	// did not say for how long.
	DefaultRetry = 30 * time.Second

	contentType = "application/vnd.ms-sync.wbxml"
	realm       = `Basic realm="pushbridge", charset="UTF-8"`

	// statusGone stands in the log for a phone that hung up, as in nginx's;
	// nobody gets it.
	statusGone = 499

	// statusRedirect sends a phone to another server. See [MS-ASHTTP] "Status
	// Line".
	statusRedirect = 451

	// statusProvision asks a phone that speaks 12.1 or less to provision.
	// See [MS-ASPROV] "Downloading Policies".
	statusProvision = 449
)

// A problem is an error with the HTTP status that tells a phone about it.
type problem struct {
	status     int
	text       string // for a person who looks at the wire
	retryAfter time.Duration
	err        error
}

func (p *problem) Error() string {
	if p.err != nil {
		return p.text + ": " + p.err.Error()
	}
	return p.text
}

func (p *problem) Unwrap() error { return p.err }

// A recorder writes an answer and remembers what it was.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	waits  bool // it is detached: what answers it is another recorder

	tape *trace.Exchange // nil unless the phone is recorded
	doc  []byte          // the answer, for the tape
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// empty answers 200 with a length and no type: what phones expect of an
// answer without a body. See [MS-ASHTTP] "Content-Type".
func (w *recorder) empty() {
	w.Header()["Content-Type"] = nil
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// fail answers an HTTP status with a sentence for people.
func (w *recorder) fail(status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	io.WriteString(w, text+"\n") // a phone that left does not read it
}

// elsewhere sends a phone to another server. Where only an address is known, it
// finds out by Autodiscover. See [MS-ASHTTP] "HTTP Error 451".
func (w *recorder) elsewhere(to string) {
	if strings.Contains(to, "://") {
		w.Header().Set("X-MS-Location", autodiscover.Server(to))
	}
	w.fail(statusRedirect, "This account is on another server.")
}

func (w *recorder) unauthorized(text string) {
	w.Header().Set("WWW-Authenticate", realm)
	w.fail(http.StatusUnauthorized, text)
}

// message answers WBXML.
func (w *recorder) message(zip bool, doc []byte) { w.body(zip, contentType, doc) }

// body answers a document, compressed if zip.
func (w *recorder) body(zip bool, typ string, doc []byte) {
	if w.tape != nil {
		w.doc = doc
	}
	h := w.Header()
	h.Set("Content-Type", typ)
	if len(doc) < MinCompress || !zip {
		h.Set("Content-Length", strconv.Itoa(len(doc)))
		w.WriteHeader(http.StatusOK)
		w.Write(doc)
		return
	}
	h.Set("Content-Encoding", "gzip")
	h.Set("Vary", "Accept-Encoding")
	w.WriteHeader(http.StatusOK)
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is a valid one
	z.Write(doc)
	z.Close() // an error means that the phone left; it will ask again
}

// stream answers what is not in memory, as it is: files of mails are compressed
// already.
func (w *recorder) stream(a *streamed) error {
	h := w.Header()
	h.Set("Content-Type", a.typ)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.FormatInt(a.len(), 10))
	w.WriteHeader(http.StatusOK)
	a.writeTo(w) // an error means that the phone left, or is cut short, and it will ask again
	return a.close()
}

// acceptsGzip tells whether the phone asked for compressed answers.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(q, " ", "") != "q=0"
		}
	}
	return false
}

// refuse answers a request that cannot be answered in the protocol. It is the
// one place where kinds of errors become HTTP statuses.
func (s *Server) refuse(ctx context.Context, w *recorder, event *telemetry.Event, err error) {
	event.Err = err
	p := asProblem(err)
	if p.status == http.StatusUnauthorized {
		w.unauthorized(eas.TextWrongLogin)
		return
	}
	if p.retryAfter > 0 {
		seconds := max(1, int((p.retryAfter+time.Second-1)/time.Second))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	w.fail(p.status, p.text)
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), fcgi.ErrShutdown) { // that one still gets its answer
		w.status = statusGone
	}
}

// asProblem chooses the HTTP status for an error. What it does not know is an
// internal error whose text stays in the log.
func asProblem(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if _, ok := errors.AsType[*wbxml.SyntaxError](err); ok {
		return &problem{status: http.StatusBadRequest, text: "the body is not what it should be: " + err.Error()}
	}
	switch {
	case errors.Is(err, account.ErrThrottled):
		// See [MS-ASHTTP] "HTTP Error 503", which is what phones know for this.
		return &problem{status: http.StatusServiceUnavailable, text: "too many wrong passwords; try again later", retryAfter: backend.RetryAfter(err)}
	case errors.Is(err, device.ErrInvalidID):
		return &problem{status: http.StatusBadRequest, text: err.Error()}
	case errors.Is(err, device.ErrBlocked), errors.Is(err, device.ErrTooMany), errors.Is(err, device.ErrUserOff):
		return &problem{status: http.StatusForbidden, text: err.Error()}
	case errors.Is(err, device.ErrLoop):
		return &problem{status: http.StatusServiceUnavailable, text: err.Error() + "; come back later", retryAfter: device.LoopWindow}
	case errors.Is(err, hub.ErrShutdown):
		return &problem{status: http.StatusServiceUnavailable, text: "restarting, come back at once", retryAfter: time.Second}
	case errors.Is(err, syncengine.ErrKeyMoved):
		return &problem{status: http.StatusServiceUnavailable, text: "another request of this phone is under way", retryAfter: time.Second}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &problem{status: http.StatusServiceUnavailable, text: "interrupted, come back at once", retryAfter: time.Second}
	}
	switch backend.KindOf(err) {
	case backend.Denied:
		return &problem{status: http.StatusUnauthorized, text: "wrong user name or password"}
	case backend.Transient:
		retry := backend.RetryAfter(err)
		if retry <= 0 {
			retry = DefaultRetry
		}
		return &problem{status: http.StatusServiceUnavailable, text: "the server behind pushbridge does not answer; nothing is lost, try again later", retryAfter: retry}
	}
	return &problem{status: http.StatusInternalServerError, text: "internal error"}
}

// readBody reads a request's body within the limit for its command and checks its
// type. composing says that it brings a mail, and mail that it is one.
func readBody(r *http.Request, most int, composing, mail bool) ([]byte, error) {
	if r.ContentLength > int64(most) {
		return nil, tooLarge(most, composing)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		// Phones do not compress what they send. A small body that becomes a
		// large one is for other purposes.
		return nil, &problem{status: http.StatusUnsupportedMediaType, text: fmt.Sprintf("the body is compressed (%.40q); send it as it is", coding)}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	if err != nil {
		if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &problem{status: http.StatusRequestEntityTooLarge, text: tooBig.Error()}
		}
		if cause := context.Cause(r.Context()); cause != nil {
			return nil, cause
		}
		return nil, &problem{status: http.StatusBadRequest, text: "the body broke off", err: err}
	}
	if len(body) > most {
		return nil, tooLarge(most, composing)
	}
	if len(body) > 0 && !mail && !isWBXML(r.Header.Get("Content-Type"), body) {
		return nil, &problem{status: http.StatusBadRequest, text: fmt.Sprintf("the body is of type %.100q, not %s", r.Header.Get("Content-Type"), contentType)}
	}
	return body, nil
}

// tooLarge refuses a body; a mail with large files by the status that there is for
// it, which phones show.
func tooLarge(most int, composing bool) error {
	text := fmt.Sprintf("the body is larger than %d bytes", most)
	if composing {
		return &inBand{status: eas.AttachmentIsTooLarge, http: http.StatusRequestEntityTooLarge, err: errors.New(text)}
	}
	return &problem{status: http.StatusRequestEntityTooLarge, text: text}
}

// isWBXML believes the type if it is one of the protocol's, and else the first
// byte, which is the version of WBXML: there are clients that send no type or
// a wrong one. See [MS-ASHTTP] "Content-Type".
func isWBXML(typ string, body []byte) bool {
	return strings.HasPrefix(strings.ToLower(typ), "application/vnd.ms-sync") || body[0] <= 3
}

// finishing is a context that outlives the end of the server, but not the
// phone: a command that is under way when the worker makes room for the next
// one is answered, and only one that waits is cut short, which
// [fcgi.Detached] sees to. How long that may take is up to who ends the
// server.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), fcgi.ErrShutdown) {
		return ctx, func() {}
	}
	kept, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !errors.Is(cause, fcgi.ErrShutdown) {
			cancel(cause)
		}
	})
	return kept, func() { stop(); cancel(nil) }
}
