// Package davpush receives what servers push about their collections with WebDAV-Push, and keeps them subscribed to while somebody waits.
//
// The worker is its own push service: each collection of each person has a push
// resource, an address below [Prefix] that nobody can guess. The messages are
// encrypted for the backend's key pair and the subscription's secret (RFC 8291),
// and signed by servers that say with which key (RFC 8292). See the draft
// "WebDAV-Push" (draft-bitfire-webdav-push-00).
//
// A subscription is asked for with a person's session, renewed after a day when
// somebody waits and looks, and forgotten when nobody has for days. Its server is then told
// 410 at the next message and forgets it, too, since nobody's password is at
// hand then to ask it to; in any case it ends by itself.
package davpush

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/notify"
	"github.com/pushbridge/pushbridge/bridge/webpush"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// Prefix is below what push resources are served.
	Prefix = "/hooks/push/"

	// lifetime is for how long a subscription is asked for. Servers have to
	// allow three days.
	lifetime = 3 * 24 * time.Hour

	// renewal is how old a subscription may become before it is renewed.
	renewal = 24 * time.Hour

	// retry is when a server is asked again that did not answer, or that has no
	// WebDAV-Push for a collection.
	retry        = 10 * time.Minute
	retryRefused = 24 * time.Hour

	// patience bounds how long a look for changes is held up by it.
	patience = 10 * time.Second

	// maxPlaces bounds how many refusals are remembered, some 200 bytes each.
	// When there are more, all are asked again.
	maxPlaces = 200_000

	// tokenSize is the size of what makes a push resource unguessable, in bytes.
	tokenSize = 32

	// span bounds how long a subscription is vouched for at a time. It is less
	// than lifetime, as servers may give less.
	span = 2 * 24 * time.Hour
)

// A Subscription is what is kept of a collection that is subscribed to.
type Subscription struct {
	Token      string // of the push resource
	Backend    string
	User       string
	Collection backend.CollectionID
	Auth       []byte // the authentication secret
	ServerKey  []byte // with which the server signs; empty if it does not
	Origin     string // of the push resource, as it was told to the server
	Renewed    time.Time
	Expires    time.Time
}

// A Store keeps subscriptions and keys across restarts.
type Store interface {
	// PushKeys are the private keys of the backends, by name.
	PushKeys(ctx context.Context) (map[string][]byte, error)
	SavePushKey(ctx context.Context, backend string, key []byte) error

	PushSubscriptions(ctx context.Context) ([]Subscription, error)

	// SavePushSubscription replaces that of the same backend, user and
	// collection.
	SavePushSubscription(ctx context.Context, s Subscription) error
	ForgetPushSubscription(ctx context.Context, s Subscription) error
}

// Options tell Open what to build with. All but Logger are required.
type Options struct {
	Store Store
	URL   string // where servers reach this worker: "https://mail.example.org"

	// Take is told what may have changed. Vouch is told that changes in a
	// collection will be, for so long; 0 takes that back.
	Take  func(notify.Notice)
	Vouch func(backendName, user string, c backend.CollectionID, span time.Duration)

	Logger *slog.Logger // nil means slog.Default
}

// A Receiver keeps subscriptions, and is the http.Handler of push resources.
type Receiver struct {
	Options
	mu      sync.Mutex
	keys    map[string]webpush.Key
	byToken map[string]*Subscription
	byPlace map[place]*Subscription
	next    map[place]time.Time // when a server may be asked again that could not
}

type place struct {
	backend, user string
	collection    backend.CollectionID
}

func (s *Subscription) place() place { return place{s.Backend, s.User, s.Collection} }

// Open reads what was kept.
func Open(ctx context.Context, o Options) (*Receiver, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("davpush: %w", err)
	}
	o.URL = u.Scheme + "://" + u.Host
	r := &Receiver{Options: o, keys: make(map[string]webpush.Key), byToken: make(map[string]*Subscription), byPlace: make(map[place]*Subscription), next: make(map[place]time.Time)}
	keys, err := o.Store.PushKeys(ctx)
	if err != nil {
		return nil, err
	}
	for name, raw := range keys {
		if r.keys[name], err = webpush.ParseKey(raw); err != nil {
			return nil, fmt.Errorf("davpush: the key of backend %q: %w", name, err)
		}
	}
	list, err := o.Store.PushSubscriptions(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		if time.Now().After(s.Expires) {
			if err := o.Store.ForgetPushSubscription(ctx, s); err != nil {
				return nil, err
			}
			continue
		}
		r.byToken[s.Token], r.byPlace[s.place()] = &s, &s
	}
	return r, nil
}

// key is the backend's, made when it is first needed.
func (r *Receiver) key(ctx context.Context, name string) (webpush.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.keys[name]; ok {
		return k, nil
	}
	k, err := webpush.NewKey()
	if err == nil {
		err = r.Store.SavePushKey(ctx, name, k.Bytes())
	}
	if err != nil {
		return webpush.Key{}, err
	}
	r.keys[name] = k
	return k, nil
}

