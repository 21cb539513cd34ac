// Package easclient asks an ActiveSync server what a phone would ask it, one file per command.
//
// It shares the messages with the server and nothing else, so that what one of
// them misunderstands the other does not. It works against any server.
package easclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// Path is where servers answer. See [MS-ASHTTP] "Request Line".
const Path = "/Microsoft-Server-ActiveSync"

// MaxExcerpt bounds in bytes what an HTTPError keeps of a body: enough to see
// whose error page it is.
const MaxExcerpt = 512

// A Client speaks for one phone of one person. It may be used by several
// goroutines, as long as none of them provisions or changes a field.
type Client struct {
	// URL of the server; Path is appended where it has no path. Required.
	URL string

	User, Password string // for HTTP Basic authentication
	DeviceID       string // required: letters and digits, at most 32
	DeviceType     string // required
	UserAgent      string // "" means Go's

	// Version that is spoken; 0 means 14.1, which every server understands.
	Version eas.Version

	// Base64Query sends the query in base64 instead of plain text, from 12.1
	// on. Earlier versions have only plain text.
	Base64Query bool

	// PolicyKey is what Provision was given last; 0 before.
	PolicyKey uint32

	// HTTP does the requests; nil means http.DefaultClient. A Ping outlives
	// short timeouts.
	HTTP *http.Client

	// Trace, if set, is shown the body of each request and of its answer, after
	// the answer has come. It must not change them.
	Trace func(command string, request, answer []byte)
}

// An HTTPError is an answer other than 200.
type HTTPError struct {
	Status     int           // 401, 449, 503, ...
	RetryAfter time.Duration // how long the server wants to be left alone; 0 if it does not say
	Location   string        // with 451: the server to use instead
	Realm      string        // with 401: the WWW-Authenticate header
	Excerpt    string        // the beginning of the body
}

func (e *HTTPError) Error() string {
	s := fmt.Sprintf("easclient: the server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.RetryAfter > 0 {
		s += fmt.Sprintf(", and to come back in %v", e.RetryAfter)
	}
	if e.Location != "" {
		s += ", and to go to " + e.Location
	}
	return s
}

// A StatusError is an answer whose status is a refusal, from the methods that
// need success to go on.
type StatusError struct {
	Command eas.Command
	Status  int
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("easclient: %s was answered with status %d", e.Command, e.Status)
}

// A Call is one request on its way. Its zero value, apart from Query.Command, is
// that command without a body.
type Call struct {
	Query       eas.Query // the phone's fields are filled in
	Body        []byte
	ContentType string // "" means WBXML
	PolicyKey   uint32 // 0 means the client's
	Header      http.Header
}

// Do sends a call and answers the body of the answer, and its header. The error
// is an *HTTPError where the server answered with something else than 200.
func (c *Client) Do(ctx context.Context, call Call) ([]byte, http.Header, error) {
	req, err := c.request(ctx, call)
	if err != nil {
		return nil, nil, err
	}
	body, header, err := c.roundTrip(req)
	if c.Trace != nil {
		c.Trace(string(call.Query.Command), call.Body, body)
	}
	return body, header, err
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	key := call.PolicyKey
	if key == 0 {
		key = c.PolicyKey
	}
	q := call.Query
	q.Base64, q.Version = c.Base64Query && c.version() >= eas.V121, c.version()
	q.DeviceID, q.DeviceType = c.DeviceID, c.DeviceType
	if q.Base64 {
		q.PolicyKey = &key
	} else {
		q.User = c.User
	}
	query, err := q.Encode()
	if err != nil {
		return nil, err
	}
	u, err := c.url(Path)
	if err != nil {
		return nil, err
	}
	u.RawQuery = query
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(call.Body))
	if err != nil {
		return nil, fmt.Errorf("easclient: %w", err)
	}
	if len(call.Body) > 0 {
		req.Header.Set("Content-Type", "application/vnd.ms-sync.wbxml")
	}
	if call.ContentType != "" {
		req.Header.Set("Content-Type", call.ContentType)
	}
	if !q.Base64 {
		req.Header.Set("X-MS-PolicyKey", strconv.FormatUint(uint64(key), 10))
	}
	req.Header.Set("MS-ASProtocolVersion", c.version().String())
	c.identify(req)
	for name, values := range call.Header {
		req.Header[name] = values
	}
	return req, nil
}

// identify says who is asking.
func (c *Client) identify(req *http.Request) {
	if c.UserAgent != "" {
		req.Header.Set("User-Agent", c.UserAgent)
	}
	if c.User != "" || c.Password != "" {
		req.SetBasicAuth(c.User, c.Password)
	}
}

func (c *Client) roundTrip(req *http.Request) ([]byte, http.Header, error) {
	hc := c.HTTP
	if hc == nil {
		hc = http.DefaultClient
	}
	resp, err := hc.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) { // whose text is the whole URL, with the user's name
			err = ue.Err
		}
		return nil, nil, fmt.Errorf("easclient: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, wbxml.MaxDocument+1))
	if err != nil {
		return nil, resp.Header, fmt.Errorf("easclient: reading the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return body, resp.Header, httpError(resp, body)
	}
	return body, resp.Header, nil
}

func httpError(resp *http.Response, body []byte) error {
	e := &HTTPError{
		Status:   resp.StatusCode,
		Location: resp.Header.Get("X-MS-Location"),
		Realm:    resp.Header.Get("WWW-Authenticate"),
		Excerpt:  strings.ToValidUTF8(string(body[:min(len(body), MaxExcerpt)]), "?"),
	}
	after := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(after, 10, 32); err == nil { // more than a century is nonsense
		e.RetryAfter = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		e.RetryAfter = max(0, time.Until(at))
	}
	return e
}

// url is the server's with a path, where it has none of its own.
func (c *Client) url(path string) (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("easclient: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("easclient: %q is not the address of a server, as https://mail.example.org is", c.URL)
	}
	if path != Path || u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = path, ""
	}
	u.RawQuery, u.Fragment = "", ""
	return u, nil
}

func (c *Client) version() eas.Version {
	if c.Version == 0 {
		return eas.V141
	}
	return c.Version
}

// exchange sends a message and decodes the answer. An empty answer leaves
// answer as it is and is told by the result.
func (c *Client) exchange(ctx context.Context, command eas.Command, message, answer any) (empty bool, err error) {
	var body []byte
	if message != nil {
		if body, err = eas.Marshal(message, c.version()); err != nil {
			return false, err
		}
	}
	doc, _, err := c.Do(ctx, Call{Query: eas.Query{Command: command}, Body: body})
	if err != nil || len(doc) == 0 {
		return err == nil, err
	}
	if err := eas.Unmarshal(doc, answer); err != nil {
		return false, fmt.Errorf("easclient: the answer to %s: %w", command, err)
	}
	return false, nil
}
