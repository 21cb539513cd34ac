package conformance

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A requirement is something that a document asks for.
type requirement struct {
	name     string // that claims use
	chapter  string // of CONFORMANCE.md
	value    string // of a status
	elements string // of a message
	meaning  string
	section  string // "[MS-ASCMD] "Ping""
}

var cited = regexp.MustCompile(`\[MS-[A-Z0-9]+\]\s+(?:"[^"]*"(?:,? and )?(?:, )?)+`)

// required reads package eas.
func required(dir string) ([]requirement, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var list []requirement
	slices.Sort(files)
	sections := make(map[string]string) // of types
	var parsed []*ast.File
	fset := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, f)
		typeSections(f, sections)
	}
	for _, f := range parsed {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					list = append(list, message(s, sections)...)
				case *ast.ValueSpec:
					if g.Tok == token.CONST {
						list = append(list, constant(s, sections)...)
					}
				}
			}
		}
	}
	for _, o := range others {
		list = append(list, requirement{name: o.name, chapter: o.chapter, meaning: o.meaning, section: o.section})
	}
	return list, nil
}

// typeSections notes which section each type cites.
func typeSections(f *ast.File, to map[string]string) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			t := s.(*ast.TypeSpec)
			doc := t.Doc.Text() + g.Doc.Text()
			to[t.Name.Name] = strings.Join(strings.Fields(cited.FindString(strings.ReplaceAll(doc, "\n", " "))), " ")
		}
	}
}

// message makes a requirement of a struct whose fields are elements.
func message(s *ast.TypeSpec, sections map[string]string) []requirement {
	st, ok := s.Type.(*ast.StructType)
	if !ok {
		return nil
	}
	var elements []string
	for _, f := range st.Fields.List {
		if f.Tag == nil {
			continue
		}
		text, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue
		}
		name, options, _ := strings.Cut(reflect.StructTag(text).Get("eas"), ",")
		if name == "" {
			continue
		}
		for o := range strings.SplitSeq(options, ",") {
			if low, ok := strings.CutPrefix(o, "min="); ok {
				name += " (from " + low + ")"
			}
			if high, ok := strings.CutPrefix(o, "max="); ok {
				name += " (up to " + high + ")"
			}
		}
		if !slices.Contains(elements, name) { // one field may be written in another one's place
			elements = append(elements, name)
		}
	}
	if len(elements) == 0 {
		return nil
	}
	return []requirement{{name: s.Name.Name, chapter: chapterMessages, elements: strings.Join(elements, ", "), section: sections[s.Name.Name]}}
}

// constant makes requirements of commands and statuses.
func constant(s *ast.ValueSpec, sections map[string]string) (list []requirement) {
	typ, ok := s.Type.(*ast.Ident)
	if !ok {
		return nil
	}
	for i, name := range s.Names {
		if i >= len(s.Values) {
			continue
		}
		value, ok := s.Values[i].(*ast.BasicLit)
		if !ok {
			continue
		}
		r := requirement{name: name.Name, value: value.Value, meaning: strings.TrimSpace(s.Comment.Text()), section: sections[typ.Name]}
		switch {
		case typ.Name == "Command":
			command, err := strconv.Unquote(value.Value)
			if err != nil {
				continue
			}
			r.name, r.chapter, r.value, r.section = "command "+command, chapterCommands, "", fmt.Sprintf("[MS-ASCMD] %q", command)
		case typ.Name == "Status":
			r.chapter = chapterCommon
		case strings.HasSuffix(typ.Name, "Status"):
			r.chapter = chapterStatuses + strings.TrimSuffix(typ.Name, "Status")
		default:
			continue
		}
		list = append(list, r)
	}
	return list
}

// The chapters of CONFORMANCE.md.
const (
	chapterCommands = "Commands"
	chapterMessages = "Messages and their parts"
	chapterCommon   = "Common statuses"
	chapterStatuses = "Statuses: "
)

// tests reads which tests there are below a directory, and what they claim by
// Shows.
func tests(root string) (known map[string]bool, claims map[string][]string, err error) {
	known, claims = make(map[string]bool), make(map[string][]string)
	fset := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		room := filepath.Base(filepath.Dir(path))
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := room + "." + fn.Name.Name
			if fn.Recv == nil && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz")) {
				known[name] = true
			}
			for _, c := range claimed(fn) {
				claims[c] = append(claims[c], name)
			}
		}
		return nil
	})
	for _, names := range claims {
		slices.Sort(names)
	}
	return known, claims, err
}

// claimed answers what a function says that it shows.
func claimed(fn *ast.FuncDecl) []string {
	found := make(map[string]bool)
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Shows" {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "conformance" {
			return true
		}
		for _, arg := range call.Args[1:] {
			lit, ok := arg.(*ast.BasicLit)
			if !ok {
				found["(a name that is not written out)"] = true
				continue
			}
			if s, err := strconv.Unquote(lit.Value); err == nil {
				found[s] = true
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(found))
}
