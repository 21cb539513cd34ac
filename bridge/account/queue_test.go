package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A shopkeeper is a backend that lets each question through when it is told to, and
// writes down who came.
type shopkeeper struct {
	backend.Backend
	let chan struct{}

	mu   sync.Mutex
	came []string
}

func (s *shopkeeper) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s.mu.Lock()
	s.came = append(s.came, c.User)
	s.mu.Unlock()
	select {
	case <-s.let:
		return s.Backend.Open(ctx, c)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// next lets one question through and answers who comes for it.
func (s *shopkeeper) next() string {
	s.let <- struct{}{}
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.came[len(s.came)-1]
	return last
}

// comers are those who came and have no place in the first crowd.
func (s *shopkeeper) comers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.came), func(name string) bool { return strings.HasPrefix(name, "crowd") })
}

// A shop is Accounts where as many logins are being verified as may be.
type shop struct {
	*account.Accounts
	t      *testing.T
	keeper *shopkeeper
	all    sync.WaitGroup

	mu  sync.Mutex
	got map[string]error
}

// inShop is a test in a crowded shop, which in the end is to be empty.
func inShop(t *testing.T, limits account.Limits, do func(t *testing.T, s *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		s := &shop{t: t, keeper: &shopkeeper{Backend: b, let: make(chan struct{})}, got: make(map[string]error)}
		a, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: s.keeper}}, Throttle: limits})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		s.Accounts = a
		for i := range account.MaxVerifying {
			s.comes(t.Context(), fmt.Sprint("crowd", i), "")
		}
		synctest.Wait()
		for _, name := range []string{"ann", "bob", "cleo", "dan"} {
			b.AddUser(name, "secret")
		}
		do(t, s)
		close(s.keeper.let)
		s.all.Wait()
		synctest.Wait()
		if n := account.Kept(a); n != 0 {
			t.Errorf("%d things are kept when all have gone, want none", n)
		}
	})
}

// comes has somebody log in, from a network if it is given.
func (s *shop) comes(ctx context.Context, name, address string) { s.comesAs(ctx, name, name, address) }

// comesAs is comes whose outcome is written down under a name of its own.
func (s *shop) comesAs(ctx context.Context, who, name, address string) {
	s.all.Go(func() {
		_, err := s.LoginFrom(ctx, name, "secret", caller("", address))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got[who] = err
	})
	synctest.Wait()
}

// outcome is what became of somebody: empty as long as they wait.
func (s *shop) outcome(who string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	err, ok := s.got[who]
	if !ok {
		return ""
	}
	if retry := backend.RetryAfter(err); retry > 0 {
		return "later " + retry.String()
	}
	return outcome(err)
}

// want complains unless somebody's outcome is the one that is wanted.
func (s *shop) want(who, want string) {
	s.t.Helper()
	if got := s.outcome(who); got != want {
		s.t.Errorf("%s: %q, want %q", who, got, want)
	}
}

var busy = "later " + account.AskingPause.String()

func TestLoginsTakeTurnsAsTheyCame(t *testing.T) {
	inShop(t, account.Limits{}, func(t *testing.T, s *shop) {
		for _, name := range []string{"bob", "ann", "cleo"} {
			s.comes(t.Context(), name, "")
		}
		if n := account.Queued(s.Accounts); n != 3 || len(s.keeper.comers()) != 0 {
			t.Errorf("%d wait and %v are being verified beside the crowd, want three and nobody", n, s.keeper.comers())
		}
		for _, want := range []string{"bob", "ann", "cleo"} {
			if got := s.keeper.next(); got != want {
				t.Errorf("the next one is %s, want %s", got, want)
			}
		}
	})
}

// TestANetworkTakesItsTurn has one network ask much before others come, and
// a person who is known as another one from there.
func TestANetworkTakesItsTurn(t *testing.T) {
	for _, tc := range []struct{ name, many, one, two string }{
		{"addresses", "192.0.2.1", "192.0.2.2", "192.0.2.3"},
		{"networks of IPv6", "2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1"},
		{"beside some who are not known", "192.0.2.1", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inShop(t, account.Limits{}, func(t *testing.T, s *shop) {
				for i := range 100 {
					s.comes(t.Context(), fmt.Sprint("many", i), tc.many)
				}
				s.comes(t.Context(), "ann", tc.one)
				s.comes(t.Context(), "bob", tc.two)
				for _, want := range []string{"many0", "ann", "bob", "many1", "many2"} {
					if got := s.keeper.next(); got != want {
						t.Errorf("the next one is %s, want %s", got, want)
					}
				}
			})
		})
	}
}

