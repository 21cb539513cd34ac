package davtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// cyrusMaster is what starts the services of Cyrus, as Debian calls it.
const cyrusMaster = "cyrmaster"

// cyrusConfig is imapd.conf, cyrusServices cyrus.conf. Folders of people come into
// being with the first message that arrives for them.
const (
	cyrusConfig = `configdirectory: %[1]s/conf
partition-default: %[1]s/spool
defaultpartition: default
cyrus_user: %[2]s
unixhierarchysep: yes
altnamespace: yes
virtdomains: off
httpmodules: caldav carddav
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_mech_list: PLAIN
sasl_sasldb_path: %[1]s/sasldb2
allowplaintext: yes
calendar_user_address_set: %[3]s
caldav_allowscheduling: on
autocreate_quota: 0
autocreate_post: yes
autocreate_users: anyone
`
	cyrusServices = `START { recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r -C %[1]s/imapd.conf" }
SERVICES {
  http cmd="/usr/lib/cyrus/bin/httpd -C %[1]s/imapd.conf" listen="127.0.0.1:%[2]d" prefork=0 proto="tcp4"
  lmtp cmd="/usr/lib/cyrus/bin/lmtpd -a -C %[1]s/imapd.conf" listen="127.0.0.1:%[3]d" prefork=0 proto="tcp4"
}
EVENTS { }
`
)

// CyrusDomain is where Cyrus takes people to be: Ann is ann@example.org.
const CyrusDomain = "example.org"

// Cyrus starts a Cyrus IMAP with two people, Ann and Bob, each of whom has an
// address book and a calendar. It is the one among these servers that schedules
// (RFC 6638): each has an outbox, by which others' free and busy times are told. It
// forgets everything when the test ends.
func Cyrus(t testing.TB) *Server {
	t.Helper()
	master, passwords := fcgitest.Need(t, cyrusMaster), fcgitest.Need(t, "saslpasswd2")
	dir, err := os.MkdirTemp("", "cyrus") // where its own user may go, too
	if err != nil {
		t.Fatalf("davtest: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	web, mail := freePort(t), freePort(t)
	furnishCyrus(t, dir, passwords, web, mail)
	s := &Server{
		URL: fmt.Sprintf("http://127.0.0.1:%d/", web), User: Ann.Name, Password: Ann.Password,
		AddressBook: "/dav/addressbooks/user/ann/Default/",
		Calendar:    "/dav/calendars/user/ann/Default/",
		t:           t, several: true,
		command: func(log io.Writer) *exec.Cmd {
			cmd := exec.Command(master, "-C", dir+"/imapd.conf", "-M", dir+"/cyrus.conf", "-p", dir+"/master.pid")
			cmd.Stdout, cmd.Stderr = log, log
			return cmd
		},
	}
	s.ready = func() error { // whatever it answers: people without a mailbox are a mistake to it
		_, err := s.Do("OPTIONS", "/", nil)
		return err
	}
	s.begin()
	if err := welcome(mail, Ann, Bob); err != nil {
		t.Fatalf("davtest: making mailboxes: %v\n%s", err, s.Log())
	}
	for _, u := range []User{Ann, Bob} { // whose collections are made when they come first
		if r, err := s.DoAs(u, "PROPFIND", "/dav/principals/user/"+u.Name+"/", nil, "Depth", "0"); err != nil || r.Status != http.StatusMultiStatus {
			t.Fatalf("davtest: the principal of %s: status %d, %v\n%s", u.Name, r.Status, err, r.Body)
		}
	}
	return s
}

// furnishCyrus writes what Cyrus wants to find, for the user that it works as:
// started by root, which is Debian's cyrus.
func furnishCyrus(t testing.TB, dir, passwords string, web, mail int) {
	t.Helper()
	us, err := user.Current()
	if err == nil && us.Uid == "0" {
		us, err = user.Lookup("cyrus")
	}
	if err != nil {
		t.Fatalf("davtest: the user of Cyrus: %v", err)
	}
	for _, name := range strings.Fields("conf/db conf/lock conf/log conf/msg conf/proc conf/quota conf/socket conf/user spool") {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatalf("davtest: %v", err)
		}
	}
	for name, text := range map[string]string{
		"imapd.conf": fmt.Sprintf(cyrusConfig, dir, us.Username, CyrusDomain), "cyrus.conf": fmt.Sprintf(cyrusServices, dir, web, mail),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatalf("davtest: %v", err)
		}
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatalf("davtest: %v", err)
	}
	for _, u := range []User{Ann, Bob} {
		cmd := exec.Command(passwords, "-p", "-c", "-f", filepath.Join(dir, "sasldb2"), "-u", host, u.Name)
		cmd.Stdin = strings.NewReader(u.Password)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("davtest: the password of %s: %v\n%s", u.Name, err, out)
		}
	}
	uid, err1 := strconv.Atoi(us.Uid)
	gid, err2 := strconv.Atoi(us.Gid)
	if err1 != nil || err2 != nil {
		t.Fatalf("davtest: the user of Cyrus is %+v", us)
	}
	if err := filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	}); err != nil {
		t.Fatalf("davtest: %v", err)
	}
}

// welcome has a message arrive for people. See RFC 2033.
func welcome(port int, people ...User) error {
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	l := textproto.NewConn(c)
	defer l.Close()
	if _, _, err := l.ReadResponse(220); err != nil {
		return err
	}
	say := func(expect int, line string) error {
		if err := l.PrintfLine("%s", line); err != nil {
			return err
		}
		_, _, err := l.ReadResponse(expect)
		return err
	}
	steps := []string{"LHLO localhost", "MAIL FROM:<>"}
	for _, u := range people {
		steps = append(steps, "RCPT TO:<"+u.Name+">")
	}
	for _, line := range steps {
		if err := say(250, line); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	if err := say(354, "DATA"); err != nil {
		return err
	}
	if err := l.PrintfLine("Subject: Welcome\r\n\r\n."); err != nil {
		return err
	}
	for range people { // an answer for each
		if _, _, err := l.ReadResponse(250); err != nil {
			return err
		}
	}
	return nil
}
