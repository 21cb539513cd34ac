package phone

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// maxShown bounds a value in text output, in characters: a photograph is no
// reading matter. JSON shows everything.
const maxShown = 100

// PrintSync syncs everything and writes what a phone then holds, as text or as
// JSON.
func PrintSync(ctx context.Context, w io.Writer, c Config, asJSON bool) error {
	p, err := c.connect(ctx, "sync")
	if err != nil {
		return err
	}
	if _, err := p.Sync(ctx); err != nil {
		return Explain(err)
	}
	if asJSON {
		return printJSON(w, p)
	}
	if p.showsNothing() {
		fmt.Fprintln(w, nothingThere)
	}
	for _, f := range p.Folders() {
		if !slices.Contains(p.settings.Classes, f.Class) {
			continue
		}
		fmt.Fprintf(w, "%s (%s, folder %s): %s\n", f.DisplayName, strings.ToLower(f.Class), f.ServerID, count(len(f.Items), "item"))
		for _, id := range slices.Sorted(maps.Keys(f.Items)) {
			fmt.Fprintf(w, "  %s  %s\n", id, Title(f.Items[id]))
			printProperties(w, f.Items[id], 3)
		}
	}
	return beware(w, p)
}

func beware(w io.Writer, p *Phone) error {
	for _, v := range p.Violations() {
		if _, err := fmt.Fprintf(w, "Beware: %s\n", v); err != nil {
			return err
		}
	}
	return nil
}

func printProperties(w io.Writer, list []eas.Element, depth int) {
	for _, e := range list {
		name := strings.Repeat("  ", depth) + localName(e.Tag)
		if len(e.Children) > 0 {
			fmt.Fprintln(w, name)
			printProperties(w, e.Children, depth+1)
			continue
		}
		fmt.Fprintf(w, "%-32s %s\n", name, shown(content(e)))
	}
}

func localName(t wbxml.Tag) string { return or(tag.Local(t), tag.Name(t)) }

// content is an element's text; bytes that are none are shown as base64.
func content(e eas.Element) string {
	if e.Opaque != nil && !utf8.Valid(e.Opaque) {
		return base64.StdEncoding.EncodeToString(e.Opaque)
	}
	return e.Content()
}

// shown makes one short line of a value.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > maxShown {
		return fmt.Sprintf("%s... (%d characters)", string(runes[:maxShown]), len(runes))
	}
	return s
}

// titles are the properties that name an item, best first.
var titles = []wbxml.Tag{
	tag.ContactsFileAs, tag.CalendarSubject, tag.TasksSubject, tag.NotesSubject, tag.EmailSubject,
	tag.ContactsCompanyName, tag.ContactsEmail1Address,
}

// Title is what a list would show of an item.
func Title(item eas.Properties) string {
	for _, t := range titles {
		if s, _ := item.Text(t); s != "" {
			return shown(s)
		}
		if t == tag.ContactsFileAs {
			first, _ := item.Text(tag.ContactsFirstName)
			last, _ := item.Text(tag.ContactsLastName)
			if name := strings.TrimSpace(first + " " + last); name != "" {
				return shown(name)
			}
		}
	}
	return "(without a name)"
}

type jsonFolder struct {
	ID     string              `json:"id"`
	Parent string              `json:"parent"`
	Name   string              `json:"name"`
	Type   eas.FolderType      `json:"type"`
	Class  string              `json:"class"`
	Items  map[string]jsonItem `json:"items"`
}

type jsonItem map[string]any

func printJSON(w io.Writer, p *Phone) error {
	out := struct {
		Folders    []jsonFolder `json:"folders"`
		Violations []string     `json:"violations"`
	}{[]jsonFolder{}, append([]string{}, p.Violations()...)}
	for _, f := range p.Folders() {
		jf := jsonFolder{f.ServerID, f.ParentID, f.DisplayName, f.Type, f.Class, make(map[string]jsonItem)}
		for id, item := range f.Items {
			jf.Items[id] = jsonProperties(item)
		}
		out.Folders = append(out.Folders, jf)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// jsonProperties makes an object of elements: by name, an array where a name
// comes more than once.
func jsonProperties(list []eas.Element) jsonItem {
	o := make(jsonItem, len(list))
	for _, e := range list {
		var v any = content(e)
		if len(e.Children) > 0 {
			v = jsonProperties(e.Children)
		}
		name := localName(e.Tag)
		switch before := o[name].(type) {
		case nil:
			o[name] = v
		case []any:
			o[name] = append(before, v)
		default:
			o[name] = []any{before, v}
		}
	}
	return o
}
