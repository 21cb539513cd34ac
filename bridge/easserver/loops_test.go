package easserver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// The circles that phones go in end, and the log says which.
func TestLoopsOfProvisioning(t *testing.T) {
	conformance.Shows(t, "LegacyDeviceOnStrictPolicy", "policy key", "HTTP 503")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: strict(nil)})
		deaf := &raw{t, h.Client(v, "deaf"), nil}
		for range device.MaxTold + 1 {
			deaf.ask(eas.CmdFolderSync, &eas.FolderSyncRequest{SyncKey: "0"})
		}
		deaf.told("told too often", v, eas.LegacyDeviceOnStrictPolicy, 403)
		if _, err := deaf.Provision(t.Context(), nil); err != nil {
			t.Errorf("it provisions after all: %v", err)
		}
		deaf.fine("it provisions after all")

		keyless := &raw{t, h.Client(v, "keyless"), nil}
		for range device.MaxAccepts + 1 {
			if _, err := keyless.Provision(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			keyless.PolicyKey = 0
		}
		keyless.fine("it accepts the policy, and never sends its key")

		refusing := &raw{t, h.Client(v, "refusing"), nil}
		for range device.MaxRefuses + 1 {
			if _, err := refusing.ProvisionAs(t.Context(), nil, eas.PolicyRefused); err == nil {
				t.Fatal("a phone that refuses is let in")
			}
			refusing.PolicyKey = 0
		}
		refusing.told("it refuses time and again", v, eas.DeviceNotFullyProvisionable, 403)

		endless := &raw{t, h.Client(v, "endless"), nil}
		var last error
		for range device.MaxAsks + 1 {
			_, last = endless.ProvisionPhase(t.Context(), eas.ProvisionRequest{Policies: []eas.Policy{{PolicyType: policy.Type(v)}}})
		}
		if status, e := httpStatus(t, last); status != http.StatusServiceUnavailable || e.RetryAfter < time.Minute {
			t.Errorf("it asks for the policy without end, and is answered %v, want 503 with a long Retry-After", last)
		}
		for _, l := range []device.Loop{device.LoopDeaf, device.LoopKeyless, device.LoopRefuses} {
			if n := strings.Count(h.Log.String(), `loop="`+string(l)+`"`); n != 1 {
				t.Errorf("the log says %d times that %s, want once", n, l)
			}
		}
	})
}

// A program that knows no policies is let in where that is allowed.
func TestProgramsWithoutPolicies(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V141} {
		h := bridgetest.Start(t, bridgetest.Options{Edit: strict(func(p *policy.Policy) { p.AllowUnprovisionable = true })})
		c := h.Client(v, "desktop")
		body := mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, v)
		call := easclient.Call{Query: eas.Query{Command: eas.CmdFolderSync}, Body: body, Header: http.Header{"X-Ms-Policykey": nil}}
		if answer, _, err := c.Do(t.Context(), call); err != nil || !strings.Contains(xml(t, answer), "<Count>") {
			t.Errorf("%s: without a key: %v %s", v, err, xml(t, answer))
		}
		(&raw{t, c, nil}).told("with the key 0", v, eas.DeviceNotProvisioned, 449)
	}
}
