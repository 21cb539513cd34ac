package openapi

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// schemas are the types that the API speaks of.
type schemas struct {
	components object
	names      map[kind]string
}

// A kind is a type as it is sent by a client, or answered.
type kind struct {
	reflect.Type
	sent bool
}

// newSchemas has the one of errors, which no operation answers.
func newSchemas() *schemas {
	return &schemas{names: map[kind]string{}, components: object{"Error": object{
		"type":     "object",
		"required": []string{"error"},
		"properties": object{"error": object{
			"type":     "object",
			"required": []string{"kind", "text"},
			"properties": object{
				"kind": object{"type": "string", "enum": []admin.Kind{
					admin.Internal, admin.Invalid, admin.NotFound, admin.Unknown, admin.Refused, admin.Stranger, admin.Busy,
				}},
				"text": object{"type": "string"},
			},
		}},
	}}}
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
)

// of is the schema of a type: what package encoding/json makes of it.
func (s *schemas) of(t reflect.Type, sent bool) (object, error) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}, nil
	case t == reflect.TypeFor[time.Duration]():
		return object{"type": "integer", "description": "nanoseconds"}, nil
	case t == reflect.TypeFor[json.RawMessage]():
		return object{}, nil // anything
	case implements(t, textMarshaler):
		return object{"type": "string"}, nil
	case implements(t, jsonMarshaler):
		return object{}, nil // it says itself what it is
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}, nil
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer"}, nil
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}, nil
	case reflect.Interface:
		return object{}, nil
	case reflect.Pointer:
		return s.nullable(t.Elem(), sent)
	case reflect.Slice, reflect.Array:
		return s.list(t, sent)
	case reflect.Map:
		values, err := s.of(t.Elem(), sent)
		return object{"type": []string{"object", "null"}, "additionalProperties": values}, err
	case reflect.Struct:
		return s.named(t, sent)
	}
	return nil, fmt.Errorf("%v is nothing that JSON has", t)
}

func implements(t, what reflect.Type) bool {
	return t.Implements(what) || t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(what)
}

// nullable is a value or null.
func (s *schemas) nullable(t reflect.Type, sent bool) (object, error) {
	inner, err := s.of(t, sent)
	if err != nil || len(inner) == 0 {
		return inner, err
	}
	return object{"anyOf": []any{inner, object{"type": "null"}}}, nil
}

// list is an array. A list of nothing may be null.
func (s *schemas) list(t reflect.Type, sent bool) (object, error) {
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		return object{"type": []string{"string", "null"}, "contentEncoding": "base64"}, nil
	}
	items, err := s.of(t.Elem(), sent)
	return object{"type": []string{"array", "null"}, "items": items}, err
}

// named is a reference to a component, which is made if it is not there.
func (s *schemas) named(t reflect.Type, sent bool) (object, error) {
	if t.Name() == "" {
		return s.structure(t, sent)
	}
	k := kind{t, sent}
	if _, known := s.names[k]; !known {
		name := s.free(t, sent)
		s.names[k] = name
		s.components[name] = nil // taken, for types that have themselves inside
		schema, err := s.structure(t, sent)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", t, err)
		}
		s.components[name] = schema
	}
	return object{"$ref": "#/components/schemas/" + s.names[k]}, nil
}

// free is a name for a type that no other one has: that of its package goes
// before it if need be.
func (s *schemas) free(t reflect.Type, sent bool) string {
	name := t.Name()
	if sent && !strings.HasSuffix(name, "Request") {
		name += "Sent"
	}
	if _, taken := s.components[name]; taken {
		path := strings.Split(t.PkgPath(), "/")
		room := path[len(path)-1]
		name = strings.ToUpper(room[:1]) + room[1:] + name
	}
	if _, taken := s.components[name]; taken {
		panic("openapi: two types are called " + name)
	}
	return name
}

// structure is an object with the fields of a struct.
func (s *schemas) structure(t reflect.Type, sent bool) (object, error) {
	properties, required := object{}, []string{}
	for _, f := range fields(t) {
		schema, err := s.field(f, sent)
		if err != nil {
			return nil, err
		}
		properties[f.name] = schema
		if !f.optional && !sent {
			required = append(required, f.name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	if sent {
		schema["additionalProperties"] = false
	}
	return schema, nil
}

// field is the schema of a field. What is left out if it is empty is never null.
func (s *schemas) field(f field, sent bool) (object, error) {
	t := f.Type
	if f.optional && !sent && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	schema, err := s.of(t, sent)
	if f.optional && !sent && err == nil {
		if types, ok := schema["type"].([]string); ok {
			schema["type"] = types[0]
		}
	}
	return schema, err
}

// A field is one that package encoding/json writes.
type field struct {
	reflect.StructField
	name     string
	optional bool // left out if it is empty
}

// fields are those of a struct, and of what it embeds.
func fields(t reflect.Type) []field {
	var list []field
	var within [][]int // embedded, under a name of their own
	for _, f := range reflect.VisibleFields(t) {
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if slices.ContainsFunc(within, func(outer []int) bool { return len(f.Index) > len(outer) && slices.Equal(f.Index[:len(outer)], outer) }) {
			continue
		}
		switch {
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			continue // its fields follow
		case f.Anonymous:
			within = append(within, f.Index)
		}
		if tag == "-" || !f.IsExported() {
			continue
		}
		if tag == "" {
			tag = f.Name
		}
		list = append(list, field{f, tag, strings.Contains(options, "omit")})
	}
	return list
}

// parameters are the fields of a request in the query. See "Parameter Object".
func (s *schemas) parameters(t reflect.Type) ([]any, error) {
	var list []any
	for _, f := range fields(t) {
		schema, err := s.of(f.Type, true)
		if err != nil {
			return nil, err
		}
		list = append(list, object{"name": f.name, "in": "query", "schema": schema})
	}
	return list, nil
}
