package syncengine

import (
	"crypto/rand"
	"strconv"
	"strings"
)

// newSeries is the first key of a new series.
func newSeries() Key {
	return Key(rand.Text() + "-1")
}

// next is the key of the next round in the series of k. Keys of a series are
// never given twice: a repeated round gets one of its own, so that the lost
// answer, should it arrive after all, names a state that is not the present
// one.
func (k Key) next() Key {
	series, n, _ := strings.Cut(string(k), "-")
	i, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return newSeries() // not a key of ours
	}
	return Key(series + "-" + strconv.FormatUint(i+1, 10))
}
