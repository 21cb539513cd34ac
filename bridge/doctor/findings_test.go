package doctor_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unprovoked are findings that cannot come about where tests run, and why.
var unprovoked = map[string]string{
	"elsewhere": "on other systems than Linux alone",
}

// Every finding that the doctor knows has a test that provokes it: its code stands
// in one.
func TestEveryFindingIsProvoked(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	var tests strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			codes = append(codes, codesIn(t, n)...)
			return true
		})
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	if len(codes) < 50 {
		t.Errorf("only %d findings were found: %q", len(codes), codes)
	}
	for _, code := range codes {
		if !strings.Contains(tests.String(), strconv.Quote(code)) && unprovoked[code] == "" {
			t.Errorf("no test provokes %q", code)
		}
	}
}

// codesIn are the codes that a call of fail or advise, or an assignment to Code,
// has in it.
func codesIn(t *testing.T, n ast.Node) (codes []string) {
	text := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok {
			code, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		} else {
			t.Errorf("a code of a finding is no literal, so that nobody finds it: %#v", e)
		}
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "fail" || f.Sel.Name == "advise") && len(n.Args) == 4 {
			text(n.Args[1])
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if f, ok := to.(*ast.SelectorExpr); ok && f.Sel.Name == "Code" {
				text(n.Rhs[i])
			}
		}
	}
	return codes
}
