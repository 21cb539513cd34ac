package webdav

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxRedirects bounds how often one request is sent on. A .well-known path
// needs one, a missing slash another.
const maxRedirects = 5

// errSlow is why a request ends whose server keeps still.
var errSlow = errors.New("the server did not answer in time")

// A login is how requests of one person are sent.
type login struct {
	server *Server
	creds  backend.Credentials
}

// String hides the password.
func (c *login) String() string { return c.creds.String() }

// GoString hides the password from %#v, too.
func (c *login) GoString() string { return c.String() }

// Do sends a request to the server with the person's password, and follows
// redirects inside the server's origin with method and body unchanged. An
// answer that is not 2xx is a *dav.StatusError. The time limit of the server's
// settings covers the wait for the answer and each wait for more of it.
//
// Do is what makes a login a gowebdav.HTTPClient.
func (c *login) Do(req *http.Request) (*http.Response, error) {
	if !sameOrigin(req.URL, c.server.root) {
		return nil, fmt.Errorf("%s: %s is not on %s", c.server.dialect.Name, req.URL.Redacted(), c.server.root.Host)
	}
	ctx := req.Context()
	for range maxRedirects {
		resp, err := c.send(req)
		if err != nil {
			return nil, dav.Ended(ctx, err)
		}
		if resp.StatusCode/100 == 2 {
			return resp, nil
		}
		next := resp.Header.Get("Location")
		refused := dav.Refusal(resp)
		if !isRedirect(resp.StatusCode) || next == "" {
			if resp.StatusCode == http.StatusUnauthorized && !offersBasic(resp.Header) {
				refused.Why = "the server wants a way to log in other than Basic"
			}
			return nil, refused
		}
		to, err := req.URL.Parse(next)
		if err != nil || !sameOrigin(to, c.server.root) {
			// The password is for the configured server and for no other,
			// be it the same host without TLS or at another port.
			refused.Why = c.astray(next, to, err)
			return nil, refused
		}
		if req, err = redirected(req, to); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: %s %s: more than %d redirects", c.server.dialect.Name, req.Method, req.URL.Path, maxRedirects)
}

// maxLocation bounds what an error repeats of a redirect's target.
const maxLocation = 200

// astray says where a redirect leads that is not followed, and what to do.
func (c *login) astray(next string, to *url.URL, err error) string {
	root := c.server.root
	if err != nil || to.Host == "" || to.Scheme != "https" && to.Scheme != "http" {
		return fmt.Sprintf("it redirects to %.*q, which is no address", maxLocation, next)
	}
	origin := to.Scheme + "://" + to.Host
	text := fmt.Sprintf("it redirects to %.*s, which is not on the configured server %s://%s", maxLocation, to.Redacted(), root.Scheme, root.Host)
	if to.Scheme == "http" && root.Scheme == "https" {
		return text + "; passwords are not sent without TLS: make the server redirect to https (behind a proxy it has to be told that it is reached by https)"
	}
	return text + fmt.Sprintf("; if that is where people's passwords belong, write url = %.*q", maxLocation, origin+"/")
}

// send sends one request once, when it is its turn.
func (c *login) send(req *http.Request) (*http.Response, error) {
	select {
	case c.server.waiting <- struct{}{}:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	// The slot is held until the answer begins and not until it ends, so that
	// someone who reads one answer may ask the next question meanwhile.
	defer func() { <-c.server.waiting }()

	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(c.server.timeout, func() { cancel(errSlow) })
	req = req.Clone(ctx)
	req.SetBasicAuth(c.creds.User, c.creds.Password)
	req.Header.Set("User-Agent", "pushbridge")
	if c.server.forward && elsewhere(c.creds.Address) {
		req.Header.Set("X-Forwarded-For", c.creds.Address.String())
	}
	if url := c.server.pushes.of(c.creds.User, req); url != "" {
		// What we write ourselves need not come back to us as news.
		req.Header.Set("Push-Dont-Notify", `"`+url+`"`)
	}
	if req.Method == "PROPFIND" || req.Method == "REPORT" {
		// net/http sends these again when an idle connection turns out to be
		// closed; it knows that of GET only. The header itself is not sent.
		req.Header["Idempotency-Key"] = nil
	}
	resp, err := c.server.http.Do(req)
	timer.Stop()
	if err != nil {
		err = because(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &patientBody{
		ReadCloser: resp.Body, ctx: ctx, cancel: cancel, timer: timer, patience: c.server.timeout, left: c.server.timeout,
	}
	return resp, nil
}

// elsewhere tells whether an address says something to another computer. One of
// this computer does not, and might be trusted there with more than it should.
func elsewhere(a netip.Addr) bool {
	return a.IsValid() && !a.IsLoopback() && !a.IsUnspecified() && !a.IsLinkLocalUnicast()
}

// because puts the time limit in the place of the "context canceled" that
// net/http makes of it, leaves out the URL, which the caller adds, and says what
// to do about a certificate that is not trusted.
func because(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errSlow) {
		return &dav.NetworkError{Err: errSlow}
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if remedy := certificateRemedy(err); remedy != "" {
		err = fmt.Errorf("%w; %s", err, remedy)
	}
	return &dav.NetworkError{Err: err}
}

// certificateRemedy says what to do about a certificate that is not trusted;
// empty if that is not what is wrong.
func certificateRemedy(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return `if the server has a certificate of your own authority, write ca_file = "/path/to/that/authority.pem"; else let the server send its whole chain`
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "write url with a name that the server's certificate has"
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason == x509.Expired {
			return "renew the server's certificate, and look whether the clocks are right"
		}
		return "let the server have a certificate that is valid for it"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "the server does not speak TLS at this port: look at url's scheme and port"
	}
	return ""
}

// leastProgress is how many bytes of an answer have to come within the time
// limit, lest a server keeps us for ever with one byte now and then.
const leastProgress = 4 << 10

// patientBody is an answer's body that gives up when the server makes no
// progress in the middle of it. The time that the reader takes does not count.
type patientBody struct {
	io.ReadCloser
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	patience time.Duration
	left     time.Duration // of it, until there has to be progress
	came     int           // bytes since patience was full
	once     sync.Once
}

func (b *patientBody) Read(p []byte) (int, error) {
	began := time.Now()
	b.timer.Reset(b.left)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	b.left = max(0, b.left-time.Since(began))
	if b.came += n; b.came >= leastProgress {
		b.left, b.came = b.patience, 0
	}
	if err != nil && err != io.EOF {
		err = because(b.ctx, err)
	}
	return n, err
}

func (b *patientBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.timer.Stop()
		b.cancel(nil)
	})
	return err
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirected is req, sent elsewhere.
func redirected(req *http.Request, to *url.URL) (*http.Request, error) {
	next := req.Clone(req.Context())
	next.URL, next.Host = to, ""
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		next.Body = body
	} else if req.Body != nil && req.Body != http.NoBody {
		return nil, fmt.Errorf("%s %s is redirected, but its body cannot be sent again", req.Method, req.URL.Path)
	}
	return next, nil
}

// sameOrigin compares scheme, host and port. See RFC 6454, section 5.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

// offersBasic tells whether a 401 invites to the one way of logging in that
// we have. An answer that names none may mean it.
func offersBasic(h http.Header) bool {
	offers := h.Values("WWW-Authenticate")
	if len(offers) == 0 {
		return true
	}
	for _, offer := range offers {
		if strings.Contains(strings.ToLower(offer), "basic") {
			return true
		}
	}
	return false
}
