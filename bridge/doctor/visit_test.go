package doctor_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/doctor"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// names is a DNS of our own.
type names struct {
	hosts []string
	srv   string
}

func (n names) LookupHost(_ context.Context, host string) ([]string, error) {
	if slices.Contains(n.hosts, host) {
		return []string{"127.0.0.1"}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (n names) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	if n.srv == "" {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return name, []*net.SRV{{Target: n.srv, Port: 443}}, nil
}

// local leads every name to this computer.
func local(ctx context.Context, network, addr string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
}

// broken is the nginx.conf.example after replacements, old and new in turn.
func broken(t *testing.T, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile("../../nginx.conf.example")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !bytes.Contains(text, []byte(pairs[i])) {
			t.Fatalf("nginx.conf.example lacks %q", pairs[i])
		}
		text = bytes.ReplaceAll(text, []byte(pairs[i]), []byte(pairs[i+1]))
	}
	path := filepath.Join(t.TempDir(), "broken.conf")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A visited is a server in a state that the doctor has to recognize.
type visited struct {
	name   string
	nginx  fcgitest.NginxOptions
	conf   []string // replacements in nginx.conf.example
	behind string   // which of the houses; "" means one where all is well
	edit   func(*doctor.Options)
	code   string // "" means that nothing is to be found
	remedy string
}

// mail is what phones ask for; everywhere it is found.
var everywhere = names{hosts: []string{"mail.example.org", "autodiscover.example.org"}}

func TestVisitThroughNginx(t *testing.T) {
	houses := houses(t)
	for _, tt := range slices.Concat(visits, oddVisits) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opt := tt.nginx
			if opt.Addr == "" {
				opt.Addr = houses[tt.behind]
			}
			if opt.Addr == "" {
				t.Fatalf("there is no house %q", tt.behind)
			}
			if opt.Name == "" {
				opt.Name = "mail.example.org autodiscover.example.org"
			}
			if tt.conf != nil {
				opt.Conf = broken(t, tt.conf...)
			}
			n := fcgitest.StartNginx(t, opt)
			o := doctor.Options{URL: strings.Replace(n.URL, "127.0.0.1", "mail.example.org", 1), User: bridgetest.User, Password: bridgetest.Password,
				Email: "ann@example.org", Wait: 100 * time.Millisecond, Resolver: everywhere, Dial: local, Roots: n.Roots}
			if tt.edit != nil {
				tt.edit(&o)
			}
			r, err := doctor.Visit(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			hold(t, r, tt.code, tt.remedy)
		})
	}
}

