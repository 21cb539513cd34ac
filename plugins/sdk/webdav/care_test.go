package webdav_test

import (
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

// TestRedirectRemedies is about redirects that are not followed: the password
// goes nowhere else, and the error says what to do.
func TestRedirectRemedies(t *testing.T) {
	for _, tc := range []struct{ name, to, want string }{
		{"another host", "https://dav.example.org/x/", `write url = "https://dav.example.org/"`},
		{"without a scheme", "//dav.example.org/x/", `write url = "http://dav.example.org/"`},
		{"another port", "http://127.0.0.1:1/x/", `write url = "http://127.0.0.1:1/"`},
		{"with TLS", "https://127.0.0.1/x/", `write url = "https://127.0.0.1/"`},
		{"somebody's password", "https://u:geheim@dav.example.org/", `write url = "https://dav.example.org/"`},
		{"a file", "file:///etc/passwd", "which is no address"},
		{"a script", "javascript:alert(1)", "which is no address"},
		{"nonsense", "https://[::1", "Location"},
		{"endless", "https://dav.example.org/" + strings.Repeat("x", 5000), `write url = "https://dav.example.org/"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, script{"REPORT " + book: redirect(302, tc.to)})
			_, _, err := changes(t.Context(), f.client(t, "/"), "", nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "geheim") || len(err.Error()) > 1000 {
				t.Errorf("error = %v, want one with %q", err, tc.want)
			}
			if strings.Count(f.requests(), ",") != 0 {
				t.Errorf("it was followed: %s", f.requests())
			}
		})
	}
}

func TestRedirectWithoutTLS(t *testing.T) {
	ts := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+r.URL.Path, http.StatusMovedPermanently)
	}))
	defer ts.Close()
	s, err := webdav.NewServer(dialect, backend.Settings{"url": ts.URL, "ca_file": authority(t, ts)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, _, err = changes(t.Context(), s.Client(backend.Credentials{User: "ann", Password: "secret"}), "", nil)
	if err == nil || !strings.Contains(err.Error(), "passwords are not sent without TLS") {
		t.Errorf("error = %v, want one that says what to do", err)
	}
}

// authority writes a server's certificate into a file.
func authority(t *testing.T, ts *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ts.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestCertificateRemedies is about certificates that are not trusted: the error
// says what to do.
func TestCertificateRemedies(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { multistatus(token("t1"))(w, r, "") })
	ts := httptest.NewUnstartedServer(answer)
	ts.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of being mistrusted
	ts.StartTLS()
	defer ts.Close()
	plain := httptest.NewServer(answer)
	defer plain.Close()
	file := authority(t, ts)
	for _, tc := range []struct {
		name     string
		settings backend.Settings
		want     string
	}{
		{"an authority that nobody knows", backend.Settings{"url": ts.URL}, "ca_file = "},
		{"another name", backend.Settings{"url": strings.Replace(ts.URL, "127.0.0.1", "localhost", 1), "ca_file": file}, "a name that the server's certificate has"},
		{"no TLS", backend.Settings{"url": strings.Replace(plain.URL, "http:", "https:", 1)}, "does not speak TLS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := webdav.NewServer(dialect, tc.settings)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			_, _, err = changes(t.Context(), s.Client(backend.Credentials{User: "ann", Password: "secret"}), "", nil)
			wantKind(t, err, backend.Transient)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestForwardAddress(t *testing.T) {
	for _, tc := range []struct {
		name    string
		forward bool
		address string
		want    string
	}{
		{"IPv4", true, "192.0.2.1", "192.0.2.1"},
		{"IPv6", true, "2001:db8::1", "2001:db8::1"},
		{"at home", true, "192.168.1.5", "192.168.1.5"},
		{"not known", true, "", ""},
		{"this computer", true, "127.0.0.1", ""},
		{"this computer, IPv6", true, "::1", ""},
		{"this link", true, "fe80::1", ""},
		{"a server that was not told to trust us", false, "192.0.2.1", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			f := serve(t, script{
				"REPORT " + book: redirect(307, "/new/"),
				"REPORT /new/": func(w http.ResponseWriter, r *http.Request, body string) {
					got = r.Header.Values("X-Forwarded-For")
					multistatus(token("t1"))(w, r, body)
				},
			})
			s, err := webdav.NewServer(dialect, backend.Settings{"url": f.URL, "forward_address": tc.forward})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			c := backend.Credentials{User: "ann", Password: "secret"}
			if tc.address != "" {
				c.Address = netip.MustParseAddr(tc.address)
			}
			if _, _, err := changes(t.Context(), s.Client(c), "", nil); err != nil {
				t.Error(err)
			}
			if strings.Join(got, ",") != tc.want {
				t.Errorf("X-Forwarded-For: %q, want %q", got, tc.want)
			}
			if s.WantsAddress() != tc.forward {
				t.Errorf("WantsAddress = %v, want %v", s.WantsAddress(), tc.forward)
			}
		})
	}
}

// gzipped answers a multistatus, compressed.
func gzipped(t *testing.T, write func(io.Writer)) answer {
	return func(w http.ResponseWriter, r *http.Request, _ string) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("compressed answers are not asked for")
		}
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusMultiStatus)
		z := gzip.NewWriter(w)
		write(z)
		z.Close()
	}
}

// TestCompressedAnswers has a server compress what it says, and one that says a
// gigabyte in a megabyte, which is not read to its end.
func TestCompressedAnswers(t *testing.T) {
	f := serve(t, script{"REPORT " + book: gzipped(t, func(w io.Writer) {
		io.WriteString(w, `<d:multistatus xmlns:d="DAV:">`+item(book+"one.vcf", `"1"`)+token("t1")+`</d:multistatus>`)
	})})
	if got, _, err := changes(t.Context(), f.client(t, "/"), "", nil); err != nil || got != `one.vcf="1"` {
		t.Errorf("Changes = %q, %v", got, err)
	}
	written := 0
	f = serve(t, script{"GET " + book + "one.vcf": func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `"1"`)
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		zeros := make([]byte, 1<<20)
		for range 1024 {
			if _, err := z.Write(zeros); err != nil {
				return
			}
			written++
		}
	}})
	raw, err := f.client(t, "/").Client.Get(t.Context(), book, "one.vcf")
	if err == nil && raw.Err == nil || len(raw.Body) > 0 {
		t.Errorf("an item of a gigabyte is read: %d bytes, %v, %v", len(raw.Body), err, raw.Err)
	}
	f.Close() // waits for the server's side
	if written > 512 {
		t.Errorf("%d megabytes were taken from the server", written)
	}
}

func TestClientHidesThePassword(t *testing.T) {
	f := serve(t, nil)
	s, err := webdav.NewServer(dialect, backend.Settings{"url": f.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := s.Client(backend.Credentials{User: "ann", Password: "canary"})
	var texts []string
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		texts = append(texts, fmt.Sprintf(format, c), fmt.Sprintf(format, s))
	}
	for _, text := range texts {
		if strings.Contains(text, "canary") {
			t.Errorf("the password is shown: %.300s", text)
		}
	}
}
