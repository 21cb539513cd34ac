package roster

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

const (
	// MinPassword is how many characters a password has at least, and MaxPassword
	// how many bytes at most.
	MinPassword = 12
	MaxPassword = 1024

	// maxComputing bounds how many hashes are computed at a time, and maxQueue how
	// many wait for that: passwords are to cost those who guess, and not the phones
	// that are served beside them.
	maxComputing = 2
	maxQueue     = 32

	saltLength = 16
	hashLength = 32

	// The most that a stored hash may ask for: a record that was spoilt must not
	// take the memory of the computer.
	maxMemory = 1 << 20 // KiB
	maxTime   = 64
)

// A Cost is what computing a hash takes. See RFC 9106, section 3.1.
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32
	Threads uint8
}

// DefaultCost is the first of those that OWASP's "Password Storage Cheat Sheet"
// recommends for little memory: small computers run this program.
var DefaultCost = Cost{Memory: 19 << 10, Time: 2, Threads: 1}

// derive is argon2id. Tests count it.
var derive = argon2.IDKey

// hash computes the hash of a password, in the form that argon2's own program
// prints: parameters, salt and hash.
func (c Cost) hash(password string) string {
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails
	return c.text(salt, derive([]byte(password), salt, c.Time, c.Memory, c.Threads, hashLength))
}

// decoy is a hash that no password has, which takes as long as any other.
func (c Cost) decoy() string {
	random := make([]byte, saltLength+hashLength)
	rand.Read(random)
	return c.text(random[:saltLength], random[saltLength:])
}

func (c Cost) text(salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Time, c.Threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// parse reads what text wrote.
func parse(text string) (c Cost, salt, sum []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return c, nil, nil, fmt.Errorf("roster: the hash of a password is not argon2id's")
	}
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return c, nil, nil, fmt.Errorf("roster: the hash of a password has the version %.20q", parts[2])
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads); err != nil ||
		c.Memory == 0 || c.Memory > maxMemory || c.Time == 0 || c.Time > maxTime || c.Threads == 0 {
		return c, nil, nil, fmt.Errorf("roster: the hash of a password has the parameters %.40q", parts[3])
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > 64 {
		return c, nil, nil, fmt.Errorf("roster: the hash of a password cannot be read")
	}
	return c, salt, sum, nil
}

// matches tells whether a password has a hash, and whether the hash is of a cost
// that is not the present one.
func (s *Roster) matches(ctx context.Context, password, text string) (right, old bool, err error) {
	c, salt, sum, err := parse(text)
	if err != nil {
		return false, false, err
	}
	err = s.computing(ctx, func() {
		got := derive([]byte(password), salt, c.Time, c.Memory, c.Threads, uint32(len(sum)))
		right = subtle.ConstantTimeCompare(got, sum) == 1
	})
	return right, c != s.options.Cost, err
}

// hashed computes the hash of a new password.
func (s *Roster) hashed(ctx context.Context, password string) (text string, err error) {
	err = s.computing(ctx, func() { text = s.options.Cost.hash(password) })
	return text, err
}

// computing computes something when there is a slot for it.
func (s *Roster) computing(ctx context.Context, work func()) error {
	if s.queued.Add(1) > maxQueue {
		s.queued.Add(-1)
		return ErrBusy
	}
	defer s.queued.Add(-1)
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-s.slots }()
	work()
	return nil
}

// CheckPassword says what is wrong with a new password, as a Mistake.
func CheckPassword(name, password string) error {
	switch {
	case len(password) > MaxPassword:
		return mistake("A password has at most %d bytes.", MaxPassword)
	case !utf8.ValidString(password):
		return mistake("A password is text in UTF-8.")
	case utf8.RuneCountInString(password) < MinPassword:
		return mistake("A password has at least %d characters. Several words are easy to keep in mind.", MinPassword)
	case strings.EqualFold(password, name) || strings.Count(strings.ToLower(password), strings.ToLower(name))*len(name) > len(password)/2:
		return mistake("The password is little more than the name.")
	}
	return nil
}
