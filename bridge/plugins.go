package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/plugins/builtin"
	"github.com/pushbridge/pushbridge/plugins/host"
)

// plugins are the processes that serve the configured backends, one for each.
type plugins struct {
	host     *host.Host
	backends []account.Named
}

// startPlugins starts all of them side by side. Every backend whose settings
// are wrong is named in the error.
func startPlugins(ctx context.Context, o Options, logger *slog.Logger) (*plugins, error) {
	p := &plugins{host: host.New(host.Options{Logger: logger})}
	p.backends = make([]account.Named, len(o.Config.Backends))
	errs := make([]error, len(o.Config.Backends))
	var starting sync.WaitGroup
	for i, b := range o.Config.Backends {
		starting.Go(func() {
			command, err := o.command(b)
			if err == nil {
				p.backends[i].Name, p.backends[i].Login = b.Name, b.Login
				p.backends[i].Backend, err = p.host.Start(ctx, b.Name, host.Spec{Command: command, Settings: b.Settings})
			}
			if err != nil {
				errs[i] = complaint(b, err)
			}
		})
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// complaint says which table of the configuration is to blame.
func complaint(b config.Backend, err error) error {
	settings, ok := errors.AsType[*host.ConfigError](err)
	switch {
	case ok:
		err = &host.ConfigError{Plugin: "[backend." + b.Name + "]", Text: settings.Text}
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("[backend.%s]: %w; it has not answered in time: is %q a plugin?", b.Name, err, b.Plugin)
	default:
		err = fmt.Errorf("[backend.%s]: %w", b.Name, err)
	}
	if b.At != "" {
		err = fmt.Errorf("%s: %w", b.At, err)
	}
	return err
}

// command is how the plugin of a backend is started: this program itself for a
// built-in adapter, else an executable in the plugins' directory.
func (o Options) command(b config.Backend) ([]string, error) {
	if _, ok := builtin.Lookup(b.Plugin); ok {
		if o.Adapter != nil {
			return o.Adapter(b.Plugin)
		}
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
		return []string{self, "plugin", b.Plugin}, nil
	}
	if o.Config.PluginsDir == "" || b.Plugin != filepath.Base(b.Plugin) {
		return nil, faulty("plugin = %q is none of the built-in adapters (%s); programs of your own go into the directory that plugins_dir names", b.Plugin, strings.Join(builtin.Names(), ", "))
	}
	path := filepath.Join(o.Config.PluginsDir, b.Plugin)
	if info, err := os.Stat(path); err != nil {
		return nil, faulty("plugin = %q is neither a built-in adapter (%s) nor a program in plugins_dir: %w", b.Plugin, strings.Join(builtin.Names(), ", "), err)
	} else if info.IsDir() || info.Mode()&0o111 == 0 {
		return nil, faulty("plugin = %q: %s is not an executable file; chmod +x it", b.Plugin, path)
	}
	return []string{path}, nil
}

// Close ends the processes and waits for them.
func (p *plugins) Close() error { return p.host.Close() }
