package notice_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/notice"
	"github.com/pushbridge/pushbridge/bridge/device"
)

var boss = admin.Actor{Name: "jane", Roles: admin.AllRoles, Address: "192.0.2.1"}

func TestArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		defer h.run()()
		h.arrive("ann", "PHONE1")
		h.phones.Admit(t.Context(), device.Visit{ID: device.ID{User: "ann", Device: "PHONE1"}}) // again
		synctest.Wait()
		mails := h.mails()
		if len(mails) != 2 || mails[0].to != "ann@example.org" || mails[1].to != "post@example.org" {
			t.Fatalf("the mails are %+v", mails)
		}
		if m := mails[0]; m.subject != "A new phone uses your account" || !strings.Contains(m.text, "change it now") || !strings.Contains(m.text, "PHONE1") || linkOf.MatchString(m.text) {
			t.Errorf("the owner is told %s\n%s", m.subject, m.text)
		}
		if m := mails[1]; m.subject != "A phone waits to be let in: ann" || !strings.Contains(m.text, "nobody let it in") || !strings.Contains(m.text, "7 days") || !linkOf.MatchString(m.text) {
			t.Errorf("the administrator is told %s\n%s", m.subject, m.text)
		}
		for _, m := range mails {
			if m.header.Get("Auto-Submitted") != "auto-generated" || m.header.Get("Message-Id") == "" || m.header.Get("Date") == "" {
				t.Errorf("the header is %v", m.header)
			}
		}
	})
}

// TestIncidents tells a phone's owner of what administrators do, and of nothing
// that did not come about.
func TestIncidents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		defer h.run()()
		h.arrive("ann", "PHONE1")
		synctest.Wait()
		before := len(h.mails())
		wipe := func(r admin.WipeRequest) {
			r.User, r.Device = "ann", "PHONE1"
			if _, err := admin.OpWipe.Do(t.Context(), h.server, boss, r); err != nil {
				t.Fatal(err)
			}
		}
		wipe(admin.WipeRequest{AccountOnly: true})
		wipe(admin.WipeRequest{Cancel: true})
		wipe(admin.WipeRequest{})
		if _, err := admin.OpWipe.Do(t.Context(), h.server, boss, admin.WipeRequest{User: "ann", Device: "OTHER"}); err == nil {
			t.Error("a phone is erased that there is not")
		}
		if _, err := admin.OpRecover.Do(t.Context(), h.server, boss, admin.PhoneRequest{User: "ann", Device: "PHONE1"}); err == nil {
			t.Error("a password was shown that there is not")
		}
		h.Tell(admin.Notice{What: admin.RecoveryRevealed, User: "ann", Device: "PHONE1", Phone: "Ann's", By: "jane"})
		synctest.Wait()
		want := []string{"Your account is to be removed from your phone", "Your phone is to be erased", "The recovery password of your phone was shown"}
		mails := h.mails()[before:]
		if len(mails) != len(want) {
			t.Fatalf("the mails are %+v", mails)
		}
		for i, m := range mails {
			if m.to != "ann@example.org" || m.subject != want[i] || !strings.Contains(m.text, "jane ") || !strings.Contains(m.text, "(PHONE1)") {
				t.Errorf("%s is told %s\n%s", m.to, m.subject, m.text)
			}
		}
	})
}

// TestFlood has a program invent phones, and a mail system that takes nothing.
// Nobody who brings a phone waits, and mails stay few.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		for i := range 300 {
			h.arrive(fmt.Sprintf("user%d", i%3), fmt.Sprintf("P%d", i)) // while nobody sends anything
		}
		end := h.run()
		synctest.Wait()
		to := map[string]int{}
		for _, m := range h.mails() {
			to[m.to]++
		}
		if to["user0@example.org"] != 5 || to["user1@example.org"] != 5 || to["post@example.org"] != 20 || len(h.mails()) != 35 {
			t.Errorf("the mails went to %v", to)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		mails := h.mails()
		if last := mails[len(mails)-1]; len(mails) != 36 || last.subject != "More phones wait to be let in" || !strings.Contains(last.text, "280 phones") {
			t.Errorf("an hour later there are %d mails, the last one is %+v", len(mails), mails[len(mails)-1])
		}
		h.arrive("user0", "LATER")
		synctest.Wait()
		if got := len(h.mails()); got != 38 {
			t.Errorf("of a phone two hours later it is told in %d mails", got-36)
		}
		end()

		slow := open(t, nil)
		block := make(chan struct{})
		slow.fail = func(int) error { <-block; return errors.New("no") }
		end = slow.run()
		for i := range 2000 {
			slow.Tell(admin.Notice{What: admin.WipeOrdered, User: fmt.Sprint(i)})
		}
		synctest.Wait()
		close(block)
		slow.fail = func(int) error { return nil }
		end()
	})
}

