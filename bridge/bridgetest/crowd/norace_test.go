//go:build !race

package crowd_test

const raceEnabled = false
