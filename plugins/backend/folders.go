package backend

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxCollectionName bounds the name of a collection that is to be made or
// renamed, in bytes: 256 characters, which is what phones may send, of four
// bytes each.
const MaxCollectionName = 1024

// A FolderEditor is a Session that can make, change and remove collections.
// Where a Session is not a FolderEditor, people do that elsewhere.
type FolderEditor interface {
	Session

	// CreateCollection makes an empty collection of the Kind, with the Name and,
	// where the store keeps one and it is not empty, the Colour. It stands in
	// Parent, or at the top if the store has no collections inside of others.
	// The other fields are for the store to say. The answer is the collection
	// as Collections lists it from now on.
	//
	// ID is a name that the host chose (1 to 64 letters, digits, '-' and '_');
	// the store derives the lasting ID from it, always in the same way. If a
	// collection of that derivation exists already, CreateCollection changes
	// nothing and answers kind Conflict together with the collection that is
	// there: this is how a repeated create meets its own first try.
	//
	// Unsupported means that the store keeps no collections of this kind, or
	// makes none. A missing Parent is NotFound, a name that CollectionName does
	// not answer is Invalid.
	CreateCollection(ctx context.Context, c Collection) (Collection, error)

	// UpdateCollection gives the collection of the ID the Name, the Colour
	// unless it is empty, and the Parent, where the store has collections inside
	// of others. The answer is the collection as it is then. Several collections
	// of a store may have one name in common, and change together.
	UpdateCollection(ctx context.Context, c Collection) (Collection, error)

	// DeleteCollection removes a collection with all of its items. It is
	// Unsupported where more than that would go, such as where two collections
	// are two views of one store. NotFound means that it was gone before.
	DeleteCollection(ctx context.Context, id CollectionID) error
}

// CollectionName makes a name that somebody typed fit to be a collection's: on
// one line, without control characters and bytes that are no text. It is empty
// if nothing is left, or if the name is longer than MaxCollectionName.
func CollectionName(typed string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || unicode.Is(unicode.Cf, r) && r != zeroWidthJoiner:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, typed)
	if name = strings.TrimSpace(name); len(name) > MaxCollectionName {
		return ""
	}
	return name
}

// zeroWidthJoiner holds together what some scripts and pictures are made of.
const zeroWidthJoiner = '\u200d'
