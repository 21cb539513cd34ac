package easserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// ordering is an administrator of a house.
type ordering struct {
	t *testing.T
	h *bridgetest.House
}

// call asks the house's control door.
func (o ordering) call(method, path string, body any) (int, []byte) {
	o.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	o.h.Bridge.Door().ServeHTTP(w, httptest.NewRequestWithContext(o.t.Context(), method, path, bytes.NewReader(text)))
	return w.Code, w.Body.Bytes()
}

func (o ordering) post(path string, body any) error {
	o.t.Helper()
	if status, text := o.call(http.MethodPost, path, body); status != http.StatusOK {
		return fmt.Errorf("%d %s", status, text)
	}
	return nil
}

// state asserts how far the order to erase phone1 came, as administrators see it.
func (o ordering) state(when string, want device.WipeState) {
	o.t.Helper()
	_, text := o.call(http.MethodGet, "/v1/devices?user="+bridgetest.User, nil)
	var list []admin.Device
	if err := json.Unmarshal(text, &list); err != nil {
		o.t.Fatal(err)
	}
	for _, d := range list {
		if d.Device == "phone1" && d.Wipe != nil {
			if d.Wipe.State != string(want) {
				o.t.Errorf("%s: the order is %+v, want %s", when, d.Wipe, want)
			}
			return
		}
	}
	o.t.Errorf("%s: there is no order in %s", when, text)
}
