package fcgi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// A request is one id's life on a connection: collected by the reader, then
// given to its handler, ended by whoever is first.
type request struct {
	conn  *conn
	id    uint16
	keep  bool // the connection stays open after it
	early bool // it was answered before all of it was read

	// While it is being read.
	params     []byte // borrowed
	paramsDone bool
	refusal    int // the status that answers it instead of a handler
	http       *http.Request
	body       body
	deadline   time.Time

	// From then on. cancel and over are guarded by the connection's mu, ended by
	// its writing.
	ctx    context.Context
	cancel context.CancelCauseFunc
	over   error // why nobody waits for it any longer
	ended  bool

	detached *Detached // while it waits without its handler, or is about to; guarded by the connection's mu
}

// refuse gives up what was collected of r; status will answer it.
func (r *request) refuse(status int) {
	r.refusal = status
	r.release()
}

// release gives back what r has borrowed.
func (r *request) release() {
	if r.params != nil {
		paramsBuffers.put(r.params)
		r.params = nil
	}
	r.http = nil
	r.body.Close()
}

// end tells r's handler why nobody waits for it any longer: one that runs, and one that
// is about to go on, since its waiting has ended for another cause.
func (r *request) end(cause error) {
	if r.over == nil {
		r.over = cause
	}
	if r.cancel != nil {
		r.cancel(cause)
	}
	if r.detached != nil {
		r.detached.End(cause)
	}
}

// Singletons may come once only: where two parties could pick different ones,
// an attacker picks for them.
var singletons = map[string]bool{
	"Authorization":  true,
	"Content-Length": true,
	"Content-Type":   true,
	"Host":           true,
	"X-Ms-Policykey": true,
}

// Meta-variables that newRequest reads. See RFC 3875, section 4.1. REMOTE_USER
// and AUTH_TYPE are not among them: nginx fills REMOTE_USER with whatever user
// name the client claims.
type metaVariables struct {
	method, uri, query, protocol string
	scriptName, pathInfo         string
	contentType, contentLength   string
	remoteAddr, remotePort       string
	serverName, https            string
}

func (v *metaVariables) field(name []byte) *string {
	switch string(name) {
	case "REQUEST_METHOD":
		return &v.method
	case "REQUEST_URI":
		return &v.uri
	case "QUERY_STRING":
		return &v.query
	case "SERVER_PROTOCOL":
		return &v.protocol
	case "SCRIPT_NAME":
		return &v.scriptName
	case "PATH_INFO":
		return &v.pathInfo
	case "CONTENT_TYPE":
		return &v.contentType
	case "CONTENT_LENGTH":
		return &v.contentLength
	case "REMOTE_ADDR":
		return &v.remoteAddr
	case "REMOTE_PORT":
		return &v.remotePort
	case "SERVER_NAME":
		return &v.serverName
	case "HTTPS":
		return &v.https
	}
	return nil
}

// overTLS is the TLS of every request that the web server received over it,
// shared because nothing more is known.
var overTLS = &tls.ConnectionState{HandshakeComplete: true}

// newRequest builds a request from its parameters. Its body is still missing;
// its ContentLength is -1 if the web server told none.
func newRequest(params []byte) (*http.Request, error) {
	if err := wellFormed(params); err != nil {
		return nil, err
	}
	var v metaVariables
	h := make(http.Header, 8)
	for name, value := range pairs(params) {
		if field := v.field(name); field != nil {
			if *field != "" {
				return nil, fmt.Errorf("fcgi: parameter %s comes twice", name)
			}
			*field = string(value)
			continue
		}
		if err := addHeader(h, name, value); err != nil {
			return nil, err
		}
	}
	return v.request(h)
}

// addHeader adds the header that the parameter name stands for, if any.
func addHeader(h http.Header, name, value []byte) error {
	key := headerKey(name)
	if key == "" {
		return nil
	}
	if !httpguts.ValidHeaderFieldValue(string(value)) {
		return fmt.Errorf("fcgi: parameter %s has a line break or a control character", name)
	}
	if singletons[key] && h[key] != nil {
		return fmt.Errorf("fcgi: parameter %s comes twice", name)
	}
	h[key] = append(h[key], string(value))
	return nil
}

