//go:build !race

package storm_test

// How many seeds every run of the tests plays: 1 to these.
const seeds, calmSeeds, pluginSeeds, workerSeeds, mailSeeds = 24, 3, 3, 3, 2