// Ensure has a collection subscribed to, if that is due. It is called again and
// again while somebody waits for changes there, with a session of the user's
// that is a backend.Subscriber; a session that is none, or a server that has no
// WebDAV-Push, leaves it at polling.
func (r *Receiver) Ensure(ctx context.Context, backendName, user string, c backend.CollectionID, session backend.Session) {
	subscriber, ok := backend.As[backend.Subscriber](session)
	if !ok || c == "" {
		return
	}
	// What is behind '#' says which of the collection's items are meant; its
	// server pushes for all of them.
	whole, _, _ := strings.Cut(string(c), "#")
	p := place{backendName, user, backend.CollectionID(whole)}
	if !r.due(p) || !r.begin(p) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.end(p, r.renew(ctx, p, c, subscriber))
}

// begin tells whether a server may be asked now: nobody else does, and it is
// long enough since it could not do it. end has to follow.
func (r *Receiver) begin(p place) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.next[p]) {
		return false
	}
	if len(r.next) >= maxPlaces {
		clear(r.next)
	}
	r.next[p] = time.Now().Add(patience)
	return true
}

func (r *Receiver) end(p place, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wait == 0 {
		delete(r.next, p)
		return
	}
	r.next[p] = time.Now().Add(wait)
}

// due tells whether a collection has to be subscribed to, anew or again. One
// that is subscribed to is vouched for.
func (r *Receiver) due(p place) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.byPlace[p]
	if s == nil || s.Origin != r.URL {
		return true
	}
	left := time.Until(s.Expires)
	if !s.Renewed.IsZero() && left > 0 {
		r.Vouch(p.backend, p.user, p.collection, min(span, left))
	}
	return time.Until(s.Renewed.Add(min(renewal, s.Expires.Sub(s.Renewed)/2))) <= 0
}

// renew subscribes, anew or again, and answers how long not to try again; 0 if it
// worked.
func (r *Receiver) renew(ctx context.Context, p place, c backend.CollectionID, subscriber backend.Subscriber) time.Duration {
	key, err := r.key(ctx, p.backend)
	if err != nil {
		r.Logger.ErrorContext(ctx, "webdav-push: the key cannot be kept", "backend", p.backend, "error", err)
		return retry
	}
	next := r.draft(p)
	r.expect(&next) // the server may send something before it answers
	given, err := subscriber.Subscribe(ctx, c, backend.PushSubscription{
		Resource: next.Origin + Prefix + next.Token, PublicKey: key.Public(), Auth: next.Auth, Expires: time.Now().Add(lifetime),
	})
	switch {
	case err == nil:
	case backend.KindOf(err) == backend.Denied:
		return retry // whoever watches ends that by itself
	case backend.KindOf(err) == backend.Unsupported:
		r.Logger.DebugContext(ctx, "webdav-push: not for this collection", "backend", p.backend, "user", p.user, "collection", string(p.collection), "error", err)
		return retryRefused
	default:
		r.Logger.WarnContext(ctx, "webdav-push: subscribing", "backend", p.backend, "user", p.user, "collection", string(p.collection), "error", err)
		return retry
	}
	now := time.Now()
	if len(given.ServerKey) > 0 {
		if err := webpush.CheckPublicKey(given.ServerKey); err != nil {
			r.Logger.WarnContext(ctx, "webdav-push: the server's key is none", "backend", p.backend, "error", err)
			return retryRefused
		}
	}
	next.ServerKey, next.Renewed, next.Expires = given.ServerKey, now, given.Expires
	if next.Expires.IsZero() || next.Expires.After(now.Add(lifetime)) {
		next.Expires = now.Add(lifetime)
	}
	if err := r.Store.SavePushSubscription(ctx, next); err != nil {
		r.Logger.ErrorContext(ctx, "webdav-push: the subscription cannot be kept", "backend", p.backend, "error", err)
		return retry
	}
	r.expect(&next)
	r.due(p)
	return 0
}

// draft is what is asked for: the same push resource as before, or a new one if
// there was none or it was elsewhere.
func (r *Receiver) draft(p place) Subscription {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.byPlace[p]; old != nil && old.Origin == r.URL {
		return *old
	}
	return Subscription{
		Token: newToken(), Backend: p.backend, User: p.user, Collection: p.collection,
		Auth: webpush.NewAuth(), Origin: r.URL, Expires: time.Now().Add(lifetime),
	}
}

// expect lets messages to a subscription pass from now on.
func (r *Receiver) expect(s *Subscription) {
	kept := *s
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.byPlace[s.place()]; old != nil && old.Token != s.Token {
		delete(r.byToken, old.Token)
	}
	r.byToken[s.Token], r.byPlace[s.place()] = &kept, &kept
}

var errUnknown = errors.New("davpush: there is no such push resource")

// find answers the subscription of a push resource and the key of its backend.
func (r *Receiver) find(token string) (Subscription, webpush.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.byToken[token]
	if s == nil {
		return Subscription{}, webpush.Key{}, errUnknown
	}
	if time.Now().After(s.Expires) { // nobody has waited for days
		delete(r.byToken, token)
		if r.byPlace[s.place()] == s {
			delete(r.byPlace, s.place())
		}
		return Subscription{}, webpush.Key{}, errUnknown
	}
	return *s, r.keys[s.Backend], nil
}

// Subscribed is how many collections of a backend are subscribed to.
func (r *Receiver) Subscribed(backendName string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for p, s := range r.byPlace {
		if p.backend == backendName && !s.Renewed.IsZero() && time.Now().Before(s.Expires) {
			n++
		}
	}
	return n
}
