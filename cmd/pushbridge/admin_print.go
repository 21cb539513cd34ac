package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// A table is lines whose columns stand below each other.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer, heads ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(heads) > 0 {
		t.row(heads...)
	}
	return t
}

// row writes a line. What phones, people and servers named themselves cannot
// break out of its cell or tell the terminal anything.
func (t table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = harmless(c)
	}
	fmt.Fprintln(t, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func harmless(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s
}

// harmlessLines is harmless for a text of several lines, such as an error, which
// may have the words of a server or the name of a phone in it.
func harmlessLines(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// moment is a time as the person at the terminal has it.
func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// count says how many there are of something, in the singular or the plural.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func printDone(w io.Writer, d admin.Done) { fmt.Fprintln(w, harmless(d.Text)) }

func printStatus(w io.Writer, s admin.Status) {
	t := newTable(w)
	t.row("version", s.Version)
	t.row("up", time.Since(s.Started).Truncate(time.Second).String()+", since "+moment(s.Started))
	t.row("phones", fmt.Sprintf("%d, %d of them waiting", s.Phones, s.Waiting))
	t.row("held", count(s.Holds, "large deletion", "large deletions")+see(s.Holds, "admin brake list"))
	t.row("problems", count(s.Problems, "object", "objects")+see(s.Problems, "admin problems"))
	t.Flush()
	fmt.Fprintln(w)
	t = newTable(w, "BACKEND", "PLUGIN", "RESTARTS", "STATE")
	for _, b := range s.Backends {
		state := "well"
		if !b.Well {
			state = "does not answer as it should"
		}
		if b.Detail != "" {
			state += ": " + b.Detail
		}
		t.row(b.Name, b.Plugin, strconv.Itoa(b.Restarts), state)
	}
	t.Flush()
	printSources(w, s.Backends)
}

// printSources says who tells of changes at the backends.
func printSources(w io.Writer, backends []admin.Backend) {
	fmt.Fprintln(w)
	t := newTable(w, "BACKEND", "TELLS OF CHANGES", "LAST HEARD", "RELIED ON")
	for _, b := range backends {
		if len(b.Sources) == 0 {
			t.row(b.Name, "nothing: it is polled")
		}
		for _, source := range b.Sources {
			heard := "never"
			if source.Heard != nil {
				heard = moment(*source.Heard)
			}
			t.row(b.Name, source.Name, heard, yes(source.Relied))
		}
	}
	t.Flush()
}

// see says where to look if there is something.
func see(n int, command string) string {
	if n == 0 {
		return ""
	}
	return ": pushbridge " + command
}

func printDevices(w io.Writer, list []admin.Device) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No phone has come yet.")
		return
	}
	t := newTable(w, "USER", "DEVICE", "TYPE", "MODEL", "EAS", "FIRST SEEN", "LAST SEEN", "HEALTH", "REMARKS")
	for _, d := range list {
		t.row(d.User, d.Device, d.Type, cmp.Or(d.Called, d.Model, d.UserAgent), d.Version, moment(d.FirstSeen), moment(d.LastSeen), d.Health, standing(d))
	}
	t.Flush()
}

func printFolders(w io.Writer, list []admin.Folder) {
	if len(list) == 0 {
		fmt.Fprintln(w, "There are no folders yet: they appear when a phone first asks for them.")
		return
	}
	t := newTable(w, "FOLDER", "NAME", "KIND", "BACKEND", "ITEMS", "PHONES")
	for _, f := range list {
		t.row(strconv.FormatInt(f.ID, 10), f.Name, f.Kind, f.Backend, strconv.Itoa(f.Items), holdings(f.Devices))
	}
	t.Flush()
}

// holdings says what phones have of a folder: "ABC123 has 12, DEF456 has 10
// and is behind".
func holdings(list []admin.Holding) string {
	words := make([]string, len(list))
	for i, h := range list {
		words[i] = fmt.Sprintf("%s has %d", h.Device, h.Items)
		if h.Behind {
			words[i] += " and is behind"
		}
	}
	return strings.Join(words, ", ")
}

func printHolds(w io.Writer, list []admin.Hold) {
	if len(list) == 0 {
		fmt.Fprintln(w, "Nothing is held.")
		return
	}
	t := newTable(w, "USER", "FOLDER", "NAME", "BACKEND", "MISSING", "SINCE", "BELIEVED FROM")
	for _, h := range list {
		t.row(h.User, strconv.FormatInt(h.Folder, 10), h.Name, h.Backend, fmt.Sprintf("%d of %d", h.Items, h.Of), moment(h.Since), moment(h.Until))
	}
	t.Flush()
}

func printProblems(w io.Writer, list []admin.Problem) {
	if len(list) == 0 {
		fmt.Fprintln(w, "Every object can be shown.")
		return
	}
	t := newTable(w, "USER", "BACKEND", "COLLECTION", "OBJECT", "KIND", "REASON", "FIRST SEEN", "LAST SEEN", "TIMES")
	for _, p := range list {
		t.row(p.User, p.Backend, string(p.Collection), string(p.ID), string(p.Kind), p.Reason,
			moment(p.FirstSeen), moment(p.LastSeen), strconv.FormatInt(p.Count, 10))
	}
	t.Flush()
}
