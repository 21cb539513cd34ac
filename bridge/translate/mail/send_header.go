package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// recipientsOf is everybody whom a message is for, each once.
func recipientsOf(h header) []string {
	var list []string
	seen := map[string]bool{}
	for _, name := range []string{"To", "Cc", "Bcc"} {
		for _, a := range h.addresses(name, "") {
			if lower := strings.ToLower(a.addr); isRecipient(a.addr) && !seen[lower] {
				seen[lower] = true
				list = append(list, a.addr)
			}
		}
	}
	return list
}

// isRecipient tells whether something can be written to at all. Who it is the
// mail server knows.
func isRecipient(addr string) bool {
	return addr != "" && len(addr) <= 320 && addr[0] != '-' && !strings.ContainsAny(addr, "<>,;:\"()[]\\ ")
}

// sender is whom the message is from. A phone that knows no address of the
// person writes none, or one without a host.
func (l *letter) sender() (address, error) {
	list := l.root.header.addresses("From", "")
	var from address
	if len(list) > 0 {
		from = list[0]
	}
	if !strings.Contains(from.addr, "@") {
		if len(l.s.Self) == 0 {
			return from, fmt.Errorf("mail: %w: it says from nobody, and nobody knows the sender's address", ErrNotSelf)
		}
		if from.name == "" {
			from.name = l.s.Name
		}
		from.addr = l.s.Self[0]
		return from, nil
	}
	for _, a := range list {
		if len(l.s.Self) > 0 && !l.isSelf(a.addr) {
			return from, fmt.Errorf("mail: %w: %.100q", ErrNotSelf, a.addr)
		}
	}
	return from, nil
}

// isSelf tells whether an address is the person's own: also with a detail, as
// in ann+phone@example.org. See RFC 5233.
func (l *letter) isSelf(addr string) bool {
	return slices.ContainsFunc(l.s.Self, func(own string) bool {
		return strings.EqualFold(own, addr) || strings.EqualFold(own, withoutDetail(addr))
	})
}

func withoutDetail(addr string) string {
	local, host, ok := strings.Cut(addr, "@")
	plain, _, detailed := strings.Cut(local, "+")
	if !ok || !detailed || plain == "" {
		return addr
	}
	return plain + "@" + host
}

// ofTheStore are fields that say something of the place where a message is
// kept, and nothing to those who get it. The last one is how a store knows a
// message again that it was given twice.
var ofTheStore = []string{"Return-Path", "Delivered-To", "X-Mozilla-Status", "X-Mozilla-Status2", "X-Mozilla-Keys", "X-Pushbridge-Name"}

// writeHeader writes what the phone wrote, in its order, and what is missing.
func (l *letter) writeHeader(o *Outgoing, from address) {
	var b bytes.Buffer
	has := map[string]bool{}
	for _, f := range l.root.header {
		name := strings.ToLower(f.name)
		switch {
		case strings.HasPrefix(name, "content-"), name == "mime-version", slices.ContainsFunc(ofTheStore, f.is):
			continue
		case name == "from":
			if has[name] || !bytes.Contains(f.value(), []byte("@")) {
				continue
			}
		case name == "sender":
			if a := (header{f}).addresses("Sender", ""); len(a) != 1 || len(l.s.Self) > 0 && !l.isSelf(a[0].addr) {
				continue
			}
		case name == "date":
			if _, ok := parseDate(string(unfold(f.value()))); !ok || has[name] || l.dated {
				continue
			}
		case name == "message-id":
			ids := messageIDs(unfold(f.value()))
			if len(ids) == 0 || has[name] {
				continue
			}
			o.MessageID = ids[0]
		case name == "bcc":
			o.bcc = append(o.bcc, sentField(f)...)
			continue
		}
		has[name] = true
		b.Write(sentField(f))
	}
	if !has["from"] {
		b.WriteString(addressField("From", []address{from}))
	}
	if !has["date"] {
		b.WriteString("Date: " + l.s.Now.Format(time.RFC1123Z) + "\r\n")
	}
	if !has["message-id"] {
		o.MessageID = l.newID(from)
		b.WriteString("Message-ID: <" + o.MessageID + ">\r\n")
	}
	for _, f := range l.fields {
		if name, _, _ := strings.Cut(f, ":"); !has[strings.ToLower(name)] {
			b.WriteString(f)
		}
	}
	b.WriteString("MIME-Version: 1.0\r\n")
	o.head = b.Bytes()
}

// newID makes the same id for the same token, so that a message that is sent
// again is known by everybody as the same one.
func (l *letter) newID(from address) string {
	sum := sha256.New()
	if l.s.Token != "" {
		sum.Write([]byte(l.s.Token))
	} else {
		sum.Write(l.all)
		sum.Write([]byte(l.s.Now.String()))
	}
	host := l.s.Host
	if host == "" {
		_, host, _ = strings.Cut(from.addr, "@")
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]) + "@" + host
}
