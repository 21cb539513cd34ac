// Package wire translates between the backend contract and its protobuf form, both ways; only sdk and host use it.
//
// A [Server] puts a backend.Backend behind the protocol; a [Client] is a
// backend.Backend in front of it. What one side promises the other may rely
// on, except for limits: those that protect the host are kept by the Client,
// whoever wrote the plugin.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// The handshake of go-plugin. The cookie keeps people from starting a plugin
// by hand; it is no secret.
const (
	// MajorVersion is go-plugin's protocol version.
	MajorVersion = 1

	// MinorVersion counts compatible additions to the protocol.
	MinorVersion = 7

	CookieKey   = "PUSHBRIDGE_PLUGIN"
	CookieValue = "backend"

	// ParentKey tells a plugin, with the value ParentStdin, that its host
	// holds the other end of its standard input for as long as it lives.
	ParentKey   = "PUSHBRIDGE_PARENT"
	ParentStdin = "stdin"

	// PluginName is the one entry of the plugin set.
	PluginName = "backend"
)

// Sizes of messages, in bytes. gRPC refuses messages above 4 MiB, and small
// ones keep a slow phone from filling both processes with what it waits for.
const (
	// batchSize is how much of items or changes is gathered in one message.
	batchSize = 256 << 10

	// chunkSize is how much of one body goes into one message.
	chunkSize = 512 << 10

	// MaxMessage bounds every message: a chunk beside a batch, with room for
	// the longest ID and the rest.
	MaxMessage = 1 << 20

	// maxText bounds the text of an error, which travels in HTTP/2 headers.
	maxText = 2 << 10

	// maxName bounds what people call things; more is cut off.
	maxName = 1 << 10

	// maxCursor bounds cursors, which are kept for each folder. Some stores
	// put whole vectors of numbers there.
	maxCursor = 16 << 10

	// namesPerCall is how many items one Get asks for; a longer list becomes
	// several calls. Even with the longest IDs that is less than MaxMessage.
	namesPerCall = 400
)

// Info is what a plugin says of itself.
type Info struct {
	Name         string          // "carddav"
	Extras       []backend.Extra // that its sessions may have
	MinorVersion int
}

// A Complaint is what a plugin has to say against its settings.
type Complaint struct{ Text string }

// Error is the text, for the person who wrote the settings.
func (c *Complaint) Error() string { return c.Text }

// marshalSettings writes settings as JSON.
func marshalSettings(s backend.Settings) ([]byte, error) {
	if s == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[string]any(s)) // a Settings hides itself
}

// unmarshalSettings reads JSON; numbers keep all of their digits.
func unmarshalSettings(data []byte) (backend.Settings, error) {
	s := make(backend.Settings)
	if len(data) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("wire: settings: %w", err)
	}
	return s, nil
}

// text makes a string fit for a proto3 string field.
func text(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}

func extraNames(list []backend.Extra) []string {
	names := make([]string, len(list))
	for n, e := range list {
		names[n] = string(e)
	}
	return names
}

func extrasOf(names []string) []backend.Extra {
	list := make([]backend.Extra, len(names))
	for n, name := range names {
		list[n] = backend.Extra(name)
	}
	return list
}

func credentialsToProto(c backend.Credentials) *pb.Credentials {
	return &pb.Credentials{User: []byte(c.User), Password: []byte(c.Password), Address: c.Address.Unmap().WithZone("").AsSlice()}
}

// credentialsOf is the inverse of credentialsToProto. What is not an address
// is none.
func credentialsOf(c *pb.Credentials) backend.Credentials {
	address, _ := netip.AddrFromSlice(c.GetAddress())
	return backend.Credentials{User: string(c.GetUser()), Password: string(c.GetPassword()), Address: address.Unmap()}
}

func collectionToProto(c backend.Collection) *pb.Collection {
	return &pb.Collection{
		Id: []byte(c.ID), Kind: text(string(c.Kind), maxName), Name: text(c.Name, maxName), Parent: []byte(c.Parent),
		Default: c.Default, ReadOnly: c.ReadOnly, Colour: text(c.Colour, maxName), Owner: text(c.Owner, maxName),
		Role: text(string(c.Role), maxName), Zone: zoneText(c.Zone),
	}
}

func collectionOf(c *pb.Collection) backend.Collection {
	return backend.Collection{
		ID: backend.CollectionID(c.GetId()), Kind: backend.CollectionKind(c.GetKind()), Name: c.GetName(),
		Parent: backend.CollectionID(c.GetParent()), Default: c.GetDefault(), ReadOnly: c.GetReadOnly(),
		Colour: c.GetColour(), Owner: c.GetOwner(), Role: backend.Role(c.GetRole()),
		Zone: zoneText(c.GetZone()),
	}
}

// zoneText is the zone of a collection; of one that is too long a part would be
// another one.
func zoneText(s string) string {
	if len(s) > backend.MaxZone {
		return ""
	}
	return text(s, backend.MaxZone)
}

func changeToProto(ch backend.Change) *pb.Change {
	return &pb.Change{Id: []byte(ch.ID), Revision: []byte(ch.Revision), Removed: ch.Removed, Received: seconds(ch.Received)}
}

func changeOf(p *pb.Change) backend.Change {
	return backend.Change{
		ID: backend.ItemID(p.GetId()), Revision: backend.Revision(p.GetRevision()), Removed: p.GetRemoved(), Received: moment(p.GetReceived()),
	}
}

// flagsOf keeps nil for what has no flags.
func flagsOf(in []string) []string {
	if len(in) == 0 {
		return nil
	}
	return backend.Flags(in)
}
