package bridge

import (
	"crypto/x509"
	"fmt"
	"os"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// openDirectory builds the index of people, with the books for everybody that
// the configuration names.
func (b *Bridge) openDirectory(d config.Directory, backends []account.Named) (*directory.Directory, error) {
	o := directory.Options{Cut: func(p directory.Place) {
		b.logger.Warn("an address book is too large to be searched as a whole", "user", p.Owner, "backend", p.Backend, "collection", string(p.Collection))
	}}
	if d.User != "" {
		for _, n := range backends {
			if n.Name == d.Backend {
				o.Shared = directory.NewShared(n.Name, n.Backend, backend.Credentials{User: d.User, Password: d.Password}, d.Collection)
			}
		}
		if o.Shared == nil {
			return nil, faulty("directory.backend = %q: there is no such backend", d.Backend)
		}
	}
	return directory.New(o), nil
}

// inDirectory tells which of a person's own books are the directory.
func inDirectory(d config.Directory) func(syncengine.Folder) bool {
	if d.Backend == "" || d.User != "" {
		return nil
	}
	return func(f syncengine.Folder) bool {
		return f.Backend == d.Backend && directory.Matches(d.Collection, backend.Collection{ID: f.Collection, Kind: f.Kind, Name: f.Name})
	}
}

// openRoots are the authorities for certificates of mail: the system's, and
// those of a file. Without a file it is nil, which means the system's.
func openRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, faulty("certificates.ca_file: %w; name a file that the user that pushbridge runs as may read", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("bridge: the system's certificate authorities: %w", err)
	}
	if !roots.AppendCertsFromPEM(data) {
		return nil, faulty("certificates.ca_file = %q has no certificate in PEM", file)
	}
	return roots, nil
}
