package easserver_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// withoutVacation makes a house in which nobody answers mail while people are away.
func withoutVacation(h *bridgetest.House) {
	for _, op := range []memory.Op{memory.OpVacation, memory.OpSetVacation} {
		h.Backend.Fail(memory.Failure{Op: op, Times: -1, Err: backend.Errorf(backend.Unsupported, "test", "there is no such thing")})
	}
}

// What a phone sets while its owner is away is what people are told, and comes back.
func TestVacation(t *testing.T) {
	conformance.Shows(t, "OofMessage")
	h := bridgetest.Start(t, bridgetest.Options{})
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		settings := func(o eas.OofRequest) *eas.OofResult {
			t.Helper()
			res, err := h.Client(v, "phone1").Settings(t.Context(), eas.SettingsRequest{Oof: &o})
			if err != nil || res.Oof == nil || res.Oof.Status != eas.SettingsOK {
				t.Fatalf("%s: %+v, %v", v, res.Oof, err)
			}
			return res.Oof
		}
		get := eas.OofRequest{Get: &eas.OofGet{BodyType: "TEXT"}}
		settings(eas.OofRequest{Set: &eas.Oof{OofState: ptr(2), StartTime: "2026-12-01T00:00:00.000Z", EndTime: "2026-12-24T00:00:00.000Z", Messages: []eas.OofMessage{
			{AppliesToExternalKnown: true, Enabled: ptr(true), ReplyMessage: "Not for you", BodyType: "TEXT"},
			{AppliesToInternal: true, Enabled: ptr(true), ReplyMessage: "<p>Away &amp; gone</p>", BodyType: "HTML"},
		}}})
		got := settings(get).Get
		if *got.OofState != 2 || got.StartTime != "2026-12-01T00:00:00.000Z" || got.EndTime != "2026-12-24T00:00:00.000Z" ||
			len(got.Messages) != 3 || strings.TrimSpace(got.Messages[0].ReplyMessage) != "Away & gone" || !*got.Messages[0].Enabled {
			t.Errorf("%s: it came back as %+v", v, got)
		}
		settings(eas.OofRequest{Set: &eas.Oof{OofState: ptr(0)}})
		if got := settings(get).Get; *got.OofState != 0 || !strings.Contains(got.Messages[0].ReplyMessage, "Away") {
			t.Errorf("%s: switched off it came back as %+v, want the text kept", v, got)
		}
	}
}

// Out-of-office messages cannot be had, and what contradicts itself is told so.
func TestOof(t *testing.T) {
	conformance.Shows(t, "SettingsUnavailable", "SettingsProtocol", "SettingsBadValue", "SettingsConflicting", "OofRequest", "Oof", "OofResult")
	h := bridgetest.Start(t, bridgetest.Options{})
	withoutVacation(h)
	get := &eas.OofGet{BodyType: "TEXT"}
	on := func(state int, from, to string) *eas.Oof {
		return &eas.Oof{OofState: &state, StartTime: from, EndTime: to, Messages: []eas.OofMessage{{AppliesToInternal: true, Enabled: ptr(true), ReplyMessage: "Away", BodyType: "TEXT"}}}
	}
	const early, late = "2026-12-01T00:00:00.000Z", "2026-12-24T00:00:00.000Z"
	for _, v := range []eas.Version{eas.V120, eas.V121, eas.V141, eas.V161} {
		for _, tt := range []struct {
			name string
			ask  eas.OofRequest
			want eas.SettingsStatus
		}{
			{"get", eas.OofRequest{Get: get}, eas.SettingsUnavailable},
			{"set", eas.OofRequest{Set: on(1, "", "")}, eas.SettingsUnavailable},
			{"off", eas.OofRequest{Set: on(0, "", "")}, eas.SettingsUnavailable},
			{"for some time", eas.OofRequest{Set: on(2, early, late)}, eas.SettingsUnavailable},
			{"for less than no time", eas.OofRequest{Set: on(2, late, early)}, eas.SettingsBadValue},
			{"from no time on", eas.OofRequest{Set: on(2, "soon", late)}, eas.SettingsBadValue},
			{"a state that there is not", eas.OofRequest{Set: on(3, "", "")}, eas.SettingsBadValue},
			{"no state", eas.OofRequest{Set: &eas.Oof{}}, eas.SettingsBadValue},
			{"get and set", eas.OofRequest{Get: get, Set: on(1, "", "")}, eas.SettingsConflicting},
			{"neither", eas.OofRequest{}, eas.SettingsProtocol},
		} {
			res, err := h.Client(v, "phone1").Settings(t.Context(), eas.SettingsRequest{Oof: &tt.ask})
			if err != nil || res.Status != eas.SettingsOK || res.Oof == nil || res.Oof.Status != tt.want || res.Oof.Get != nil {
				t.Errorf("%s, %s: answered %+v, %v, want status %d", v, tt.name, res, err, tt.want)
			}
		}
	}
}

