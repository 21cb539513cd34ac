// Package notice tells people by mail what happened to their phones, and administrators of phones that wait to be let in.
//
// Nobody waits for a mail: what is to be told is put into a queue, which is bounded,
// as is how often somebody is told. A mail to an administrator has a link, by which
// that phone can be let in or kept out, once, after a page has asked.
package notice

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/mailer"
)

const (
	// maxQueue bounds the mails that wait to be sent: a mail server that is away for
	// a day is no reason to remember more.
	maxQueue = 200

	// perOwner and perAdministrators bound the mails in an hour. A phone cannot say
	// anything twice, but a program that knows a password can invent phones.
	perOwner          = 5
	perAdministrators = 20

	// maxOwners bounds the owners of whom is remembered how many mails they got.
	maxOwners = 10_000

	// digestAfter is when administrators are told how many more there were.
	digestAfter = time.Hour
)

// retries are the times after which a mail is tried again that could not be sent.
var retries = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour}

// Options tell New what to build with. Server, Send, From and Store are required.
type Options struct {
	Server *admin.Server

	// Send hands a mail to the mail system. mailer.Permanent tells of its error
	// whether there is a point in trying again.
	Send func(ctx context.Context, to string, message io.Reader) error

	From           string   // the address that mails are from
	Administrators []string // their addresses; may be empty

	// AddressOf is the mail address of an account, or empty.
	AddressOf func(user string) string

	// URL is where browsers reach this server, "https://mail.example.org". Empty
	// means that mails have no links.
	URL string

	Store Store

	// Transact makes what work writes come true together, while nobody else writes.
	// Nil means that nobody but these Notices uses the Store.
	Transact func(ctx context.Context, work func(context.Context) error) error

	Logger *slog.Logger // nil means slog.Default
}

// Notices mail what there is to tell, as long as Run runs.
type Notices struct {
	Options
	key  []byte
	wake chan struct{}

	mu             sync.Mutex
	queue          []*letter
	owners         *lru.Cache[string, *rate.Limiter]
	administrators *rate.Limiter
	untold         int       // phones that administrators were not told of
	digest         time.Time // when they are told how many; zero if all were
}

// A letter waits to be sent.
type letter struct {
	to    string
	about string
	text  []byte
	tries int
	due   time.Time
}

