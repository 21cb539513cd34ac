package davpush

import (
	"bytes"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/notify"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/bridge/webpush"
)

// namespace is that of the draft's elements.
const namespace = "https://bitfire.at/webdav-push"

func newToken() string {
	b := make([]byte, tokenSize)
	rand.Read(b) // never fails
	return webpush.Encode(b)
}

// ServeHTTP takes a push message. See RFC 8030, section 5. Each leaves one line
// in the log, without the push resource, which is a secret.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	began := time.Now()
	event := &telemetry.Event{Command: "Push", Agent: req.UserAgent(), In: max(req.ContentLength, 0)}
	status, err := r.receive(w, req, event)
	event.HTTP, event.Err, event.Took = status, err, time.Since(began)
	switch status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusCreated:
		w.Header().Set("TTL", "0") // nothing is kept for later
	}
	w.WriteHeader(status)
	event.Log(req.Context(), r.Logger)
}

func (r *Receiver) receive(w http.ResponseWriter, req *http.Request, event *telemetry.Event) (int, error) {
	if req.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, errors.New("davpush: not a POST")
	}
	s, key, err := r.find(strings.TrimPrefix(req.URL.Path, Prefix))
	if err != nil {
		return http.StatusGone, err // so that the server forgets it, see RFC 8030, section 7.3
	}
	event.User = s.User
	event.Add(slog.String("backend", s.Backend))
	if req.ContentLength > webpush.MaxMessage {
		return http.StatusRequestEntityTooLarge, errors.New("davpush: the message is too long")
	}
	if len(s.ServerKey) > 0 {
		if err := webpush.CheckSender(req.Header.Get("Authorization"), s.ServerKey, s.Origin, time.Now()); err != nil {
			return http.StatusForbidden, err
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, webpush.MaxMessage))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return http.StatusRequestEntityTooLarge, err
	}
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("davpush: %w", err)
	}
	if coding := req.Header.Get("Content-Encoding"); !strings.EqualFold(coding, "aes128gcm") {
		return http.StatusUnsupportedMediaType, fmt.Errorf("davpush: the content coding is %.40q", coding)
	}
	plain, err := key.Decrypt(s.Auth, body)
	if err == nil {
		err = checkMessage(plain)
	}
	if err != nil {
		return http.StatusBadRequest, err
	}
	// Whatever it says has changed, it is this collection.
	r.Take(notify.Notice{Backend: s.Backend, User: s.User, Path: string(s.Collection)})
	return http.StatusCreated, nil
}

// checkMessage tells whether a text is a push message of the draft.
func checkMessage(plain []byte) error {
	d := xml.NewDecoder(bytes.NewReader(plain))
	for {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("davpush: the message is not XML: %w", err)
		}
		if start, ok := token.(xml.StartElement); ok {
			if start.Name.Space != namespace || start.Name.Local != "push-message" {
				return fmt.Errorf("davpush: the message is a %.40q", start.Name.Local)
			}
			return nil
		}
	}
}
