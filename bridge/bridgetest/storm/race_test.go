//go:build race

package storm_test

// The race detector makes everything ten times as slow; what it looks for, it
// finds in any storm.
const seeds, calmSeeds, pluginSeeds, workerSeeds, mailSeeds = 5, 1, 1, 1, 1
