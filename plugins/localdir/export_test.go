package localdir

import "github.com/pushbridge/pushbridge/plugins/backend"

// Forget makes the cursors of a collection expire, as a new start does.
func Forget(b backend.Backend, user, directory string) {
	b.(*Backend).index(place{user, directory}).forget()
}
