// Package recovery keeps the recovery passwords of phones, encrypted with a key that lies in a file of its own.
//
// A phone whose policy says PasswordRecoveryEnabled makes a second password for
// itself and hands it in; whoever forgot the first one can be let in with it. See
// [MS-ASPROV] "PasswordRecoveryEnabled" and [MS-ASCMD] "DevicePassword". The
// passwords are sealed by AES-256-GCM, bound to the phone that they are of.
package recovery

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	// MaxPassword bounds a recovery password, in bytes: [MS-ASCMD] "Password"
	// has it as a text of at most 256 characters, of up to four bytes each.
	MaxPassword = 1024

	// MaxKeys bounds the keys of a file: the present one and those before it.
	MaxKeys = 16

	// maxFile bounds a file with keys, in bytes, with room for remarks.
	maxFile = 64 << 10

	keySize = 32
)

// Errors that callers tell apart.
var (
	ErrKey     = errors.New("recovery: no key fits: it was sealed with one that is not in the file")
	ErrInvalid = errors.New("recovery: the password is empty or too long")
)

// A Box seals and opens. It may be used by many goroutines at a time.
type Box struct {
	keys []key // the first one seals
}

type key struct {
	name string // of the key, which tells nothing about it
	aead cipher.AEAD
}

// String hides the keys.
func (b *Box) String() string { return fmt.Sprintf("recovery.Box with %d keys", len(b.keys)) }

// GoString hides them from %#v, too.
func (b *Box) GoString() string { return b.String() }

// Open reads the file with the keys: one in each line, as 64 hexadecimal digits
// ("openssl rand -hex 32" makes one). New passwords are sealed with the first;
// the others open what was sealed before a new one was put in front of them.
// Lines that begin with # are remarks.
func Open(path string) (*Box, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	defer f.Close()
	return Read(io.LimitReader(f, maxFile))
}

// Read is Open for what is read already.
func Read(r io.Reader) (*Box, error) {
	b := new(Box)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		raw, err := hex.DecodeString(line)
		if err != nil || len(raw) != keySize {
			return nil, fmt.Errorf("recovery: line %d is no key; write %d hexadecimal digits, as \"openssl rand -hex %d\" prints them", n, 2*keySize, keySize)
		}
		if len(b.keys) == MaxKeys {
			return nil, fmt.Errorf("recovery: there are more than %d keys", MaxKeys)
		}
		k, err := newKey(raw)
		if err != nil {
			return nil, err
		}
		b.keys = append(b.keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	if len(b.keys) == 0 {
		return nil, fmt.Errorf("recovery: there is no key; \"openssl rand -hex %d\" makes one", keySize)
	}
	return b, nil
}

func newKey(raw []byte) (key, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return key{}, fmt.Errorf("recovery: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return key{}, fmt.Errorf("recovery: %w", err)
	}
	sum := sha256.Sum256(append([]byte("pushbridge recovery key\x00"), raw...))
	return key{hex.EncodeToString(sum[:6]), aead}, nil
}

// A sealed password, as it is stored.
type sealed struct {
	Key  string    `json:"key"`
	Time time.Time `json:"time"`
	Box  []byte    `json:"box"`
}

// Seal encrypts the password of a phone; of names it, and Open with another name
// fails.
func (b *Box) Seal(of, password string) ([]byte, error) {
	if password == "" || len(password) > MaxPassword {
		return nil, ErrInvalid
	}
	return b.seal(of, password, time.Now().UTC())
}

func (b *Box) seal(of, password string, handedIn time.Time) ([]byte, error) {
	k := b.keys[0]
	text, err := json.Marshal(sealed{k.name, handedIn, k.aead.Seal(nil, nil, []byte(password), []byte(of))})
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	return text, nil
}

// Open decrypts what Seal made, and says when it was handed in.
func (b *Box) Open(of string, stored []byte) (password string, handedIn time.Time, err error) {
	var s sealed
	d := json.NewDecoder(bytes.NewReader(stored))
	if err := d.Decode(&s); err != nil {
		return "", time.Time{}, fmt.Errorf("recovery: what is stored is damaged: %w", err)
	}
	for _, k := range b.keys {
		if k.name != s.Key {
			continue
		}
		plain, err := k.aead.Open(nil, nil, s.Box, []byte(of))
		if err != nil {
			return "", time.Time{}, fmt.Errorf("recovery: what is stored is damaged, or of another phone: %w", err)
		}
		return string(plain), s.Time, nil
	}
	return "", time.Time{}, ErrKey
}

// Reseal encrypts what Seal made anew, under the first key; when it was handed in
// stays.
func (b *Box) Reseal(of string, stored []byte) ([]byte, error) {
	password, handedIn, err := b.Open(of, stored)
	if err != nil {
		return nil, err
	}
	return b.seal(of, password, handedIn)
}
