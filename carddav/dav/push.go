package dav

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// PushNamespace is that of WebDAV-Push, draft-bitfire-webdav-push-00.
const PushNamespace = "https://bitfire.at/webdav-push"

// ErrNoPush means that a collection's server does not push.
var ErrNoPush = errors.New("there is no WebDAV-Push for this collection")

// A PushRegistration is what a server made of a subscription.
type PushRegistration struct {
	URL       string    // that of the registration
	ServerKey []byte    // with which the server signs; nil if it does not
	Expires   time.Time // zero if the server does not say
}

// PushSupport asks whether a collection can be subscribed to over Web Push, and
// answers the server's VAPID key, or nil if it has none. See the draft,
// "Collection Properties" and "VAPID".
func (c *Client) PushSupport(ctx context.Context, path string) (key []byte, err error) {
	r, err := c.PropfindOne(ctx, path, Name(PushNamespace, "transports"), Name(PushNamespace, "topic"), Name(PushNamespace, "supported-triggers"))
	if err != nil {
		return nil, err
	}
	transports, ok := r.Get(PushNamespace, "transports")
	if !ok || !transports.Has(PushNamespace, "web-push") || r.Text(PushNamespace, "topic") == "" {
		return nil, ErrNoPush
	}
	if triggers, ok := r.Get(PushNamespace, "supported-triggers"); ok && !triggers.Has(PushNamespace, "content-update") {
		return nil, ErrNoPush
	}
	for _, e := range transports.Elements {
		if e.Name == Name(PushNamespace, "vapid-public-key") {
			text := strings.TrimRight(strings.TrimSpace(e.Text), "=")
			if key, err = base64.RawURLEncoding.DecodeString(text); err != nil {
				return nil, fmt.Errorf("PROPFIND %s: vapid-public-key: %w", path, err)
			}
		}
	}
	return key, nil
}

// PushRegister subscribes to a collection's content, for the time that expires
// says at most. See the draft, "Subscription Registration". The registration's
// URL is that of the same server.
func (c *Client) PushRegister(ctx context.Context, path, resource string, publicKey, auth []byte, expires time.Time) (PushRegistration, error) {
	body := document(PushNamespace, "push-register", func(w *bytes.Buffer) {
		w.WriteString(`<C:subscription><C:web-push-subscription><C:push-resource>`)
		xml.EscapeText(w, []byte(resource)) // a Buffer takes everything
		fmt.Fprintf(w, `</C:push-resource><C:content-encoding>aes128gcm</C:content-encoding>`+
			`<C:subscription-public-key type="p256dh">%s</C:subscription-public-key><C:auth-secret>%s</C:auth-secret>`+
			`</C:web-push-subscription></C:subscription><C:trigger><C:content-update><D:depth>1</D:depth></C:content-update></C:trigger>`+
			`<C:expires>%s</C:expires>`, base64.RawURLEncoding.EncodeToString(publicKey), base64.RawURLEncoding.EncodeToString(auth),
			expires.UTC().Format(http.TimeFormat))
	})
	resp, err := c.request(ctx, http.MethodPost, path, body, "Content-Type", `application/xml; charset="utf-8"`)
	if err != nil {
		return PushRegistration{}, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxPushAnswer)); err != nil {
		return PushRegistration{}, Ended(ctx, err)
	}
	var given PushRegistration
	if at, err := c.root.Parse(resp.Header.Get("Location")); err == nil && resp.Header.Get("Location") != "" {
		given.URL = at.String()
	}
	if at, err := http.ParseTime(resp.Header.Get("Expires")); err == nil {
		given.Expires = at
	}
	return given, nil
}

// maxPushAnswer bounds what is read of an answer that has nothing to say, so
// that its connection can be used again.
const maxPushAnswer = 64 << 10
