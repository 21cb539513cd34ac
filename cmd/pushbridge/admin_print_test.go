package main

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/pushbridge/pushbridge/bridge/audit"
)

// What phones and servers named themselves tells the terminal nothing, in errors
// neither, which keep their lines.
func TestErrorsTellTheTerminalNothing(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "admin.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error": {"kind": "invalid", "text": "Phone \u001b]0;x\u0007 of \u009b31mann\u202e:\nis another one."}}`))
	})}
	go func() { served <- server.Serve(l) }()
	var out, errs strings.Builder
	if status := run(t.Context(), []string{"admin", "wipe", "ann", "P", "--yes", "--socket", socket}, &out, &errs); status != exitUsage {
		t.Errorf("exit status %d", status)
	}
	if text := errs.String(); strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) || !strings.Contains(text, ":\nis another one.\n") {
		t.Errorf("it prints %q", text)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	<-served
}

// An entry of the audit is one line.
func TestPrintAudit(t *testing.T) {
	var out strings.Builder
	printAudit(&out, []audit.Record{{Entry: audit.Entry{Number: 1, Outcome: audit.Failed, Detail: "Nothing was changed:\nrule 1: \x1b names nothing"}}})
	if text := out.String(); !strings.Contains(text, "failed: Nothing was changed: rule 1: ? names nothing\n") || strings.Count(text, "\n") != 2 {
		t.Errorf("it prints %q", text)
	}
}
