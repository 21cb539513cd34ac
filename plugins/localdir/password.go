package localdir

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const (
	// hashed begins a password that is not written down itself; after it come
	// the number of rounds, the salt and the hash, the last two in base64,
	// separated by '$'. See RFC 8018, section 5.2.
	hashed = "{PBKDF2-SHA256}"

	// rounds make guessing slow, and maxRounds keep a slip of the pen from
	// stopping the login.
	rounds    = 310_000
	maxRounds = 10_000_000
)

// Hash writes a password so that it can stand in users or users_file without
// being known to who reads them.
func Hash(password string) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	sum, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("localdir: hashing a password: %w", err)
	}
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("%s%d$%s$%s", hashed, rounds, encode(salt), encode(sum)), nil
}

// matches compares a password with what stands in the configuration.
func matches(stored, password string) bool {
	rest, ok := strings.CutPrefix(stored, hashed)
	if !ok {
		// The sums have one length, so that the time says nothing.
		a, b := sha256.Sum256([]byte(stored)), sha256.Sum256([]byte(password))
		return subtle.ConstantTimeCompare(a[:], b[:]) == 1
	}
	part := strings.Split(rest, "$")
	if len(part) != 3 {
		return false
	}
	n, err := strconv.Atoi(part[0])
	if err != nil || n < 1 || n > maxRounds {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(part[1])
	want, err2 := base64.RawStdEncoding.DecodeString(part[2])
	if err1 != nil || err2 != nil || len(want) != sha256.Size {
		return false
	}
	sum, err := pbkdf2.Key(sha256.New, password, salt, n, sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(sum, want) == 1
}
