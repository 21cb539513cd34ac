// Package socket opens unix sockets with a mode and a group, in the place of what another process has left behind.
package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
)

// DefaultMode lets the socket's owner and group connect and nobody else.
const DefaultMode fs.FileMode = 0o660

// A Place says where a socket is to be, and who may connect.
type Place struct {
	Path  string
	Mode  fs.FileMode
	Group string // by name or number; "" is the process's own
}

// Parse reads a path, behind which a mode and a group may stand:
// /run/x.sock?mode=0600&group=www.
func Parse(text string) (Place, error) {
	path, query, _ := strings.Cut(text, "?")
	if path == "" {
		return Place{}, errors.New("the path of the socket is missing")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return Place{}, err
	}
	p := Place{Path: path, Mode: DefaultMode}
	for key, values := range options {
		switch v := values[len(values)-1]; key {
		case "mode":
			n, err := strconv.ParseUint(v, 8, 9)
			if err != nil {
				return Place{}, fmt.Errorf("mode %q is not an octal mode like 0660", v)
			}
			p.Mode = fs.FileMode(n)
		case "group":
			p.Group = v
		default:
			return Place{}, fmt.Errorf("unknown option %q, want mode or group", key)
		}
	}
	return p, nil
}
