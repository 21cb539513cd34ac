package roster

import (
	"context"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/argon2"
)

// Matches tells whether a password has a hash.
func Matches(password, hash string) (bool, error) {
	s := &Roster{slots: make(chan struct{}, 1)}
	right, _, err := s.matches(context.Background(), password, hash)
	return right, err
}

// Parse reads a hash.
func Parse(hash string) (Cost, error) {
	c, _, _, err := parse(hash)
	return c, err
}

// CountWork counts how often a hash is computed, and with which costs, until the
// test ends.
func CountWork(t *testing.T) (times *atomic.Int64, costs *map[Cost]bool) {
	times, seen := new(atomic.Int64), map[Cost]bool{}
	derive = func(password, salt []byte, time, memory uint32, threads uint8, length uint32) []byte {
		times.Add(1)
		seen[Cost{memory, time, threads}] = true
		return argon2.IDKey(password, salt, time, memory, threads, length)
	}
	t.Cleanup(func() { derive = argon2.IDKey })
	return times, &seen
}

// WhenComputed has f be called after each hash that is computed, with how many there
// were, until the test ends.
func WhenComputed(t *testing.T, f func(times int64)) {
	var times atomic.Int64
	derive = func(password, salt []byte, time, memory uint32, threads uint8, length uint32) []byte {
		sum := argon2.IDKey(password, salt, time, memory, threads, length)
		f(times.Add(1))
		return sum
	}
	t.Cleanup(func() { derive = argon2.IDKey })
}

// The bounds that tests talk about.
const (
	MaxMemory = maxMemory
	MaxTime   = maxTime
)
