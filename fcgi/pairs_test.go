package fcgi

import (
	"bytes"
	"math/big"
	"testing"
)

// slowPairs decodes pairs as the specification words it, with numbers that
// cannot overflow; ok is false when they break off.
func slowPairs(b []byte) (out [][2]string, ok bool) {
	i := 0
	number := func() *big.Int {
		if i >= len(b) {
			return nil
		}
		if b[i]>>7 == 0 {
			i++
			return big.NewInt(int64(b[i-1]))
		}
		if i+4 > len(b) {
			return nil
		}
		n := new(big.Int).SetBytes(b[i : i+4])
		i += 4
		return n.SetBit(n, 31, 0)
	}
	text := func(n *big.Int) (string, bool) {
		if n.Cmp(big.NewInt(int64(len(b)-i))) > 0 {
			return "", false
		}
		s := string(b[i : i+int(n.Int64())])
		i += len(s)
		return s, true
	}
	for i < len(b) {
		nameLen := number()
		if nameLen == nil {
			return out, false
		}
		valueLen := number()
		if valueLen == nil {
			return out, false
		}
		name, ok := text(nameLen)
		if !ok {
			return out, false
		}
		value, ok := text(valueLen)
		if !ok {
			return out, false
		}
		out = append(out, [2]string{name, value})
	}
	return out, true
}

func fastPairs(b []byte) (out [][2]string, ok bool) {
	for name, value := range pairs(b) {
		out = append(out, [2]string{string(name), string(value)})
	}
	return out, wellFormed(b) == nil
}

var pairSeeds = map[string][]byte{
	"none":                           nil,
	"empty name and value":           {0, 0},
	"short":                          appendPair(nil, "HTTPS", "on"),
	"127 bytes":                      appendPair(nil, "A", string(bytes.Repeat([]byte("x"), 0x7f))),
	"128 bytes":                      appendPair(nil, "A", string(bytes.Repeat([]byte("x"), 0x80))),
	"a long length for a short text": {0x80, 0, 0, 1, 1, 'a', 'b'},
	"only a name's length":           {1},
	"half a long length":             {0x80, 0, 0},
	"half a value's length":          {1, 0x80, 0, 0},
	"a value longer than the rest":   {1, 5, 'a', 'b'},
	"lengths whose sum overflows":    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	"a sum that wraps to 32 bits":    {0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 5, 'a', 'b', 'c', 'd'},
	"two, the second broken":         append(appendPair(nil, "A", "b"), 3, 3, 'x'),
}

func comparePairs(t *testing.T, b []byte) {
	t.Helper()
	got, gotOK := fastPairs(b)
	want, wantOK := slowPairs(b)
	if gotOK != wantOK || len(got) != len(want) {
		t.Fatalf("pairs(%x): got %q, %v, want %q, %v", b, got, gotOK, want, wantOK)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("pairs(%x)[%d]: got %q, want %q", b, i, got[i], want[i])
		}
	}
}

func TestPairs(t *testing.T) {
	for name, b := range pairSeeds {
		t.Run(name, func(t *testing.T) { comparePairs(t, b) })
	}
}

// FuzzPairs: the decoder and a slow reading of the specification agree, and
// what was decoded is encoded to something that decodes to the same.
func FuzzPairs(f *testing.F) {
	for _, b := range pairSeeds {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		comparePairs(t, b)
		got, _ := fastPairs(b)
		var again []byte
		for _, p := range got {
			again = appendPair(again, p[0], p[1])
		}
		if back, ok := fastPairs(again); !ok || len(back) != len(got) {
			t.Errorf("pairs(%x) encoded to %x, which decodes to %q", b, again, back)
		}
	})
}
