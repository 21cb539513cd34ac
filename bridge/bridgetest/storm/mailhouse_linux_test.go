package storm_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pushbridge/pushbridge/bridge/bridgetest/storm"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// onDovecot is onLocaldir with mail: Dovecot behind a river, and a post office.
func onDovecot(t *testing.T) storm.Options {
	t.Helper()
	s := imaptest.Start(t)
	s.Doveadm("mailbox", "status", "-u", imaptest.Ann.Name, "messages", "INBOX") // makes it before several do
	o := &postOffice{}
	smtp := o.open(t)
	r := spring(t, s.IMAPS, o)
	h := &mailhouse{Server: s, postOffice: o, river: r}
	t.Cleanup(h.close)
	opts := onFiles(t, imaptest.Ann.Password, fmt.Sprintf(`[login]
domain = "example.org"
verify = ["shelf"]
[backend.mail]
plugin = "imap"
url = "imaps://%s"
smtp = "smtp+plain://%s"
ca_file = %q
poll = "1s"
`, r.address, smtp, s.CAFile))
	opts.Mail, opts.Mailhouse = true, h
	return opts
}

// A mailhouse is Dovecot and what takes mail to be sent. The desktop comes to Dovecot
// on a way of its own.
type mailhouse struct {
	*imaptest.Server
	*postOffice
	*river

	mu     sync.Mutex
	client *imapclient.Client // nil if there is none
}

// Still turns the faults of the way to Dovecot off, or on; those of mail that is sent
// are the Postmaster's.
func (h *mailhouse) Still(calm bool) { h.river.still(calm) }

func (h *mailhouse) Attend(p storm.Postmaster) { h.postOffice.attend(p) }

func (h *mailhouse) Stumble() string {
	h.Restart()
	return "Dovecot is ended and started again"
}

func (h *mailhouse) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.client != nil {
		h.client.Close()
		h.client = nil
	}
}

// in does something in a folder, once more if the connection broke.
func (h *mailhouse) in(folder string, do func(*imapclient.Client) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for try := 1; ; try++ {
		err := h.try(folder, do)
		status := new(imap.Error)
		if err == nil || errors.As(err, &status) || backend.KindOf(err) == backend.NotFound || try == 3 {
			return err
		}
		h.client.Close()
		h.client = nil
	}
}

func (h *mailhouse) try(folder string, do func(*imapclient.Client) error) error {
	if h.client == nil {
		cert, err := os.ReadFile(h.CAFile)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(cert)
		if h.client, err = imapclient.DialTLS(h.IMAPS, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool}}); err != nil {
			return err
		}
		if err := h.client.Login(imaptest.Ann.Name, imaptest.Ann.Password).Wait(); err != nil {
			return err
		}
	}
	if folder != "" {
		if _, err := h.client.Select(folder, nil).Wait(); err != nil {
			return err
		}
	}
	return do(h.client)
}

// MakeFolder makes those that Dovecot does not make by itself.
func (h *mailhouse) MakeFolder(name string, role backend.Role) error {
	if role != backend.RoleNone {
		return nil
	}
	return h.in("", func(c *imapclient.Client) error {
		if err := c.Create(name, nil).Wait(); err != nil {
			return err
		}
		return c.Subscribe(name).Wait()
	})
}

// Deliver leaves the name to Dovecot.
func (h *mailhouse) Deliver(folder, _ string, body []byte, received time.Time, flags ...string) error {
	return h.in("", func(c *imapclient.Client) error {
		a := c.Append(folder, int64(len(body)), &imap.AppendOptions{Flags: flagsOf(flags), Time: received})
		if _, err := a.Write(body); err != nil {
			return err
		}
		if err := a.Close(); err != nil {
			return err
		}
		_, err := a.Wait()
		return err
	})
}

func flagsOf(list []string) []imap.Flag {
	var flags []imap.Flag
	for _, f := range list {
		flags = append(flags, imap.Flag(f))
	}
	return flags
}

// Messages reads all messages of a folder.
func (h *mailhouse) Messages(folder string) ([]backend.Message, error) {
	var list []backend.Message
	err := h.in(folder, func(c *imapclient.Client) error {
		list = nil
		all := imap.UIDSet{imap.UIDRange{Start: 1}} // of no messages, too, unlike one of sequence numbers
		found, err := c.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
		for _, m := range found {
			s := backend.Message{ID: backend.ItemID(fmt.Sprint(m.UID)), Received: m.InternalDate}
			for _, f := range m.Flags {
				s.Flags = append(s.Flags, string(f))
			}
			for _, section := range m.BodySection {
				s.Body = section.Bytes
			}
			if !slices.Contains(s.Flags, backend.FlagDeleted) && m.UID != 0 {
				s.Flags = backend.Flags(s.Flags)
				list = append(list, s)
			}
		}
		return err
	})
	return list, err
}

// one is the set of one message.
func one(id backend.ItemID) imap.UIDSet {
	n, _ := strconv.ParseUint(string(id), 10, 32) // it is one of Messages
	return imap.UIDSetNum(imap.UID(n))
}

var errGone = backend.Errorf(backend.NotFound, "the desktop", "the message is gone")

func (h *mailhouse) SetFlags(folder string, id backend.ItemID, set, clear []string) error {
	return h.in(folder, func(c *imapclient.Client) error {
		for op, flags := range map[imap.StoreFlagsOp][]string{imap.StoreFlagsDel: clear, imap.StoreFlagsAdd: set} {
			if len(flags) == 0 {
				continue
			}
			if _, err := c.Store(one(id), &imap.StoreFlags{Op: op, Silent: true, Flags: flagsOf(flags)}, nil).Collect(); err != nil {
				return err
			}
		}
		return there(c, id)
	})
}

// there tells whether a message is in the folder.
func there(c *imapclient.Client, id backend.ItemID) error {
	found, err := c.Fetch(one(id), &imap.FetchOptions{UID: true}).Collect()
	if err == nil && len(found) == 0 {
		err = errGone
	}
	return err
}

func (h *mailhouse) Move(folder string, id backend.ItemID, to string) error {
	return h.in(folder, func(c *imapclient.Client) error {
		moved, err := c.Move(one(id), to).Wait()
		if err == nil && moved.UIDValidity == 0 {
			err = errGone
		}
		return err
	})
}

func (h *mailhouse) Delete(folder string, id backend.ItemID) error {
	return h.in(folder, func(c *imapclient.Client) error {
		if err := there(c, id); err != nil {
			return err
		}
		if _, err := c.Store(one(id), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Collect(); err != nil {
			return err
		}
		return c.UIDExpunge(one(id)).Close()
	})
}
