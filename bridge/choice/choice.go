// Package choice says which of a person's folders each phone is shown, and which folder is the main one of its kind, by patterns of names.
//
// Rules come from the configuration, for everybody, and from administrators, who
// add to a person's own list at any time. Of an administrator's rules the last
// one that fits decides; where none does, a folder is hidden that a rule of the
// configuration hides and no other one shows.
package choice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// A Table is the rules of a configuration.
type Table struct {
	Show, Hide []Rule
	Main       []Rule // the folders that are to be the main ones of their kinds
}

// MaxChoices bounds the rules that administrators may keep for one person.
const MaxChoices = 200

// ErrTooMany means that MaxChoices is reached.
var ErrTooMany = errors.New("choice: there are too many rules for this person")

// A Choice is a rule that an administrator made.
type Choice struct {
	Device  string `json:"device,omitempty"` // a pattern, of DeviceId or DeviceType; empty for all
	Pattern string `json:"pattern"`          // of folders
	Hide    bool   `json:"hide,omitempty"`
}

// fits tells whether the choice is about a folder on a phone.
func (c Choice) fits(p Phone, f syncengine.Folder) bool {
	return Rule{device: c.Device, folder: c.Pattern}.Fits(p, f)
}

// A Store keeps a person's choices under the name of no device. device.Store is
// one.
type Store interface {
	Remember(ctx context.Context, id device.ID, name string, value []byte) error
	Recall(ctx context.Context, id device.ID, name string) ([]byte, error)
}

// Choices decide. Their methods may be called from many goroutines.
type Choices struct {
	table Table
	store Store
}

// New joins the rules of a configuration with what a store keeps.
func New(t Table, s Store) *Choices { return &Choices{table: t, store: s} }

// kept is the name under which a person's choices are.
const kept = "folder choices"

// List is what administrators chose for a person, in the order in which they
// did.
func (c *Choices) List(ctx context.Context, user string) ([]Choice, error) {
	b, err := c.store.Recall(ctx, device.ID{User: user}, kept)
	if err != nil || b == nil {
		return nil, err
	}
	var list []Choice
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("choice: the choices for %q cannot be read: %w", user, err)
	}
	return list, nil
}

// Add makes a choice the last one for a person, in place of an earlier one for
// the same phones and folders.
func (c *Choices) Add(ctx context.Context, user string, n Choice) error {
	if _, err := ParseRule("*: " + n.Pattern); err != nil {
		return err
	}
	return c.edit(ctx, user, func(list []Choice) ([]Choice, error) {
		list = without(list, n)
		if len(list) >= MaxChoices {
			return nil, ErrTooMany
		}
		return append(list, n), nil
	})
}

// Drop takes a choice back, whether it shows or hides.
func (c *Choices) Drop(ctx context.Context, user string, n Choice) (dropped bool, err error) {
	err = c.edit(ctx, user, func(list []Choice) ([]Choice, error) {
		left := without(list, n)
		dropped = len(left) < len(list)
		return left, nil
	})
	return dropped && err == nil, err
}

func without(list []Choice, n Choice) []Choice {
	return slices.DeleteFunc(slices.Clone(list), func(o Choice) bool { return o.Device == n.Device && o.Pattern == n.Pattern })
}

func (c *Choices) edit(ctx context.Context, user string, change func([]Choice) ([]Choice, error)) error {
	list, err := c.List(ctx, user)
	if err != nil {
		return err
	}
	if list, err = change(list); err != nil {
		return err
	}
	var b []byte
	if len(list) > 0 {
		if b, err = json.Marshal(list); err != nil {
			return fmt.Errorf("choice: %w", err)
		}
	}
	return c.store.Remember(ctx, device.ID{User: user}, kept, b)
}

// For tells which folders a phone is shown.
func (c *Choices) For(ctx context.Context, p Phone) (func(syncengine.Folder) bool, error) {
	list, err := c.List(ctx, p.User)
	if err != nil {
		return nil, err
	}
	return func(f syncengine.Folder) bool {
		for _, n := range slices.Backward(list) {
			if n.fits(p, f) {
				return !n.Hide
			}
		}
		fits := func(r Rule) bool { return r.Fits(p, f) }
		return !slices.ContainsFunc(c.table.Hide, fits) || slices.ContainsFunc(c.table.Show, fits)
	}, nil
}

// Main tells whether a folder is to be the main one of its kind.
func (c *Choices) Main(f syncengine.Folder) bool {
	return slices.ContainsFunc(c.table.Main, func(r Rule) bool { return r.FitsUser(f.User, f) })
}
