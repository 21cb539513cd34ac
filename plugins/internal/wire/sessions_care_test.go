package wire

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// placed is a store that wants to know where phones are.
type placed struct {
	store
	from []netip.Addr
}

func (p *placed) WantsAddress() bool { return true }

func (p *placed) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	p.from = append(p.from, c.Address)
	return p.store.Open(ctx, c)
}

// at is a person's phone at an address.
func at(address string) backend.Credentials {
	c := person(1)
	c.Address = netip.MustParseAddr(address)
	return c
}

func TestSessionsOfPlaces(t *testing.T) {
	for _, tc := range []struct {
		name   string
		wants  bool
		opened int64
	}{
		{"a store that does not care sees one person", false, 1},
		{"a store that wants to know sees where each phone is", true, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := &placed{}
				var b backend.Backend = st
				if !tc.wants {
					b = &st.store
				}
				s := newSessions(b)
				defer s.close()
				for _, address := range []string{"192.0.2.1", "2001:db8::1", "192.0.2.1"} {
					want(t, s.with(t.Context(), credentialsOf(credentialsToProto(at(address))), nothing), nil)
				}
				if got := st.opened.Load(); got != tc.opened {
					t.Errorf("%d sessions, want %d", got, tc.opened)
				}
				if tc.wants && fmt.Sprint(st.from) != "[192.0.2.1 2001:db8::1]" {
					t.Errorf("sessions are from %v", st.from)
				}
			})
		})
	}
}

func TestAddressesCross(t *testing.T) {
	for _, tc := range []struct {
		name string
		give netip.Addr
		want netip.Addr
	}{
		{"none", netip.Addr{}, netip.Addr{}},
		{"IPv4", netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.1")},
		{"IPv6", netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::1")},
		{"IPv4 in IPv6", netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("192.0.2.1")},
		{"a zone means nothing elsewhere", netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("fe80::1")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := credentialsOf(credentialsToProto(backend.Credentials{Address: tc.give})).Address; got != tc.want {
				t.Errorf("%v became %v, want %v", tc.give, got, tc.want)
			}
		})
	}
	if got := credentialsOf(&pb.Credentials{Address: []byte("nonsense")}).Address; got.IsValid() {
		t.Errorf("what is no address became %v", got)
	}
}

// resumer is a store that need not be asked twice.
type resumer struct {
	store
	resumed int
	unsure  bool // answers neither a session nor an error
}

func (r *resumer) Resume(context.Context, backend.Credentials) (backend.Session, error) {
	if r.unsure {
		return nil, nil
	}
	r.resumed++
	return &counted{store: &r.store}, nil
}

// TestPasswordsDoNotLinger is about how long a session, which has a password,
// is kept after its last call.
func TestPasswordsDoNotLinger(t *testing.T) {
	for _, tc := range []struct {
		name                    string
		pause                   time.Duration
		unsure                  bool
		opened, closed, resumed int
	}{
		{"within seconds it is the same session", sessionLinger / 2, false, 1, 0, 0},
		{"later it is made again, and the store is not asked", 2 * sessionLinger, false, 1, 1, 1},
		{"a store that has to be asked is asked", 2 * sessionLinger, true, 2, 1, 0},
		{"after minutes the store is asked", sessionIdle + sessionLinger, false, 2, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &resumer{unsure: tc.unsure}
				s := newSessions(r)
				defer s.close()
				want(t, s.with(t.Context(), person(1), nothing), nil)
				time.Sleep(tc.pause)
				synctest.Wait()
				if got := r.closed.Load(); got != int64(tc.closed) {
					t.Errorf("%d sessions were closed after %v, want %d", got, tc.pause, tc.closed)
				}
				want(t, s.with(t.Context(), person(1), nothing), nil)
				if got := r.opened.Load(); got != int64(tc.opened) || r.resumed != tc.resumed {
					t.Errorf("%d sessions were opened and %d resumed, want %d and %d", got, r.resumed, tc.opened, tc.resumed)
				}
			})
		})
	}
}

// TestResumedIsDenied makes sure that a store which says no to a resumed
// session is asked before the next one.
func TestResumedIsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &resumer{}
		s := newSessions(r)
		defer s.close()
		want(t, s.with(t.Context(), person(1), nothing), nil)
		time.Sleep(2 * sessionLinger)
		denied := backend.E(backend.Denied, "store", nil)
		want(t, s.with(t.Context(), person(1), func(backend.Session) error { return denied }), denied)
		want(t, s.with(t.Context(), person(1), nothing), nil)
		if got := r.opened.Load(); got != 2 || r.resumed != 1 {
			t.Errorf("%d sessions were opened and %d resumed, want 2 and 1", got, r.resumed)
		}
	})
}

func TestSessionHidesThePassword(t *testing.T) {
	s := NewClient("test", nil).Session(backend.Credentials{User: "ann", Password: "canary"}, nil)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, s); strings.Contains(text, "canary") || !strings.Contains(text, "ann") {
			t.Errorf("%s shows %s", format, text)
		}
	}
}
