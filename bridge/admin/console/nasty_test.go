package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// nasty are names that phones, servers and people choose who want to be more than a
// name. %s is a word that no page has.
var nasty = []struct{ name, text string }{
	{"an element", `<script>%s()</script>`},
	{"an element that loads", `<img src=x onerror=%s()>`},
	{"the end of an attribute", `" onmouseover="%s()" x="`},
	{"the end of an attribute in apostrophes", `' onmouseover='%s()' x='`},
	{"the end of an element", `</td></tr></table></bdi></main><svg/onload=%s()>`},
	{"the end of a text", `</title></textarea></select></option></pre><script>%s</script>`},
	{"the end of a comment", `--><script>%s</script><!--`},
	{"a template", `{{.Actor}}{{template "layout" .}}${%s}`},
	{"attributes of htmx", `x" hx-get="/%s" hx-trigger="load`},
	{"an URL that is a program", `javascript:%s()`},
	{"escapes", `&lt;script&gt;%s&#60;script&#62;&quot; onload=&quot;`},
	{"no UTF-8", "\xff\xfe<b>%s\xc0\xbc"},
	{"UTF-7", "+ADw-script+AD4-%s+ADw-/script+AD4-"},
	{"lines of an event", "x\r\n\r\nevent: overview\ndata: <b>%s</b>\n\n\rdata: <i>"},
	{"what turns the direction", "\u202e\u2066<b>%s\u2069"},
	{"what has no shape", "\x00\x1b[31m\u200b<b>%s\x7f"},
	{"four thousand bytes", strings.Repeat("Mozilla/5.0 <b>", 300) + "%s"},
}

const marker = "zqxMarker"

// skeleton is the elements of a page and the names of their attributes, without the
// texts and values: what somebody chose must not be in it, and not change it.
func skeleton(t *testing.T, text string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		switch n.Type {
		case html.ElementNode:
			b.WriteString("<" + n.Data)
			for _, at := range n.Attr {
				b.WriteString(" " + at.Key)
				v := strings.ToLower(strings.TrimSpace(at.Val))
				if link := at.Key == "href" || at.Key == "src" || at.Key == "action"; link && !strings.HasPrefix(v, "/admin/") && v != "#main" {
					t.Errorf("a link leads to %q", at.Val)
				}
				if strings.HasPrefix(at.Key, "on") || at.Key == "style" {
					t.Errorf("an element has %s=%q", at.Key, at.Val)
				}
			}
			b.WriteString(">\n")
		case html.CommentNode:
			t.Errorf("there is a comment: %q", n.Data)
		}
	}
	return b.String()
}

// everywhere puts a text wherever somebody else chooses one, and answers the pages that
// show it.
func everywhere(t *testing.T, text string) (*house, []string) {
	t.Helper()
	user := strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, text), "")
	h := build(t, func(h *house, o *admin.Options, _ *device.Options) {
		h.engine.names = []string{text, "x"}
		h.engine.held = []syncengine.Hold{{User: user, Folder: 1, Name: text, Items: 1, Of: 2}}
		o.Problems = unshown{{Object: problem.Object{User: user, Backend: "dav", Collection: "/c/", ID: "x"}, Kind: problem.Unreadable, Reason: text}}
	})
	h.phone(t, user, "P1", func(p *device.Phone) {
		p.Type, p.UserAgent, p.Model, p.OS, p.Version = text, text, text, text, text
		p.Information = device.Information{Model: text, IMEI: text, FriendlyName: text, OS: text, OSLanguage: text, PhoneNumber: text, Operator: text, Agent: text}
		p.Blocked, p.BlockedWhy = true, text
		p.Allowed = device.Allowed{By: text}
		p.Wipe = device.Wipe{State: device.WipeRequested, By: text, Order: device.WipeDevice}
	})
	h.phone(t, user, "P2", func(p *device.Phone) { p.FriendlyName, p.Wipe.By = text, text })
	log := audit.New(h.db.Audit())
	if _, err := log.Append(t.Context(), audit.Entry{Actor: text, Address: text, Action: "test", Object: "phone P1 of " + user, Outcome: audit.Failed, Detail: text, After: []byte(fmt.Sprintf("%q", "x"))}); err != nil {
		t.Fatal(err)
	}
	var pages []string
	query := func(page string, pairs ...string) {
		q := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		pages = append(pages, "/admin/"+page+"?"+q.Encode())
	}
	query("")
	query("devices", "q", text)
	query("devices", "health", text, "sort", text, "user", user, "page", text)
	query("devices")
	query("device", "user", user, "device", "P1")
	query("device", "user", user, "device", text)
	query("people", "q", user)
	query("people")
	query("person", "user", user)
	query("admission", "page", text)
	query("group", "name", text)
	query("policy", "name", text)
	query("policy/what-if", "user", user, "device", text, "policy", text)
	query("problems")
	query("audit", "q", text, "outcome", text)
	query("audit")
	query("audit/verify", "hash", text, "number", "7")
	query("trace", "user", user, "device", text)
	for _, order := range [][]string{{"block", "device", "P1"}, {"wipe-full", "device", "P1"}, {"wipe-confirm", "device", "P1"}, {"rule-remove", "n", "1", "is", text},
		{"unlist", "device", text}, {"group-delete", "name", text}, {"person-off"}, {"release", "folder", "1"}, {text}} {
		query("confirm", append([]string{"do", order[0], "user", user}, order[1:]...)...)
	}
	return h, pages
}

