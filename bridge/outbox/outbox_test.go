package outbox_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// notes is a store in memory.
type notes struct {
	mu      sync.Mutex
	records map[outbox.Letter]outbox.Record
	fail    func(outbox.Record) error // of what is to be stored
}

func (n *notes) ChangeLetter(ctx context.Context, l outbox.Letter, change func(*outbox.Record) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.records[l]
	if err := change(&r); err != nil {
		return err
	}
	if n.fail != nil {
		if err := n.fail(r); err != nil {
			return err
		}
	}
	if n.records == nil {
		n.records = make(map[outbox.Letter]outbox.Record)
	}
	if n.records[l] = r; r.State == 0 {
		delete(n.records, l)
	}
	return nil
}

// A mailSystem takes mails.
type mailSystem struct {
	taken []string
	err   error // after it has read all
	early error // before it reads
	short bool  // it reads not all of it
}

func (m *mailSystem) send(_ context.Context, r io.Reader) error {
	if m.early != nil {
		return m.early
	}
	if m.short {
		r.Read(make([]byte, 1))
		return m.err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if m.err == nil {
		m.taken = append(m.taken, string(text))
	}
	return m.err
}

var (
	letter = outbox.Letter{User: "ann", Device: "p", Name: "1"}
	quiet  = slog.New(slog.DiscardHandler)
)

func post(m *mailSystem, after func(context.Context) error) outbox.Post {
	return outbox.Post{Message: strings.NewReader("mail"), Send: m.send, After: after}
}

// What a phone repeats goes out once, whatever happened the first time.
func TestRepeats(t *testing.T) {
	broken := backend.Errorf(backend.Other, "smtp", "the connection broke after the last byte")
	for _, tt := range []struct {
		name   string
		first  mailSystem
		after  error // of the first time
		fail   func(outbox.Record) error
		failed bool // the first time
		before bool // what is said the second time
		taken  int  // by the second mail system
		afters int  // how often After was done
		told   bool // the person, that nobody knows
	}{
		{"it went out", mailSystem{}, nil, nil, false, true, 0, 1, false},
		{"its copy could not be kept", mailSystem{}, errors.New("full"), nil, false, true, 0, 2, false},
		{"refused", mailSystem{err: backend.Errorf(backend.Invalid, "smtp", "550 no")}, nil, nil, true, false, 1, 1, false},
		{"not reached", mailSystem{early: backend.Errorf(backend.Transient, "smtp", "down")}, nil, nil, true, false, 1, 1, false},
		{"later", mailSystem{err: backend.Errorf(backend.Transient, "smtp", "451 greylisted")}, nil, nil, true, false, 1, 1, false},
		{"broken in the middle", mailSystem{short: true, err: broken}, nil, nil, true, false, 1, 1, false},
		{"broken at the end", mailSystem{err: broken}, nil, nil, true, true, 0, 0, true},
		{"its end cannot be noted", mailSystem{}, nil, func(r outbox.Record) error {
			if r.State == outbox.Given {
				return errors.New("disk full")
			}
			return nil
		}, true, false, 1, 1, false},
		{"its beginning cannot be noted", mailSystem{}, nil, func(r outbox.Record) error { return errors.New("disk full") }, true, false, 1, 1, false},
		{"that it was taken cannot be noted", mailSystem{}, nil, func(r outbox.Record) error {
			if r.State >= outbox.Taken {
				return errors.New("disk full")
			}
			return nil
		}, false, true, 0, 1, true}, // the phone heard of the success, and need not repeat it
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := &notes{fail: tt.fail}
			o := outbox.New(store, quiet)
			afters, told := 0, 0
			first := tt.first
			before, err := o.Send(t.Context(), letter, post(&first, func(context.Context) error { afters++; return tt.after }))
			if before || (err != nil) != tt.failed {
				t.Fatalf("the first time: %t, %v", before, err)
			}
			if len(first.taken) > 0 && tt.failed {
				t.Error("it went out, and that it failed is said")
			}
			store.fail = nil
			var second mailSystem
			again := post(&second, func(context.Context) error { afters++; return nil })
			again.Tell = func(context.Context) error { told++; return errors.New("no inbox now") }
			if before, err = o.Send(t.Context(), letter, again); (err != nil) != tt.told || tt.told && store.records[letter].State != outbox.Given {
				t.Errorf("while the person cannot be told: %t, %v", before, err)
			}
			if tt.told {
				again.Tell = func(context.Context) error { told++; return nil }
				before, err = o.Send(t.Context(), letter, again)
			}
			if before != tt.before || err != nil || len(second.taken) != tt.taken || afters != tt.afters || (told == 2) != tt.told {
				t.Errorf("the second time: sent before %t, %v, taken %d, after done %d times; want %t, %d, %d",
					before, err, len(second.taken), afters, tt.before, tt.taken, tt.afters)
			}
			third := mailSystem{}
			if before, err = o.Send(t.Context(), letter, post(&third, nil)); !before || err != nil || len(third.taken) > 0 {
				t.Errorf("the third time: %t, %v, %q", before, err, third.taken)
			}
			if r := store.records[letter]; r.State != outbox.Done && !(tt.told && r.State == outbox.Told) {
				t.Errorf("in the end the record is %+v", r)
			}
		})
	}
}