// headerKeys spare the usual parameters an allocation.
var headerKeys = map[string]string{
	"HTTP_ACCEPT":               "Accept",
	"HTTP_ACCEPT_ENCODING":      "Accept-Encoding",
	"HTTP_ACCEPT_LANGUAGE":      "Accept-Language",
	"HTTP_AUTHORIZATION":        "Authorization",
	"HTTP_COOKIE":               "Cookie",
	"HTTP_HOST":                 "Host",
	"HTTP_MS_ASACCEPTMULTIPART": "Ms-Asacceptmultipart",
	"HTTP_MS_ASPROTOCOLVERSION": "Ms-Asprotocolversion",
	"HTTP_USER_AGENT":           "User-Agent",
	"HTTP_X_MS_POLICYKEY":       "X-Ms-Policykey",

	// The client's Proxy header must not become the environment variable that
	// programs take for a setting (CVE-2016-5386), and the web server has
	// undone the transfer coding.
	"HTTP_PROXY":             "",
	"HTTP_TRANSFER_ENCODING": "",
}

// headerKey answers the canonical name of the header that a parameter stands
// for, or "".
func headerKey(name []byte) string {
	if key, ok := headerKeys[string(name)]; ok {
		return key
	}
	rest, ok := strings.CutPrefix(string(name), "HTTP_")
	if !ok || !httpguts.ValidHeaderFieldName(rest) {
		return ""
	}
	return textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(rest, "_", "-"))
}

// request puts the pieces together.
func (v *metaVariables) request(h http.Header) (*http.Request, error) {
	if !httpguts.ValidHeaderFieldName(v.method) { // a method is a token, too
		return nil, fmt.Errorf("fcgi: REQUEST_METHOD %q is not a method", v.method)
	}
	req := &http.Request{Method: v.method, Header: h, Proto: v.protocol}
	if err := v.putLength(req); err != nil {
		return nil, err
	}
	if v.contentType != "" {
		if !httpguts.ValidHeaderFieldValue(v.contentType) {
			return nil, errors.New("fcgi: CONTENT_TYPE has a line break or a control character")
		}
		h["Content-Type"] = []string{v.contentType}
	}
	if req.Proto == "" {
		req.Proto = "HTTP/1.1"
	}
	var ok bool
	if req.ProtoMajor, req.ProtoMinor, ok = http.ParseHTTPVersion(req.Proto); !ok {
		return nil, fmt.Errorf("fcgi: SERVER_PROTOCOL %q is not a version of HTTP", req.Proto)
	}
	if err := v.putURL(req); err != nil {
		return nil, err
	}
	if v.https != "" && !strings.EqualFold(v.https, "off") {
		req.TLS = overTLS
	}
	port := v.remotePort
	if port == "" {
		port = "0"
	}
	req.RemoteAddr = net.JoinHostPort(v.remoteAddr, port)
	return req, nil
}

// putLength sets ContentLength. Web servers that pass all headers tell it
// twice, and must then tell the same.
func (v *metaVariables) putLength(req *http.Request) error {
	req.ContentLength = -1
	if again := req.Header.Get("Content-Length"); again != "" {
		if v.contentLength == "" {
			v.contentLength = again
		} else if again != v.contentLength {
			return fmt.Errorf("fcgi: CONTENT_LENGTH %q differs from HTTP_CONTENT_LENGTH %q", v.contentLength, again)
		}
	}
	delete(req.Header, "Content-Length")
	if v.contentLength == "" {
		return nil
	}
	n, err := strconv.ParseUint(v.contentLength, 10, 63) // no sign, unlike ParseInt
	if err != nil {
		return fmt.Errorf("fcgi: CONTENT_LENGTH %q is not a length", v.contentLength)
	}
	req.ContentLength = int64(n)
	return nil
}

// putURL sets URL, RequestURI and Host. The query is left as it came: phones
// put base64 into it.
func (v *metaVariables) putURL(req *http.Request) error {
	req.RequestURI = v.uri
	if v.uri == "" {
		u := url.URL{Path: v.scriptName + v.pathInfo, RawQuery: v.query}
		req.RequestURI = u.RequestURI()
	}
	u, err := url.ParseRequestURI(req.RequestURI)
	if err != nil {
		return fmt.Errorf("fcgi: REQUEST_URI: %w", errors.Unwrap(err)) // without the URI, which may name people
	}
	if u.RawQuery == "" {
		u.RawQuery = v.query
	}
	req.Host = u.Host
	u.Scheme, u.Host = "", ""
	if req.Host == "" {
		req.Host = req.Header.Get("Host")
	}
	if req.Host == "" {
		req.Host = v.serverName
	}
	delete(req.Header, "Host")
	if !httpguts.ValidHostHeader(req.Host) {
		return errors.New("fcgi: HTTP_HOST is not a host")
	}
	req.URL = u
	return nil
}
