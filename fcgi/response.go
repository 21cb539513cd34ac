package fcgi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"golang.org/x/net/http/httpguts"
)

// Before the header block in an answer's buffer there is room for a record's
// header and for the lines that are known only when the body is.
const (
	lengthLine = "Content-Length: "
	typeLine   = "Content-Type: application/octet-stream\r\n"
	frontRoom  = headerLen + len(lengthLine) + len("9223372036854775807\r\n") + len(typeLine)
)

// A response is the http.ResponseWriter of a request. Its header block and the
// beginning of its body stay in a borrowed buffer; an answer that fits leaves
// in one write, with its length told.
//
// It never guesses a Content-Type: a body without one is announced as
// application/octet-stream, an empty answer has none.
type response struct {
	conn *conn
	r    *request
	req  *http.Request

	header   http.Header
	status   int    // 0 before WriteHeader
	noBody   bool   // the status has no body
	ownType  bool   // the handler has set, or switched off, Content-Type
	buf      []byte // borrowed: frontRoom, header block (unless sent), body
	start    int    // where the body begins in buf
	sent     bool   // the header block is on its way
	declared int64  // Content-Length by the handler; -1 if none
	written  int64  // bytes of body
	err      error  // why nothing more can be written

	detached *Detached // the handler has let the answer go
}

func newResponse(c *conn, r *request, req *http.Request) *response {
	return &response{conn: c, r: r, req: req, header: make(http.Header), declared: -1}
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Interim answers (1xx) do not
// exist in CGI and are dropped.
func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("fcgi: WriteHeader(%d)", status))
	}
	if w.status != 0 || status < 200 || w.detached != nil {
		return
	}
	w.commit(status)
}

// commit writes the header block to the buffer.
func (w *response) commit(status int) {
	if err := checkHeader(w.header); err != nil {
		w.conn.srv.logger().Error("fcgi: answer refused", "method", w.req.Method, "path", w.req.URL.Path, "err", err)
		w.err = err
		w.header = http.Header{}
		status = http.StatusInternalServerError
	}
	w.status = status
	w.noBody = status == http.StatusNoContent || status == http.StatusNotModified
	_, w.ownType = w.header["Content-Type"]
	if w.buf == nil {
		w.buf = writeBuffers.get()
	}
	b := w.buf[:frontRoom]
	b = append(b, "Status: "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, reason(status)...)
	b = append(b, "\r\n"...)
	for key, values := range w.header {
		if unsent[key] {
			continue
		}
		for _, v := range values {
			b = append(b, key...)
			b = append(b, ": "...)
			b = append(b, v...)
			b = append(b, "\r\n"...)
		}
	}
	w.declared = -1
	if v := w.header.Get("Content-Length"); v != "" && !w.noBody {
		if n, err := strconv.ParseUint(v, 10, 63); err == nil {
			w.declared = int64(n)
		}
	}
	b = append(b, "\r\n"...)
	w.buf, w.start = b, len(b)
}

// unsent are headers that we say ourselves, or that are no business of one who
// does not speak HTTP.
var unsent = map[string]bool{
	"Status":            true,
	"Content-Length":    true,
	"Connection":        true,
	"Transfer-Encoding": true,
}

// reason is the phrase after a status. 449 is Microsoft's: the client is to
// try again after doing what the answer says.
func reason(status int) string {
	if status == 449 {
		return "Retry With"
	}
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "status code " + strconv.Itoa(status)
}

// checkHeader refuses what could end a header line, or the block, early.
func checkHeader(h http.Header) error {
	for key, values := range h {
		if !httpguts.ValidHeaderFieldName(key) {
			return fmt.Errorf("fcgi: %q is not the name of a header", key)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return fmt.Errorf("fcgi: the value of header %s has a line break or a control character", key)
			}
		}
	}
	return nil
}

// Write implements http.ResponseWriter. It answers the cause when nobody waits
// for the answer any longer.
func (w *response) Write(p []byte) (int, error) { return write(w, p) }

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) { return write(w, s) }

