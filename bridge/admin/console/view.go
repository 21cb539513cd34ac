package console

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/page"
)

//go:embed pages/*.html
var pageFiles embed.FS

const (
	// maxShown bounds how much of a text is shown that a phone chose, in
	// characters. The page of the phone has the rest.
	maxShown = 160

	// maxSaid bounds what is kept in a cookie until the next page shows it.
	maxSaid = 1500

	saidCookie = "pushbridge_said"
)

// A view is what a page is made of.
type view struct {
	Title string
	Here  string // the path of the entry of the menu
	Data  any

	Actor            admin.Actor
	Menu             []entry
	Said             string // what the last order led to
	SignOut, Account string
}

// An entry of the menu.
type entry struct {
	Path, Name string
	Here       bool
}

// menu is what there is, for those who may see it.
var menu = []struct {
	path, name string
	op         *admin.Operation
	request    any
}{
	{"", "Overview", admin.OpDevices.Operation, admin.UserRequest{}},
	{"devices", "Devices", admin.OpDevices.Operation, admin.UserRequest{}},
	{"admission", "Admission", admin.OpQueue.Operation, admin.Nothing{}},
	{"people", "People", admin.OpPeople.Operation, admin.UserRequest{}},
	{"policies", "Policies", admin.OpPolicies.Operation, admin.Nothing{}},
	{"problems", "Problems", admin.OpProblems.Operation, admin.UserRequest{}},
	{"audit", "Audit", admin.OpAudit.Operation, admin.AuditRequest{}},
	{"gateways", "Gateways", admin.OpStatus.Operation, admin.Nothing{}},
}

// nowhere is Here of pages that belong to no entry of the menu.
const nowhere = "-"

// functions are what pages can do.
func (c *Console) functions() template.FuncMap {
	return template.FuncMap{
		"at": c.at, "follow": c.followed, "asset": c.assetURL, "moment": moment, "since": since, "theirs": page.Clean, "cut": cut,
		"plural": plural, "list": func(of ...any) []any { return of }, "join": strings.Join, "add": func(a, b int) int { return a + b },
		"phoneName": phoneName, "tone": outcomeTone, "value": value, "took": took, "lines": lines, "counted": func(n int, one, many string) string {
			if n == 1 {
				return "1 " + one
			}
			return fmt.Sprintf("%d %s", n, many)
		},
	}
}

// at is the URL of a page, with pairs of names and values as its query.
func (c *Console) at(name string, query ...any) string {
	return page.URL(c.Prefix+name, query...)
}

// followed is the URL by which a page is followed that is made now.
func (c *Console) followed(view string, query ...any) string {
	return c.at("events", append([]any{"view", view, "since", time.Now().Unix()}, query...)...)
}

// show answers with a page.
func (c *Console) show(a *ask, status int, name string, v view) {
	v.Actor, v.SignOut, v.Account = a.actor, c.SignOut, c.Account
	for _, m := range menu {
		if a.may(m.op, m.request) {
			v.Menu = append(v.Menu, entry{m.path, m.name, m.path == v.Here})
		}
	}
	v.Said = c.said(a)
	var text bytes.Buffer
	if err := c.templates[name].ExecuteTemplate(&text, "layout", v); err != nil {
		c.Logger.Error("a page could not be made", "page", name, "error", err)
		http.Error(a.w, "This page could not be made; the worker's log says why.", http.StatusInternalServerError)
		return
	}
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.WriteHeader(status)
	text.WriteTo(a.w) // who hangs up has no use for an error
}

// fragment makes a part of a page.
func (c *Console) fragment(name, part string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := c.templates[name].ExecuteTemplate(&b, part, data)
	return b.Bytes(), err
}

// goTo leads to another page, which says what was done.
func (c *Console) goTo(a *ask, where, said string) {
	if len(said) > maxSaid {
		said = said[:maxSaid]
	}
	http.SetCookie(a.w, &http.Cookie{Name: saidCookie, Value: base64.RawURLEncoding.EncodeToString([]byte(said)),
		Path: c.Prefix, MaxAge: 60, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: a.TLS != nil})
	http.Redirect(a.w, a.Request, where, http.StatusSeeOther)
}

// said is what the last order led to, once.
func (c *Console) said(a *ask) string {
	cookie, err := a.Cookie(saidCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(a.w, &http.Cookie{Name: saidCookie, Path: c.Prefix, MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// moment is a time as people of all zones read it.
func moment(t any) string {
	when := timeOf(t)
	if when.IsZero() {
		return "never"
	}
	return when.UTC().Format("2006-01-02 15:04 UTC")
}

func timeOf(t any) time.Time {
	switch t := t.(type) {
	case time.Time:
		return t
	case *time.Time:
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}

// since is how long ago something was.
func since(t any) string {
	when := timeOf(t)
	if when.IsZero() {
		return "never"
	}
	passed := time.Since(when)
	if passed < time.Minute {
		return "just now"
	}
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(passed / u.of); n > 0 {
			return plural(n, u.name) + " ago"
		}
	}
	return ""
}

// plural counts things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "y") && !strings.HasSuffix(thing, "ay") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(thing, "y"))
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// cut is page.Clean, and not longer than fits a table.
func cut(text string) string { return page.Cut(text, maxShown) }

// value says what a setting is.
func value(v any) string {
	switch v := v.(type) {
	case nil:
		return "not said"
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		return page.Clean(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return page.Clean(string(text))
}

// took is a duration with two figures that mean something.
func took(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d >= u.of {
			return fmt.Sprintf("%.3g %s", roundTo2(float64(d)/float64(u.of)), u.name)
		}
	}
	return fmt.Sprintf("%.2g ms", float64(d)/float64(time.Millisecond))
}

// roundTo2 keeps two figures.
func roundTo2(f float64) float64 {
	scale := math.Pow(10, 1-math.Floor(math.Log10(f)))
	return math.Round(f*scale) / scale
}

// lines is a text with its lines, and nothing else that has no shape.
func lines(text string) string {
	list := strings.Split(text, "\n")
	for i, line := range list {
		list[i] = page.Clean(line)
	}
	return strings.Join(list, "\n")
}
