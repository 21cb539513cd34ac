package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

// assetFiles are what pages load. htmx 2.0.11 and its extension for server-sent
// events 2.2.4 are as their authors published them, under the Zero-Clause BSD
// licence, which lies beside them.
//
//go:embed assets
var assetFiles embed.FS

// An embedded file, and a name of its content.
type embedded struct {
	content []byte
	version string
}

var assets = func() map[string]embedded {
	all := map[string]embedded{}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // it is in the program
	}
	for _, e := range entries {
		content, err := fs.ReadFile(assetFiles, "assets/"+e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		all[e.Name()] = embedded{content, hex.EncodeToString(sum[:6])}
	}
	return all
}()

// assetURL names a file and its content, so that a browser may keep it for ever.
func (c *Console) assetURL(name string) string {
	return c.Prefix + "assets/" + name + "?v=" + assets[name].version
}

// asset answers a file. Anybody may have it: it says nothing of this server.
func asset(w http.ResponseWriter, r *http.Request) {
	file, known := assets[r.PathValue("name")]
	if !known {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == file.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	kind := "text/plain; charset=utf-8"
	if known := mime.TypeByExtension(path.Ext(r.URL.Path)); known != "" {
		kind = known
	}
	h.Set("Content-Type", kind)
	w.Write(file.content)
}
