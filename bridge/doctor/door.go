package doctor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// statusMoved sends a phone to another server. See [MS-ASHTTP] "HTTP Error 451".
const statusMoved = 451

// An answer is what came of a request.
type answer struct {
	status int
	header http.Header
	text   string // the beginning of the body
	err    error
}

// html tells whether a web server's own page came, and not an answer of ours.
func (a answer) html() bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || strings.Contains(strings.ToLower(a.text), "<html")
}

// ask sends a request to the address of ActiveSync.
func (v *visit) ask(ctx context.Context, method, query string, body []byte, auth bool, header http.Header) answer {
	r, err := v.request(ctx, method, query, body, auth, header)
	if err != nil {
		return answer{err: err}
	}
	return v.answered(r)
}

// answered sends a request.
func (v *visit) answered(r *http.Request) answer {
	resp, err := v.http.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 2048)) // what is there has to do
	return answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
}

// request is one to the address of ActiveSync.
func (v *visit) request(ctx context.Context, method, query string, body []byte, auth bool, header http.Header) (*http.Request, error) {
	u := *v.target
	if u.Path == "" || u.Path == "/" {
		u.Path = easclient.Path
	}
	u.RawQuery = query
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", v.client.UserAgent)
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/vnd.ms-sync.wbxml")
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if auth {
		r.SetBasicAuth(v.User, v.Password)
	}
	return r, nil
}

// webServer says what an answer means that is not pushbridge's, or that
// pushbridge gives when something behind it is wrong; nil if it is neither.
func webServer(step string, a answer) *Finding {
	f := &Finding{Step: step, Verdict: Failed}
	said := fmt.Sprintf("the answer is %d %s", a.status, http.StatusText(a.status))
	switch {
	case a.err != nil:
		f.Code, f.Text, f.Remedy = "no-answer", "no answer came: "+a.err.Error(), "look at the web server's error log"
	case a.status == http.StatusServiceUnavailable && strings.Contains(a.text, "too many wrong passwords"):
		f.Code, f.Text = "throttled", "pushbridge passes no more wrong passwords on for a while"
		f.Remedy = "wait for some minutes, and find the phone that has an old password: the log names it"
	case a.status == http.StatusServiceUnavailable && a.html():
		f.Code, f.Text = "limits", said+", by the web server itself: it limits requests or connections"
		f.Remedy = "nginx: raise limit_req and limit_conn for this location, as nginx.conf.example has them (burst=200, 16 connections), or take them out"
	case a.status == http.StatusServiceUnavailable:
		f.Code, f.Text = "backend-away", said+": pushbridge runs, and the server behind it does not answer"
		f.Remedy = "pushbridge doctor --config FILE on the server says which one; is it running, and is its url right?"
	case a.status == http.StatusBadGateway:
		f.Code, f.Text = "bad-gateway", said+": the web server cannot reach pushbridge"
		f.Remedy = "does \"pushbridge serve\" run, is the socket's path the same in both files, and may the web server's user open it (listen = \"unix:...?group=www-data\")? The web server's error log says which"
	case a.status == http.StatusGatewayTimeout:
		f.Code, f.Text, f.Remedy = "timeout", said+": the web server gave up waiting", "nginx: fastcgi_read_timeout 3660s; as in nginx.conf.example"
	case a.status == http.StatusRequestEntityTooLarge:
		f.Code, f.Text, f.Remedy = "body-limit", said, "nginx: client_max_body_size 36m; as in nginx.conf.example"
	case a.status == statusMoved:
		f.Code, f.Text = "moved", said+": this account is on another server"
		if to := a.header.Get("X-MS-Location"); to != "" {
			f.Text += ", " + to
		}
		f.Remedy = "ask that server, as phones do; the table [redirect] of pushbridge's configuration says who is where"
	case a.status >= 300 && a.status < 400:
		f.Code, f.Text = "redirect", said+" to "+a.header.Get("Location")+", which phones do not follow"
		f.Remedy = "have phones use that address, or take the redirect away from /Microsoft-Server-ActiveSync"
	case a.status == http.StatusBadRequest && strings.Contains(a.text, "HTTPS"):
		f.Code, f.Text, f.Remedy = "wants-tls", "the web server wants TLS at this port", "write https://"
	case a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed, a.html() && a.status < 400:
		f.Code, f.Text = "wrong-place", said+": the web server looks among its own files, or another program answers"
		f.Remedy = "include nginx.conf.example in the server block of this very name; a location of another program may be in the way"
	case a.status == http.StatusForbidden && strings.HasPrefix(a.text, "device:"):
		f.Code, f.Text, f.Remedy = "refused", "pushbridge keeps this phone out: "+strings.TrimSpace(a.text), "pushbridge admin devices says which it is; admin allow, or admin forget, lets it in"
	case a.status == http.StatusForbidden:
		f.Code, f.Text, f.Remedy = "forbidden", said, "the web server has a rule (allow, deny, a firewall for the web) against this address or this computer"
	case a.status >= 500:
		f.Code, f.Text, f.Remedy = "server-error", said, "look at the logs of the web server and of pushbridge (journalctl -u pushbridge)"
	default:
		return nil
	}
	return f
}

