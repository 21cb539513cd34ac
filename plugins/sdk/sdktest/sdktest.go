// Package sdktest lets authors of backends try theirs as the host sees it, without a process.
package sdktest

import (
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
)

// OverWire answers b behind the plugin protocol, for a second run of the
// suite in package backendtest. It closes b with the test.
func OverWire(t testing.TB, b backend.Backend) backend.Backend {
	t.Helper()
	return wiretest.OverWire(t, b)
}
