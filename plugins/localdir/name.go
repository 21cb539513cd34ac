package localdir

import (
	"encoding/hex"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// hexMark begins the ID of a file whose name is not UTF-8, or begins with the
// mark itself; the rest is the name in hexadecimal.
const hexMark = ":"

// idOf is the lasting ID of a file or directory.
func idOf(name string) string {
	if utf8.ValidString(name) && !strings.HasPrefix(name, hexMark) {
		return name
	}
	return hexMark + hex.EncodeToString([]byte(name))
}

// fileName is the name of the file or directory with an ID. It has no slash
// and does not begin with a dot, so that it cannot lead elsewhere.
func fileName(id string) (string, bool) {
	name := id
	if encoded, ok := strings.CutPrefix(id, hexMark); ok {
		raw, err := hex.DecodeString(encoded)
		if name = string(raw); err != nil || idOf(name) != id {
			return "", false
		}
	}
	return name, plainName(name)
}

// maxFileName is what file systems take, in bytes.
const maxFileName = 255

// plainName tells whether a name can be that of one visible file.
func plainName(name string) bool {
	return name != "" && len(name) <= maxFileName && name[0] != '.' && !strings.ContainsAny(name, "/\x00") && filepath.IsLocal(name)
}

// extension is how the files of a collection end.
func extension(k backend.CollectionKind) string {
	if k == backend.Contacts {
		return ".vcf"
	}
	return ".ics"
}

// isItem tells whether a file holds an item, by its name.
func isItem(name string, k backend.CollectionKind) bool {
	return plainName(name) && strings.EqualFold(filepath.Ext(name), extension(k))
}

// newName checks a name that the host chose for a new item.
func newName(id backend.ItemID) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
