// Package webhook takes word of changes from servers that call an address of ours when something changed.
//
// Who calls proves a shared secret: as "Authorization: Bearer SECRET", or with
// the signature of the body, "X-Hub-Signature-256: sha256=HEX", which is its
// HMAC with SHA-256 (as WebSub, section 7.1, has it). What they say is believed
// in no other way than that somebody looks whether it is so. Answers are the
// same whether or not a user exists.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/pushbridge/pushbridge/bridge/notify"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
)

const (
	// Prefix is below what the hooks are served.
	Prefix = "/hooks/"

	// MaxBody bounds a request's body, in bytes. Nextcloud sends the event
	// itself along, and those with attached files are larger: they are found
	// without being told of.
	MaxBody = 1 << 20

	// maxConcurrent bounds the bodies that are in memory at once, before it is
	// known whether who sends them may.
	maxConcurrent = 16

	// callsPerSecond and burst bound the calls of one hook that are listened to.
	// An import of a calendar has thousands of events, and one word of it is
	// enough.
	callsPerSecond = 50
	burst          = 500

	// retryAfter is how many seconds who calls too often is to wait.
	retryAfter = 5
)

// A Hook is one address: /hooks/NAME.
type Hook struct {
	Name    string
	Kind    Kind
	Backend string // what it speaks of; empty means any
	Secret  string
}

// String hides the secret.
func (h Hook) String() string { return "hook " + h.Name }

// GoString hides it from %#v, too.
func (h Hook) GoString() string { return h.String() }

// A Kind is what a hook's calls look like.
type Kind string

// The kinds of hooks.
const (
	Generic   Kind = "generic"   // a notify.Notice
	Nextcloud Kind = "nextcloud" // what the app webhook_listeners sends
)

// A reader takes from a body what may have changed; nothing if it is about
// something else.
type reader func(body []byte) ([]notify.Notice, error)

var readers = map[Kind]reader{Generic: readGeneric, Nextcloud: readNextcloud}

// readGeneric reads a notice.
func readGeneric(body []byte) ([]notify.Notice, error) {
	n, err := notify.Parse(body)
	return []notify.Notice{n}, err
}

// Options tell New what to build with. Take is required.
type Options struct {
	Hooks []Hook

	// Take is told what may have changed. It must not block.
	Take func(hook string, notices []notify.Notice)

	Logger *slog.Logger // nil means slog.Default
}

// New answers POST /hooks/NAME.
func New(o Options) http.Handler {
	if o.Take == nil {
		panic("webhook: Options.Take is required")
	}
	h := &handler{Options: o, hooks: make(map[string]*hook), busy: make(chan struct{}, maxConcurrent)}
	if h.Logger == nil {
		h.Logger = slog.Default()
	}
	for _, one := range o.Hooks {
		read, ok := readers[one.Kind]
		if !ok || one.Secret == "" {
			panic(fmt.Sprintf("webhook: %s has no secret, or the kind %q", one, one.Kind))
		}
		h.hooks[one.Name] = &hook{one, read, sha256.Sum256([]byte(one.Secret)), rate.NewLimiter(callsPerSecond, burst)}
	}
	return h
}

type handler struct {
	Options
	hooks map[string]*hook
	busy  chan struct{}
}

type hook struct {
	Hook
	read    reader
	digest  [sha256.Size]byte // of the secret
	limiter *rate.Limiter
}

// A refusal is why a call is not listened to, and what is answered.
type refusal struct {
	status int
	why    string
}

func (r *refusal) Error() string { return "webhook: " + r.why }

// ServeHTTP implements http.Handler. Each call leaves one line in the log.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event := &telemetry.Event{Command: "Hook", Agent: r.UserAgent(), HTTP: http.StatusNoContent, In: max(r.ContentLength, 0)}
	began := time.Now()
	if err := h.answer(w, r, event); err != nil {
		event.Err = err
		event.HTTP = refuse(w, err)
	} else {
		w.WriteHeader(http.StatusNoContent)
	}
	event.Took = time.Since(began)
	event.Log(r.Context(), h.Logger)
}

// refuse answers a call that is not listened to.
func refuse(w http.ResponseWriter, err error) int {
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		refused = &refusal{http.StatusInternalServerError, "internal error"}
	}
	switch refused.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	http.Error(w, refused.why, refused.status)
	return refused.status
}

// answer listens to a call, or says why not.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, event *telemetry.Event) error {
	name, _ := strings.CutPrefix(r.URL.Path, Prefix)
	on := h.hooks[name]
	switch {
	case on == nil:
		return &refusal{http.StatusNotFound, "there is no such hook"}
	case r.Method != http.MethodPost:
		return &refusal{http.StatusMethodNotAllowed, "send a POST"}
	case r.ContentLength > MaxBody:
		return tooLarge
	}
	event.Add(slog.String("hook", name))
	select {
	case h.busy <- struct{}{}:
		defer func() { <-h.busy }()
	default:
		return &refusal{http.StatusServiceUnavailable, "too many calls at a time"}
	}
	body, err := on.prove(w, r)
	if err != nil {
		return err
	}
	if !on.limiter.Allow() {
		return &refusal{http.StatusTooManyRequests, "too many calls"}
	}
	notices, err := on.read(body)
	if err != nil {
		// The particulars are for the log: they may name people.
		return fmt.Errorf("%w: %w", &refusal{http.StatusBadRequest, "the body makes no sense"}, err)
	}
	for i := range notices {
		if on.Backend != "" {
			notices[i].Backend = on.Backend
		}
	}
	event.Add(slog.Int("notices", len(notices)))
	if len(notices) > 0 {
		h.Take(name, notices)
	}
	return nil
}

var tooLarge = &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", MaxBody)}

// noProof does not tell a wrong secret from a missing one.
var noProof = &refusal{http.StatusUnauthorized, "the secret is missing or wrong"}

// prove answers the body of a call that proves the secret. That of one which
// has a wrong one to show is not read.
func (h *hook) prove(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	bearer, ok := bearerOf(r)
	signature := r.Header.Get("X-Hub-Signature-256")
	if ok {
		digest := sha256.Sum256([]byte(bearer)) // of equal length, whatever it is
		if subtle.ConstantTimeCompare(digest[:], h.digest[:]) != 1 {
			return nil, noProof
		}
	} else if signature == "" {
		return nil, noProof
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", &refusal{http.StatusBadRequest, "the body breaks off"}, err)
	}
	if !ok {
		mac := hmac.New(sha256.New, []byte(h.Secret))
		mac.Write(body)
		given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
		if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
			return nil, noProof
		}
	}
	return body, nil
}

// bearerOf takes the secret out of the header. See RFC 6750, section 2.1.
func bearerOf(r *http.Request) (string, bool) {
	scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(secret), true
}
