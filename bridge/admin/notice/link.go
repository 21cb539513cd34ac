package notice

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
)

const (
	// ApprovePath is where links lead to.
	ApprovePath = "/admin/approve"

	// linkLife is how long a link works: over a weekend with a holiday.
	linkLife = 7 * 24 * time.Hour

	// maxLink bounds a link, in bytes: two names, an address, and their signature.
	maxLink = 4 << 10
)

// Kinds of documents.
const (
	keyKind  = "link-key"
	usedKind = "link-used"
)

// A Store keeps the key of links, and which were used.
type Store interface {
	Documents(ctx context.Context, kind string) (map[string][]byte, error)
	Document(ctx context.Context, kind, name string) ([]byte, error) // nil if there is none
	SaveDocument(ctx context.Context, kind, name string, record []byte) error
}

// keyOf reads the key that links are signed with, or makes one.
func keyOf(ctx context.Context, s Store) ([]byte, error) {
	all, err := s.Documents(ctx, keyKind)
	if err != nil {
		return nil, fmt.Errorf("notice: the key of links: %w", err)
	}
	var key []byte
	if text, there := all["1"]; there {
		if json.Unmarshal(text, &key) != nil || len(key) < sha256.Size {
			return nil, errors.New("notice: the key of links that the state has is none")
		}
		return key, nil
	}
	key = make([]byte, sha256.Size)
	rand.Read(key) // never fails
	text, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("notice: %w", err)
	}
	if err := s.SaveDocument(ctx, keyKind, "1", text); err != nil {
		return nil, fmt.Errorf("notice: the key of links: %w", err)
	}
	return key, nil
}

// A permit is what a link says: that whoever has it may decide about a phone.
type permit struct {
	User   string `json:"u"`
	Device string `json:"d"`
	Came   int64  `json:"c"` // for the first time; one that was forgotten and came again is another one
	Ends   int64  `json:"e"`
	To     string `json:"t"` // whom it was mailed to
	Once   string `json:"o"` // which tells it from all others
}

// link makes a link to decide about a phone.
func (n *Notices) link(p device.Phone, to string) string {
	text, err := json.Marshal(permit{p.User, p.Device, p.FirstSeen.Unix(), time.Now().Add(linkLife).Unix(), to, rand.Text()})
	if err != nil {
		panic(fmt.Sprintf("notice: a permit does not marshal: %v", err)) // texts and numbers always do
	}
	body := base64.RawURLEncoding.EncodeToString(text)
	return body + "." + base64.RawURLEncoding.EncodeToString(n.sign(body))
}

func (n *Notices) sign(body string) []byte {
	h := hmac.New(sha256.New, n.key)
	h.Write([]byte("pushbridge approval\x00" + body)) // so that the key is good for nothing else
	return h.Sum(nil)
}

// errLink is a link that is none, is over or was used. Whoever has one is not told
// which.
var errLink = errors.New("notice: the link is not good, or not any more")

// read reads a link that was not used yet.
func (n *Notices) read(ctx context.Context, link string) (p permit, err error) {
	body, sum, ok := strings.Cut(link, ".")
	if !ok || len(link) > maxLink {
		return p, errLink
	}
	got, err := base64.RawURLEncoding.DecodeString(sum)
	if err != nil || !hmac.Equal(got, n.sign(body)) {
		return p, errLink
	}
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(text, &p) != nil || !time.Now().Before(time.Unix(p.Ends, 0)) {
		return permit{}, errLink
	}
	if !slices.Contains(n.Administrators, p.To) {
		return permit{}, errLink // whoever it was mailed to decides no more
	}
	used, err := n.Store.Document(ctx, usedKind, p.Once)
	if err != nil {
		return permit{}, fmt.Errorf("notice: whether a link was used: %w", err)
	}
	if used != nil {
		return permit{}, errLink
	}
	return p, nil
}

// use notes that a link is used, unless it was by another request, which may be
// another worker's, and forgets those whose time is over anyway.
func (n *Notices) use(ctx context.Context, p permit) error {
	return n.Transact(ctx, func(ctx context.Context) error {
		used, err := n.Store.Documents(ctx, usedKind)
		if err != nil {
			return fmt.Errorf("notice: which links were used: %w", err)
		}
		if _, yes := used[p.Once]; yes {
			return errLink
		}
		for name, text := range used {
			var ends int64
			if json.Unmarshal(text, &ends) == nil && time.Now().Before(time.Unix(ends, 0)) {
				continue
			}
			if err := n.Store.SaveDocument(ctx, usedKind, name, nil); err != nil {
				return fmt.Errorf("notice: forgetting a link: %w", err)
			}
		}
		return n.save(ctx, p, fmt.Append(nil, p.Ends))
	})
}

// unuse takes it back where nothing came of it.
func (n *Notices) unuse(ctx context.Context, p permit) error { return n.save(ctx, p, nil) }

func (n *Notices) save(ctx context.Context, p permit, record []byte) error {
	if err := n.Store.SaveDocument(ctx, usedKind, p.Once, record); err != nil {
		return fmt.Errorf("notice: noting that a link was used: %w", err)
	}
	return nil
}
