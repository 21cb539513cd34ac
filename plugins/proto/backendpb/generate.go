// Package backendpb is generated from backend.proto, the protocol between pushbridge and its plugins.
//
// Only package wire reads it. After a change of backend.proto run go generate,
// which needs protoc, protoc-gen-go and protoc-gen-go-grpc of the versions
// named in the generated files.
package backendpb

//go:generate protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative backend.proto
