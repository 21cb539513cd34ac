//go:build !unix

package soak

// raiseLimit has nothing to raise: there is no limit.
func raiseLimit(int) error { return nil }
