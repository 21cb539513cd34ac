// Package webdav is what backends that speak WebDAV share: settings, a careful HTTP client, listings with cursors, and errors with kinds.
//
// The protocol is in package carddav/dav, which knows nothing of backends. Here
// are the settings, the HTTP client that logs in, the errors with their kinds,
// and what the contract of a backend wants of a listing.
package webdav

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	gowebdav "github.com/emersion/go-webdav"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Bounds of the traffic with one server.
const (
	// DefaultTimeout is how long an answer, or the next part of one, may keep
	// us waiting. Radicale 3.1.8 may need two minutes to list 10,000 items
	// that it sees for the first time.
	DefaultTimeout = 3 * time.Minute

	// MaxConcurrent bounds the requests of one backend that wait for their
	// answer. Radicale accepts eight connections at a time, and a server
	// should not notice that all phones woke at once.
	MaxConcurrent = 8

	// maxIdle is how many unused connections are kept for the next request.
	maxIdle = 4

	// maxHeader bounds the header of an answer, in bytes. Nextcloud's have
	// some 3 KB.
	maxHeader = 256 << 10

	// handshakeTimeout bounds the TLS handshake; a server that works needs a
	// second.
	handshakeTimeout = 15 * time.Second
)

// Settings are what an administrator may say about a DAV server.
type Settings struct {
	// URL is the server's root, a principal or a home set.
	URL string `setting:"url,required"`

	// CAFile names a file of PEM certificates to trust instead of the
	// system's.
	CAFile string `setting:"ca_file"`

	// PathTemplate is the path of a person's home set, relative to URL, with
	// {user} in place of the name, for servers that cannot be asked.
	PathTemplate string `setting:"path_template"`

	// Timeout takes the place of DefaultTimeout.
	Timeout time.Duration `setting:"timeout"`

	// ForwardAddress tells the server in X-Forwarded-For where the phone is
	// that asks, for servers which are told to believe us, such as Nextcloud
	// with our address among its trusted_proxies.
	ForwardAddress bool `setting:"forward_address"`

	// RadicaleRoot is Radicale's filesystem_folder, if it lies on this
	// computer: its people's collections are watched there.
	RadicaleRoot string `setting:"radicale_root"`
}

// A Server is one DAV server with the connections to it and what is known
// about the whereabouts of its people. It is shared by all Clients, and safe
// for many goroutines.
type Server struct {
	dialect  dav.Dialect
	root     *url.URL
	template string
	timeout  time.Duration
	forward  bool // tell where phones are
	http     *http.Client
	waiting  chan struct{} // one per request that waits for its answer
	homes    *homeCache
	noCTag   atomic.Bool  // the server is known to have no getctag
	tagging  atomic.Int32 // what tags cost it: taggingUnknown and so on
	radicale *radicale    // nil if its directory is not known
	pushes   *pushes
}

// NewServer checks the settings. It sends nothing.
func NewServer(d dav.Dialect, raw backend.Settings) (*Server, error) {
	var s Settings
	if err := raw.Decode(&s); err != nil {
		return nil, err
	}
	root, urlErr := parseRoot(s.URL)
	roots, caErr := readRoots(s.CAFile)
	templateErr := checkTemplate(s.PathTemplate)
	watched, radicaleErr := newRadicale(s.RadicaleRoot)
	if err := errors.Join(urlErr, caErr, templateErr, radicaleErr); err != nil {
		return nil, err
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = dial
	transport.MaxIdleConnsPerHost = maxIdle
	transport.MaxResponseHeaderBytes = maxHeader
	transport.TLSHandshakeTimeout = handshakeTimeout
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &Server{
		dialect:  d,
		root:     root,
		template: s.PathTemplate,
		timeout:  timeout,
		forward:  s.ForwardAddress,
		http: &http.Client{
			Transport: transport,
			// login.Do follows them itself, without changing the method.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		waiting: make(chan struct{}, MaxConcurrent),
		homes:   newHomeCache(),

		radicale: watched, pushes: newPushes(),
	}, nil
}

// WantsAddress tells whether the server is told where phones are: what
// backend.Addressee asks.
func (s *Server) WantsAddress() bool { return s.forward }

// Close ends idle connections.
func (s *Server) Close() error {
	s.http.CloseIdleConnections()
	return s.radicale.close()
}

func parseRoot(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("url is not the address of a server; write https://host/path")
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return nil, fmt.Errorf("url is %q, want https://host/path", u.Redacted())
	case u.User != nil:
		return nil, errors.New("url has a user name; people log in with their own")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("url is %q, want it without ? and #", u.Redacted())
	}
	path, err := dav.CleanPath(u.EscapedPath())
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return dav.WithPath(u, path), nil
}

func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil // the system's
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %s has no PEM certificate", file)
	}
	return pool, nil
}

// A Client asks a Server on behalf of one person. It is safe for many
// goroutines. What it has of dav.Client fails with errors that have no kind;
// see Error.
type Client struct {
	*dav.Client
	server *Server
	creds  backend.Credentials
}

// Client answers a Client for somebody. It sends nothing.
func (s *Server) Client(c backend.Credentials) *Client {
	return &Client{Client: dav.New(s.dialect, &login{s, c}, s.root), server: s, creds: c}
}

// String names the server and the person, and hides the password.
func (c *Client) String() string { return c.server.dialect.Name + " client of " + c.creds.User }

// GoString hides the password from %#v, too.
func (c *Client) GoString() string { return "webdav.Client{" + c.String() + "}" }

// Error gives err its kind. An error that has one stays what it is.
func (c *Client) Error(err error) error { return Error(c.server.dialect.Name, err) }

var _ gowebdav.HTTPClient = (*login)(nil)