// What the mail system may have got is noted before it can have taken it.
func TestNotedBeforeItIsTaken(t *testing.T) {
	store := new(notes)
	o := outbox.New(store, quiet)
	look := func(want outbox.State, when string) {
		t.Helper()
		if got := store.records[letter].State; got != want {
			t.Errorf("%s its state is %d, want %d", when, got, want)
		}
	}
	_, err := o.Send(t.Context(), letter, outbox.Post{
		Message: iotest.DataErrReader(strings.NewReader("mail")), // which says its end with the last bytes
		Send: func(_ context.Context, r io.Reader) error {
			look(outbox.Begun, "before it is read")
			b := make([]byte, 2)
			io.ReadFull(r, b)
			look(outbox.Begun, "in the middle")
			_, err := io.ReadAll(r)
			look(outbox.Given, "at its end")
			return err
		},
		After: func(context.Context) error { look(outbox.Taken, "when it was taken"); return nil },
	})
	if err != nil {
		t.Error(err)
	}
	look(outbox.Done, "in the end")
}

// A letter of another worker's is left to it for as long as it may take.
func TestAnotherWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(notes)
		died := outbox.New(store, quiet)
		if _, err := died.Send(t.Context(), letter, post(&mailSystem{err: backend.Errorf(backend.Other, "smtp", "broken")}, nil)); err == nil {
			t.Fatal("the first worker did not fail")
		}
		o := outbox.New(store, quiet)
		var m mailSystem
		if _, err := o.Send(t.Context(), letter, post(&m, nil)); !errors.Is(err, outbox.ErrUnderWay) || backend.KindOf(err) != backend.Transient || backend.RetryAfter(err) == 0 {
			t.Errorf("at once: %v, want that it is under way", err)
		}
		time.Sleep(outbox.SendTime)
		if before, err := o.Send(t.Context(), letter, post(&m, nil)); before || err != nil || len(m.taken) != 1 {
			t.Errorf("later, when the person cannot be told: %t, %v, %q, want it sent", before, err, m.taken)
		}
	})
}

// Of two that send the same at a time one sends it.
func TestTwoAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := outbox.New(new(notes), quiet)
		var m mailSystem
		slow := outbox.Post{Message: strings.NewReader("mail"), Send: func(ctx context.Context, r io.Reader) error {
			time.Sleep(time.Minute)
			return m.send(ctx, r)
		}}
		ctx, hangUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if before, err := o.Send(ctx, letter, slow); before || err != nil {
				t.Errorf("the first: %t, %v", before, err)
			}
		})
		time.Sleep(time.Second)
		hangUp() // which does not end it
		for range 2 {
			all.Go(func() {
				if before, err := o.Send(t.Context(), letter, post(&m, nil)); !before || err != nil {
					t.Errorf("another: %t, %v, want that it was sent before", before, err)
				}
			})
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := o.Send(impatient, letter, post(&m, nil)); backend.KindOf(err) != backend.Transient {
			t.Errorf("one that does not wait: %v", err)
		}
		all.Wait()
		if len(m.taken) != 1 {
			t.Errorf("it was taken %d times", len(m.taken))
		}
	})
}

