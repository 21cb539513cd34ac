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
	"reflect"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxRequest bounds the body of a call, in bytes. Nothing that is asked for
	// takes more than a few names.
	MaxRequest = 64 << 10

	// MaxLarge bounds the body of those calls that bring whole policies.
	MaxLarge = 4 << 20

	// MaxName bounds the name of a user or a device, in bytes where it is asked
	// for, in characters where it is logged.
	MaxName = 512

	// readTime and writeTime bound how long a caller may take to send a call
	// and to read the answer.
	readTime  = 10 * time.Second
	writeTime = time.Minute
)

// take reads a request from the body of a call. A field that nobody knows is
// refused: it would be an order that is not carried out.
func take(body io.Reader, into any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("something follows the JSON object")
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return invalid("the call is larger than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return invalid("the call is not the JSON object that it should be: %v", err)
	}
	return nil
}

// takeQuery reads a request from the query of a call, by the names that its
// fields have in JSON.
func takeQuery(raw string, into reflect.Value) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return invalid("the query cannot be read: %v", err)
	}
	for key, values := range query {
		for _, v := range values {
			if len(v) > MaxName {
				return invalid("%.20q is longer than %d bytes", key, MaxName)
			}
		}
	}
	for _, f := range reflect.VisibleFields(into.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		text := query.Get(name)
		if name == "" || text == "" {
			continue
		}
		var err error
		switch to := into.FieldByIndex(f.Index); f.Type.Kind() {
		case reflect.String:
			to.SetString(text)
		case reflect.Int, reflect.Int64:
			var n int64
			n, err = strconv.ParseInt(text, 10, 64)
			to.SetInt(n)
		case reflect.Bool:
			var b bool
			b, err = strconv.ParseBool(text)
			to.SetBool(b)
		default:
			panic("admin: " + f.Name + " does not fit a query")
		}
		if err != nil {
			return invalid("%s is %.40q, which is not what it should be", name, text)
		}
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

// ServeHTTP answers one call of whoever may open the socket, who may do
// everything.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Answer(w, r, Actor{Name: peer(r.Context()), Address: socketAddress, Roles: AllRoles})
}

// Answer answers one call of an actor whom somebody else let in.
func (s *Server) Answer(w http.ResponseWriter, r *http.Request, a Actor) {
	began := time.Now()
	o, known := byPath[r.URL.Path]
	var answer any
	var err error
	switch {
	case !known:
		err = &Error{Unknown, fmt.Sprintf("this worker (%s) does not know the call %.80q: is it older than the program that asks? Restart it after an update.", s.Version, r.URL.Path)}
	case r.Method != o.Method:
		err = invalid("%s is called with %s", r.URL.Path, o.Method)
	default:
		request := reflect.New(o.Request)
		if o.Method == http.MethodGet {
			err = takeQuery(r.URL.RawQuery, request.Elem())
		} else {
			most := int64(MaxRequest)
			if o.Large {
				most = MaxLarge
			}
			err = take(http.MaxBytesReader(w, r.Body, most), request.Interface())
		}
		if err != nil {
			s.said(r.Context(), o, &visit{Actor: a}, time.Since(began), err)
			break
		}
		answer, err = s.do(r.Context(), o, a, request.Elem().Interface())
	}
	status := http.StatusOK
	if failed, ok := errors.AsType[*Error](err); ok {
		status, answer = failed.Status(), failure{failed}
	}
	write(w, status, answer)
}

// Fail answers a call with an error.
func Fail(w http.ResponseWriter, e *Error) { write(w, e.Status(), failure{e}) }

func write(w http.ResponseWriter, status int, answer any) {
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

// said writes what was ordered, and what came of it, into the log.
func (s *Server) said(ctx context.Context, o *Operation, v *visit, took time.Duration, err error) {
	if o.Mode != Changes && o.Mode != Orders {
		return
	}
	status := http.StatusOK
	if failed, ok := errors.AsType[*Error](err); ok {
		status = failed.Status()
	}
	note := append([]slog.Attr{slog.String("call", o.Path), slog.String("by", v.Name), slog.String("from", v.Address)}, v.note...)
	note = append(note, slog.Int("http", status), slog.Duration("took", took))
	if err != nil {
		note = append(note, slog.Any("err", err))
	}
	s.Logger.LogAttrs(ctx, slog.LevelInfo, "administration", note...)
}

// statuses says each kind of error in HTTP.
var statuses = map[Kind]int{
	Internal: http.StatusInternalServerError, Invalid: http.StatusBadRequest,
	NotFound: http.StatusNotFound, Unknown: http.StatusNotImplemented, Refused: http.StatusForbidden,
	Stranger: http.StatusUnauthorized, Busy: http.StatusTooManyRequests,
}

// Status is the kind of error in HTTP.
func (e *Error) Status() int {
	if status, ok := statuses[e.Kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}
