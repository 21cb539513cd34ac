package openapi_test

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/openapi"
)

var update = flag.Bool("update", false, "re-record the golden file")

const golden = "openapi.json"

// TestGolden shows in a change of the code what it changes for who asks. Somebody
// else's library says whether it is OpenAPI at all.
func TestGolden(t *testing.T) {
	got, err := openapi.Document(admin.Operations)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the API changed: if that is meant, run\n\tgo test ./bridge/admin/openapi -update\nand look at what changed in %s", golden)
	}
	if err := schemaOf(t).Validate(decoded(t, string(got))); err != nil {
		t.Errorf("it is no OpenAPI document: %v", err)
	}
	// Every schema in it is one of JSON Schema, and what it refers to is there.
	all := compiler(t)
	if err := all.AddResource("api.json", decoded(t, string(got))); err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(got, &document); err != nil || len(document.Components.Schemas) < 50 {
		t.Fatalf("there are %d schemas, %v", len(document.Components.Schemas), err)
	}
	for name := range document.Components.Schemas {
		if _, err := all.Compile("api.json#/components/schemas/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestValidatorSees makes sure that what is wrong would be found.
func TestValidatorSees(t *testing.T) {
	for _, wrong := range []string{`{}`, `{"openapi":"3.1.1","info":{"title":"x"},"paths":{}}`, `{"openapi":"3.1.1","info":{"title":"x","version":"1"},"paths":{"v1":{}}}`,
		`{"openapi":"3.1.1","info":{"title":"x","version":"1"},"paths":{"/v1":{"get":{"parameters":[{"name":"x"}]}}}}`} {
		if err := schemaOf(t).Validate(decoded(t, wrong)); err == nil {
			t.Errorf("%s passes", wrong)
		}
	}
}

// schemaOf is the schema of OpenAPI 3.1, as its authors publish it at
// https://spec.openapis.org/oas/3.1/schema/2022-10-07 under the Apache License 2.0.
func schemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/oas-3.1-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	c := compiler(t)
	if err := c.AddResource("oas.json", decoded(t, string(text))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("oas.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compiler(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	return c
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type inner struct {
	A string `json:"a"`
	B int    `json:"-"`
}

type alias struct {
	inner
	C *inner         `json:"c,omitempty"`
	D []inner        `json:"d"`
	E map[string]int `json:"e,omitzero"`
	f int
	G *bool
}

// TestTypes are those that are easily got wrong.
func TestTypes(t *testing.T) {
	_ = alias{}.f
	o := &admin.Operation{Name: "x", Method: "POST", Path: "/v1/x", Summary: "x", Roles: admin.AllRoles,
		Request: reflect.TypeFor[alias](), Answer: reflect.TypeFor[alias]()}
	text, err := openapi.Document([]*admin.Operation{o})
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(string(text)), " ")
	for _, want := range []string{
		`"alias": { "properties": { "G": { "anyOf": [ { "type": "boolean" }, { "type": "null" } ] }, "a": { "type": "string" }, "c": { "$ref": "#/components/schemas/inner" }, ` +
			`"d": { "items": { "$ref": "#/components/schemas/inner" }, "type": [ "array", "null" ] }, "e": { "additionalProperties": { "type": "integer" }, "type": "object" } }, ` +
			`"required": [ "a", "d", "G" ], "type": "object" }`,
		`"aliasSent": { "additionalProperties": false, "properties": { "G"`,
		`"inner": { "properties": { "a": { "type": "string" } }, "required": [ "a" ], "type": "object" }`,
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("there is no\n%s\nin\n%s", want, flat)
		}
	}
	o.Answer = reflect.TypeFor[chan int]()
	if _, err := openapi.Document([]*admin.Operation{o}); err == nil {
		t.Error("a channel is described")
	}
}
