//go:build !unix

package socket

import "io"

// Open has bind make a socket. There are no modes and groups here, and no locks.
func Open[L io.Closer](_ string, _ Place, bind func() (L, error)) (L, error) { return bind() }
