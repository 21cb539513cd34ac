// Package imaptest starts a real mail server for tests, on this machine and for as long as a test runs: Dovecot for IMAP, LMTP and ManageSieve, and Exim for SMTP.
//
// Where the programs are not installed the test is skipped by name, except that
// PUSHBRIDGE_CI=1 makes their absence a failure.
package imaptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// startTimeout bounds how long a server may take until it answers.
const startTimeout = 30 * time.Second

// Domain is the domain of everybody's mail address.
const Domain = "pushbridge.example"

// A User is a person with a mailbox.
type User struct{ Name, Password string }

// Address is the person's mail address.
func (u User) Address() string { return u.Name + "@" + Domain }

// People with mailboxes. Full's is full.
var (
	Ann  = User{"ann", "correct horse"}
	Bob  = User{"bob", "battery staple"}
	Full = User{"full", "no room"}
)

// Refused is an address that the SMTP server refuses for good, Later one that
// it refuses for now.
const (
	Refused = "refused@" + Domain
	Later   = "later@" + Domain
)

// MaxSize is how large a message the SMTP server takes, in bytes.
const MaxSize = 60 << 20

// A Server is a running mail server.
type Server struct {
	IMAP, IMAPS  string // "127.0.0.1:40123"
	SMTP, SMTPS  string // the first one with STARTTLS
	Sieve        string
	CAFile       string
	Dir          string
	Capabilities string // what Dovecot says in place of what it can, or empty
	Hook         string // a script in Lua for Dovecot's plugin push_notification, or empty
	People       []User // beside those that are always there

	t       testing.TB
	lmtp    string
	uid     int
	gid     int
	dovecot *process
	exim    *process
}

// Option changes how a server is started.
type Option func(*Server)

// Capabilities makes Dovecot say that it can less than it can.
func Capabilities(list string) Option { return func(s *Server) { s.Capabilities = list } }

// Hook has Dovecot tell a script in Lua of new mail, as its plugin push_notification
// does.
func Hook(script string) Option { return func(s *Server) { s.Hook = script } }

// Crowd adds n people, called person0, person1 and so on.
func Crowd(n int) Option {
	return func(s *Server) {
		for i := range n {
			s.People = append(s.People, User{fmt.Sprint("person", i), "secret"})
		}
	}
}

// Start starts the servers.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	dovecot, exim := fcgitest.Need(t, "dovecot"), fcgitest.Need(t, "exim4")
	dir, err := os.MkdirTemp("", "imaptest") // not of the test's own: other users have to get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &Server{t: t, Dir: dir, CAFile: filepath.Join(dir, "cert.pem"), uid: os.Getuid(), gid: os.Getgid()}
	for _, o := range opts {
		o(s)
	}
	if s.uid == 0 { // Dovecot keeps no mail as root, and Exim delivers none
		nobody, err := user.Lookup("Debian-exim")
		if err != nil {
			t.Fatalf("imaptest: %v", err)
		}
		s.uid, _ = strconv.Atoi(nobody.Uid)
		s.gid, _ = strconv.Atoi(nobody.Gid)
	}
	for _, p := range []*string{&s.IMAP, &s.IMAPS, &s.SMTP, &s.SMTPS, &s.Sieve, &s.lmtp} {
		*p = freeAddress(t)
	}
	s.certificate()
	var users, passwords strings.Builder
	for _, u := range append([]User{Ann, Bob, Full}, s.People...) {
		more := ""
		if u == Full {
			more = "userdb_quota_rule=*:storage=1k"
		}
		users.WriteString(s.userLine(u, more))
		fmt.Fprintf(&passwords, "%s: %s\n", u.Name, u.Password)
	}
	s.write("users", users.String())
	s.write("passwords", passwords.String())
	s.write("hook.lua", s.Hook)
	s.write("dovecot.conf", s.dovecotConfig())
	s.write("exim.conf", s.eximConfig())
	s.copyProgram(exim, "exim")
	for _, name := range []string{"home", "spool", "log"} {
		s.must(os.MkdirAll(filepath.Join(dir, name), 0o755))
	}
	s.must(os.Chmod(dir, 0o755))
	s.must(filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil || os.Getuid() != 0 || strings.HasSuffix(path, ".conf") {
			return err
		}
		return os.Chown(path, s.uid, s.gid)
	}))
	s.dovecot = &process{t: t, path: dovecot, args: []string{"-F", "-c", filepath.Join(dir, "dovecot.conf")}, ready: s.IMAP}
	s.exim = &process{t: t, path: filepath.Join(dir, "exim"), args: []string{"-C", filepath.Join(dir, "exim.conf"), "-bdf", "-q1m"}, ready: s.SMTP}
	if os.Getuid() == 0 {
		s.exim.credential = &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.gid)}
	}
	t.Cleanup(func() {
		s.exim.stop()
		s.dovecot.stop()
		if t.Failed() {
			s.logs()
		}
	})
	s.dovecot.start()
	s.exim.start()
	return s
}

