// Package placeholder is the backend of the folders that phones insist on and nobody serves.
//
// A phone's Exchange account wants an inbox, and some phones do not begin to
// synchronize anything before they have found one. Where no backend holds mail,
// this one offers an inbox that is always empty.
package placeholder

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Name is the name of this backend among the configured ones.
const Name = "placeholder"

const inbox backend.CollectionID = "inbox"

// Backend opens sessions for everybody. The zero value is ready for use.
type Backend struct{}

var _ backend.Backend = Backend{}

// Open answers a session and asks nobody: somebody else checks passwords.
func (Backend) Open(context.Context, backend.Credentials) (backend.Session, error) {
	return session{}, nil
}

// Close does nothing.
func (Backend) Close() error { return nil }

type session struct{}

var _ backend.Prober = session{}

func (session) Collections(context.Context) ([]backend.Collection, error) {
	return []backend.Collection{{ID: inbox, Kind: backend.Mail, Name: "Inbox", Default: true, ReadOnly: true, Role: backend.RoleInbox}}, nil
}

func (session) Changes(_ context.Context, c backend.CollectionID, _ backend.Cursor, _ func([]backend.Change) error) (backend.Cursor, error) {
	if c != inbox {
		return "", missing(c)
	}
	return "empty", nil
}

func (session) Get(_ context.Context, c backend.CollectionID, _ []backend.ItemID, _ func(backend.Fetched) error) error {
	if c != inbox {
		return missing(c)
	}
	return nil
}

func (session) Put(_ context.Context, c backend.CollectionID, _ backend.Item) (backend.Item, error) {
	return backend.Item{}, backend.Errorf(backend.ReadOnly, "placeholder: put", "%s is always empty", c)
}

func (session) Delete(_ context.Context, _ backend.CollectionID, id backend.ItemID, _ backend.Revision) error {
	return backend.Errorf(backend.NotFound, "placeholder: delete", "there is no item %q", id)
}

func (session) Move(_ context.Context, from backend.CollectionID, _ backend.ItemID, _ backend.CollectionID) (backend.Item, error) {
	return backend.Item{}, backend.Errorf(backend.NotFound, "placeholder: move", "%s is always empty", from)
}

// Probe answers always the same: nothing changes here.
func (session) Probe(_ context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	tags := make(map[backend.CollectionID]string, len(cs))
	for _, c := range cs {
		if c == inbox {
			tags[c] = "empty"
		}
	}
	return tags, nil
}

func (session) Close() error { return nil }

func missing(c backend.CollectionID) error {
	return backend.Errorf(backend.NotFound, "placeholder", "there is no collection %q", c)
}
