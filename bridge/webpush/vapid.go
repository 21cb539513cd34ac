package webpush

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

const (
	// maxToken bounds the Authorization header, in bytes. A token of three
	// claims and a key have some 400.
	maxToken = 4096

	// longestToken is how far in the future a token may end. See RFC 8292,
	// section 2.
	longestToken = 24 * time.Hour

	// skew is how far two clocks may differ.
	skew = 5 * time.Minute
)

// ErrSender means that a message does not prove who sends it.
var ErrSender = errors.New("webpush: the message is not from the server that was subscribed to")

// CheckSender holds the Authorization header of a message against the public
// key of the server that was subscribed to (uncompressed) and the origin of the
// push resource, "https://mail.example.org". Every error is ErrSender. See RFC
// 8292, sections 2, 3 and 4.2.
func CheckSender(header string, key []byte, origin string, now time.Time) error {
	if err := checkSender(header, key, origin, now); err != nil {
		return fmt.Errorf("%w: %w", ErrSender, err)
	}
	return nil
}

func checkSender(header string, key []byte, origin string, now time.Time) error {
	if len(header) > maxToken {
		return errors.New("the Authorization header is too long")
	}
	token, given, err := parseVAPID(header)
	if err != nil {
		return err
	}
	if !bytes.Equal(given, key) {
		return errors.New("it is signed with another key")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("the token has not three parts")
	}
	// Nothing of the token is looked at before its signature.
	if err := verify(key, parts[0]+"."+parts[1], parts[2]); err != nil {
		return err
	}
	var head struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Audience audience `json:"aud"`
		Expires  float64  `json:"exp"`
	}
	if err := decode(parts[0], &head); err != nil {
		return err
	}
	if err := decode(parts[1], &claims); err != nil {
		return err
	}
	left := claims.Expires - float64(now.Unix())
	switch {
	case head.Algorithm != "ES256":
		return fmt.Errorf("the token's algorithm is %.20q", head.Algorithm)
	case !slices.ContainsFunc(claims.Audience, func(a string) bool { return strings.EqualFold(strings.TrimSuffix(a, "/"), origin) }):
		return errors.New("the token is for another push service")
	case left < -skew.Seconds():
		return errors.New("the token has expired")
	case left > (longestToken + skew).Seconds():
		return errors.New("the token lives too long")
	}
	return nil
}

// parseVAPID takes the header apart: vapid t=TOKEN, k=KEY.
func parseVAPID(header string) (token string, key []byte, err error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "vapid") {
		return "", nil, errors.New("the Authorization is not of the scheme vapid")
	}
	for param := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "t":
			token = value
		case "k":
			if key, err = Decode(value); err != nil {
				return "", nil, err
			}
		}
	}
	if token == "" || key == nil {
		return "", nil, errors.New("the Authorization lacks the token or the key")
	}
	return token, key, nil
}

// verify checks an ES256 signature. See RFC 7518, section 3.4.
func verify(key []byte, signed, signature string) error {
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
	if err != nil {
		return err
	}
	sig, err := Decode(signature)
	if err != nil || len(sig) != 64 {
		return errors.New("the token's signature is none")
	}
	sum := sha256.Sum256([]byte(signed))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return errors.New("the token's signature is wrong")
	}
	return nil
}

func decode(part string, into any) error {
	text, err := Decode(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// An audience is one or several. See RFC 7519, section 4.1.3.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// Decode reads base64url; padding is not needed, and is no mistake.
func Decode(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(s), "="))
}

// Encode writes base64url without padding.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// CheckPublicKey tells whether a server's key is a point of P-256 in
// uncompressed form.
func CheckPublicKey(key []byte) error {
	_, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
	if err != nil {
		return fmt.Errorf("webpush: %w", err)
	}
	return nil
}
