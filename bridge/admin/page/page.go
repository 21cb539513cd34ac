// Package page has what the web pages of administrators and those of phones' owners have in common.
package page

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// A Gate says who asks. Its error is of the kind admin.Stranger if nobody is signed
// in, who is sent to the page where one does; after any other it is not known who
// it is.
type Gate interface {
	Actor(r *http.Request) (admin.Actor, error)
}

// IsStranger tells whether an error of a Gate means that nobody is signed in.
func IsStranger(err error) bool {
	failed, ok := errors.AsType[*admin.Error](err)
	return ok && failed.Kind == admin.Stranger
}

// Guarded sets what every answer says to the browser, with the policy of the content
// that there is, and keeps requests of other sites out.
func Guarded(policy string, next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "The request comes from another site, and nothing was done.", http.StatusForbidden)
	}))
	same := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		same.ServeHTTP(w, r)
	})
}

// ReadForm reads the form of a POST, whose body has at most so many bytes.
func ReadForm(w http.ResponseWriter, r *http.Request, most int64) error {
	if r.Method != http.MethodPost {
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil {
		return &admin.Error{Kind: admin.Invalid, Text: "The form could not be read, and nothing was done."}
	}
	return nil
}

// Parse reads the pages in files, each with the shared ones.
func Parse(files fs.FS, functions template.FuncMap, shared ...string) map[string]*template.Template {
	layout := template.Must(template.New("").Funcs(functions).ParseFS(files, shared...))
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		panic(err) // the pattern is ours
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		all[strings.TrimSuffix(path.Base(name), ".html")] = template.Must(template.Must(layout.Clone()).ParseFS(files, name))
	}
	return all
}

// URL is that of a page, with pairs of names and values as its query. A value that is
// empty is left out.
func URL(page string, query ...any) string {
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		if text := fmt.Sprint(query[i+1]); text != "" {
			values.Set(fmt.Sprint(query[i]), text)
		}
	}
	if len(values) == 0 {
		return page
	}
	return page + "?" + values.Encode()
}

// Clean makes a text that somebody else chose fit to be shown: what has no shape, or
// turns the direction of what follows, is replaced. Escaping is the templates'.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) && r != '\u200d' && r != '\u200c':
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// Cut is Clean, and not longer than so many characters.
func Cut(text string, most int) string {
	text = Clean(text)
	n := 0
	for i := range text {
		if n++; n > most {
			return text[:i] + "…"
		}
	}
	return text
}
