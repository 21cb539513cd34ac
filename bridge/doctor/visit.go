package doctor

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

const (
	// DefaultWait is how long the doctor lets a phone wait: the heartbeat that
	// most phones begin with.
	DefaultWait = 8 * time.Minute

	// QuickWait is just longer than what web servers cut off after by default,
	// 60 seconds.
	QuickWait = 65 * time.Second

	// stepTime bounds a step that does not wait on purpose.
	stepTime = 40 * time.Second

	// maxSkew is how wrong a clock may be before certificates and meetings
	// suffer.
	maxSkew = 2 * time.Minute

	// expirySoon is when the end of a certificate is worth a word.
	expirySoon = 14 * 24 * time.Hour
)

// A Resolver finds names. *net.Resolver is one.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Options say which server to visit, and as whom.
type Options struct {
	URL      string // "https://mail.example.org"; required
	User     string
	Password string
	Email    string        // for Autodiscover; "" means User if it is an address
	Wait     time.Duration // how long a phone has to be allowed to wait; 0 means DefaultWait
	Insecure bool          // go on, with the password, where the certificate is wrong
	Events   Events        // whose word of changes has to get through, where that is known

	Resolver Resolver                                                          // nil means the system's
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil means a net.Dialer's
	Roots    *x509.CertPool                                                    // nil means the system's
	Now      func() time.Time                                                  // nil means time.Now
	Tell     func(Finding)                                                     // shown each finding as it comes; may be nil
}

// A visit is one way through the steps.
type visit struct {
	Options
	notes
	target *url.URL
	http   *http.Client
	client *easclient.Client
	phone  *phone.Phone // once it holds something
}

// Visit plays a phone until it cannot go on.
func Visit(ctx context.Context, o Options) (Report, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("doctor: %q is not the address of a server, as https://mail.example.org is", o.URL)
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == 0 {
		o.Wait = DefaultWait
	}
	v := &visit{Options: o, notes: notes{tell: o.Tell}, target: u}
	v.http = v.newHTTP()
	v.client = &easclient.Client{
		URL: o.URL, User: o.User, Password: o.Password, DeviceID: deviceID(o), DeviceType: "pushbridge", UserAgent: "pushbridge-doctor", HTTP: v.http,
	}
	for _, step := range []struct {
		limit time.Duration
		run   func(*visit, context.Context) bool
	}{
		{stepTime, (*visit).name}, {stepTime, (*visit).connect}, {stepTime, (*visit).certificate}, {stepTime, (*visit).door},
		{stepTime, (*visit).login}, {stepTime, (*visit).headers}, {2 * stepTime, (*visit).sizes}, {stepTime, (*visit).crowd}, {stepTime, (*visit).stream},
		{stepTime, (*visit).reached},
		{2 * stepTime, (*visit).autodiscover}, {2 * stepTime, (*visit).data}, {o.Wait + stepTime, (*visit).wait},
	} {
		limited, cancel := context.WithTimeout(ctx, step.limit)
		goOn := step.run(v, limited)
		cancel()
		if ctx.Err() != nil {
			return v.report, context.Cause(ctx)
		}
		if !goOn {
			break
		}
	}
	return v.report, nil
}

// newHTTP speaks HTTP/1.1, as phones do, and follows nothing, as phones do not.
func (v *visit) newHTTP() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: v.Dial, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: v.Roots, InsecureSkipVerify: v.Insecure, Time: v.Now},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// address is the server's host and port.
func (v *visit) address() (host, addr string) {
	host, port := v.target.Hostname(), v.target.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[v.target.Scheme]
	}
	return host, net.JoinHostPort(host, port)
}

// deviceID is the same for every visit as the same person, so that the register
// of phones has one doctor.
func deviceID(o Options) string {
	sum := sha256.Sum256([]byte(o.User + "\x00" + o.URL))
	return "DOCTOR" + strings.ToUpper(hex.EncodeToString(sum[:12]))
}
