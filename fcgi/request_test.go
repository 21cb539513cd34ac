package fcgi

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func encode(kv ...string) []byte {
	var b []byte
	for i := 0; i < len(kv); i += 2 {
		b = appendPair(b, kv[i], kv[i+1])
	}
	return b
}

func TestNewRequest(t *testing.T) {
	nginx := []string{
		"REQUEST_METHOD", "POST", "REQUEST_URI", "/Microsoft-Server-ActiveSync?jAAJ+/aB==", "QUERY_STRING", "jAAJ+/aB==",
		"CONTENT_TYPE", "application/vnd.ms-sync.wbxml", "CONTENT_LENGTH", "40", "SERVER_PROTOCOL", "HTTP/1.1",
		"HTTPS", "on", "REMOTE_ADDR", "2001:db8::1", "REMOTE_PORT", "5000", "HTTP_HOST", "mail.example.com:8443",
		"HTTP_AUTHORIZATION", "Basic YTpi", "HTTP_X_MS_POLICYKEY", "42", "HTTP_MS_ASPROTOCOLVERSION", "14.1",
		"REMOTE_USER", "root", "HTTP_PROXY", "evil:80", "DOCUMENT_ROOT", "/var/www",
	}
	req, err := newRequest(encode(nginx...))
	if err != nil {
		t.Fatal(err)
	}
	wantHeader := http.Header{
		"Content-Type": {"application/vnd.ms-sync.wbxml"}, "Authorization": {"Basic YTpi"},
		"X-Ms-Policykey": {"42"}, "Ms-Asprotocolversion": {"14.1"},
	}
	if !reflect.DeepEqual(req.Header, wantHeader) {
		t.Errorf("Header = %q\nwant %q", req.Header, wantHeader)
	}
	got := []any{req.Method, req.URL.String(), req.URL.RawQuery, req.RequestURI, req.Host, req.RemoteAddr, req.ContentLength, req.TLS != nil, req.Proto, req.ProtoMajor, req.ProtoMinor}
	want := []any{"POST", "/Microsoft-Server-ActiveSync?jAAJ+/aB==", "jAAJ+/aB==", "/Microsoft-Server-ActiveSync?jAAJ+/aB==",
		"mail.example.com:8443", "[2001:db8::1]:5000", int64(40), true, "HTTP/1.1", 1, 1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestNewRequestVariants(t *testing.T) {
	get := []string{"REQUEST_METHOD", "GET", "REQUEST_URI", "/a%20b?c=d"}
	tests := []struct {
		name   string
		params []string
		got    func(*http.Request) any
		want   any
	}{
		{"no length is unknown", get, func(r *http.Request) any { return r.ContentLength }, int64(-1)},
		{"an empty length is unknown", append(get, "CONTENT_LENGTH", ""), func(r *http.Request) any { return r.ContentLength }, int64(-1)},
		{"the path is decoded", get, func(r *http.Request) any { return r.URL.Path }, "/a b"},
		{"HTTP/2", append(get, "SERVER_PROTOCOL", "HTTP/2.0"), func(r *http.Request) any { return r.ProtoMajor }, 2},
		{"no protocol", get, func(r *http.Request) any { return r.Proto }, "HTTP/1.1"},
		{"no TLS", append(get, "HTTPS", ""), func(r *http.Request) any { return r.TLS == nil }, true},
		{"TLS off", append(get, "HTTPS", "off"), func(r *http.Request) any { return r.TLS == nil }, true},
		{"host of the URI", []string{"REQUEST_METHOD", "GET", "REQUEST_URI", "http://a.example/x", "HTTP_HOST", "b.example"}, func(r *http.Request) any { return r.Host + r.URL.String() }, "a.example/x"},
		{"host of the server", append(get, "SERVER_NAME", "c.example"), func(r *http.Request) any { return r.Host }, "c.example"},
		{"no REQUEST_URI", []string{"REQUEST_METHOD", "GET", "SCRIPT_NAME", "/a", "PATH_INFO", "/b c", "QUERY_STRING", "q"}, func(r *http.Request) any { return r.RequestURI }, "/a/b%20c?q"},
		{"OPTIONS *", []string{"REQUEST_METHOD", "OPTIONS", "REQUEST_URI", "*"}, func(r *http.Request) any { return r.URL.Path }, "*"},
		{"double slash", []string{"REQUEST_METHOD", "GET", "REQUEST_URI", "//evil.example/x"}, func(r *http.Request) any { return r.URL.Path + r.Host }, "//evil.example/x"},
		{"repeated headers", append(get, "HTTP_ACCEPT", "a", "HTTP_ACCEPT", "b"), func(r *http.Request) any { return strings.Join(r.Header["Accept"], ",") }, "a,b"},
		{"an unusual header", append(get, "HTTP_X_FOO_2", "v"), func(r *http.Request) any { return r.Header.Get("X-Foo-2") }, "v"},
		{"a header without a name", append(get, "HTTP_", "v"), func(r *http.Request) any { return len(r.Header) }, 0},
		{"a header with an odd name", append(get, "HTTP_A B", "v"), func(r *http.Request) any { return len(r.Header) }, 0},
		{"all headers passed", append(get, "CONTENT_LENGTH", "3", "HTTP_CONTENT_LENGTH", "3", "CONTENT_TYPE", "a/b", "HTTP_CONTENT_TYPE", "a/b"), func(r *http.Request) any { return r.Header }, http.Header{"Content-Type": {"a/b"}}},
		{"no proxy", append(get, "HTTP_PROXY", "x"), func(r *http.Request) any { return len(r.Header) }, 0},
		{"the coding is undone", append(get, "HTTP_TRANSFER_ENCODING", "chunked"), func(r *http.Request) any { return len(r.Header) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := newRequest(encode(tt.params...))
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.got(req); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNewRequestRefuses(t *testing.T) {
	get := []string{"REQUEST_METHOD", "GET", "REQUEST_URI", "/"}
	tests := []struct {
		name   string
		params []string
		want   string // in the error
	}{
		{"nothing", nil, "REQUEST_METHOD"},
		{"a method with a space", []string{"REQUEST_METHOD", "GET /", "REQUEST_URI", "/"}, "REQUEST_METHOD"},
		{"no path", []string{"REQUEST_METHOD", "GET", "REQUEST_URI", "x"}, "REQUEST_URI"},
		{"a control character in the path", []string{"REQUEST_METHOD", "GET", "REQUEST_URI", "/\n"}, "REQUEST_URI"},
		{"two Authorizations", append(get, "HTTP_AUTHORIZATION", "a", "HTTP_AUTHORIZATION", "b"), "twice"},
		{"two policy keys", append(get, "HTTP_X_MS_POLICYKEY", "1", "HTTP_X_MS_POLICYKEY", "2"), "twice"},
		{"two lengths", append(get, "CONTENT_LENGTH", "1", "CONTENT_LENGTH", "2"), "twice"},
		{"two header lengths", append(get, "HTTP_CONTENT_LENGTH", "1", "HTTP_CONTENT_LENGTH", "1"), "twice"},
		{"lengths that differ", append(get, "CONTENT_LENGTH", "1", "HTTP_CONTENT_LENGTH", "2"), "differs"},
		{"two methods", append(get, "REQUEST_METHOD", "POST"), "twice"},
		{"two hosts", append(get, "HTTP_HOST", "a", "HTTP_HOST", "b"), "twice"},
		{"a signed length", append(get, "CONTENT_LENGTH", "+5"), "not a length"},
		{"a negative length", append(get, "CONTENT_LENGTH", "-5"), "not a length"},
		{"a huge length", append(get, "CONTENT_LENGTH", "9223372036854775808"), "not a length"},
		{"a line break in a header", append(get, "HTTP_ACCEPT", "a\r\nb: c"), "line break"},
		{"a NUL in a header", append(get, "HTTP_ACCEPT", "a\x00"), "control"},
		{"a line break in the type", append(get, "CONTENT_TYPE", "a\nb"), "CONTENT_TYPE"},
		{"not HTTP", append(get, "SERVER_PROTOCOL", "INCLUDED"), "SERVER_PROTOCOL"},
		{"a host with a slash", append(get, "HTTP_HOST", "a b"), "HTTP_HOST"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newRequest(encode(tt.params...))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one about %q", err, tt.want)
			}
		})
	}
	if _, err := newRequest([]byte{5, 5, 'a'}); err == nil {
		t.Error("broken pairs: no error")
	}
}

// FuzzRequest: what is accepted has a usable URL, no line break in any header,
// and none of the headers that must not pass.
func FuzzRequest(f *testing.F) {
	f.Add(encode("REQUEST_METHOD", "GET", "REQUEST_URI", "/a?b", "HTTP_HOST", "x"))
	f.Add(encode("REQUEST_METHOD", "POST", "REQUEST_URI", "http://[::1]:80/", "CONTENT_LENGTH", "0", "HTTP_A_B", "c"))
	for _, b := range pairSeeds {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, params []byte) {
		req, err := newRequest(params)
		if err != nil {
			return
		}
		if req.URL == nil || req.Method == "" || req.ContentLength < -1 {
			t.Errorf("%q %v %d accepted", req.Method, req.URL, req.ContentLength)
		}
		for key, values := range req.Header {
			if http.CanonicalHeaderKey(key) != key || key == "Proxy" || key == "Host" || key == "Content-Length" {
				t.Errorf("header %q passed", key)
			}
			for _, v := range values {
				if strings.ContainsAny(v, "\r\n\x00") {
					t.Errorf("header %s = %q passed", key, v)
				}
			}
		}
	})
}