// New builds Notices, with the key that links were signed with before.
func New(ctx context.Context, o Options) (*Notices, error) {
	if o.Server == nil || o.Send == nil || o.From == "" || o.Store == nil {
		panic("notice: Server, Send, From and Store are required")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Transact == nil {
		var one sync.Mutex
		o.Transact = func(ctx context.Context, work func(context.Context) error) error {
			one.Lock()
			defer one.Unlock()
			return work(ctx)
		}
	}
	n := &Notices{Options: o, wake: make(chan struct{}, 1), administrators: limiter(perAdministrators)}
	var err error
	if n.owners, err = lru.New[string, *rate.Limiter](maxOwners); err != nil {
		return nil, fmt.Errorf("notice: %w", err)
	}
	n.key, err = keyOf(ctx, o.Store)
	return n, err
}

// limiter allows so many in an hour.
func limiter(most int) *rate.Limiter {
	return rate.NewLimiter(rate.Every(time.Hour/time.Duration(most)), most)
}

// Arrived tells of a phone that came for the first time and has to wait to be let
// in. It does not block.
func (n *Notices) Arrived(p device.Phone, why string) {
	n.toOwner(p.User, arrivedForOwner(p))
	if len(n.Administrators) == 0 {
		return
	}
	n.mu.Lock()
	told := n.administrators.Allow()
	if !told {
		n.untold++
		if n.digest.IsZero() {
			n.digest = time.Now().Add(digestAfter)
		}
	}
	n.mu.Unlock()
	if !told {
		n.Logger.Warn("administrators were told of many phones that wait to be let in; of this one they are told later, together with others", "user", p.User, "phone", p.Device)
		n.stir()
		return
	}
	for _, to := range n.Administrators {
		n.post(to, arrivedForAdministrators(p, why, n.URL, n.link(p, to)))
	}
}

// Tell tells a phone's owner of what was done about it. It does not block.
func (n *Notices) Tell(i admin.Notice) { n.toOwner(i.User, incident(i)) }

// toOwner mails something to the owner of an account, if not too often.
func (n *Notices) toOwner(user string, w words) {
	to := n.AddressOf(user)
	if !isAddress(to) {
		n.Logger.Info("nobody knows where to mail a notice: no address is known of the account", "user", user)
		return
	}
	n.mu.Lock()
	limit, known := n.owners.Get(user)
	if !known {
		limit = limiter(perOwner)
		n.owners.Add(user, limit)
	}
	allowed := limit.Allow()
	n.mu.Unlock()
	if !allowed {
		n.Logger.Warn("somebody got many notices in an hour, and does not get this one", "user", user, "about", w.subject)
		return
	}
	n.post(to, w)
}

// isAddress tells whether mail can go there: one address and nothing else.
func isAddress(to string) bool {
	a, err := mail.ParseAddress(to)
	return err == nil && a.Address == to && len(to) <= 254 && !strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// post puts a mail into the queue.
func (n *Notices) post(to string, w words) {
	text, err := compose(n.From, to, w)
	if err != nil {
		n.Logger.Error("a notice could not be written", "about", w.subject, "error", err)
		return
	}
	n.mu.Lock()
	full := len(n.queue) >= maxQueue
	if !full {
		n.queue = append(n.queue, &letter{to: to, about: w.subject, text: text, due: time.Now()})
	}
	n.mu.Unlock()
	if full {
		n.Logger.Error("too many notices wait for the mail server, and this one is dropped", "to", to, "about", w.subject)
		return
	}
	n.stir()
}

// stir wakes Run.
func (n *Notices) stir() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Run sends what is in the queue, until the context ends. What is left then is for
// Keep.
func (n *Notices) Run(ctx context.Context) {
	for {
		next := n.sendDue(ctx)
		if ctx.Err() != nil {
			return
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-n.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// sendDue sends what is due, and answers when there is more to do.
func (n *Notices) sendDue(ctx context.Context) time.Duration {
	if err := n.takeOver(ctx); err != nil && ctx.Err() == nil {
		n.Logger.Error("it is not known whether an earlier worker left notices", "error", err)
	}
	n.summarize()
	for ctx.Err() == nil {
		l, wait := n.next()
		if l == nil {
			return wait
		}
		n.sent(ctx, l, n.Send(ctx, l.to, strings.NewReader(string(l.text))))
	}
	return 0
}

// next takes a letter that is due, or answers when one is.
func (n *Notices) next() (*letter, time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now, wait := time.Now(), digestAfter
	if !n.digest.IsZero() {
		wait = min(wait, max(n.digest.Sub(now), 0))
	}
	for i, l := range n.queue {
		if !l.due.After(now) {
			n.queue = slices.Delete(n.queue, i, i+1)
			return l, 0
		}
		wait = min(wait, l.due.Sub(now))
	}
	return nil, wait
}

// sent sees what came of a letter, and puts it back where there is hope.
func (n *Notices) sent(ctx context.Context, l *letter, err error) {
	switch {
	case err == nil:
		return
	case ctx.Err() != nil:
		n.mu.Lock()
		n.queue = append(n.queue, l) // for Keep
		n.mu.Unlock()
	case mailer.Permanent(err), l.tries == len(retries):
		n.Logger.Error("a notice could not be mailed", "to", l.to, "about", l.about, "tries", l.tries+1, "error", err)
	default:
		n.Logger.Warn("a notice could not be mailed yet", "to", l.to, "again", retries[l.tries].String(), "error", err)
		l.due = time.Now().Add(retries[l.tries])
		l.tries++
		n.mu.Lock()
		n.queue = append(n.queue, l)
		n.mu.Unlock()
	}
}

// summarize tells administrators how many phones they were not told of, once it is
// time.
func (n *Notices) summarize() {
	n.mu.Lock()
	count := 0
	if !n.digest.IsZero() && !time.Now().Before(n.digest) {
		count, n.untold, n.digest = n.untold, 0, time.Time{}
	}
	n.mu.Unlock()
	if count == 0 {
		return
	}
	for _, to := range n.Administrators {
		n.post(to, manyArrived(count, n.URL))
	}
}