// door knocks without a password.
func (v *visit) door(ctx context.Context) bool {
	const step = "web server"
	asked := v.Now()
	a := v.ask(ctx, http.MethodOptions, "", nil, false, nil)
	if f := webServer(step, a); f != nil {
		v.add(*f)
		v.clock(a, asked)
		return false
	}
	realm := a.header.Get("WWW-Authenticate")
	switch {
	case a.status != http.StatusUnauthorized:
		v.fail(step, "wrong-place", fmt.Sprintf("the answer is %d where a password should be asked for", a.status), "another program answers at this address: include nginx.conf.example in the server block of this name")
		return false
	case a.html() && strings.Contains(realm, `"pushbridge"`):
		v.fail(step, "errors-replaced", "the web server replaces pushbridge's answers by pages of its own where they are not 200, and phones need them as they are",
			"nginx: fastcgi_intercept_errors off; and no error_page in the locations of pushbridge, as nginx.conf.example has them")
		return false
	case !strings.HasPrefix(strings.ToLower(realm), "basic"), a.html():
		v.fail(step, "foreign-login", fmt.Sprintf("the web server asks for a password of its own (%s)", realm), "nginx: auth_basic off; in the locations of pushbridge, as nginx.conf.example has it")
		return false
	}
	v.ok(step, "it asks for a password")
	v.clock(a, asked)
	return true
}

// clock compares the server's with ours.
func (v *visit) clock(a answer, asked time.Time) {
	at, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return // an answer without a date says nothing of the clock
	}
	skew := at.Sub(asked).Round(time.Second)
	if skew.Abs() > maxSkew {
		v.fail("clock", "clock", fmt.Sprintf("the server's clock and this computer's differ by %v", skew.Abs()), "set both by NTP (timedatectl set-ntp true): certificates and times of meetings depend on it")
		return
	}
	v.ok("clock", "the server's and this computer's agree")
}

