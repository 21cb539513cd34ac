package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// MaxSize bounds a configuration file and each file with a secret, in bytes. A
// thousand backends fit.
const MaxSize = 256 << 10

// A Complaint is one thing that is wrong with a file, and what to do about it.
type Complaint struct {
	File   string // or "environment variable NAME"
	Line   int    // from 1; 0 if it concerns the file as a whole
	Wrong  string
	Remedy string
}

// String writes the complaint as "file:line: what is wrong; what to do".
func (c Complaint) String() string {
	where := c.File
	if c.Line > 0 {
		where = fmt.Sprintf("%s:%d", c.File, c.Line)
	}
	if c.Remedy == "" {
		return where + ": " + c.Wrong
	}
	return where + ": " + c.Wrong + "; " + c.Remedy
}

// Complaints are everything that is wrong with a file, in the file's order.
// There is at least one.
type Complaints []Complaint

// Error writes a line for each complaint.
func (cs Complaints) Error() string {
	lines := make([]string, len(cs))
	for i, c := range cs {
		lines[i] = c.String()
	}
	return strings.Join(lines, "\n")
}

// Load reads a configuration file and the environment, which goes before the
// file: PUSHBRIDGE_LISTEN, PUSHBRIDGE_LOG_LEVEL, PUSHBRIDGE_BACKEND_NAME_KEY
// and so on. An error about their content is a Complaints; every other one
// means that the file cannot be read.
func Load(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return File{}, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data, os.Environ())
}

// Parse reads a configuration from bytes. name is the file's name in
// complaints; environment has elements "NAME=value" as os.Environ answers
// them, and may be nil.
func Parse(name string, data []byte, environment []string) (File, error) {
	l := &loader{name: name, file: Default(), set: make(map[string]bool)}
	if len(data) > MaxSize {
		return File{}, Complaints{{File: name, Wrong: fmt.Sprintf("the file is larger than %d bytes", MaxSize), Remedy: "is it the right file?"}}
	}
	data = []byte(strings.TrimPrefix(string(data), "\ufeff"))
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		return File{}, Complaints{syntax(name, err)}
	}
	l.at = locate(data)
	l.table("", tree)
	l.environment(environment)
	l.check()
	if len(l.complaints) > 0 {
		slices.SortFunc(l.complaints, func(a, b Complaint) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.File, b.File), cmp.Compare(a.Wrong, b.Wrong))
		})
		return File{}, l.complaints
	}
	return l.file, nil
}

// syntax makes a complaint of an error of the TOML reader.
func syntax(name string, err error) Complaint {
	c := Complaint{File: name, Wrong: err.Error(), Remedy: "see https://toml.io for how to write it"}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		c.Line, _ = e.Position()
	}
	c.Wrong = strings.Map(printable, strings.TrimPrefix(c.Wrong, "toml: "))
	return c
}

// A loader fills a File and gathers what is wrong.
type loader struct {
	name       string
	file       File
	at         positions
	set        map[string]bool // keys that somebody wrote and that were taken over
	complaints Complaints
}

// maxComplaints bounds how much is said about one file: it is not a
// configuration then.
const maxComplaints = 100

// complain notes what is wrong with the value at a dotted path.
func (l *loader) complain(path, remedy, format string, args ...any) {
	l.note(Complaint{File: l.name, Line: l.at.line(path), Wrong: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (l *loader) note(c Complaint) {
	if len(l.complaints) < maxComplaints {
		c.Wrong = strings.Map(printable, c.Wrong) // keys can hold line breaks
		l.complaints = append(l.complaints, c)
	}
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '?'
	}
	return r
}

// take writes a value into the file, or answers what is wrong with it.
func (l *loader) take(path string, value any) *problem {
	p := keys[path](&l.file, value)
	if p == nil {
		l.set[path] = true
	}
	return p
}

// table takes over the keys of a table; prefix is empty or ends in a dot.
func (l *loader) table(prefix string, t map[string]any) {
	for key, value := range t {
		path := prefix + key
		if path == "backend" {
			l.backends(value)
			continue
		}
		if path == "hook" {
			l.hooks(value)
			continue
		}
		if path == "redirect" {
			l.redirects(value)
			continue
		}
		if keys[path] != nil {
			if problem := l.take(path, value); problem != nil {
				l.complain(path, problem.remedy, "%s is %s", path, problem.wrong)
			}
			continue
		}
		if inner, ok := value.(map[string]any); ok && isTable(path) {
			l.table(path+".", inner)
			continue
		}
		if secret, ok := strings.CutSuffix(path, "_file"); ok && keys[secret] != nil {
			l.secret(path, secret, t, value)
			continue
		}
		l.unknown(path, value)
	}
}

// unknown complains of a key that nobody knows.
func (l *loader) unknown(path string, value any) {
	if len(l.complaints) == maxComplaints {
		return
	}
	if isTable(path) {
		l.complain(path, fmt.Sprintf("write [%s] and the settings below it", path), "%s is %s instead of a table", path, describe(value))
		return
	}
	remedy := "known are " + strings.Join(siblings(path), ", ")
	if near := nearest(path); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	}
	l.complain(path, remedy, "%q is not known", path)
}

// secret takes a value from a file that the configuration names.
func (l *loader) secret(path, target string, t map[string]any, value any) {
	last := target[strings.LastIndexByte(target, '.')+1:]
	if _, twice := t[last]; twice {
		l.complain(path, "remove one of them", "%s and %s are both set", path, target)
		return
	}
	text, ok := l.read(path, value)
	if !ok {
		return
	}
	if problem := l.take(target, text); problem != nil {
		l.complain(path, problem.remedy, "the content of %s is %s", path, problem.wrong)
	}
}

// read reads a file with a secret: its content without the line's end.
func (l *loader) read(path string, value any) (string, bool) {
	file, ok := value.(string)
	if !ok || file == "" {
		l.complain(path, "write the name of a file in quotes", "%s is %s", path, describe(value))
		return "", false
	}
	f, err := os.Open(file)
	if err != nil {
		l.complain(path, "name a file that this program may read", "%s: %v", path, err)
		return "", false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil || len(data) > MaxSize {
		l.complain(path, fmt.Sprintf("name a file of at most %d bytes that this program may read", MaxSize), "%s cannot be read", path)
		return "", false
	}
	return strings.TrimRight(string(data), "\r\n"), true
}
