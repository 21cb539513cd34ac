// Package localdir serves the .vcf and .ics files of a directory as a backend.
package localdir

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Open builds the backend.
func Open(ctx context.Context, settings backend.Settings) (backend.Backend, error) {
	return nil, backend.Errorf(backend.Unsupported, "localdir: open", "not in this build")
}
