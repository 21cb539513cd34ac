package doctor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/doctor"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// hook is one that the house has.
var hook = config.Hook{Name: "cal", Kind: "generic", Secret: "a secret of some length"}

// houses are what nginx has behind it, by name: addresses of FastCGI servers.
func houses(t *testing.T) map[string]string {
	well := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Hooks, o.Config.WebDAVPush = []config.Hook{hook}, "https://mail.example.org"
	}}).Bridge.Handler()
	empty := bridgetest.Start(t, bridgetest.Options{})
	for _, c := range []backend.CollectionID{"contacts", "calendar", "tasks", "notes"} {
		empty.Backend.RemoveCollection(bridgetest.User, c)
	}
	throttled := bridgetest.Start(t, bridgetest.Options{}).Bridge.Handler()
	for i := range 11 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, bridge.ActiveSyncPath, nil)
		r.SetBasicAuth(bridgetest.User, fmt.Sprint("wrong ", i))
		throttled.ServeHTTP(httptest.NewRecorder(), r)
	}
	moved := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Redirects = account.Redirects{{Pattern: "*", To: "https://mail.example.net"}}
	}}).Bridge.Handler()
	// instead answers a command otherwise than the house.
	instead := func(command eas.Command, answer http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("Cmd") == string(command) && r.Header.Get("MS-ASProtocolVersion") != "99.9" {
				answer(w, r)
				return
			}
			well.ServeHTTP(w, r)
		})
	}
	status := func(s eas.PingStatus) http.HandlerFunc {
		doc, err := eas.Marshal(&eas.PingResponse{Status: s, Folders: []string{"1"}}, eas.V161)
		if err != nil {
			t.Fatal(err)
		}
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/vnd.ms-sync.wbxml")
			w.Write(doc)
		}
	}
	// guarded asks for a password, and then answers something.
	guarded := func(inside http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, _, ok := r.BasicAuth(); ok {
				inside(w, r)
				return
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="somewhere"`)
			w.WriteHeader(http.StatusUnauthorized)
		})
	}
	all := map[string]http.Handler{
		"": well, "empty": empty.Bridge.Handler(), "throttled": throttled, "moved": moved,
		"down": guarded(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusServiceUnavailable)
		}),
		"out of order": guarded(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
		"another's":    guarded(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }),
		"deaf": guarded(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="somewhere"`)
			w.WriteHeader(http.StatusUnauthorized)
		}),
		"garbled": instead(eas.CmdFolderSync, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("no WBXML")) }),
		"blocked": instead(eas.CmdFolderSync, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintln(w, device.ErrBlocked)
		}),
		"restless": instead(eas.CmdPing, status(eas.PingChanges)),
		"failing":  instead(eas.CmdPing, status(eas.PingServerError)),
	}
	at := make(map[string]string)
	for name, h := range all {
		at[name] = fcgitest.Serve(t, h)
	}
	return at
}

// front is another server of nginx's before the one under test, which it reaches
// from an address of its own.
const front = `server { server_name mail.example.org; listen 127.0.0.1:{port} ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem; client_max_body_size 20m;
	location / { proxy_pass https://127.0.0.1:{port}; proxy_bind 127.0.0.9; proxy_read_timeout 1h; proxy_buffering %s; proxy_set_header X-Forwarded-For $remote_addr; } }`

