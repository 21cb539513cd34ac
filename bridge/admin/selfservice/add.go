package selfservice

import (
	"fmt"
	"net/http"
	"strings"

	"rsc.io/qr"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// An addPage has the words to type into a phone.
type addPage struct {
	Address, Host, Login string
	Picture              bool   // there is one that leads to this page
	URL                  string // of this page
}

func (p *Pages) add(a *ask) error {
	p.show(a, 200, "add", view{Title: "Add a phone", Data: addPage{Address: p.AddressOf(a.user), Host: p.Host, Login: a.user, Picture: p.URL != "", URL: p.URL + p.Prefix + "add"}})
	return nil
}

// quiet is the room around a QR code, in modules. See ISO/IEC 18004, "Quiet zone".
const quiet = 4

// picture is a QR code that leads a phone's browser to the page with the words. It
// is white on the dark ground, too: readers want it so.
func (p *Pages) picture(a *ask) error {
	if p.URL == "" {
		return &admin.Error{Kind: admin.NotFound, Text: "There is no such picture."}
	}
	code, err := qr.Encode(p.URL+p.Prefix+"add", qr.M)
	if err != nil {
		return fmt.Errorf("selfservice: the QR code: %w", err)
	}
	a.w.Header().Set("Content-Type", "image/svg+xml")
	a.w.WriteHeader(http.StatusOK)
	a.w.Write([]byte(svg(code))) // who hangs up has no use for an error
	return nil
}

// svg draws a code: a rectangle for each run of dark modules.
func svg(code *qr.Code) string {
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	size := code.Size + 2*quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="%s"/></svg>`,
		size, size, size, size, path.String())
}
