package davtest

import (
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
)

// Xandikos starts a Xandikos with one person, Ann, her address book and her
// calendar, which holds every component. It forgets everything when the test ends.
//
// Xandikos knows no passwords. A proxy in front of it, which is what the
// Server's URL names, asks for Ann's or Bob's, as such servers are run; both
// see Ann's collections.
func Xandikos(t testing.TB, opts ...Option) *Server {
	t.Helper()
	path := fcgitest.Need(t, "xandikos")
	o := gather(opts)
	dir := t.TempDir()

	port := freePort(t)
	args := append([]string{
		"--directory", filepath.Join(dir, "store"),
		"--listen-address", "127.0.0.1",
		"--port", strconv.Itoa(port),
		"--current-user-principal", "/ann/",
		"--defaults",
	}, o.args...)
	behind := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	front := httptest.NewServer(guard(behind))
	t.Cleanup(front.Close)

	s := &Server{
		URL: front.URL + "/", User: Ann.Name, Password: Ann.Password,
		AddressBook: "/ann/contacts/addressbook/",
		Calendar:    "/ann/calendars/calendar/",
		t:           t,
		command: func(log io.Writer) *exec.Cmd {
			cmd := exec.Command(path, args...)
			cmd.Stdout, cmd.Stderr = log, log
			return cmd
		},
	}
	s.ready = func() error {
		r, err := s.Do("PROPFIND", s.AddressBook, nil, "Depth", "0")
		if err == nil && r.Status != http.StatusMultiStatus {
			err = fmt.Errorf("status %d", r.Status)
		}
		return err
	}
	s.begin()
	return s
}

// PercentInNames is a promise that Xandikos breaks.
var PercentInNames = backendtest.Excuse{
	Promise: "Folders/a name with a percent sign comes back",
	Reason:  "Xandikos keeps names in a file in which % has a meaning, and answers 500",
}

// guard is a proxy that lets Ann and Bob pass.
func guard(behind *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(behind)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{DisableKeepAlives: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		for _, u := range []User{Ann, Bob} {
			if name == u.Name && subtle.ConstantTimeCompare([]byte(password), []byte(u.Password)) == 1 {
				proxy.ServeHTTP(w, r)
				return
			}
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="davtest"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
}
