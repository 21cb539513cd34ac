package imap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// security is how a connection is kept from others.
type security int

const (
	implicitTLS security = iota
	startTLS
	plain
)

// A host is where a server listens.
type host struct {
	address  string
	security security
	tls      *tls.Config
}

// parseHost reads the address of a server. An empty port for TLS from the first
// byte means that the protocol has none.
func parseHost(text, scheme, tlsPort, port string, roots *x509.CertPool) (host, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return host{}, fmt.Errorf("is %q, want something like %q", hidePassword(text), scheme+"://mail.example.org")
	}
	h := host{tls: &tls.Config{ServerName: u.Hostname(), RootCAs: roots, MinVersion: tls.VersionTLS12}}
	switch u.Scheme {
	case scheme + "s":
		if tlsPort == "" {
			return host{}, fmt.Errorf("begins with %s://, which there is not; write %s://, which means STARTTLS", u.Scheme, scheme)
		}
		h.security, port = implicitTLS, tlsPort
	case scheme:
		h.security = startTLS
	case scheme + "+plain":
		h.security = plain
	default:
		return host{}, fmt.Errorf("begins with %q, want %s://, %ss:// or %s+plain://", u.Scheme, scheme, scheme, scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	h.address = net.JoinHostPort(u.Hostname(), port)
	return h, nil
}

// hidePassword leaves out what may be one.
func hidePassword(text string) string {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		return "...@" + text[at+1:]
	}
	return text
}

var errNoCertificates = errors.New("has no certificates in PEM form")

// roots reads certificates to trust; nil means the system's.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s %w", file, errNoCertificates)
	}
	return pool, nil
}

// dial connects, without TLS yet.
func (h host) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	return d.DialContext(ctx, "tcp", h.address)
}

// wrap is TLS on top of a connection if that comes first, else nil.
func (h host) wrap() func(net.Conn) net.Conn {
	if h.security != implicitTLS {
		return nil
	}
	return func(nc net.Conn) net.Conn { return tls.Client(nc, h.tls) }
}

// A pace lets things happen so often in a second, and a second's worth of them
// at once.
type pace struct {
	mu    sync.Mutex
	every time.Duration
	burst time.Duration
	next  time.Time // when the next one would be due if none were saved up
}

func newPace(perSecond int) *pace {
	return &pace{every: time.Second / time.Duration(perSecond), burst: time.Second}
}

// wait waits for its turn.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	if saved := now.Add(-p.burst); p.next.Before(saved) {
		p.next = saved
	}
	p.next = p.next.Add(p.every)
	wait := p.next.Sub(now)
	p.mu.Unlock()
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