// TestRetries tries again where there is hope, and for a while.
func TestRetries(t *testing.T) {
	for name, tc := range map[string]struct {
		err         error
		tries, good int
	}{
		"a server that is away comes back": {errors.New("connection refused"), 3, 1},
		"it is busy":                       {&smtp.SMTPError{Code: 451}, 3, 1},
		"it never comes back":              {errors.New("connection refused"), 6, 0},
		"it refuses the mail for good":     {&smtp.SMTPError{Code: 550}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, nil)
				h.fail = func(n int) error {
					if tc.good > 0 && n >= tc.tries {
						return nil
					}
					return tc.err
				}
				defer h.run()()
				h.Tell(admin.Notice{What: admin.WipeOrdered, User: "ann"})
				time.Sleep(5 * day)
				synctest.Wait()
				h.mu.Lock()
				defer h.mu.Unlock()
				if h.n != tc.tries || len(h.sent) != tc.good {
					t.Errorf("it was tried %d times, and sent %d times", h.n, len(h.sent))
				}
			})
		})
	}
}

// TestKept has a worker end while the mail server is away. The next one mails what is
// left, once and when it is due.
func TestKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		h.fail = func(int) error { return errors.New("connection refused") }
		end := h.run()
		h.Tell(admin.Notice{What: admin.WipeOrdered, User: "ann", Phone: "Ann's", By: "jane"})
		synctest.Wait()
		end()
		h.Tell(admin.Notice{What: admin.RecoveryRevealed, User: "ann", Phone: "Ann's", By: "jane"}) // by one of the last requests
		h.Keep(t.Context())
		h.fail = nil
		for range 2 { // the second one finds nothing
			next, err := newAgain(t, h.Options)
			if err != nil {
				t.Fatal(err)
			}
			h.Notices = next
			end = h.run()
			synctest.Wait()
			if m := h.mails(); len(m) == 0 || m[0].subject != "The recovery password of your phone was shown" {
				t.Fatalf("what was not tried yet is due at once, and the mails are %+v", m)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			end()
			h.Keep(t.Context())
			if m := h.mails(); len(m) != 2 || m[1].subject != "Your phone is to be erased" || m[1].to != "ann@example.org" {
				t.Fatalf("the mails are %+v", m)
			}
		}
	})
}

// TestKeptSummary has a worker end before administrators were told how many more phones
// wait.
func TestKeptSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		end := h.run()
		for i := range 23 {
			h.arrive(fmt.Sprintf("user%d", i), "P")
		}
		synctest.Wait()
		end()
		h.Keep(t.Context())
		before := len(h.mails())
		next, err := newAgain(t, h.Options)
		if err != nil {
			t.Fatal(err)
		}
		h.Notices = next
		defer h.run()()
		synctest.Wait()
		if m := h.mails()[before:]; len(m) != 1 || m[0].to != "post@example.org" || !strings.Contains(m[0].text, "3 phones") {
			t.Errorf("the next worker mails %+v", m)
		}
	})
}

// TestNobodyToTell has no addresses.
func TestNobodyToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, address := range []string{"", "ann", "ann@example.org, bob@example.org", "Ann <ann@example.org>", "a\r\nBcc: b@example.org", "a b@example.org"} {
			h := open(t, func(o *notice.Options) {
				o.Administrators, o.AddressOf, o.URL = nil, func(string) string { return address }, ""
			})
			end := h.run()
			h.arrive("ann", "P")
			synctest.Wait()
			if m := h.mails(); len(m) != 0 {
				t.Errorf("with the address %q there are the mails %+v", address, m)
			}
			end()
		}
		h := open(t, func(o *notice.Options) { o.URL = "" })
		defer h.run()()
		h.arrive("ann", "P")
		synctest.Wait()
		if m := h.mails(); len(m) != 2 || strings.Contains(m[1].text, "link=") || !strings.Contains(m[1].text, "admission queue") {
			t.Errorf("without pages the mails are %+v", m)
		}
	})
}

// FuzzMail has phones and people choose their names. Nothing of them becomes a
// header, or a line of its own.
func FuzzMail(f *testing.F) {
	f.Add("ann", "a\r\nBcc: evil@example.org\r\n\r\nhello", "https://evil.example")
	f.Add("a\x00\u202e", "\xff\n.\n", strings.Repeat("ü", 5000))
	f.Fuzz(func(t *testing.T, user, name, agent string) {
		if len(user) > account.MaxLogin {
			t.Skip("nobody is called so")
		}
		synctest.Test(t, func(t *testing.T) {
			h := open(t, func(o *notice.Options) { o.AddressOf = func(string) string { return "ann@example.org" } })
			end := h.run()
			p := device.Phone{ID: device.ID{User: user, Device: "P"}, Information: device.Information{FriendlyName: name, Model: agent}, UserAgent: agent, Type: name, FirstSeen: time.Now()}
			h.Arrived(p, name)
			synctest.Wait()
			end()
			mails := h.mails()
			if len(mails) != 2 {
				t.Fatalf("there are %d mails", len(mails))
			}
			for _, m := range mails {
				if len(m.header) != 9 {
					t.Errorf("the header is %v", m.header)
				}
				if lines := strings.Count(m.text, "\n"); lines > 25 || len(m.text) > 8000 {
					t.Errorf("the mail has %d lines:\n%s", lines, m.text)
				}
			}
		})
	})
}