// A recovery password is taken where the policy asks for it and there is a key,
// is stored so that nobody can read it, and stands in no log.
func TestDevicePassword(t *testing.T) {
	conformance.Shows(t, "DevicePassword", "SettingsPolicy", "SettingsBadValue")
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte(strings.Repeat("0f", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	asks := policy.Policy{Require: true, Document: policy.Document{"device_password_enabled": true, "password_recovery_enabled": true}}
	for _, tt := range []struct {
		name, keys, password string
		policy               policy.Policy
		want                 eas.SettingsStatus
	}{
		{"taken", keys, "Sesame 1234", asks, eas.SettingsOK},
		{"empty", keys, "", asks, eas.SettingsBadValue},
		{"endless", keys, strings.Repeat("Sesame", 1000), asks, eas.SettingsBadValue},
		{"there is no key", "", "Sesame 1234", asks, eas.SettingsPolicy},
		{"the key is lost", keys + ".lost", "Sesame 1234", asks, eas.SettingsPolicy},
		{"nobody asked for it", keys, "Sesame 1234", policy.Policy{}, eas.SettingsPolicy},
	} {
		for _, v := range []eas.Version{eas.V121, eas.V161} {
			state := t.TempDir()
			h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
				o.Config.State = state
				o.Config.Policy.Policy, o.Config.Policy.RecoveryKeys = tt.policy, tt.keys
			}})
			r := newRaw(t, h, v)
			res, err := r.Settings(t.Context(), eas.SettingsRequest{DevicePassword: &eas.DevicePassword{Password: tt.password}})
			if err != nil || res.Status != eas.SettingsOK || res.DevicePassword == nil || res.DevicePassword.Status != tt.want {
				t.Errorf("%s, %s: answered %+v, %v, want status %d", tt.name, v, res, err, tt.want)
			}
			files, err := filepath.Glob(filepath.Join(state, "*"))
			if err != nil || len(files) == 0 {
				t.Fatalf("the state is %v, %v", files, err)
			}
			for _, f := range files {
				if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), "Sesame") {
					t.Errorf("%s, %s: the password can be read in %s", tt.name, v, filepath.Base(f))
				}
			}
			if log := h.Log.String(); strings.Contains(log, "Sesame") || strings.Contains(log, "recovery passwords are neither") != (tt.keys == keys+".lost") {
				t.Errorf("%s, %s: the log is\n%s", tt.name, v, log)
			}
		}
	}
}

// All that a phone says of itself is kept: by Settings, and from 14.1 on inside of
// Provision.
func TestDeviceInformation(t *testing.T) {
	conformance.Shows(t, "DeviceInformation", "SettingsOK")
	info := &eas.DeviceInformation{Model: "Brick", IMEI: "123456789012345", FriendlyName: "Ann's brick", OS: "Clay 3", OSLanguage: "de", PhoneNumber: "+491701234567",
		UserAgent: "Agent/2", EnableOutboundSMS: ptr(true), MobileOperator: "Example"}
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		for _, provisions := range []bool{false, true} {
			if provisions && v < eas.V141 {
				continue
			}
			h := bridgetest.Start(t, bridgetest.Options{})
			c := h.Client(v, "phone1")
			var err error
			if provisions {
				_, err = c.Provision(t.Context(), info)
			} else {
				_, err = c.Settings(t.Context(), eas.SettingsRequest{DeviceInformation: info})
			}
			if err != nil {
				t.Fatal(err)
			}
			_, text := ordering{t, h}.call(http.MethodGet, "/v1/devices", nil)
			var list []admin.Device
			if err := json.Unmarshal(text, &list); err != nil || len(list) != 1 || list[0].Says == nil {
				t.Fatalf("the phones are %s, %v", text, err)
			}
			want := admin.Says{IMEI: info.IMEI, Language: "de", PhoneNumber: info.PhoneNumber}
			if v >= eas.V140 { // which knows the rest
				want.Operator, want.Agent, want.OutboundSMS = "Example", "Agent/2", "1"
			}
			if d := list[0]; *d.Says != want || d.Model != "Brick" || d.Name != "Ann's brick" || d.System != "Clay 3" {
				t.Errorf("%s: the phone is %+v and says %+v, want %+v", v, d, *d.Says, want)
			}
		}
	}
}
