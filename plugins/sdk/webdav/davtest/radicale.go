package davtest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// Radicale starts a Radicale with two people, Ann and Bob, and creates Ann's
// collections. It forgets everything when the test ends.
func Radicale(t testing.TB, opts ...Option) *Server {
	t.Helper()
	path := fcgitest.Need(t, "radicale")
	o := gather(opts)
	dir := t.TempDir()

	people := filepath.Join(dir, "htpasswd")
	text := fmt.Sprintf("%s:%s\n%s:%s\n", Ann.Name, Ann.Password, Bob.Name, Bob.Password)
	if err := os.WriteFile(people, []byte(text), 0o600); err != nil {
		t.Fatalf("davtest: %v", err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	args := append([]string{
		"--config", "", // none, rather than the machine's own
		"--server-hosts", address,
		"--server-max-connections", "64",
		"--auth-type", "htpasswd",
		"--auth-htpasswd-filename", people,
		"--auth-htpasswd-encryption", "plain",
		"--auth-delay", "0.001", // how long a wrong password is made to wait, seconds
		"--storage-filesystem-folder", filepath.Join(dir, "collections"),
		"--web-type", "none",
	}, o.args...)

	s := &Server{
		URL: "http://" + address + "/", User: Ann.Name, Password: Ann.Password,
		AddressBook: "/ann/people/",
		Calendar:    "/ann/everything/",
		Events:      "/ann/events/",
		Tasks:       "/ann/tasks/",
		Notes:       "/ann/notes/",
		Folder:      filepath.Join(dir, "collections"),
		t:           t,
		command: func(log io.Writer) *exec.Cmd {
			cmd := exec.Command(path, args...)
			cmd.Stdout, cmd.Stderr = log, log
			return cmd
		},
	}
	s.ready = func() error {
		r, err := s.Do("OPTIONS", "/", nil)
		if err == nil && r.Status != http.StatusOK {
			err = fmt.Errorf("status %d", r.Status)
		}
		return err
	}
	s.forget = func(path string) error {
		return os.RemoveAll(filepath.Join(dir, "collections", "collection-root", filepath.FromSlash(path), ".Radicale.cache", "sync-token"))
	}
	s.begin()
	s.MakeAddressBook(s.AddressBook, "People")
	s.MakeCalendar(s.Calendar, "Everything", "VEVENT", "VTODO", "VJOURNAL")
	s.MakeCalendar(s.Events, "Events", "VEVENT")
	s.MakeCalendar(s.Tasks, "Tasks", "VTODO")
	s.MakeCalendar(s.Notes, "Notes", "VJOURNAL")
	return s
}
