//go:build !linux

package soak

import "errors"

// errNoProcess is what cannot be measured.
var errNoProcess = errors.New("processes can be measured on Linux only")

func nameOf(int) (string, error)   { return "", errNoProcess }
func measure(int) (usage, error)   { return usage{}, errNoProcess }
func listener(string) (int, error) { return 0, errNoProcess }
