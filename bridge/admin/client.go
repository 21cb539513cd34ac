package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	// MaxAnswer bounds an answer, in bytes: a hundred thousand devices fit.
	MaxAnswer = 64 << 20

	// callTime bounds a call. Status asks backends that may not answer.
	callTime = time.Minute
)

// A Client asks a worker. Every error of its methods that the worker or the
// socket gave is an *Error.
type Client struct {
	socket string // for people: the path, or the URL
	base   string // what the paths of operations follow
	token  string // empty at a socket
	http   *http.Client
}

// String hides the token.
func (c *Client) String() string { return "client of " + c.socket }

// GoString hides it from %#v, too.
func (c *Client) GoString() string { return c.String() }

// NewClient makes a client of the worker that listens on a unix socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, base: "http://pushbridge",
		http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: callTime}}
}

// NewRemoteClient makes a client of a worker over the web, at
// "https://mail.example.org" or "https://mail.example.org/admin", that shows a
// token. A token is not shown without TLS, but to this very computer. Nil
// roots are the system's.
func NewRemoteClient(address, token string, roots *x509.CertPool) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/admin":
		return nil, invalid("%.80q is not where a worker is; write https://mail.example.org", address)
	case u.Scheme == "http" && !IsLoopback(u.Hostname()), u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid("%.80q is not a place to send a token to; write https://%s", address, u.Host)
	case token == "":
		return nil, invalid("the token is empty")
	}
	u.Path = "/admin"
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &Client{socket: u.String(), base: u.String() + "/api", token: token,
		http: &http.Client{Transport: transport, Timeout: callTime, CheckRedirect: refuse}}, nil
}

// IsLoopback tells whether a host is this very computer.
func IsLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Status asks how the worker is.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.get(ctx, OpStatus.Path, nil, &s)
}

// Devices lists the phones of a user, or all if user is empty: users in the
// order of their names, the phone last seen first.
func (c *Client) Devices(ctx context.Context, user string) (list []Device, err error) {
	return list, c.get(ctx, OpDevices.Path, url.Values{"user": {user}}, &list)
}

// Folders lists the folders of a user with what each phone has of them, or
// only one phone.
func (c *Client) Folders(ctx context.Context, user, device string) (list []Folder, err error) {
	return list, c.get(ctx, OpFolders.Path, url.Values{"user": {user}, "device": {device}}, &list)
}

// Holds lists the deletions that are held up, the oldest first.
func (c *Client) Holds(ctx context.Context) (list []Hold, err error) {
	return list, c.get(ctx, OpHolds.Path, nil, &list)
}

// Release lets those of a folder pass.
func (c *Client) Release(ctx context.Context, r ReleaseRequest) (d Done, err error) {
	return d, c.post(ctx, OpRelease.Path, r, &d)
}

// Resync makes a phone load a folder anew, or all of them.
func (c *Client) Resync(ctx context.Context, r ResyncRequest) (d Done, err error) {
	return d, c.post(ctx, OpResync.Path, r, &d)
}

// Problems lists the objects of a user that cannot be shown, or all.
func (c *Client) Problems(ctx context.Context, user string) (list []Problem, err error) {
	return list, c.get(ctx, OpProblems.Path, url.Values{"user": {user}}, &list)
}

// Forget drops what is known of a phone.
func (c *Client) Forget(ctx context.Context, r ForgetRequest) (d Done, err error) {
	return d, c.post(ctx, OpForget.Path, r, &d)
}

// Heartbeat tells how long a phone's waits live, network by network.
func (c *Client) Heartbeat(ctx context.Context, user, device string) (h Heartbeat, err error) {
	return h, c.get(ctx, OpHeartbeat.Path, url.Values{"user": {user}, "device": {device}}, &h)
}

// Push tells what may wake a phone.
func (c *Client) Push(ctx context.Context, user, device string) (p Push, err error) {
	return p, c.get(ctx, OpPush.Path, url.Values{"user": {user}, "device": {device}}, &p)
}

// SetPush says what may wake a phone.
func (c *Client) SetPush(ctx context.Context, r PushRequest) (p Push, err error) {
	return p, c.post(ctx, OpSetPush.Path, r, &p)
}

// Wipe has a phone erased, or takes that back.
func (c *Client) Wipe(ctx context.Context, r WipeRequest) (d Done, err error) {
	return d, c.post(ctx, OpWipe.Path, r, &d)
}

// Block keeps a phone out until it is allowed.
func (c *Client) Block(ctx context.Context, r AdmissionRequest) (d Done, err error) {
	return d, c.post(ctx, OpBlock.Path, r, &d)
}

// Allow lets a phone in that was blocked.
func (c *Client) Allow(ctx context.Context, r AdmissionRequest) (d Done, err error) {
	return d, c.post(ctx, OpAllow.Path, r, &d)
}

// Policy asks what is asked of phones.
func (c *Client) Policy(ctx context.Context) (p Policy, err error) {
	return p, c.get(ctx, OpPolicy.Path, nil, &p)
}

// Ask has a worker do it, and answers what it said.
func (o Op[Q, A]) Ask(ctx context.Context, c *Client, request Q) (answer A, err error) {
	if o.Method != http.MethodGet {
		return answer, c.post(ctx, o.Path, request, &answer)
	}
	text, err := json.Marshal(request)
	if err != nil {
		return answer, fmt.Errorf("admin: %w", err)
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return answer, fmt.Errorf("admin: %w", err)
	}
	query := url.Values{}
	for name, v := range fields {
		query.Set(name, fmt.Sprint(v))
	}
	return answer, c.get(ctx, o.Path, query, &answer)
}

func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.do(ctx, http.MethodGet, path+"?"+query.Encode(), nil, into)
}

func (c *Client) post(ctx context.Context, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, bytes.NewReader(text), into)
}

func (c *Client) do(ctx context.Context, method, path string, body io.Reader, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return c.unreached(ctx, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, MaxAnswer+1))
	if err != nil {
		return c.unreached(ctx, err)
	}
	if len(text) > MaxAnswer {
		return &Error{Strange, fmt.Sprintf("The answer at %s is larger than %d bytes: ask for one user.", c.socket, MaxAnswer)}
	}
	if answer.StatusCode != http.StatusOK {
		var failed failure
		if json.Unmarshal(text, &failed) == nil && failed.Error != nil {
			return failed.Error
		}
		return c.strange()
	}
	if json.Unmarshal(text, into) != nil {
		return c.strange()
	}
	return nil
}

func (c *Client) strange() error {
	if c.token != "" {
		return &Error{Strange, fmt.Sprintf("What answers at %s is no pushbridge worker, or its web server does not pass /admin/ on to it: is it the address of the key web.url?", c.socket)}
	}
	return &Error{Strange, fmt.Sprintf("What answers at %s is no pushbridge worker: name its admin socket with --socket, not the one for the web server.", c.socket)}
}

// unreached says why no worker could be asked.
func (c *Client) unreached(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.token != "":
		return &Error{Absent, fmt.Sprintf("The worker at %s cannot be reached: %v", c.socket, err)}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Absent, fmt.Sprintf("No worker listens at %s: does \"pushbridge serve\" run, with the same configuration?", c.socket)}
	case errors.Is(err, fs.ErrPermission):
		return &Error{Forbidden, fmt.Sprintf("You may not open %s: ask as root or as the user that pushbridge runs as, or give the socket to a group of yours with admin = \"unix:...?group=NAME\".", c.socket)}
	case strings.Contains(err.Error(), "malformed HTTP"), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return c.strange()
	}
	return &Error{Absent, fmt.Sprintf("The worker at %s does not answer: %v", c.socket, err)}
}
