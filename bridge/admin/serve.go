package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"
)

const (
	// MaxRequest bounds the body of a call, in bytes. Nothing that is asked for
	// takes more than a few names.
	MaxRequest = 64 << 10

	// MaxName bounds the name of a user or a device, in bytes where it is asked
	// for, in characters where it is logged.
	MaxName = 512

	// readTime and writeTime bound how long a caller may take to send a call
	// and to read the answer.
	readTime  = 10 * time.Second
	writeTime = time.Minute
)

// A call is one thing that can be asked for.
type call struct {
	method  string
	changes bool // it changes something, and stands in the log
	run     func(*Server, context.Context, *request) (any, error)
}

// calls is everything that can be asked for.
var calls = map[string]call{
	pathStatus:   {http.MethodGet, false, (*Server).status},
	pathDevices:  {http.MethodGet, false, (*Server).devices},
	pathFolders:  {http.MethodGet, false, (*Server).folders},
	pathHolds:    {http.MethodGet, false, (*Server).holds},
	pathRelease:  {http.MethodPost, true, (*Server).release},
	pathResync:   {http.MethodPost, true, (*Server).resync},
	pathProblems: {http.MethodGet, false, (*Server).problems},
	pathForget:   {http.MethodPost, true, (*Server).forget},
	pathChoices:  {http.MethodGet, false, (*Server).choices},
	pathChoose:   {http.MethodPost, true, (*Server).choose},
	pathUnchoose: {http.MethodPost, true, (*Server).unchoose},
	pathTrace:    {http.MethodPost, true, (*Server).trace},
	pathTraced:   {http.MethodPost, false, (*Server).traced},
	pathBeats:    {http.MethodGet, false, (*Server).heartbeat},
	pathPush:     {http.MethodGet, false, (*Server).push},
	pathSetPush:  {http.MethodPost, true, (*Server).setPush},
	pathWipe:     {http.MethodPost, true, (*Server).wipe},
	pathBlock:    {http.MethodPost, true, (*Server).block},
	pathAllow:    {http.MethodPost, true, (*Server).allow},
	pathPolicy:   {http.MethodGet, false, (*Server).policy},
}

// A request is what a call is given.
type request struct {
	query url.Values
	body  io.Reader
	note  []slog.Attr // what is ordered, for the log
}

// of notes whom an order concerns.
func (r *request) of(user, device string, folder int64) {
	r.note = []slog.Attr{slog.String("user", fmt.Sprintf("%.*s", MaxName, user))}
	if device != "" {
		r.note = append(r.note, slog.String("phone", fmt.Sprintf("%.*s", MaxName, device)))
	}
	if folder != 0 {
		r.note = append(r.note, slog.Int64("folder", folder))
	}
}

// take reads the body of a call. A field that nobody knows is refused: it
// would be an order that is not carried out.
func (r *request) take(into any) error {
	d := json.NewDecoder(r.body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("something follows the JSON object")
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return invalid("the call is larger than %d bytes", MaxRequest)
	}
	if err != nil {
		return invalid("the call is not the JSON object that it should be: %v", err)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &Error{Invalid, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &Error{NotFound, fmt.Sprintf(format, args...)}
}

// Serving answers the HTTP server that opens the door; the caller gives it a
// listener and shuts it down.
func (s *Server) Serving() *http.Server {
	return &http.Server{
		Handler: s, ReadTimeout: readTime, WriteTimeout: writeTime, MaxHeaderBytes: 16 << 10,
		ErrorLog:    slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
		ConnContext: withPeer,
	}
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	c, known := calls[r.URL.Path]
	req := &request{body: http.MaxBytesReader(w, r.Body, MaxRequest)}
	var answer any
	var err error
	switch {
	case !known:
		err = &Error{Unknown, fmt.Sprintf("this worker (%s) does not know the call %.80q: is it older than the program that asks? Restart it after an update.", s.Version, r.URL.Path)}
	case r.Method != c.method:
		err = invalid("%s is called with %s", r.URL.Path, c.method)
	default:
		answer, err = s.run(r, c, req)
	}
	status := http.StatusOK
	if err != nil {
		failed, ok := errors.AsType[*Error](err)
		if !ok {
			failed = &Error{Internal, "The worker could not do it: " + err.Error()}
		}
		status, answer = statuses[failed.Kind], failure{failed}
	}
	if known && c.changes {
		note := append([]slog.Attr{slog.String("call", r.URL.Path), slog.String("by", peer(r.Context()))}, req.note...)
		note = append(note, slog.Int("http", status), slog.Duration("took", time.Since(began)))
		if err != nil {
			note = append(note, slog.Any("err", err))
		}
		s.Logger.LogAttrs(r.Context(), slog.LevelInfo, "administration", note...)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		panic(fmt.Sprintf("admin: an answer does not marshal: %v", err)) // texts, numbers and times always do
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	w.Write(append(text, '\n')) // who hangs up has no use for an error
}

// statuses says each kind of error in HTTP.
var statuses = map[Kind]int{
	Internal: http.StatusInternalServerError, Invalid: http.StatusBadRequest,
	NotFound: http.StatusNotFound, Unknown: http.StatusNotImplemented,
}

// run carries a call out. A mistake of ours concerns this call only.
func (s *Server) run(r *http.Request, c call, req *request) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Logger.Error("panic", "call", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			err = &Error{Internal, "The worker made a mistake; its log has the particulars."}
		}
	}()
	if req.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, invalid("the query cannot be read: %v", err)
	}
	for key, values := range req.query {
		for _, v := range values {
			if len(v) > MaxName {
				return nil, invalid("%.20q is longer than %d bytes", key, MaxName)
			}
		}
	}
	return c.run(s, r.Context(), req)
}
