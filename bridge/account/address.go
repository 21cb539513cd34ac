package account

import (
	"net/netip"
)

// A Caller is who logs in, as far as that can be seen without a password.
type Caller struct {
	Device  string     // the phone's own name of itself; empty if it has none
	Address netip.Addr // where it is; the zero Addr if that is not known
}

// maxRemote bounds a remote address as text: the longest IPv6 address with a
// zone and a port, and then some.
const maxRemote = 128

// ClientAddress is the address in an http.Request's RemoteAddr, which is
// "host:port" or, from some web servers, the host alone. What is no address,
// such as that of a Unix socket, is the zero Addr. An IPv4 address inside of
// an IPv6 one is what it stands for, and has no zone.
//
// RemoteAddr is what the web server says (it knows its own proxies), or the
// peer of the connection. Headers such as X-Forwarded-For are not looked at,
// because any phone can write them.
func ClientAddress(remote string) netip.Addr {
	if len(remote) > maxRemote {
		return netip.Addr{}
	}
	if p, err := netip.ParseAddrPort(remote); err == nil {
		return p.Addr().Unmap().WithZone("")
	}
	if n := len(remote); n > 1 && remote[0] == '[' && remote[n-1] == ']' {
		remote = remote[1 : n-1]
	}
	a, err := netip.ParseAddr(remote)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// network is the part of an address that one subscriber has: all of an IPv4
// address, the first 64 bits of an IPv6 one (RFC 6177 and RFC 7421). It
// answers false for what says nothing about a subscriber: no address, or one
// of this computer, from where a proxy may speak for everybody.
func network(a netip.Addr) (netip.Prefix, bool) {
	if !a.IsValid() || a.IsUnspecified() || a.IsLoopback() {
		return netip.Prefix{}, false
	}
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	return p, err == nil
}
