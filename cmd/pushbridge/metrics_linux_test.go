package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
)

// TestReloadKeepsMetrics lets a worker begin again while somebody asks without
// a pause whether it lives: there is no moment at which nobody listens.
func TestReloadKeepsMetrics(t *testing.T) {
	if testing.Short() {
		t.Skip("starts workers")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	d := startDaemon(t, 1, func(socket string) string { return socket })
	d.await(serves, 1)
	d.configure(fmt.Sprintf("metrics = %q\n", addr) + d.text)
	d.cmd.Process.Signal(syscall.SIGHUP)
	d.await("listening for Prometheus", 1)
	d.await(serves, 2)

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	alive := func() error {
		resp, err := client.Get("http://" + addr + "/healthz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "alive\n" {
			return fmt.Errorf("%s, %q, %w", resp.Status, b, err)
		}
		return nil
	}
	ctx, enough := context.WithCancel(t.Context())
	asked := make(chan int, 1)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			if err := alive(); err != nil {
				t.Errorf("after %d answers: %v", n, err)
				break
			}
		}
		asked <- n
	}()
	for round := 2; round <= 3; round++ {
		d.cmd.Process.Signal(syscall.SIGHUP)
		d.await("listening for Prometheus", round)
	}
	enough()
	if n := <-asked; n == 0 {
		t.Error("nobody was answered")
	}
	if err := alive(); err != nil { // the last one answers, too
		t.Error(err)
	}
}
