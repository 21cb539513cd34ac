package webpush

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sender "github.com/SherClockHolmes/webpush-go"
)

func bytesOf(t testing.TB, s string) []byte {
	t.Helper()
	b, err := Decode(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The values of RFC 8291, section 5 and appendix A.
const (
	rfcPrivate = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	rfcPublic  = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	rfcAuth    = "BTBZMqHH6r4Tts7J_aSIgg"
	rfcMessage = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
	rfcPlain   = "When I grow up, I want to be a watermelon"
)

func rfcKey(t testing.TB) Key {
	t.Helper()
	k, err := ParseKey(bytesOf(t, rfcPrivate))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestRFC8291 decrypts the example of RFC 8291, section 5.
func TestRFC8291(t *testing.T) {
	k := rfcKey(t)
	if got := Encode(k.Public()); got != rfcPublic {
		t.Errorf("the public key is %s, want %s", got, rfcPublic)
	}
	plain, err := k.Decrypt(bytesOf(t, rfcAuth), bytesOf(t, rfcMessage))
	if err != nil || string(plain) != rfcPlain {
		t.Errorf("it says %q, %v; want %q", plain, err, rfcPlain)
	}
}

func TestDecryptRefuses(t *testing.T) {
	good, auth := bytesOf(t, rfcMessage), bytesOf(t, rfcAuth)
	other, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	edit := func(do func(b []byte) []byte) []byte { return do(bytes.Clone(good)) }
	for _, tc := range []struct {
		name          string
		key           Key
		auth, message []byte
	}{
		{"another key", other, auth, good},
		{"another secret", rfcKey(t), NewAuth(), good},
		{"no secret", rfcKey(t), nil, good},
		{"nothing", rfcKey(t), auth, nil},
		{"a header alone", rfcKey(t), auth, good[:headerSize]},
		{"a part of it", rfcKey(t), auth, good[:len(good)-1]},
		{"something behind it", rfcKey(t), auth, append(bytes.Clone(good), 0)},
		{"a changed byte", rfcKey(t), auth, edit(func(b []byte) []byte { b[len(b)-1] ^= 1; return b })},
		{"a changed salt", rfcKey(t), auth, edit(func(b []byte) []byte { b[0] ^= 1; return b })},
		{"a key that is no point", rfcKey(t), auth, edit(func(b []byte) []byte { b[30] ^= 1; return b })},
		{"a point at infinity", rfcKey(t), auth, edit(func(b []byte) []byte { clear(b[saltSize+5 : headerSize]); return b })},
		{"a sender without a key", rfcKey(t), auth, edit(func(b []byte) []byte { b[saltSize+4] = 0; return b })},
		{"a record size of nothing", rfcKey(t), auth, edit(func(b []byte) []byte { clear(b[saltSize : saltSize+4]); return b })},
		{"several records", rfcKey(t), auth, edit(func(b []byte) []byte { binary.BigEndian.PutUint32(b[saltSize:], 18); return b })},
		{"too long", rfcKey(t), auth, append(bytes.Clone(good), make([]byte, MaxMessage)...)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if plain, err := tc.key.Decrypt(tc.auth, tc.message); !errors.Is(err, ErrMessage) || plain != nil {
				t.Errorf("it says %q, %v; want ErrMessage", plain, err)
			}
		})
	}
}

// TestAgainstASender takes a message from a library that sends them to
// browsers' push services, over HTTP.
func TestAgainstASender(t *testing.T) {
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if key, err = ParseKey(key.Bytes()); err != nil {
		t.Fatal(err)
	}
	auth := NewAuth()
	private, public, err := sender.GenerateVAPIDKeys()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("<push-message/> ", 200)
	var origin string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if plain, err := key.Decrypt(auth, body); err != nil || strings.TrimRight(string(plain), "\x00") != text {
			t.Errorf("it says %.80q, %v", plain, err)
		}
		if err := CheckSender(r.Header.Get("Authorization"), bytesOf(t, public), origin, time.Now()); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	origin = server.URL
	resp, err := sender.SendNotificationWithContext(t.Context(), []byte(text),
		&sender.Subscription{Endpoint: server.URL + "/hooks/push/x", Keys: sender.Keys{P256dh: Encode(key.Public()), Auth: Encode(auth)}},
		&sender.Options{Subscriber: "ops@example.org", VAPIDPublicKey: public, VAPIDPrivateKey: private, TTL: 60})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("the sender was told %s", resp.Status)
	}
}

// token signs claims as a server does.
func token(t *testing.T, key *ecdsa.PrivateKey, head, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return Encode(text)
	}
	signed := part(head) + "." + part(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + Encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func TestCheckSender(t *testing.T) {
	const origin = "https://mail.example.org"
	now := time.Unix(1_800_000_000, 0)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := func(k *ecdsa.PrivateKey) []byte {
		b, err := k.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	head := map[string]any{"typ": "JWT", "alg": "ES256"}
	claims := func(aud any, left time.Duration) map[string]any {
		return map[string]any{"aud": aud, "exp": now.Add(left).Unix(), "sub": "mailto:ops@example.org"}
	}
	vapid := func(tok string, k []byte) string { return "vapid t=" + tok + ", k=" + Encode(k) }
	good := token(t, key, head, claims(origin, time.Hour))
	zero := Encode(make([]byte, 64))
	for _, tc := range []struct {
		name, header string
		right        bool
	}{
		{"right", vapid(good, public(key)), true},
		{"in other words", "VAPID k=\"" + Encode(public(key)) + "=\",t=" + good, true},
		{"for several services", vapid(token(t, key, head, claims([]string{"https://x", origin + "/"}, time.Hour)), public(key)), true},
		{"of a clock that is late", vapid(token(t, key, head, claims(origin, -time.Minute)), public(key)), true},
		{"missing", "", false},
		{"of another scheme", "Bearer " + good, false},
		{"without a key", "vapid t=" + good, false},
		{"without a token", "vapid k=" + Encode(public(key)), false},
		{"with another key", vapid(token(t, other, head, claims(origin, time.Hour)), public(other)), false},
		{"signed with another key", vapid(token(t, other, head, claims(origin, time.Hour)), public(key)), false},
		{"with half a signature", vapid(good[:len(good)-40], public(key)), false},
		{"with a signature of nothing", vapid(good[:strings.LastIndexByte(good, '.')+1]+zero, public(key)), false},
		{"of another algorithm", vapid(token(t, key, map[string]any{"alg": "none"}, claims(origin, time.Hour)), public(key)), false},
		{"for another service", vapid(token(t, key, head, claims("https://push.example.net", time.Hour)), public(key)), false},
		{"for nobody", vapid(token(t, key, head, map[string]any{"exp": now.Add(time.Hour).Unix()}), public(key)), false},
		{"expired", vapid(token(t, key, head, claims(origin, -time.Hour)), public(key)), false},
		{"for ever", vapid(token(t, key, head, claims(origin, 48*time.Hour)), public(key)), false},
		{"without an end", vapid(token(t, key, head, map[string]any{"aud": origin}), public(key)), false},
		{"no token", vapid("a.b.c", public(key)), false},
		{"of two parts", vapid("a.b", public(key)), false},
		{"too long", vapid(good, public(key)) + strings.Repeat(" ", maxToken), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := CheckSender(tc.header, public(key), origin, now)
			if tc.right != (err == nil) || err != nil && !errors.Is(err, ErrSender) {
				t.Errorf("CheckSender = %v", err)
			}
		})
	}
	if CheckPublicKey(public(key)) != nil || CheckPublicKey(public(key)[:64]) == nil || CheckPublicKey(make([]byte, 65)) == nil {
		t.Error("a key that is a point was refused, or one that is none was not")
	}
}

// FuzzDecrypt holds that every error is ErrMessage, and that what is decrypted
// fits into what it came from.
func FuzzDecrypt(f *testing.F) {
	f.Add(bytesOf(f, rfcMessage))
	f.Add([]byte{})
	f.Add(make([]byte, MaxMessage))
	key, auth := rfcKey(f), bytesOf(f, rfcAuth)
	f.Fuzz(func(t *testing.T, message []byte) {
		plain, err := key.Decrypt(auth, message)
		switch {
		case err != nil && (!errors.Is(err, ErrMessage) || plain != nil):
			t.Errorf("it says %q, %v; want ErrMessage alone", plain, err)
		case err == nil && (len(plain)+headerSize+tagSize+1 > len(message) || len(message) > MaxMessage):
			t.Errorf("%d bytes became %d", len(message), len(plain))
		}
	})
}

// FuzzCheckSender holds that nobody passes who does not have the key, and that
// every error is ErrSender.
func FuzzCheckSender(f *testing.F) {
	f.Add("vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3Njh9.AAAA, k=" + rfcPublic)
	f.Add("vapid t=a.b.c,k=" + rfcPublic)
	f.Add("")
	public := bytesOf(f, rfcPublic)
	f.Fuzz(func(t *testing.T, header string) {
		if err := CheckSender(header, public, "https://push.example.net", time.Unix(1453523000, 0)); !errors.Is(err, ErrSender) {
			t.Errorf("%q passes: %v", header, err)
		}
	})
}