func write[T []byte | string](w *response, p T) (int, error) {
	if w.detached != nil {
		return 0, errDetached
	}
	if w.status == 0 {
		w.commit(http.StatusOK)
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case len(p) == 0:
		return 0, nil
	case w.noBody:
		return 0, http.ErrBodyNotAllowed
	case w.declared >= 0 && int64(len(p)) > w.declared-w.written:
		return 0, http.ErrContentLength
	}
	w.written += int64(len(p))
	if w.req.Method == http.MethodHead {
		return len(p), nil
	}
	if w.buf == nil {
		w.buf = writeBuffers.get()[:frontRoom]
		w.start = frontRoom
	}
	if len(p) <= writeBuffer-endLen-len(w.buf) {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if w.err = w.flush(false); w.err == nil {
		w.err = w.stream([]byte(p))
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// stream sends body past the buffer, which is empty.
func (w *response) stream(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), maxContent)
		var head [headerLen]byte
		putHeader(head[:], typeStdout, w.r.id, n)
		if err := w.conn.send(w.r, false, head[:], p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// flush sends what is in the buffer and gives it back; with last, it ends the
// request.
func (w *response) flush(last bool) error {
	b := w.buf
	if b == nil {
		b = writeBuffers.get()[:frontRoom]
		w.start = frontRoom
	}
	w.buf = nil
	defer func() { writeBuffers.put(b) }()
	from := frontRoom
	if !w.sent && w.status != 0 {
		from = w.front(b, last)
		w.sent = true
	}
	content := len(b) - from
	if content > maxContent { // a giant header block
		if err := w.stream(b[from:]); err != nil {
			return err
		}
		content, from = 0, len(b)
	}
	switch {
	case content > 0:
		from -= headerLen
		putHeader(b[from:], typeStdout, w.r.id, content)
	case !last:
		return nil
	}
	if last {
		b = appendEnd(b, w.r.id, 0, requestComplete)
	}
	return w.conn.send(w.r, last, b[from:])
}

// front writes the lines that depend on the body before the header block, and
// answers where the block now begins.
func (w *response) front(b []byte, last bool) int {
	from := frontRoom
	put := func(line string) {
		from -= len(line)
		copy(b[from:], line)
	}
	if !w.ownType && w.written > 0 {
		put(typeLine)
	}
	length := w.declared
	if length < 0 && last && !w.noBody && (w.written > 0 || w.req.Method != http.MethodHead) {
		length = w.written
	}
	if length >= 0 {
		put(lengthLine + strconv.FormatInt(length, 10) + "\r\n")
	}
	return from
}

// FlushError sends what was written so far; http.ResponseController calls it.
func (w *response) FlushError() error {
	if w.detached != nil {
		return errDetached
	}
	if w.status == 0 {
		w.commit(http.StatusOK)
	}
	if w.buf == nil {
		return w.err
	}
	if err := w.flush(false); err != nil && w.err == nil {
		w.err = err
	}
	return w.err
}

// Flush implements http.Flusher.
func (w *response) Flush() { w.FlushError() }

// EnableFullDuplex is what http.ResponseController calls. The whole request
// has been read, so answering early is always allowed.
func (w *response) EnableFullDuplex() error { return nil }

// finish ends the answer after the handler has returned.
func (w *response) finish() {
	if w.status == 0 {
		w.commit(http.StatusOK)
	}
	if w.declared > w.written && w.req.Method != http.MethodHead && w.err == nil {
		w.conn.srv.logger().Error("fcgi: answer shorter than its Content-Length",
			"method", w.req.Method, "path", w.req.URL.Path, "declared", w.declared, "written", w.written)
		w.fail()
		return
	}
	w.flush(true)
	w.err = errFinished
}

var errFinished = errors.New("fcgi: the handler has returned")

// fail answers 500 if nothing is on its way yet, and else breaks the answer off.
func (w *response) fail() {
	if w.sent {
		if w.buf != nil {
			writeBuffers.put(w.buf)
			w.buf = nil
		}
		w.conn.breakOff(w.r)
		w.err = errFinished
		return
	}
	w.header = http.Header{}
	w.written = 0
	w.commit(http.StatusInternalServerError)
	w.flush(true)
	w.err = errFinished
}

var (
	_ http.Flusher    = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
)
