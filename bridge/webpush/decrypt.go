// Package webpush reads push messages as their receiver: it decrypts them (RFC 8291) and checks who sends them (RFC 8292).
package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// MaxMessage bounds a message, in bytes: no push service has to take more.
	// See RFC 8030, section 7.2.
	MaxMessage = 4096

	// AuthSize is the size of a subscription's authentication secret, in bytes.
	// See RFC 8291, section 3.2.
	AuthSize = 16

	keySize    = 65 // of a P-256 point in uncompressed form
	saltSize   = 16
	headerSize = saltSize + 4 + 1 + keySize // see RFC 8188, section 2.1
	tagSize    = 16
	minRecord  = tagSize + 2 // a record size that no message can have
)

// ErrMessage means that a message is not for this subscription, or is none.
var ErrMessage = errors.New("webpush: the message cannot be decrypted")

// A Key is the key pair of a receiver.
type Key struct{ private *ecdh.PrivateKey }

// NewKey makes a key pair.
func NewKey() (Key, error) {
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("webpush: %w", err)
	}
	return Key{k}, nil
}

// ParseKey reads what Bytes wrote.
func ParseKey(b []byte) (Key, error) {
	k, err := ecdh.P256().NewPrivateKey(b)
	if err != nil {
		return Key{}, fmt.Errorf("webpush: %w", err)
	}
	return Key{k}, nil
}

// Bytes is the private key, for keeping.
func (k Key) Bytes() []byte { return k.private.Bytes() }

// Public is the public key that senders are told, in uncompressed form.
func (k Key) Public() []byte { return k.private.PublicKey().Bytes() }

// String hides the key.
func (k Key) String() string { return "webpush.Key" }

// GoString hides it from %#v, too.
func (k Key) GoString() string { return k.String() }

// NewAuth makes a subscription's authentication secret.
func NewAuth() []byte {
	b := make([]byte, AuthSize)
	rand.Read(b) // never fails
	return b
}

// Decrypt answers what a message of the content coding aes128gcm says. Every
// error is ErrMessage.
func (k Key) Decrypt(auth, message []byte) ([]byte, error) {
	plain, err := k.decrypt(auth, message)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return plain, nil
}

func (k Key) decrypt(auth, message []byte) ([]byte, error) {
	if len(message) > MaxMessage {
		return nil, fmt.Errorf("it has more than %d bytes", MaxMessage)
	}
	if len(message) < headerSize+tagSize+1 {
		return nil, errors.New("it is too short")
	}
	salt := message[:saltSize]
	recordSize := binary.BigEndian.Uint32(message[saltSize:])
	if size := message[saltSize+4]; size != keySize {
		return nil, fmt.Errorf("its sender's key has %d bytes", size)
	}
	record := message[headerSize:]
	// A push message is one record. See RFC 8291, section 4.
	if recordSize < minRecord || uint64(len(record)) > uint64(recordSize) {
		return nil, errors.New("it is not a single record")
	}
	sender, err := ecdh.P256().NewPublicKey(message[headerSize-keySize : headerSize])
	if err != nil {
		return nil, err
	}
	gcm, nonce, err := k.contentKey(auth, salt, sender)
	if err != nil {
		return nil, err
	}
	padded, err := gcm.Open(nil, nonce, record, nil)
	if err != nil {
		return nil, err
	}
	// The last record's padding begins with 2, behind which all is 0. See RFC
	// 8188, section 2.
	for i := len(padded) - 1; i >= 0; i-- {
		switch padded[i] {
		case 0:
			continue
		case 2:
			return padded[:i:i], nil
		}
		break
	}
	return nil, errors.New("its padding is wrong")
}

// contentKey derives the key and the nonce of the only record. See RFC 8291,
// section 3.4, and RFC 8188, sections 2.2 and 2.3.
func (k Key) contentKey(auth, salt []byte, sender *ecdh.PublicKey) (cipher.AEAD, []byte, error) {
	shared, err := k.private.ECDH(sender)
	if err != nil {
		return nil, nil, err
	}
	info := "WebPush: info\x00" + string(k.Public()) + string(sender.Bytes())
	ikm, err := hkdf.Key(sha256.New, shared, auth, info, sha256.Size)
	if err != nil {
		return nil, nil, err
	}
	prk, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		return nil, nil, err
	}
	cek, err := hkdf.Expand(sha256.New, prk, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, nil, err
	}
	nonce, err := hkdf.Expand(sha256.New, prk, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCM(block)
	return gcm, nonce, err
}
