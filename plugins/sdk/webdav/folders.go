package webdav

import (
	"regexp"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// newName is what the contract allows as the name of a new collection.
var newName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckNew refuses a collection that cannot be made.
func CheckNew(c backend.Collection) error {
	if !newName.MatchString(string(c.ID)) {
		return backend.Errorf(backend.Invalid, "webdav: a new collection", "%.70q cannot name it", c.ID)
	}
	return CheckName(c.Name)
}

// CheckName refuses a name that no collection can have.
func CheckName(name string) error {
	if name == "" || backend.CollectionName(name) != name {
		return backend.Errorf(backend.Invalid, "webdav: a collection", "it cannot be called %.70q", name)
	}
	return nil
}
