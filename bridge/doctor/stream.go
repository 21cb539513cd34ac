package doctor

import (
	"bufio"
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// maxProbe bounds what is read of a probe's answer, in bytes.
const maxProbe = 1 << 10

// stream finds out whether answers arrive as they are written, and whether
// pushbridge knows where phones are: it lets an answer begin that ends once its
// beginning has been seen. What is wrong here stops no phone.
func (v *visit) stream(ctx context.Context) bool {
	const step = "answers"
	word := rand.Text()
	var here net.Addr
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { here = info.Conn.LocalAddr() }}
	r, err := v.request(httptrace.WithClientTrace(ctx, trace), http.MethodOptions, eas.ProbeStream+"="+word, nil, true, nil)
	if err != nil {
		return true
	}
	resp, err := v.http.Do(r)
	if err != nil {
		v.fail(step, "no-answer", "no answer came: "+err.Error(), "look at the web server's error log")
		return false
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(io.LimitReader(resp.Body, maxProbe))
	first, err := lines.ReadString('\n')
	from, ok := strings.CutPrefix(first, eas.ProbeFrom)
	if err != nil || !ok {
		return true // another server, or an older pushbridge
	}
	v.ask(ctx, http.MethodOptions, eas.ProbeRelease+"="+word, nil, true, nil)
	last, _ := lines.ReadString('\n') // one that breaks off was not released
	if strings.TrimSpace(last) == eas.ProbeReleased {
		v.ok(step, "they arrive as they are written")
	} else {
		v.advise(step, "buffering", "the web server, or something before it, keeps answers until they are whole, in memory or on its disk",
			"nginx: fastcgi_buffering off; as nginx.conf.example has it; Apache: flushpackets=on; lighttpd: server.stream-response-body = 1")
	}
	v.seen(step, strings.TrimSpace(from), here)
	return true
}

// seen compares the address that pushbridge sees with ours. What lies between two
// networks may change addresses; what it never makes of them is one of the
// server itself.
func (v *visit) seen(step, from string, here net.Addr) {
	const remedy = "nginx: fastcgi_param REMOTE_ADDR $remote_addr; and, where another proxy stands in front of it, set_real_ip_from ADDRESS; real_ip_header X-Forwarded-For;"
	at, err := netip.ParseAddr(from)
	if err != nil {
		v.advise(step, "address-unknown", "pushbridge is not told where phones are, so that wrong passwords of one cannot be told from another's", remedy)
		return
	}
	us, err := netip.ParseAddrPort(here.String())
	if err != nil {
		return // over something that has no addresses
	}
	ours := us.Addr().Unmap()
	if at.IsLoopback() && !ours.IsLoopback() || ours.IsLoopback() && at != ours {
		v.advise(step, "address-hidden", "pushbridge takes this computer for "+from+": all phones have one address, by which wrong passwords are counted and logged", remedy)
		return
	}
	v.ok(step, "pushbridge sees phones where they are, this one at %s", from)
}
