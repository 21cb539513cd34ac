//go:build !unix

package cgi

import "os"

// Interruptible answers f: only a system with poll(2) can do better.
func Interruptible(f *os.File) *os.File { return f }

// WatchReader does nothing where there is no poll(2).
func WatchReader(*os.File, func()) (stop func(), err error) { return func() {}, nil }