// login asks with the password.
func (v *visit) login(ctx context.Context) bool {
	const step = "login"
	a := v.ask(ctx, http.MethodOptions, "", nil, true, nil)
	if a.status == http.StatusUnauthorized {
		switch {
		case strings.Contains(a.text, eas.TextNoLogin):
			v.fail(step, "no-authorization", "pushbridge is not given the password: the web server keeps the Authorization header to itself",
				"nginx: fastcgi_param HTTP_AUTHORIZATION $http_authorization if_not_empty; (a location with fastcgi_param lines of its own inherits none); Apache: CGIPassAuth On")
		case strings.Contains(a.text, eas.TextWrongLogin):
			v.fail(step, "password", "the user name or the password is wrong, says the server behind pushbridge",
				"use the ones of your contacts and calendars (Nextcloud with two factors: an app password); the table [login] says what becomes of names such as ann@example.org")
		default:
			v.fail(step, "password", "the user name or the password is wrong, or the web server keeps the Authorization header to itself", "try the same at the CalDAV server; nginx: fastcgi_param HTTP_AUTHORIZATION $http_authorization if_not_empty;")
		}
		return false
	}
	if f := webServer(step, a); f != nil {
		v.add(*f)
		return false
	}
	o, err := v.client.Options(ctx)
	if err != nil || o.Best() == 0 {
		v.fail(step, "no-activesync", "what answers announces no version of ActiveSync", "another program answers at this address: include nginx.conf.example in the server block of this name")
		return false
	}
	v.client.Version = o.Best()
	v.ok(step, "%s is let in; versions up to %s", v.User, o.Best())
	return true
}

// headers finds out whether the protocol's own ones get through: a version
// that nobody knows has to be refused.
func (v *visit) headers(ctx context.Context) bool {
	a := v.ask(ctx, http.MethodPost, v.query(eas.CmdFolderSync), nil, true, http.Header{"Ms-Asprotocolversion": {"99.9"}})
	if f := webServer("headers", a); f != nil && f.Code != "server-error" {
		v.add(*f)
		return false
	}
	if a.status != http.StatusHTTPVersionNotSupported {
		v.fail("headers", "headers", "the header MS-ASProtocolVersion does not reach pushbridge", "nginx: use nginx.conf.example as it is; it lists each header that is passed on (fastcgi_param HTTP_MS_ASPROTOCOLVERSION ...)")
		return true
	}
	v.ok("headers", "those of the protocol get through")
	return true
}

func (v *visit) query(c eas.Command) string {
	q, err := eas.Query{Command: c, User: v.User, DeviceID: v.client.DeviceID, DeviceType: v.client.DeviceType}.Encode()
	if err != nil {
		panic("doctor: " + err.Error()) // the plain form takes any text
	}
	return q
}

// bodySizes are what is sent to see whether it gets through, in bytes: more
// than nginx lets pass by default, and a batch of contacts with pictures.
var bodySizes = []int{2 << 20, 12 << 20}

// sizes sends long bodies that mean nothing.
func (v *visit) sizes(ctx context.Context) bool {
	for _, size := range bodySizes {
		body := make([]byte, size) // no WBXML, which pushbridge says when it has all of it
		a := v.ask(ctx, http.MethodPost, v.query(eas.CmdGetItemEstimate), body, true, nil)
		if a.status != http.StatusRequestEntityTooLarge && a.err == nil {
			if f := webServer("long bodies", a); f != nil {
				v.add(*f)
				return true
			}
			continue
		}
		v.fail("long bodies", "body-limit", fmt.Sprintf("a request of %d MB is refused, and phones send pictures", size>>20), "nginx: client_max_body_size 36m; in pushbridge's location, as nginx.conf.example has it; other proxies have limits of their own")
		return true
	}
	v.ok("long bodies", "%d MB get through", bodySizes[len(bodySizes)-1]>>20)
	return true
}

// crowdSize is how many requests a phone, or a family behind one address, may
// well have under way.
const crowdSize = 12

// crowd asks several things at a time.
func (v *visit) crowd(ctx context.Context) bool {
	answers := make([]answer, crowdSize)
	var asking sync.WaitGroup
	for i := range answers {
		asking.Go(func() { answers[i] = v.ask(ctx, http.MethodOptions, "", nil, true, nil) })
	}
	asking.Wait()
	for _, a := range answers {
		if a.status == http.StatusTooManyRequests {
			a.status, a.text = http.StatusServiceUnavailable, "<html"
		}
		if f := webServer("limits", a); f != nil {
			f.Text = fmt.Sprintf("of %d requests at a time one was refused: %s", crowdSize, f.Text)
			v.add(*f)
			return true
		}
	}
	v.ok("limits", "%d requests at a time are served", crowdSize)
	return true
}