// userLine is a person's line in the file of Dovecot's users.
func (s *Server) userLine(u User, more string) string {
	return fmt.Sprintf("%s:{PLAIN}%s:%d:%d::%s/home/%s::%s\n", u.Name, u.Password, s.uid, s.gid, s.Dir, u.Name, more)
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("imaptest: %v", err)
	}
}

func (s *Server) write(name, text string) {
	s.must(os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o644))
}

// copyProgram makes a copy of a program that has no right to become another
// user.
func (s *Server) copyProgram(path, name string) {
	data, err := os.ReadFile(path)
	s.must(err)
	s.must(os.WriteFile(filepath.Join(s.Dir, name), data, 0o755))
}

// logs shows the ends of what the servers wrote.
func (s *Server) logs() {
	for _, name := range []string{"dovecot.log", "log/mainlog", "log/paniclog"} {
		data, _ := os.ReadFile(filepath.Join(s.Dir, name))
		s.t.Logf("%s:\n%s", name, data[max(0, len(data)-3000):])
	}
}

// certificate makes a certificate for 127.0.0.1.
func (s *Server) certificate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "imaptest"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	s.must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	s.must(err)
	s.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	s.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// Doveadm runs Dovecot's tool for administrators.
func (s *Server) Doveadm(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("doveadm", append([]string{"-c", filepath.Join(s.Dir, "dovecot.conf")}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("doveadm %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// Disconnect ends a person's connections, which otherwise outlive a new password, and
// the server for a while.
func (s *Server) Disconnect(u User) {
	s.t.Helper()
	const nobody = 68 // doveadm's status if there is no connection
	out, err := exec.Command("doveadm", "-c", filepath.Join(s.Dir, "dovecot.conf"), "kick", u.Name).CombinedOutput()
	if e, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || e.ExitCode() != nobody) {
		s.t.Fatalf("doveadm kick: %v\n%s", err, out)
	}
}

// Deliver hands a message to a person's mailbox as a mail server does.
func (s *Server) Deliver(u User, message []byte) {
	s.t.Helper()
	c := s.LMTP()
	defer c.Close()
	s.must(c.Mail("sender@"+Domain, nil))
	s.must(c.Rcpt(u.Address(), nil))
	w, err := c.Data()
	s.must(err)
	_, err = w.Write(message)
	s.must(err)
	s.must(w.Close())
}

// LMTP is a connection for deliveries. The caller closes it.
func (s *Server) LMTP() *smtp.Client {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.lmtp)
	s.must(err)
	return smtp.NewClientLMTP(nc)
}

// Stop stops the IMAP server.
func (s *Server) Stop() { s.dovecot.stop() }

// Restart starts the IMAP server again, on the same ports and with the same mail.
func (s *Server) Restart() {
	s.t.Helper()
	s.dovecot.stop()
	s.dovecot.start()
}

// SetPassword changes a person's password.
func (s *Server) SetPassword(u User, password string) {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.Dir, "users"))
	s.must(err)
	text := strings.Replace(string(data), u.Name+":{PLAIN}"+u.Password, u.Name+":{PLAIN}"+password, 1)
	s.write("users", text)
	for until := time.Now().Add(startTimeout); ; time.Sleep(50 * time.Millisecond) { // it looks at its file now and then
		err := exec.Command("doveadm", "-c", filepath.Join(s.Dir, "dovecot.conf"), "auth", "test", u.Name, password).Run()
		if err == nil {
			return
		}
		if time.Now().After(until) {
			s.t.Fatalf("imaptest: Dovecot does not accept %s's new password: %v", u.Name, err)
		}
	}
}

// freeAddress is an address of this machine on which nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("imaptest: looking for a free port: %v", err)
	}
	defer l.Close()
	return l.Addr().String()
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}
