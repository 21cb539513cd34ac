package backend_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

type target struct {
	URL     string            `setting:"url,required"`
	Timeout time.Duration     `setting:"timeout"`
	Retries int               `setting:"retries"`
	Small   uint8             `setting:"small"`
	Share   float64           `setting:"share"`
	Strict  bool              `setting:"strict"`
	Paths   []string          `setting:"paths"`
	Users   map[string]string `setting:"users"`
	TLS     struct {
		CA string `setting:"ca"`
	} `setting:"tls"`
	Proxy  *netip.Addr `setting:"proxy"`
	Hidden string
}

func TestDecode(t *testing.T) {
	var got target
	got.Retries, got.Hidden = 3, "stays"
	proxy := netip.MustParseAddr("192.0.2.1")
	err := backend.Settings{
		"url": "https://dav.example.org", "timeout": "90s", "small": json.Number("7"), "share": int64(2), "strict": true,
		"paths": []any{"a", "b"}, "users": map[string]any{"ann": "x"}, "tls": map[string]any{"ca": "ca.pem"}, "proxy": "192.0.2.1",
	}.Decode(&got)
	want := target{
		URL: "https://dav.example.org", Timeout: 90 * time.Second, Retries: 3, Small: 7, Share: 2, Strict: true,
		Paths: []string{"a", "b"}, Users: map[string]string{"ann": "x"}, Proxy: &proxy, Hidden: "stays",
	}
	want.TLS.CA = "ca.pem"
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Decode: %+v, error %v; want %+v", got, err, want)
	}
}

func TestDecodeComplains(t *testing.T) {
	tests := []struct {
		name string
		give backend.Settings
		want []string // one after the other; what is not here is not complained of
	}{
		{"nothing", nil, []string{"url must be set"}},
		{"empty", backend.Settings{"url": ""}, []string{"url must be set"}},
		{"null", backend.Settings{"url": nil}, []string{"url is nothing, want a text"}},
		{"near", backend.Settings{"url": "x", "timout": "5s"}, []string{`timout is not known; did you mean "timeout"?`}},
		{"swapped", backend.Settings{"url": "x", "pahts": 1}, []string{`pahts is not known; did you mean "paths"?`}},
		{"far", backend.Settings{"url": "x", "zzzzzz": 1}, []string{"zzzzzz is not known; the known keys are paths, proxy, retries"}},
		{"nested", backend.Settings{"url": "x", "tls": map[string]any{"cert": 1}}, []string{"tls.cert is not known; the known keys are ca"}},
		{"all at once", backend.Settings{"retries": "three", "strict": "yes", "timeout": 5, "paths": []any{"a", 2}, "tls": "x"}, []string{
			"paths[1] is 2, want a text", "retries is a text, want a whole number", "strict is a text, want true or false",
			"timeout is 5, want a length of time", "tls is a text, want a table", "url must be set",
		}},
		{"numbers", backend.Settings{"url": "x", "retries": 1.5, "small": 256, "share": "half"}, []string{
			"retries is 1.5, want a whole number", "share is a text, want a number", "small is 256, which is out of range",
		}},
		{"text form", backend.Settings{"url": "x", "proxy": "nowhere"}, []string{`proxy is "nowhere": `}},
		{"bad time", backend.Settings{"url": "x", "timeout": "-5s"}, []string{`timeout is "-5s", want a length of time`}},
		{"secrets stay secret", backend.Settings{"url": "x", "strict": "hunter2"}, []string{"strict is a text, want true or false"}},
		{"not a list", backend.Settings{"url": "x", "paths": "a"}, []string{"paths is a text, want a list"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.give.Decode(new(target))
			e, ok := err.(*backend.SettingsError)
			if !ok || len(e.Problems) != len(test.want) {
				t.Fatalf("Decode: error = %v (%T), want %d problems", err, err, len(test.want))
			}
			for n, want := range test.want {
				if got := e.Problems[n].Key + " " + e.Problems[n].Why; !strings.HasPrefix(got, want) {
					t.Errorf("problem %d is %q, want %q", n, got, want)
				}
			}
		})
	}
}

// FuzzDecode tries that no settings make Decode panic, and that what it
// accepts it read from known keys alone.
func FuzzDecode(f *testing.F) {
	f.Add(`{"url":"x","timeout":"5s","tls":{"ca":"y"},"paths":["a"]}`)
	f.Add(`{"url":1e400,"users":{"a":null},"proxy":[[]]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s backend.Settings
		if json.Unmarshal([]byte(text), &s) != nil {
			return
		}
		err := s.Decode(new(target))
		if err == nil && s["url"] == nil {
			t.Errorf("Decode accepts %q, which has no url", text)
		}
		if e, ok := err.(*backend.SettingsError); err != nil && (!ok || e.Error() == "") {
			t.Errorf("Decode: error = %v (%T), want a *SettingsError with a text", err, err)
		}
	})
}
