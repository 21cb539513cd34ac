package eas

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Query is what the URL of a request says, in plain text or in base64.
// See [MS-ASHTTP] "Request-URI".
type Query struct {
	Base64     bool    // the form
	Version    Version // 0 where it is not said or not one of ours: the header has to say it
	Command    Command // "" where it is not said
	DeviceID   string
	DeviceType string
	User       string  // "" in most base64 queries: it is known from the login
	PolicyKey  *uint32 // nil where it is not said: the header may say it
	Locale     uint16  // a Windows language identifier, 0 where it is not said

	AttachmentName string // of GetAttachment
	CollectionID   string // of SmartForward, SmartReply
	ItemID         string // of SmartForward, SmartReply
	LongID         string // of SmartForward, SmartReply
	Occurrence     string // of SmartForward, SmartReply
	SaveInSent     bool   // of SendMail, SmartForward, SmartReply
	Multipart      bool   // of ItemOperations: the phone takes parts
}

// ErrQuery means that a query is neither plain text nor base64.
var ErrQuery = errors.New("eas: the query cannot be read")

// MaxQuery bounds a query in bytes. The longest honest ones are GetAttachment's,
// whose attachment names hold some hundred bytes.
const MaxQuery = 4096

// Parameters of the base64 query. See [MS-ASHTTP] "Command Parameters".
const (
	paramAttachmentName = 0
	paramCollectionID   = 1
	paramItemID         = 3
	paramLongID         = 4
	paramOccurrence     = 6
	paramOptions        = 7
	paramUser           = 8
)

// Bits of the Options parameter. See [MS-ASHTTP] "Command Parameters".
const (
	optionSaveInSent = 0x01
	optionMultipart  = 0x02
)

// ParseQuery reads the query of a URL as it came, without the question mark.
// Names of the plain form are taken in any case; of the base64 form both
// alphabets, with padding and without. The error is ErrQuery.
func ParseQuery(raw string) (Query, error) {
	if len(raw) > MaxQuery {
		return Query{}, fmt.Errorf("%w: it is longer than %d bytes", ErrQuery, MaxQuery)
	}
	if raw == "" {
		return Query{}, nil
	}
	if strings.Contains(strings.TrimRight(raw, "="), "=") || strings.Contains(raw, "&") {
		return parsePlain(raw)
	}
	return parseBase64(raw)
}

// plain are the names of the plain form, in lower case, and where they belong.
var plain = map[string]func(*Query, string){
	"cmd":            func(q *Query, s string) { q.Command, _ = ParseCommand(s) },
	"user":           func(q *Query, s string) { q.User = s },
	"deviceid":       func(q *Query, s string) { q.DeviceID = s },
	"devicetype":     func(q *Query, s string) { q.DeviceType = s },
	"attachmentname": func(q *Query, s string) { q.AttachmentName = s },
	"collectionid":   func(q *Query, s string) { q.CollectionID = s },
	"itemid":         func(q *Query, s string) { q.ItemID = s },
	"longid":         func(q *Query, s string) { q.LongID = s },
	"occurrence":     func(q *Query, s string) { q.Occurrence = s },
	"saveinsent":     func(q *Query, s string) { q.SaveInSent = strings.EqualFold(s, "T") },
	"policykey":      func(q *Query, s string) { q.PolicyKey = ParsePolicyKey(s) },
	"protver":        func(q *Query, s string) { q.Version, _ = ParseVersion(s) },
}

// parsePlain reads the plain form. See [MS-ASHTTP] "Plain Text Query Value".
func parsePlain(raw string) (Query, error) {
	var q Query
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		set, ok := plain[strings.ToLower(name)]
		if !ok {
			continue
		}
		text, err := url.QueryUnescape(value)
		if err != nil {
			return Query{}, fmt.Errorf("%w: the value of %s is not escaped rightly", ErrQuery, name)
		}
		set(&q, text)
	}
	return q, nil
}

// ParsePolicyKey reads the value of an X-MS-PolicyKey header: nil where it is
// not a number of 32 bits. See [MS-ASHTTP] "X-MS-PolicyKey".
func ParsePolicyKey(s string) *uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return nil
	}
	key := uint32(n)
	return &key
}