// Of a mail that came twice at once the phone is told one thing, whichever answer
// reaches it: what was refused is not sent by the other one.
func TestTwoAtATimeOfWhichOneIsRefused(t *testing.T) {
	refused := &backend.Error{Kind: backend.TooLarge, Op: "send"}
	for _, test := range []struct {
		name   string
		device string
		err    error
		taken  int // how often, after all
	}{
		{"refused for good", "p", refused, 0},
		{"refused for now", "p", &backend.Error{Kind: backend.Transient, Op: "send"}, 1},
		{"from another phone, perhaps with another text", "", refused, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := outbox.New(new(notes), quiet)
				l := outbox.Letter{User: "ann", Device: test.device, Name: "1"}
				var m mailSystem
				refuses := outbox.Post{Message: strings.NewReader("mail"), Send: func(context.Context, io.Reader) error {
					time.Sleep(time.Minute)
					return test.err
				}}
				var all sync.WaitGroup
				all.Go(func() {
					if _, err := o.Send(t.Context(), l, refuses); !errors.Is(err, test.err) {
						t.Errorf("the first: %v, want %v", err, test.err)
					}
				})
				time.Sleep(time.Second)
				_, err := o.Send(t.Context(), l, post(&m, nil))
				all.Wait()
				if told := err == nil; told != (test.taken == 1) || err != nil && !errors.Is(err, test.err) {
					t.Errorf("the second: %v", err)
				}
				if len(m.taken) != test.taken {
					t.Errorf("it was taken %d times, want %d", len(m.taken), test.taken)
				}
				if _, err := o.Send(t.Context(), l, post(&m, nil)); err != nil { // who asks later tries again
					t.Errorf("later: %v", err)
				}
			})
		})
	}
}

func TestNames(t *testing.T) {
	store := new(notes)
	o := outbox.New(store, quiet)
	var m mailSystem
	for range 2 { // without a name the same again is another one
		if before, err := o.Send(t.Context(), outbox.Letter{User: "ann", Device: "p"}, post(&m, nil)); before || err != nil {
			t.Errorf("%t, %v", before, err)
		}
	}
	for _, l := range []outbox.Letter{letter, {User: "bob", Device: "p", Name: "1"}, {User: "ann", Device: "q", Name: "1"}} {
		if before, err := o.Send(t.Context(), l, post(&m, nil)); before || err != nil {
			t.Errorf("%v: %t, %v", l, before, err)
		}
	}
	if len(m.taken) != 5 || len(store.records) != 3 {
		t.Errorf("%d were taken and %d noted, want 5 and 3", len(m.taken), len(store.records))
	}
	long := outbox.Letter{User: "ann", Device: "p", Name: strings.Repeat("n", outbox.MaxName+1)}
	if _, err := o.Send(t.Context(), long, post(&m, nil)); backend.KindOf(err) != backend.Invalid {
		t.Errorf("a long name: %v", err)
	}
}

// What is noted was sent, and goes out again once it is forgotten; what is under way is
// not forgotten.
func TestNoteAndForget(t *testing.T) {
	store := new(notes)
	o := outbox.New(store, quiet)
	sent := func(want bool) {
		t.Helper()
		if was, err := o.WasSent(t.Context(), letter); was != want || err != nil {
			t.Errorf("was it sent: %t, %v, want %t", was, err, want)
		}
	}
	sent(false)
	if err := o.Note(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	sent(true)
	var m mailSystem
	if before, err := o.Send(t.Context(), letter, post(&m, nil)); !before || err != nil || len(m.taken) != 0 {
		t.Errorf("what is noted: %t, %v, %q", before, err, m.taken)
	}
	for range 2 { // the second time nothing is known of it
		if err := o.Forget(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
		sent(false)
	}
	_, err := o.Send(t.Context(), letter, outbox.Post{Message: strings.NewReader("mail"), Send: func(ctx context.Context, r io.Reader) error {
		if err := o.Forget(ctx, letter); err != nil || store.records[letter].State != outbox.Begun {
			t.Errorf("while it is under way: %+v, %v", store.records[letter], err)
		}
		return m.send(ctx, r)
	}})
	if sent(true); err != nil || len(m.taken) != 1 {
		t.Errorf("after it was forgotten: %v, %q", err, m.taken)
	}
}
