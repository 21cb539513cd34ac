// Package openapi describes the administration API as an OpenAPI document, out of the table of operations.
//
// Section titles are those of the OpenAPI Specification, version 3.1.1, and of
// JSON Schema, draft 2020-12, that it builds on.
package openapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// object is an object of JSON, whose keys are written in their order.
type object = map[string]any

// Document writes the description of operations.
func Document(operations []*admin.Operation) ([]byte, error) {
	s := newSchemas()
	paths := object{}
	for _, o := range operations {
		if err := s.describe(paths, o); err != nil {
			return nil, fmt.Errorf("openapi: %s: %w", o.Name, err)
		}
	}
	text, err := json.MarshalIndent(object{
		"openapi": "3.1.1",
		"info": object{
			"title":   "pushbridge: administration",
			"version": "1",
			"description": "What administrators, and owners of phones, can ask of a worker and order it to do. " +
				"Each operation names the roles that may; x-own says that a phone's owner may, about what is theirs. " +
				"Fields that are not known are refused in requests, and come to be in answers.",
		},
		"servers": []any{
			object{"url": "/admin/api", "description": "for administrators, and programs with a token"},
			object{"url": "/my/api", "description": "for owners of phones, who are signed in at /my/"},
		},
		"security": []any{object{"token": []any{}}, object{"session": []any{}}, object{"owner": []any{}}},
		"paths":    paths,
		"components": object{
			"schemas": s.components,
			"responses": object{"Error": object{
				"description": "It was not done, or not to its end: the text is a sentence for people.",
				"content":     content(object{"$ref": "#/components/schemas/Error"}),
			}},
			"securitySchemes": object{
				"token":   object{"type": "http", "scheme": "bearer", "description": "pushbridge admin token new"},
				"session": object{"type": "apiKey", "in": "cookie", "name": "__Host-pushbridge-admin", "description": "from signing in at /admin/signin"},
				"owner":   object{"type": "apiKey", "in": "cookie", "name": "__Host-pushbridge-my", "description": "from signing in at /my/signin"},
			},
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return append(text, '\n'), nil
}

// modes says in words what becomes of an operation in the audit.
var modes = map[admin.Mode]string{
	admin.Reads:   "It changes nothing.",
	admin.Changes: "What it changes and its entry in the audit come true together, or neither does.",
	admin.Orders:  "The audit has that it was begun, and what came of it.",
	admin.Streams: "It goes on with what another operation began.",
}

// describe adds an operation to the paths. See "Operation Object".
func (s *schemas) describe(paths object, o *admin.Operation) error {
	answer, err := s.of(o.Answer, false)
	if err != nil {
		return err
	}
	described := object{
		"operationId": o.Name,
		"tags":        []string{strings.Split(o.Name, ".")[0]},
		"summary":     strings.ToUpper(o.Summary[:1]) + o.Summary[1:],
		"description": modes[o.Mode],
		"x-roles":     o.Roles,
		"responses": object{
			"200":     object{"description": "It is done, and this is the answer.", "content": content(answer)},
			"default": object{"$ref": "#/components/responses/Error"},
		},
	}
	if o.Own {
		described["x-own"] = true
	}
	method := "get"
	switch o.Method {
	case http.MethodGet:
		parameters, err := s.parameters(o.Request)
		if err != nil {
			return err
		}
		if len(parameters) > 0 {
			described["parameters"] = parameters
		}
	case http.MethodPost:
		method = "post"
		request, err := s.of(o.Request, true)
		if err != nil {
			return err
		}
		described["requestBody"] = object{"required": true, "content": content(request)}
	default:
		return fmt.Errorf("the method %s is not described", o.Method)
	}
	paths[o.Path] = object{method: described}
	return nil
}

// content is a body of JSON. See "Media Type Object".
func content(schema any) object { return object{"application/json": object{"schema": schema}} }