// parseBase64 reads the base64 form. See [MS-ASHTTP] "Base64-Encoded Query
// Value".
func parseBase64(raw string) (Query, error) {
	if strings.Contains(raw, "%") {
		var err error
		if raw, err = url.PathUnescape(raw); err != nil {
			return Query{}, fmt.Errorf("%w: it is not escaped rightly", ErrQuery)
		}
	}
	raw = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(raw, "="))
	b, err := base64.RawStdEncoding.DecodeString(raw)
	if err != nil {
		return Query{}, fmt.Errorf("%w: it is neither names with values nor base64", ErrQuery)
	}
	if len(b) < 4 {
		return Query{}, fmt.Errorf("%w: it ends after %d bytes", ErrQuery, len(b))
	}
	q := Query{Base64: true, Command: commandByCode(b[1]), Locale: binary.LittleEndian.Uint16(b[2:])}
	if v := Version(b[0]); slices.Contains(Versions, v) {
		q.Version = v
	}
	r := lengthPrefixed{b[4:]}
	id, ok1 := r.next()
	key, ok2 := r.next()
	kind, ok3 := r.next()
	if !ok1 || !ok2 || !ok3 {
		return Query{}, fmt.Errorf("%w: it ends inside the device", ErrQuery)
	}
	q.DeviceID, q.DeviceType = deviceID(id), string(kind)
	if len(key) == 4 {
		n := binary.LittleEndian.Uint32(key)
		q.PolicyKey = &n
	}
	return q, q.parameters(r)
}

func (q *Query) parameters(r lengthPrefixed) error {
	for len(r.rest) > 0 {
		name := r.rest[0]
		r.rest = r.rest[1:]
		value, ok := r.next()
		if !ok {
			return fmt.Errorf("%w: it ends inside parameter %d", ErrQuery, name)
		}
		switch name {
		case paramAttachmentName:
			q.AttachmentName = string(value)
		case paramCollectionID:
			q.CollectionID = string(value)
		case paramItemID:
			q.ItemID = string(value)
		case paramLongID:
			q.LongID = string(value)
		case paramOccurrence:
			q.Occurrence = string(value)
		case paramUser:
			q.User = string(value)
		case paramOptions:
			if len(value) > 0 {
				q.SaveInSent = value[0]&optionSaveInSent != 0
				q.Multipart = value[0]&optionMultipart != 0
			}
		}
	}
	return nil
}

// lengthPrefixed reads values that are preceded by a byte with their length.
type lengthPrefixed struct{ rest []byte }

func (r *lengthPrefixed) next() ([]byte, bool) {
	if len(r.rest) == 0 || len(r.rest) <= int(r.rest[0]) {
		return nil, false
	}
	n := int(r.rest[0]) + 1
	value := r.rest[1:n]
	r.rest = r.rest[n:]
	return value, true
}

// deviceID makes text of a device's id, which may be the sixteen bytes of a
// GUID.
func deviceID(b []byte) string {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return strings.ToUpper(hex.EncodeToString(b))
		}
	}
	return string(b)
}

// Encode writes the query in the form that Base64 says. It fails where the
// base64 form has no room for a value, for commands that have no code, and
// beyond MaxQuery.
func (q Query) Encode() (string, error) {
	if q.Base64 {
		return q.encodeBase64()
	}
	var b strings.Builder
	add := func(name, value string) {
		if value == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + url.QueryEscape(value))
	}
	add("Cmd", string(q.Command))
	add("User", q.User)
	add("DeviceId", q.DeviceID)
	add("DeviceType", q.DeviceType)
	add("AttachmentName", q.AttachmentName)
	add("CollectionId", q.CollectionID)
	add("ItemId", q.ItemID)
	add("LongId", q.LongID)
	add("Occurrence", q.Occurrence)
	if q.SaveInSent {
		add("SaveInSent", "T")
	}
	if b.Len() > MaxQuery {
		return "", fmt.Errorf("eas: a query of %d bytes is longer than anybody reads, which is %d", b.Len(), MaxQuery)
	}
	return b.String(), nil
}

func (q Query) encodeBase64() (string, error) {
	code, ok := q.Command.Code()
	if !ok {
		return "", fmt.Errorf("eas: command %q has no code for the base64 query", q.Command)
	}
	b := []byte{byte(q.Version), code}
	b = binary.LittleEndian.AppendUint16(b, q.Locale)
	var long string
	value := func(s string) {
		if len(s) > 255 {
			long, s = s, ""
		}
		b = append(append(b, byte(len(s))), s...)
	}
	param := func(name byte, s string) {
		if s != "" {
			b = append(b, name)
			value(s)
		}
	}
	value(q.DeviceID)
	if q.PolicyKey == nil {
		value("")
	} else {
		value(string(binary.LittleEndian.AppendUint32(nil, *q.PolicyKey)))
	}
	value(q.DeviceType)
	param(paramAttachmentName, q.AttachmentName)
	param(paramCollectionID, q.CollectionID)
	param(paramItemID, q.ItemID)
	param(paramLongID, q.LongID)
	param(paramOccurrence, q.Occurrence)
	if options := q.options(); options != 0 {
		param(paramOptions, string([]byte{options}))
	}
	param(paramUser, q.User)
	if long != "" {
		return "", fmt.Errorf("eas: a value of %d bytes does not fit into the base64 query", len(long))
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

func (q Query) options() (bits byte) {
	if q.SaveInSent {
		bits |= optionSaveInSent
	}
	if q.Multipart {
		bits |= optionMultipart
	}
	return bits
}
