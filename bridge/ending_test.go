package bridge_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// TestEndAnswersThoseWhoWait ends the program while phones wait, some behind a
// web server and some not: each is told that nothing has changed.
func TestEndAnswersThoseWhoWait(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	socket := "unix:" + fcgitest.SocketPath(t)
	worker, err := fcgi.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Bridge.Serve(ctx, bridge.Listeners{FastCGI: worker, HTTP: plain}) }()
	var phones sync.WaitGroup
	const each = 3
	for i := range 2 * each {
		c := h.Client(eas.V141, fmt.Sprintf("END%d", i))
		c.URL = "http://" + plain.Addr().String()
		if i%2 == 0 {
			c.HTTP = &http.Client{Transport: fcgitest.Transport{Addr: socket}}
		}
		p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
		bridgetest.Sync(t, p)
		phones.Go(func() {
			if r, err := p.Ping(t.Context(), 50*time.Minute); err != nil || r.Status != eas.PingExpired {
				t.Errorf("phone %d hears status %d, %v, want 1", i, r.Status, err)
			}
		})
	}
	for h.Bridge.Waiting() < 2*each {
		time.Sleep(time.Millisecond)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	phones.Wait()
	if n := h.Bridge.Waiting(); n != 0 {
		t.Errorf("%d phones still wait", n)
	}
}

// TestLogOfTheEnd tells in the log a phone whose command is finished although
// the program ends from one that has hung up.
func TestLogOfTheEnd(t *testing.T) {
	body, err := eas.Marshal(&eas.FolderSyncRequest{SyncKey: "0"}, eas.V121)
	if err != nil {
		t.Fatal(err)
	}
	for cause, status := range map[error]int{fcgi.ErrShutdown: 200, fcgi.ErrHungUp: 499} {
		h := bridgetest.Start(t, bridgetest.Options{})
		ctx, end := context.WithCancelCause(t.Context())
		end(cause)
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/Microsoft-Server-ActiveSync?Cmd=FolderSync&DeviceId=END&DeviceType=test", bytes.NewReader(body))
		r.SetBasicAuth(bridgetest.User, bridgetest.Password)
		h.Bridge.Handler().ServeHTTP(httptest.NewRecorder(), r)
		if want := fmt.Sprintf("http=%d", status); !strings.Contains(h.Log.String(), want) {
			t.Errorf("after %v the log has no %s", cause, want)
		}
	}
}
