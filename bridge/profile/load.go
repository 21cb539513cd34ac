package profile

import (
	_ "embed" // for the built-in table
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

const (
	// MaxSize bounds a file of rules, in bytes: a thousand rules fit.
	MaxSize = 256 << 10

	// MaxRules bounds the rules of a file. Each is tried for each new phone.
	MaxRules = 1000

	// maxComplaints bounds how much is said about one file: it is not one of
	// rules then.
	maxComplaints = 100
)

//go:embed profiles.toml
var builtin []byte

var builtinRules = sync.OnceValue(func() []rule {
	rules, err := parse("profiles.toml", builtin)
	if err != nil {
		panic(err) // a test reads it
	}
	return rules
})

// Default is the built-in table.
func Default() *Table { return &Table{rules: slices.Clone(builtinRules())} }

// Complaints are everything that is wrong with a file, a line each:
// "FILE:LINE: what is wrong; what to do". There is at least one.
type Complaints []string

// Error writes a line for each complaint.
func (c Complaints) Error() string { return strings.Join(c, "\n") }

// Load reads a file of rules and adds them behind the built-in ones, so that
// they win where both say something. An error about its content is a
// Complaints; every other one means that the file cannot be read.
func Load(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return Parse(path, data)
}

// Parse is Load for a file that was read; name is what complaints call it.
func Parse(name string, data []byte) (*Table, error) {
	rules, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	return &Table{rules: slices.Concat(builtinRules(), rules)}, nil
}

// A parser makes rules of a document and gathers what is wrong with it.
type parser struct {
	name  string
	lines []map[string]int // per rule, of its keys; "" is the rule itself
	said  []complaint
}

type complaint struct {
	line int // from 1; 0 concerns the whole file
	text string
}

func parse(name string, data []byte) ([]rule, error) {
	if len(data) > MaxSize {
		return nil, Complaints{fmt.Sprintf("%s: the file is larger than %d bytes; is it the right file?", name, MaxSize)}
	}
	data = []byte(strings.TrimPrefix(string(data), "\ufeff"))
	p := &parser{name: name}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		line := 0
		if e, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ = e.Position()
		}
		p.complain(line, "see https://toml.io for how to write it", "%s", strings.TrimPrefix(err.Error(), "toml: "))
		return nil, p.complaints()
	}
	top := p.locate(data)
	for key := range tree {
		if key != "rule" {
			p.complain(top[key], "write [[rule]] and the settings below it", "%.80q is not known", key)
		}
	}
	rules := p.rules(top["rule"], tree["rule"])
	if len(p.said) > 0 {
		return nil, p.complaints()
	}
	return rules, nil
}

// rules reads the list of rules that is the value at "rule".
func (p *parser) rules(line int, v any) []rule {
	const remedy = "write [[rule]] and the settings below it"
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		p.complain(line, remedy, "rule is not a list")
		return nil
	}
	if len(list) > MaxRules {
		p.complain(line, "join some of them", "there are more than %d rules", MaxRules)
		return nil
	}
	rules := make([]rule, len(list))
	for i, e := range list {
		table, ok := e.(map[string]any)
		if !ok {
			p.complain(line, remedy, "a rule is not a table")
			continue
		}
		p.rule(&rules[i], i, table, line)
	}
	return rules
}

// rule reads one rule; line is that of the list.
func (p *parser) rule(r *rule, n int, table map[string]any, line int) {
	at := func(key string) int {
		if n < len(p.lines) {
			if l := p.lines[n][key]; l != 0 {
				return l
			}
			return p.lines[n][""]
		}
		return line
	}
	faults := len(p.said)
	for key, value := range table {
		take := keys[key]
		if take == nil {
			p.complain(at(key), "known are "+strings.Join(known(), ", "), "%.80q is not known", key)
			continue
		}
		if wrong, remedy := take(r, value); wrong != "" {
			p.complain(at(key), remedy, "%s is %s", key, wrong)
		}
	}
	// The order of a map is not the same twice.
	slices.SortFunc(r.settings, func(a, b setting) int { return strings.Compare(a.key, b.key) })
	if len(r.settings) == 0 && len(p.said) == faults {
		p.complain(at(""), "add a setting, or remove it", "the rule changes nothing")
	}
}

func (p *parser) complain(line int, remedy, format string, args ...any) {
	p.said = append(p.said, complaint{line, fmt.Sprintf(format, args...) + "; " + remedy})
}

// complaints are all that was said, in the file's order.
func (p *parser) complaints() Complaints {
	slices.SortFunc(p.said, func(a, b complaint) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.text, b.text)
	})
	var out Complaints
	for _, c := range p.said[:min(len(p.said), maxComplaints)] {
		where := p.name
		if c.line > 0 {
			where = fmt.Sprintf("%s:%d", p.name, c.line)
		}
		out = append(out, where+": "+strings.Map(printable, c.text))
	}
	return out
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '?'
	}
	return r
}

// locate finds the lines of the keys on the top level, which it answers, and of
// those in each [[rule]]. The document was read without error before.
func (p *parser) locate(data []byte) map[string]int {
	var newlines []int
	for i, c := range data {
		if c == '\n' {
			newlines = append(newlines, i)
		}
	}
	top := make(map[string]int)
	note := func(in map[string]int, k *unstable.Node) {
		if _, ok := in[string(k.Data)]; !ok {
			n, _ := slices.BinarySearch(newlines, int(k.Raw.Offset))
			in[string(k.Data)] = n + 1
		}
	}
	var u unstable.Parser
	u.Reset(data)
	current := top
	for u.NextExpression() {
		e := u.Expression()
		key := e.Key()
		if !key.Next() {
			continue
		}
		first := key.Node()
		switch e.Kind {
		case unstable.KeyValue:
			note(current, first)
		case unstable.ArrayTable, unstable.Table:
			note(top, first)
			current = make(map[string]int)
			if string(first.Data) == "rule" && e.Kind == unstable.ArrayTable && !key.Next() {
				n, _ := slices.BinarySearch(newlines, int(first.Raw.Offset))
				current[""] = n + 1
				p.lines = append(p.lines, current)
			}
		}
	}
	return top
}
