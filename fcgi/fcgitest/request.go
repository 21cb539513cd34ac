package fcgitest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A Request is what the web server passes on. The zero value is GET / with id 1
// on a connection that is not kept.
type Request struct {
	ID       uint16 // 0 means 1
	Role     uint16 // 0 means Responder
	KeepConn bool

	Method string      // "" means GET, or POST if there is a body
	URI    string      // path and query as in a request line; "" means "/"
	Header http.Header // passed as HTTP_...; Content-Type as CONTENT_TYPE
	Body   []byte

	// Env is added to the parameters made of the above. A value takes the
	// place of theirs; the empty one removes it.
	Env map[string]string
	// More is added after all else, doubles included: name, value, name, value...
	More []string

	ParamSplit int   // bytes of PARAMS per record; 0 means 65535
	StdinSplit int   // bytes of STDIN per record; 0 means 32768, like nginx
	Padding    uint8 // padding of every record
}

func (r Request) id() uint16 {
	if r.ID == 0 {
		return 1
	}
	return r.ID
}

func (r Request) method() string {
	switch {
	case r.Method != "":
		return r.Method
	case r.Body != nil:
		return http.MethodPost
	}
	return http.MethodGet
}

// Records are the request as it travels: BEGIN_REQUEST, PARAMS, STDIN.
func (r Request) Records() []byte {
	return r.appendStdin(r.appendParams(r.appendBegin(nil), r.params()), true)
}

// Begun is the request without the end of STDIN: its handler cannot start.
func (r Request) Begun() []byte {
	return r.appendStdin(r.appendParams(r.appendBegin(nil), r.params()), false)
}

func (r Request) appendBegin(b []byte) []byte {
	role := r.Role
	if role == 0 {
		role = Responder
	}
	content := []byte{byte(role >> 8), byte(role), 0, 0, 0, 0, 0, 0}
	if r.KeepConn {
		content[2] = 1
	}
	return Record{Type: BeginRequest, ID: r.id(), Content: content, Padding: r.Padding}.Append(b)
}

// params are the parameters as nginx would pass them.
func (r Request) params() []byte {
	uri := r.URI
	if uri == "" {
		uri = "/"
	}
	_, query, _ := strings.Cut(uri, "?")
	env := map[string]string{
		"REQUEST_METHOD":  r.method(),
		"REQUEST_URI":     uri,
		"QUERY_STRING":    query,
		"SERVER_PROTOCOL": "HTTP/1.1",
		"REMOTE_ADDR":     "192.0.2.1",
		"REMOTE_PORT":     "49152",
		"HTTP_HOST":       "mail.example.com",
		"CONTENT_LENGTH":  "",
	}
	if r.Body != nil {
		env["CONTENT_LENGTH"] = strconv.Itoa(len(r.Body))
	}
	var doubles []string
	for name, values := range r.Header {
		key := "HTTP_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if key == "HTTP_CONTENT_TYPE" {
			key = "CONTENT_TYPE"
		}
		for i, v := range values {
			if i == 0 {
				env[key] = v
			} else {
				doubles = append(doubles, key, v)
			}
		}
	}
	maps.Copy(env, r.Env)
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if v := env[name]; v != "" || name == "QUERY_STRING" || name == "CONTENT_LENGTH" {
			b = AppendPair(b, name, v)
		}
	}
	doubles = append(doubles, r.More...)
	for i := 0; i+1 < len(doubles); i += 2 {
		b = AppendPair(b, doubles[i], doubles[i+1])
	}
	return b
}

func (r Request) appendParams(b, params []byte) []byte {
	b = r.appendSplit(b, Params, params, r.ParamSplit, 65535)
	return Record{Type: Params, ID: r.id(), Padding: r.Padding}.Append(b)
}

func (r Request) appendStdin(b []byte, whole bool) []byte {
	b = r.appendSplit(b, Stdin, r.Body, r.StdinSplit, 32768)
	if !whole {
		return b
	}
	return Record{Type: Stdin, ID: r.id(), Padding: r.Padding}.Append(b)
}

func (r Request) appendSplit(b []byte, typ uint8, content []byte, size, byDefault int) []byte {
	if size == 0 {
		size = byDefault
	}
	for piece := range slices.Chunk(content, size) {
		b = Record{Type: typ, ID: r.id(), Content: piece, Padding: r.Padding}.Append(b)
	}
	return b
}