// TestNames: what phones, servers and people call themselves and their things is text,
// on every page.
func TestNames(t *testing.T) {
	harmless, pages := everywhere(t, marker)
	for _, tc := range nasty {
		t.Run(tc.name, func(t *testing.T) {
			h, nastyPages := everywhere(t, strings.Replace(tc.text, "%s", marker, 1))
			shown := 0
			for i, path := range nastyPages {
				w := h.get(t, path, admin.AllRoles...)
				if w.Code >= 500 {
					t.Fatalf("%s is answered %d", path, w.Code)
				}
				body := w.Body.String()
				got := skeleton(t, body)
				if strings.Contains(got, strings.ToLower(marker)) {
					t.Errorf("%s has it among its elements", path)
				}
				shown += strings.Count(body, marker)
				if loose := harmless.get(t, pages[i], admin.AllRoles...); w.Code == loose.Code && len(tc.text) < 100 {
					if want := skeleton(t, loose.Body.String()); got != want {
						t.Errorf("%s has other elements than with a harmless name", path)
					}
				}
			}
			if shown == 0 && len(tc.text) < 100 {
				t.Error("no page shows it at all")
			}
		})
	}
}

// A stream cannot be made to say more than it does by a name.
func TestNamesInStreams(t *testing.T) {
	for _, tc := range nasty {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(tc.text, "%s", marker, 1)
			h := build(t, nil)
			h.phone(t, "ann", "P", func(p *device.Phone) { p.Blocked, p.BlockedWhy = true, text })
			h.End() // so that the stream is over after its first message
			w := h.get(t, "/admin/events?view=devices&since="+now(), admin.ReadOnly)
			if w.Code != http.StatusOK || w.Header().Get("X-Accel-Buffering") != "no" || w.Header().Get("Content-Type") != "text/event-stream" {
				t.Fatalf("the stream is answered %d, %v", w.Code, w.Header())
			}
			events := 0
			for line := range strings.Lines(strings.ReplaceAll(w.Body.String(), "\r", "\n")) {
				switch line = strings.TrimSuffix(line, "\n"); {
				case line == "event: health":
					events++
				case line == "", line == "retry: 2000", strings.HasPrefix(line, "data: "):
				default:
					t.Errorf("the stream has a line %q", line)
				}
			}
			if events != 1 {
				t.Errorf("there are %d events", events)
			}
			_, data, _ := strings.Cut(w.Body.String(), "data: ")
			if strings.Contains(data, "<b>") || strings.Contains(data, "<script") || strings.Contains(data, "<img") {
				t.Errorf("the stream has %q", data)
			}
		})
	}
}

// What phones say of themselves is shown in full on their page, also when it is long.
func TestLongUserAgent(t *testing.T) {
	h := build(t, nil)
	agent := strings.Repeat("Mozilla/5.0 (Phone) ", 205)[:4096]
	h.phone(t, "ann", "P", func(p *device.Phone) { p.UserAgent = agent })
	if w := h.get(t, "/admin/device?user=ann&device=P", admin.ReadOnly); !strings.Contains(w.Body.String(), agent) {
		t.Error("the page does not have it")
	}
	if w := h.get(t, "/admin/devices?q=phone", admin.ReadOnly); w.Code != http.StatusOK || strings.Contains(w.Body.String(), agent[:400]) {
		t.Errorf("the list is answered %d, and has all of it", w.Code)
	}
}