// TestKnownPeopleHaveALaneOfTheirOwn has somebody come whose password was right today,
// behind many guesses from the same address.
func TestKnownPeopleHaveALaneOfTheirOwn(t *testing.T) {
	inShop(t, account.Limits{}, func(t *testing.T, s *shop) {
		s.comesAs(t.Context(), "first", "ann", "192.0.2.1")
		for range account.MaxVerifying + 1 {
			s.keeper.next()
		}
		s.want("first", "in")
		time.Sleep(account.DefaultPositive + time.Second) // has to be verified once more
		for i := range account.MaxVerifying {
			s.comes(t.Context(), fmt.Sprint("crowd", i, "again"), "")
		}
		for i := range 20 {
			s.comes(t.Context(), fmt.Sprint("guess", i), "192.0.2.1")
		}
		s.comes(t.Context(), "ann", "192.0.2.1")
		if one, two := s.keeper.next(), s.keeper.next(); one != "guess0" || two != "ann" {
			t.Errorf("%s and %s come next, want the first guess and then ann", one, two)
		}
	})
}

// TestNobodyFillsTheQueue has networks come one after the other that take what they
// are given.
func TestNobodyFillsTheQueue(t *testing.T) {
	inShop(t, account.Limits{}, func(t *testing.T, s *shop) {
		account.Shorten(s.Accounts, 128)
		for i, want := range []int{64, 96, 112, 120} {
			for j := range 100 {
				s.comes(t.Context(), fmt.Sprintf("many%d-%d", i, j), fmt.Sprintf("192.0.2.%d", i+1))
			}
			if n := account.Queued(s.Accounts); n != want {
				t.Errorf("%d requests wait when network %d has come, want %d", n, i+1, want)
			}
			s.want(fmt.Sprintf("many%d-99", i), busy)
		}
		for i := range 8 {
			s.comes(t.Context(), fmt.Sprint("person", i), "")
			s.want(fmt.Sprint("person", i), "")
		}
		s.comes(t.Context(), "ann", "")
		s.want("ann", busy)
		if n := account.Queued(s.Accounts); n != 128 {
			t.Errorf("%d requests wait, want 128, which is all that may", n)
		}
	})
}

// TestManyWithOnePassword has the phones of one person come, and then many more.
func TestManyWithOnePassword(t *testing.T) {
	inShop(t, account.Limits{User: 1}, func(t *testing.T, s *shop) {
		for i := range account.MaxCallers + 1 {
			s.comesAs(t.Context(), fmt.Sprint("phone", i), "ann", "")
		}
		s.want(fmt.Sprint("phone", account.MaxCallers-1), "")
		s.want(fmt.Sprint("phone", account.MaxCallers), busy)
		s.keeper.next() // it is her turn
		s.keeper.next()
		for range account.MaxVerifying - 1 {
			s.keeper.next()
		}
		s.want("phone0", "in")
		s.want(fmt.Sprint("phone", account.MaxCallers-1), "in")
		if came := s.keeper.comers(); !slices.Equal(came, []string{"ann"}) {
			t.Errorf("the backend was asked about %v, want ann once", came)
		}
	})
}

