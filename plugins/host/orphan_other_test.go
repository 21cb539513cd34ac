//go:build !linux

package host_test

func playHost() { panic("only on Linux") }
