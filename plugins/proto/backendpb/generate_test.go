package backendpb_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestGenerated tells whether somebody changed backend.proto and forgot go
// generate.
func TestGenerated(t *testing.T) {
	for _, tool := range []string{"protoc", "protoc-gen-go", "protoc-gen-go-grpc"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("PUSHBRIDGE_CI") == "1" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("%s is not in PATH", tool)
		}
	}
	dir := t.TempDir()
	cmd := exec.Command("protoc", "--go_out="+dir, "--go_opt=paths=source_relative",
		"--go-grpc_out="+dir, "--go-grpc_opt=paths=source_relative", "backend.proto")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("protoc: %v\n%s", err, out)
	}
	for _, name := range []string{"backend.pb.go", "backend_grpc.pb.go"} {
		want, err1 := os.ReadFile(filepath.Join(dir, name))
		got, err2 := os.ReadFile(name)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		// A compiler of another release writes its version and nothing else
		// that is different.
		if !bytes.Equal(version.ReplaceAll(got, nil), version.ReplaceAll(want, nil)) {
			t.Errorf("%s is older than backend.proto: run go generate ./plugins/proto/backendpb", name)
		}
	}
}

var version = regexp.MustCompile(`(?m)^//[\s-]+protoc(-gen-go(-grpc)?)?\s+v.*$`)
