package bridge

import (
	"io"
	"net/http"
	"time"
)

// Bounds of the plain HTTP listener, which has no web server in front of it.
// What FastCGI brings is bounded by package fcgi. There is no limit on the
// whole request: it would end the requests that wait for a change, too.
const (
	// headerTimeout is how long a header may take to come.
	headerTimeout = 30 * time.Second

	// bodyTimeout is how long a body may take to come, as in package fcgi: 20 MB
	// from a phone that has 3 Mbit/s.
	bodyTimeout = time.Minute

	// writeTimeout is how long a phone may take to accept a part of an answer.
	writeTimeout = 2 * time.Minute

	// idleTimeout is how long a connection may be without a request. Phones
	// open another one when they need it.
	idleTimeout = 2 * time.Minute

	// maxHeader bounds a header, in bytes.
	maxHeader = 64 << 10
)

// plainServer serves a handler without a web server in front of it.
func plainServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: unhurried{h}, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
}

// unhurried lets a handler take its time, and a phone that is slow to send a
// body or to take an answer not.
type unhurried struct{ next http.Handler }

// ServeHTTP implements http.Handler.
func (u unhurried) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if r.Body != nil && r.Body != http.NoBody {
		control.SetReadDeadline(time.Now().Add(bodyTimeout)) // an error means that the connection is gone
		r.Body = &timedBody{r.Body, control}
	}
	u.next.ServeHTTP(&timedWriter{w, control}, r)
}

// A timedBody takes the limit away when all of it has come: what is read after
// it tells whether the phone hangs up.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

// Read implements io.Reader.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// A timedWriter gives each part of an answer its time.
type timedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Unwrap lets http.ResponseController find what the writer inside can do.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *timedWriter) WriteHeader(status int) {
	w.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *timedWriter) Write(p []byte) (int, error) {
	w.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	return w.ResponseWriter.Write(p)
}
