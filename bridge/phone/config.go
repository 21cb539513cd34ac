package phone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// A Config says which server to play a phone against, and as whom.
type Config struct {
	URL      string // of the server, "https://mail.example.org"; required
	User     string
	Password string

	Email       string      // to ask Autodiscover about; "" means User
	Version     eas.Version // 0 means the highest that the server speaks
	DeviceID    string      // "" means one made from User, URL and what is done, so that it is the same each time
	DeviceType  string      // "" means "pushbridge"
	UserAgent   string      // "" means "pushbridge-phone"
	Base64Query bool        // see easclient.Client
	WindowSize  int         // see Settings
	Filters     map[string]int
	Classes     []string
	Heartbeat   Heartbeat     // of Watch
	PingFor     time.Duration // how long Probe stays in its Ping before it hangs up; 0 means 3 seconds
	HTTP        *http.Client  // nil means http.DefaultClient
	Trace       func(command string, request, answer []byte)
}

// pingFor is long enough to see that a server holds a Ping.
const pingFor = 3 * time.Second

// errNoVersion is a server that answers, but not as ActiveSync does.
var errNoVersion = errors.New("the server announces no version of ActiveSync that we speak; if it is another kind of server, the address is wrong, or the web server in front lacks its location")

// client makes one whose device is another for each purpose: a server takes
// two that call themselves the same for one phone that starts over.
func (c Config) client(purpose string) *easclient.Client {
	id := c.DeviceID
	if id == "" {
		sum := sha256.Sum256([]byte(c.User + "\x00" + c.URL + "\x00" + purpose))
		id = strings.ToUpper(hex.EncodeToString(sum[:16]))
	}
	return &easclient.Client{
		URL: c.URL, User: c.User, Password: c.Password, Version: c.Version,
		DeviceID: id, DeviceType: or(c.DeviceType, "pushbridge"), UserAgent: or(c.UserAgent, "pushbridge-phone"),
		Base64Query: c.Base64Query, HTTP: c.HTTP, Trace: c.Trace,
	}
}

func (c Config) settings() Settings {
	return Settings{
		WindowSize: c.WindowSize, Filters: c.Filters, Classes: c.Classes, Heartbeat: c.Heartbeat,
		Info: &eas.DeviceInformation{
			Model: "pushbridge phone", FriendlyName: "pushbridge phone",
			UserAgent: or(c.UserAgent, "pushbridge-phone"),
		},
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// connect makes a phone that speaks a version of the server's, and provisions it
// where the version does that.
func (c Config) connect(ctx context.Context, purpose string) (*Phone, error) {
	client := c.client(purpose)
	if client.Version == 0 {
		o, err := client.Options(ctx)
		if err != nil {
			return nil, fmt.Errorf("phone: OPTIONS: %w", Explain(err))
		}
		if client.Version = o.Best(); client.Version == 0 {
			return nil, fmt.Errorf("phone: OPTIONS: %w", errNoVersion)
		}
	}
	return New(client, c.settings()), nil
}
