//go:build !unix

package bridge

import (
	"errors"
	"os"
)

func inheritable(*os.File) (int, error) {
	return 0, errors.New("sockets cannot be passed on here")
}
