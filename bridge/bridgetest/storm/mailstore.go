package storm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A Mailstore is where a person's mail lies, as the desktop reaches it. Folders go by
// their names. What is not there any more is of the kind NotFound.
type Mailstore interface {
	MakeFolder(name string, role backend.Role) error
	Deliver(folder, name string, body []byte, received time.Time, flags ...string) error
	Messages(folder string) ([]backend.Message, error) // whole ones
	SetFlags(folder string, id backend.ItemID, set, clear []string) error
	Move(folder string, id backend.ItemID, to string) error
	Delete(folder string, id backend.ItemID) error
}

// A Mailhouse is the mail system of a Worker, with weather of its own.
type Mailhouse interface {
	Mailstore
	Still(calm bool) // turns the faults off, or on
	Stumble() (what string)
	Attend(Postmaster) // before anything else
}

// A Postmaster decides over mail. Its functions may be called from any goroutine.
type Postmaster struct {
	Judge  func(body []byte) Fate // over what was given to the mail system whole
	Broken func(what string)      // is told what just went wrong
}

// A Fate is what becomes of a mail that somebody sends.
type Fate int

// The fates. Where nobody hears of it, the connection breaks.
const (
	Taken Fate = iota
	Refused
	Deferred
	Unheard
)

// memoryMail is a Mailstore without a disk.
type memoryMail struct {
	store *memory.Backend
	desk  backend.Mailbox
}

func newMemoryMail(store *memory.Backend) (memoryMail, error) {
	s, err := store.Open(context.Background(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
	if err != nil {
		return memoryMail{}, err
	}
	desk, ok := backend.As[backend.Mailbox](s)
	if !ok {
		return memoryMail{}, backend.Errorf(backend.Unsupported, "storm", "the store has no mail")
	}
	return memoryMail{store, desk}, nil
}

// idOf is the id of a folder for mail, as the storm's own store has it.
func idOf(folder string) backend.CollectionID { return backend.CollectionID(strings.ToLower(folder)) }

func (m memoryMail) MakeFolder(name string, role backend.Role) error {
	m.store.SetCollection(bridgetest.User, backend.Collection{
		ID: idOf(name), Kind: backend.Mail, Name: name, Role: role, Default: role == backend.RoleInbox})
	return nil
}

func (m memoryMail) Deliver(folder, name string, body []byte, received time.Time, flags ...string) error {
	m.store.StoreMessage(bridgetest.User, idOf(folder), backend.ItemID(name), body, received, flags...)
	return nil
}

func (m memoryMail) Messages(folder string) ([]backend.Message, error) {
	var ids []backend.ItemID
	for id := range m.store.Items(bridgetest.User, idOf(folder)) {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var list []backend.Message
	err := m.desk.Messages(context.Background(), idOf(folder), ids, backend.MaxItemSize, func(s backend.Message) error {
		list = append(list, s)
		return s.Err
	})
	return list, err
}

func (m memoryMail) SetFlags(folder string, id backend.ItemID, set, clear []string) error {
	_, err := m.desk.SetFlags(context.Background(), idOf(folder), id, set, clear)
	return err
}

func (m memoryMail) Move(folder string, id backend.ItemID, to string) error {
	_, err := m.desk.Move(context.Background(), idOf(folder), id, idOf(to))
	return err
}

func (m memoryMail) Delete(folder string, id backend.ItemID) error {
	return m.desk.Delete(context.Background(), idOf(folder), id, "")
}

// A mailName is how a store that has names for messages calls one.
func mailName(number int) string { return fmt.Sprintf("mail%d.eml", number) }