// TestWhoHangsUpGivesUpTheirPlace has phones leave before their turn. Their passwords
// were not tried, so that they have cost nothing.
func TestWhoHangsUpGivesUpTheirPlace(t *testing.T) {
	inShop(t, account.Limits{User: 1}, func(t *testing.T, s *shop) {
		gone, hangUp := context.WithCancelCause(t.Context())
		s.comesAs(gone, "ann's first", "ann", "")
		s.comes(t.Context(), "bob", "")
		s.comesAs(gone, "bob's second", "bob", "")
		cause := errors.New("the phone is gone")
		hangUp(cause)
		synctest.Wait()
		for _, who := range []string{"ann's first", "bob's second"} {
			if err := s.got[who]; backend.KindOf(err) != backend.Transient || !errors.Is(err, cause) {
				t.Errorf("%s: %v, want kind %v and that the phone is gone", who, err, backend.Transient)
			}
		}
		if n := account.Queued(s.Accounts); n != 1 {
			t.Errorf("%d requests wait, want bob's first alone", n)
		}
		s.comes(t.Context(), "ann", "") // the only guess that the throttle lets her have
		s.want("ann", "")
		if one, two := s.keeper.next(), s.keeper.next(); one != "bob" || two != "ann" {
			t.Errorf("%s and %s come next, want bob and then ann", one, two)
		}
	})
}

// TestWaitingEnds has nobody be let through for long.
func TestWaitingEnds(t *testing.T) {
	inShop(t, account.Limits{User: 1}, func(t *testing.T, s *shop) {
		s.comes(t.Context(), "ann", "")
		time.Sleep(account.MaxQueueing / 2)
		s.comesAs(t.Context(), "ann's second", "ann", "")
		s.comes(t.Context(), "bob", "")
		time.Sleep(account.MaxQueueing/2 - time.Second)
		s.want("ann", "")
		time.Sleep(time.Second)
		synctest.Wait()
		s.want("ann", busy)
		s.want("ann's second", "") // the place is hers as long as one of her phones waits
		if got := s.keeper.next(); got != "ann" {
			t.Errorf("%s comes next, want ann", got)
		}
		time.Sleep(account.MaxQueueing/2 - 100*time.Millisecond)
		if got := s.keeper.next(); got != "bob" {
			t.Errorf("%s comes next, want bob", got)
		}
		time.Sleep(200 * time.Millisecond) // he is being verified, and no longer told to come back
		s.want("bob", "")
		s.want("ann's second", "")
	})
}

// TestAnAddressLosesItsTurns has one address queue up with more guesses than it may have
// wrong ones.
func TestAnAddressLosesItsTurns(t *testing.T) {
	inShop(t, account.Limits{Address: 30}, func(t *testing.T, s *shop) {
		for i := range 1000 {
			s.comes(t.Context(), fmt.Sprint("guess", i), "192.0.2.1")
		}
		s.comes(t.Context(), "ann", "192.0.2.2")
		for range account.MaxVerifying + 31 {
			s.keeper.next()
		}
		if n := len(s.keeper.comers()); n < 30 || n > account.MaxVerifying+31 {
			t.Errorf("the backend was asked %d times beside the crowd, want no more than were under way when the thirtieth was wrong", n)
		}
		if err := s.got["guess999"]; !errors.Is(err, account.ErrThrottled) || backend.RetryAfter(err) <= 0 {
			t.Errorf("the last guess: %v, want %v and when to come back", err, account.ErrThrottled)
		}
		s.keeper.next()
		if n := account.Queued(s.Accounts); n != 0 {
			t.Errorf("%d requests wait, want none", n)
		}
	})
}

// TestTheQueueEnds has the program end while some wait.
func TestTheQueueEnds(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(s *shop)
	}{
		{"with those that are being verified left", func(s *shop) { s.EndQueue() }},
		{"altogether", func(s *shop) {
			s.all.Go(func() { s.Close() })
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inShop(t, account.Limits{User: 1}, func(t *testing.T, s *shop) {
				s.comes(t.Context(), "ann", "")
				s.comesAs(t.Context(), "ann's second", "ann", "")
				s.comes(t.Context(), "bob", "192.0.2.1")
				tc.end(s)
				synctest.Wait()
				for _, who := range []string{"ann", "ann's second", "bob"} {
					s.want(who, "later 1s")
				}
				s.comes(t.Context(), "cleo", "")
				if got := s.outcome("cleo"); got != busy && got != backend.Transient.String() {
					t.Errorf("somebody who comes then: %q, want that they are not to wait", got)
				}
				if came := s.keeper.comers(); len(came) != 0 {
					t.Errorf("%v are being verified, want nobody", came)
				}
			})
		})
	}
}
