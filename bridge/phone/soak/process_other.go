//go:build !linux

package soak

func nameOf(int) (string, error)   { return "", errNoProcess }
func measure(int) (usage, error)   { return usage{}, errNoProcess }
func listener(string) (int, error) { return 0, errNoProcess }