// oddVisits are what goes wrong more seldom.
var oddVisits = []visited{
	{name: "TLS that does not come about", nginx: fcgitest.NginxOptions{TLS: true, HTTP: "server { server_name mail.example.org; listen 127.0.0.1:{port} ssl; ssl_reject_handshake on; }"},
		code: "tls-handshake", remedy: "error log"},
	{name: "a certificate of tomorrow", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) {
		o.Now = func() time.Time { return time.Now().AddDate(0, 0, -2) }
	}, code: "certificate-early", remedy: "clocks"},
	{name: "the server hangs up", nginx: fcgitest.NginxOptions{TLS: true, Server: "location ~ ^/Microsoft { return 444; }"},
		conf: []string{"= /Microsoft-Server-ActiveSync", "= /elsewhere"}, code: "no-answer", remedy: "error log"},
	{name: "answers are replaced by pages", nginx: fcgitest.NginxOptions{TLS: true, Server: "error_page 401 /sorry.html; location = /sorry.html { default_type text/html; return 200 '<html>sorry</html>'; }"},
		conf: []string{"fastcgi_intercept_errors off", "fastcgi_intercept_errors on"}, code: "errors-replaced", remedy: "fastcgi_intercept_errors off"},
	{name: "too many wrong passwords", behind: "throttled", nginx: fcgitest.NginxOptions{TLS: true}, code: "throttled", remedy: "old password"},
	{name: "an account that is elsewhere", behind: "moved", nginx: fcgitest.NginxOptions{TLS: true}, code: "moved", remedy: "[redirect]"},
	{name: "something is out of order", behind: "out of order", nginx: fcgitest.NginxOptions{TLS: true}, code: "server-error", remedy: "journalctl"},
	{name: "another program asks for passwords", behind: "deaf", nginx: fcgitest.NginxOptions{TLS: true}, code: "password", remedy: "try the same at the CalDAV server"},
	{name: "another program lets people in", behind: "another's", nginx: fcgitest.NginxOptions{TLS: true}, code: "no-activesync", remedy: "nginx.conf.example"},
	{name: "no mail address", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) { o.Email = "" }, code: "autodiscover-email", remedy: "--email"},
	{name: "nobody has made an address book", behind: "empty", nginx: fcgitest.NginxOptions{TLS: true}, code: "nothing-there", remedy: "create them"},
	{name: "answers that mean nothing", behind: "garbled", nginx: fcgitest.NginxOptions{TLS: true}, code: "refused", remedy: "journalctl"},
	{name: "a phone that is kept out", behind: "blocked", nginx: fcgitest.NginxOptions{TLS: true}, code: "refused", remedy: "admin allow"},
	{name: "something changes all the time", behind: "restless", nginx: fcgitest.NginxOptions{TLS: true}, code: "busy", remedy: "quiet time"},
	{name: "waiting fails", behind: "failing", nginx: fcgitest.NginxOptions{TLS: true}, code: "ping-status", remedy: "log"},
	{name: "answers are kept until they are whole", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"fastcgi_buffering off", "fastcgi_buffering on"},
		code: "buffering", remedy: "fastcgi_buffering off"},
	{name: "another proxy before nginx", nginx: fcgitest.NginxOptions{TLS: true, HTTP: fmt.Sprintf(front, "off")}, code: "address-hidden", remedy: "set_real_ip_from"},
	{name: "another proxy that nginx knows", nginx: fcgitest.NginxOptions{TLS: true, HTTP: fmt.Sprintf(front, "off"), Server: "set_real_ip_from 127.0.0.9; real_ip_header X-Forwarded-For;"}},
	{name: "another proxy that keeps answers", nginx: fcgitest.NginxOptions{TLS: true, HTTP: fmt.Sprintf(front, "on"), Server: "set_real_ip_from 127.0.0.9; real_ip_header X-Forwarded-For;"},
		code: "buffering", remedy: "nginx.conf.example"},
	{name: "nobody says where phones are", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"fastcgi_param REMOTE_ADDR ", "#"}, code: "address-unknown", remedy: "REMOTE_ADDR"},
	{name: "hooks and pushes", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) { o.Events = told }},
	{name: "no location for hooks", nginx: fcgitest.NginxOptions{TLS: true}, conf: []string{"location /hooks/", "location /elsewhere/"}, edit: func(o *doctor.Options) { o.Events = told },
		code: "hooks-unreachable", remedy: "third location"},
	{name: "a hook of another configuration", nginx: fcgitest.NginxOptions{TLS: true}, edit: func(o *doctor.Options) {
		o.Events = doctor.Events{Hooks: []doctor.Hook{{Name: "unknown"}}}
	}, code: "hooks-unreachable", remedy: "another worker"},
}

// told is who tells the house of changes.
var told = doctor.Events{Hooks: []doctor.Hook{{Name: hook.Name, Kind: hook.Kind}}, Push: "https://mail.example.org"}

// A phone that is told of something while it waits looks, and waits again.
func TestVisitWhileFoldersChange(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	pings := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "Cmd=Ping") {
			if pings++; pings == 1 {
				h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "more", Kind: backend.Contacts, Name: "More"})
			}
		}
		h.Bridge.Handler().ServeHTTP(w, r)
	}))
	defer s.Close()
	r, err := doctor.Visit(t.Context(), doctor.Options{URL: s.URL, User: bridgetest.User, Password: bridgetest.Password, Wait: time.Second, Resolver: everywhere})
	if err != nil {
		t.Fatal(err)
	}
	if pings < 2 {
		t.Errorf("the phone waited %d times, want it to wait again", pings)
	}
	for _, f := range r {
		if f.Verdict == doctor.Failed {
			t.Errorf("the doctor finds %+v", f)
		}
	}
}
