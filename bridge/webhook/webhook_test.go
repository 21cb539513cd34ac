package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/notify"
)

var update = flag.Bool("update", false, "re-record the golden files")

const secret = "a secret of some length"

// hooks builds a handler of two hooks that gathers what it is told.
func hooks(log io.Writer) (http.Handler, *[]notify.Notice) {
	got := new([]notify.Notice)
	return New(Options{
		Hooks: []Hook{
			{Name: "any", Kind: Generic, Secret: secret},
			{Name: "cloud", Kind: Nextcloud, Backend: "calendar", Secret: secret},
		},
		Take:   func(_ string, n []notify.Notice) { *got = append(*got, n...) },
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}), got
}

func sign(key, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// An endless body is read as far as somebody wants it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

func TestCalls(t *testing.T) {
	const good = `{"user":"ann","path":"/ann/team/"}`
	bearer := http.Header{"Authorization": {"Bearer " + secret}}
	for _, tc := range []struct {
		name, method, path string
		header             http.Header
		body               string
		status             int
		want               []notify.Notice
	}{
		{"with the secret", "POST", "/hooks/any", bearer, good, 204, []notify.Notice{{User: "ann", Path: "/ann/team/"}}},
		{"of a user who does not exist", "POST", "/hooks/any", bearer, `{"user":"nobody"}`, 204, []notify.Notice{{User: "nobody"}}},
		{"with a signature", "POST", "/hooks/any", http.Header{"X-Hub-Signature-256": {sign(secret, good)}}, good, 204, []notify.Notice{{User: "ann", Path: "/ann/team/"}}},
		{"with the signature of another body", "POST", "/hooks/any", http.Header{"X-Hub-Signature-256": {sign(secret, good+" ")}}, good, 401, nil},
		{"signed with another secret", "POST", "/hooks/any", http.Header{"X-Hub-Signature-256": {sign("x", good)}}, good, 401, nil},
		{"with a signature that is none", "POST", "/hooks/any", http.Header{"X-Hub-Signature-256": {"sha256=xyz"}}, good, 401, nil},
		{"with a wrong secret", "POST", "/hooks/any", http.Header{"Authorization": {"Bearer " + secret + "x"}}, good, 401, nil},
		{"with a wrong secret and a right signature", "POST", "/hooks/any", http.Header{"Authorization": {"Bearer x"}, "X-Hub-Signature-256": {sign(secret, good)}}, good, 401, nil},
		{"with an empty secret", "POST", "/hooks/any", http.Header{"Authorization": {"Bearer "}}, good, 401, nil},
		{"with a password", "POST", "/hooks/any", http.Header{"Authorization": {"Basic YW5uOnNlY3JldA=="}}, good, 401, nil},
		{"without a secret", "POST", "/hooks/any", nil, good, 401, nil},
		{"of a hook that there is not", "POST", "/hooks/none", bearer, good, 404, nil},
		{"of no hook", "POST", "/hooks/", bearer, good, 404, nil},
		{"below a hook", "POST", "/hooks/any/more", bearer, good, 404, nil},
		{"by GET", "GET", "/hooks/any", bearer, "", 405, nil},
		{"junk", "POST", "/hooks/any", bearer, "\x00\xff", 400, nil},
		{"nothing", "POST", "/hooks/any", bearer, "", 400, nil},
		{"a path upwards", "POST", "/hooks/any", bearer, `{"path":"/ann/../bob/"}`, 400, nil},
		{"too large", "POST", "/hooks/any", bearer, strings.Repeat(" ", MaxBody+1), 413, nil},
		{"junk for Nextcloud", "POST", "/hooks/cloud", bearer, `[1]`, 400, nil},
		{"Nextcloud without an event", "POST", "/hooks/cloud", bearer, `{}`, 400, nil},
		{"Nextcloud with a user's name upwards", "POST", "/hooks/cloud", bearer,
			`{"event":{"class":"OCP\\Calendar\\Events\\CalendarObjectUpdatedEvent","calendarData":{"uri":"x"}},"user":{"uid":".."}}`, 400, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var log bytes.Buffer
			h, got := hooks(&log)
			r := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body))
			r.Header = tc.header.Clone()
			if r.Header == nil {
				r.Header = http.Header{}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.status {
				t.Errorf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			if fmt.Sprint(*got) != fmt.Sprint(tc.want) {
				t.Errorf("it was told of %+v, want %+v", *got, tc.want)
			}
			for _, word := range []string{"ann", "bob", secret} {
				if strings.Contains(w.Body.String(), word) {
					t.Errorf("the answer says %q, which concerns nobody who calls: %s", word, w.Body)
				}
			}
			if n := strings.Count(log.String(), "\n"); n != 1 || strings.Contains(log.String(), secret) {
				t.Errorf("the log has %d lines, want one without the secret:\n%s", n, &log)
			}
		})
	}
}

// TestBodyIsNotReadInVain reads no more of a body than the bound, and nothing
// of one whose sender has a wrong secret.
func TestBodyIsNotReadInVain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		secret string
		status int
		most   int
	}{{"wrong secret", "x", 401, 0}, {"right secret", secret, 413, 2 * MaxBody}} {
		t.Run(tc.name, func(t *testing.T) {
			h, _ := hooks(io.Discard)
			body := new(endless)
			r := httptest.NewRequest("POST", "/hooks/any", body)
			r.Header.Set("Authorization", "Bearer "+tc.secret)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.status || body.read > tc.most {
				t.Errorf("status %d after %d bytes, want %d after at most %d", w.Code, body.read, tc.status, tc.most)
			}
		})
	}
}

// TestRate listens to a burst of calls and no more.
func TestRate(t *testing.T) {
	h, got := hooks(io.Discard)
	refused := 0
	for range 3 * burst {
		r := httptest.NewRequest("POST", "/hooks/any", strings.NewReader(`{"user":"ann"}`))
		r.Header.Set("Authorization", "Bearer "+secret)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "" {
			refused++
		}
	}
	if len(*got) < burst || refused == 0 || len(*got)+refused != 3*burst {
		t.Errorf("%d calls were listened to and %d refused, want at least %d and some", len(*got), refused, burst)
	}
}

// TestNextcloud holds recorded calls against what is made of them.
func TestNextcloud(t *testing.T) {
	files, err := filepath.Glob("testdata/nextcloud/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no calls: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			h, got := hooks(io.Discard)
			r := httptest.NewRequest("POST", "/hooks/cloud", bytes.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+secret)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusNoContent {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			var text strings.Builder
			for _, n := range *got {
				line, err := json.Marshal(n)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&text, "%s\n", line)
			}
			golden := strings.TrimSuffix(file, ".json") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if text.String() != string(want) {
				t.Errorf("it was told of\n%s\nwant\n%s", &text, want)
			}
		})
	}
}

// FuzzNextcloud holds that whatever comes in, what comes out is within the
// bounds of a notice, and not more than the bound of shares allows.
func FuzzNextcloud(f *testing.F) {
	files, _ := filepath.Glob("testdata/nextcloud/*.json")
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		notices, err := readNextcloud(body)
		if err != nil && notices != nil {
			t.Errorf("an error, and notices")
		}
		if len(notices) > 3*(maxShares+2) {
			t.Errorf("%d notices", len(notices))
		}
		for _, n := range notices {
			if err := n.Check(); err != nil {
				t.Errorf("%+v: %v", n, err)
			}
		}
	})
}