// visits are what goes wrong most.
var visits = []visited{
	{name: "nothing is wrong", nginx: fcgitest.NginxOptions{TLS: true}},
	{name: "HTTP/2", nginx: fcgitest.NginxOptions{TLS: true, HTTP2: true}, code: "http2", remedy: "http2"},
	{name: "plain HTTP", code: "no-tls", remedy: "https://"},
	{name: "an unknown name", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) { o.Resolver = names{} }, code: "name-unknown", remedy: "DNS"},
	{name: "Authorization is not passed", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"fastcgi_param HTTP_AUTHORIZATION ", "#"},
		code: "no-authorization", remedy: "HTTP_AUTHORIZATION"},
	{name: "a wrong password", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) { o.Password = "wrong" }, code: "password", remedy: "app password"},
	{name: "bodies are limited", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"client_max_body_size 36m", "client_max_body_size 1m"},
		code: "body-limit", remedy: "client_max_body_size 36m"},
	{name: "waiting is cut", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"fastcgi_read_timeout 3660s", "fastcgi_read_timeout 1s"},
		edit: func(o *doctor.Options) { o.Wait = time.Minute }, code: "timeout", remedy: "fastcgi_read_timeout 3660s"},
	{name: "the location is missing", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"= /Microsoft-Server-ActiveSync", "= /elsewhere"},
		code: "wrong-place", remedy: "nginx.conf.example"},
	{name: "a page of another program", nginx: fcgitest.NginxOptions{TLS: true, Server: "location ~ ^/Microsoft { default_type text/html; return 200 '<html>hello</html>'; }"},
		conf: []string{"= /Microsoft-Server-ActiveSync", "= /elsewhere"}, code: "wrong-place", remedy: "nginx.conf.example"},
	{name: "a redirect", nginx: fcgitest.NginxOptions{TLS: true, Server: "location ~ ^/Microsoft { return 301 https://other.example.org$request_uri; }"},
		conf: []string{"= /Microsoft-Server-ActiveSync", "= /elsewhere"}, code: "redirect", remedy: "that address"},
	{name: "a rule against this computer", nginx: fcgitest.NginxOptions{TLS: true, Server: "deny all;"}, code: "forbidden", remedy: "allow, deny"},
	{name: "a password of the web server's own", nginx: fcgitest.NginxOptions{TLS: true, Server: "auth_basic here; auth_basic_user_file /dev/null;"},
		conf: []string{"auth_basic off;", ""}, code: "foreign-login", remedy: "auth_basic off"},
	{name: "nothing behind the socket", nginx: fcgitest.NginxOptions{TLS: true, Addr: "unix:/nonexistent/s"}, code: "bad-gateway", remedy: "pushbridge serve"},
	{name: "the backend is away", behind: "down", nginx: fcgitest.NginxOptions{TLS: true}, code: "backend-away", remedy: "doctor --config"},
	{name: "the protocol's header is lost", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"fastcgi_param HTTP_MS_ASPROTOCOLVERSION", "#"},
		code: "headers", remedy: "HTTP_MS_ASPROTOCOLVERSION"},
	{name: "requests are limited", nginx: fcgitest.NginxOptions{TLS: true, HTTP: "limit_req_zone $binary_remote_addr zone=few:1m rate=1r/s;"},
		conf: []string{"auth_basic off;", "auth_basic off; limit_req zone=few burst=8 nodelay;"}, code: "limits", remedy: "limit_req"},
	{name: "another clock", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) {
		o.Now = func() time.Time { return time.Now().Add(10 * time.Minute) }
	}, code: "clock", remedy: "NTP"},
	{name: "a certificate that has expired", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) {
		o.Now = func() time.Time { return time.Now().AddDate(0, 4, 0) }
	}, code: "certificate-expired", remedy: "renew"},
	{name: "a certificate of another name", nginx: fcgitest.NginxOptions{TLS: true, Name: "www.example.org"}, code: "certificate-name", remedy: "mail.example.org"},
	{name: "a certificate signed by itself", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) { o.Roots = nil }, code: "certificate-self-signed", remedy: "Let's Encrypt"},
	{name: "no Autodiscover", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) { o.Resolver = names{hosts: everywhere.hosts[:1]} },
		code: "autodiscover-missing", remedy: "_autodiscover._tcp.example.org. SRV 0 0 443 mail.example.org."},
	{name: "an SRV record alone", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) {
		o.Resolver = names{hosts: everywhere.hosts[:1], srv: "mail.example.org."}
	}, code: "autodiscover-srv", remedy: "CNAME"},
	{name: "no location for Autodiscover", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"^/autodiscover/", "^/elsewhere/"}, code: "autodiscover-here", remedy: "second location"},
	{name: "https:// where there is no TLS", edit: func(o *doctor.Options) { o.URL = strings.Replace(o.URL, "http://", "https://", 1) }, code: "tls-none", remedy: "443 ssl"},
	{name: "http:// where there is TLS", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) { o.URL = strings.Replace(o.URL, "https://", "http://", 1) }, code: "wants-tls", remedy: "https://"},
}

// hold fails unless a report has the finding, or none if code is empty.
func hold(t *testing.T, r doctor.Report, code, remedy string) {
	t.Helper()
	var said strings.Builder
	for _, f := range r {
		f.Line(&said)
	}
	if code == "" {
		if len(r.Codes()) > 0 || len(r) == 0 {
			t.Errorf("the doctor finds something where nothing is wrong:\n%s", &said)
		}
		return
	}
	i := slices.IndexFunc(r, func(f doctor.Finding) bool { return f.Code == code })
	if i < 0 {
		t.Fatalf("the doctor does not find %s:\n%s", code, &said)
	}
	if !strings.Contains(r[i].Remedy, remedy) {
		t.Errorf("the remedy of %s is %q, want %q in it", code, r[i].Remedy, remedy)
	}
	for _, f := range r {
		if f.Verdict == doctor.Failed && f.Code != code {
			t.Errorf("beside %s the doctor finds what is not wrong:\n%s", code, &said)
		}
	}
	if strings.Contains(said.String(), bridgetest.Password) {
		t.Errorf("the password stands in\n%s", &said)
	}
}

// A backend that is away is told from a wrong password behind the whole house.
func TestVisitBackendAway(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Backend.Fail(memory.Failure{Op: memory.OpOpen, Err: &backend.Error{Kind: backend.Transient, Err: errors.New("away")}})
	r, err := doctor.Visit(t.Context(), doctor.Options{URL: h.URL, User: bridgetest.User, Password: bridgetest.Password, Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	hold(t, r, "backend-away", "doctor --config")
}
