package policy_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
)

// Every element of the specification is a setting, in the order of the schema,
// from the version on that has it.
func TestSettingsAreTheElements(t *testing.T) {
	conformance.Shows(t, "EASProvisionDoc")
	doc := reflect.TypeFor[eas.EASProvisionDoc]()
	if doc.NumField() != len(policy.Settings) {
		t.Errorf("there are %d elements and %d settings", doc.NumField(), len(policy.Settings))
	}
	for i, s := range policy.Settings {
		f, ok := doc.FieldByName(s.Element)
		if !ok || f.Index[0] != i {
			t.Errorf("%s: the element %s is not number %d of the schema", s.Name, s.Element, i)
			continue
		}
		since := eas.V120
		if _, version, ok := strings.Cut(f.Tag.Get("eas"), ",min="); ok {
			since, _ = eas.ParseVersion(version)
		}
		if s.Since != since {
			t.Errorf("%s is of version %s, want %s", s.Name, s.Since, since)
		}
		kind := map[string]policy.Kind{"*bool": policy.Switch, "*int": policy.Number, "[]string": policy.List}[f.Type.String()]
		if s.Kind != kind {
			t.Errorf("%s is of kind %d, want %d", s.Name, s.Kind, kind)
		}
		if _, needs := policy.Find(s.Needs); s.Does == "" || s.Needs != "" && !needs || strings.ToLower(s.Name) != s.Name {
			t.Errorf("%+v lacks something", s)
		}
	}
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name    string
		written map[string]any
		want    policy.Document
		wrong   []string // beginnings of the complaints
	}{
		{name: "nothing", want: policy.Document{}},
		{
			name: "TOML",
			written: map[string]any{"device_password_enabled": true, "min_device_password_length": int64(6), "allow_bluetooth": int64(1),
				"unapproved_in_rom_application_list": []any{"a.exe", "b.exe"}},
			want: policy.Document{"device_password_enabled": true, "min_device_password_length": 6, "allow_bluetooth": 1,
				"unapproved_in_rom_application_list": []string{"a.exe", "b.exe"}},
		},
		{
			name:    "the environment",
			written: map[string]any{"device_password_enabled": "true", "min_device_password_length": "6", "approved_application_list": "aa, bb"},
			want:    policy.Document{"device_password_enabled": true, "min_device_password_length": 6, "approved_application_list": []string{"aa", "bb"}},
		},
		{name: "JSON", written: map[string]any{"allow_bluetooth": 2.0}, want: policy.Document{"allow_bluetooth": 2}},
		{name: "what asks nothing needs nothing", written: map[string]any{"device_password_history": 0, "allow_simple_device_password": true},
			want: policy.Document{"device_password_history": 0, "allow_simple_device_password": true}},
		{
			name: "all complaints at once",
			written: map[string]any{
				"min_device_password_length": 17, "max_device_password_failed_attempts": 3, "allow_camera": "perhaps", "allow_wi_fi": true,
				"allow_bluetooth": 0.5, "max_calendar_age_filter": 2, "approved_application_list": []any{1}, "unapproved_in_rom_application_list": []any{""},
				"device_password_history": 3, "max_attachment_size": 1 << 20, "attachments_enabled": false,
			},
			wrong: []string{
				"allow_bluetooth is 0.5; write a whole number from 0 to 2", `allow_camera is "perhaps"; write true or false`, "allow_wi_fi is not known",
				"approved_application_list has 1;", "max_calendar_age_filter is 2; write 0, 4, 5, 6 or 7", "max_device_password_failed_attempts is 3; write a whole number from 4 to 16",
				"min_device_password_length is 17;", `unapproved_in_rom_application_list has the entry "";`,
				"max_attachment_size has no effect while attachments_enabled is false", "device_password_history has no effect while device_password_enabled is false",
			},
		},
		{name: "a name of several lines", written: map[string]any{"\n": []any{}, "a\r\nb": 1}, wrong: []string{`"\n" is not known`, `"a\r\nb" is not known`}},
		{name: "a chain of needs", written: map[string]any{"device_password_enabled": true, "min_device_password_complex_characters": 3},
			wrong: []string{"min_device_password_complex_characters has no effect while alphanumeric_device_password_required is false"}},
	} {
		got, err := policy.Parse(tc.written)
		if tc.wrong == nil {
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%s: %v, %v, want %v", tc.name, got, err, tc.want)
			}
			continue
		}
		cs, _ := errors.AsType[policy.Complaints](err)
		if got != nil || len(cs) != len(tc.wrong) {
			t.Errorf("%s: %v and %d complaints, want none and %d:\n%v", tc.name, got, len(cs), len(tc.wrong), err)
			continue
		}
		for i, want := range tc.wrong {
			if !strings.HasPrefix(cs[i].String(), want) {
				t.Errorf("%s: complaint %q, want %q", tc.name, cs[i], want)
			}
		}
	}
}

// extreme is a value of a setting at one end of what it may be.
func extreme(s policy.Setting, most bool) any {
	switch {
	case s.Kind == policy.Switch:
		return most
	case s.Kind == policy.List && most:
		return slices.Repeat([]string{strings.Repeat("x", s.Most)}, 500)
	case s.Kind == policy.List:
		return []string{"x"}
	case most:
		return s.Most
	}
	return s.Least
}

// What goes to phones keeps the schemas, for every setting at both its ends,
// and says in each version what that version knows.
func TestDocumentsKeepTheSchemas(t *testing.T) {
	documents := map[string]policy.Document{"nothing": nil, "least": {}, "most": {}}
	for _, s := range policy.Settings {
		documents["least"][s.Name], documents["most"][s.Name] = extreme(s, false), extreme(s, true)
	}
	for name, d := range documents {
		for _, v := range eas.Versions {
			answer := eas.ProvisionResponse{Status: 1, Policies: []eas.Policy{{PolicyType: policy.Type(v), Status: 1, PolicyKey: "1", Data: d.Data(v)}}}
			doc, err := eas.Marshal(answer, v)
			if err != nil {
				t.Fatal(err)
			}
			text := eastest.XML(doc)
			if v < eas.V120 {
				continue
			}
			eastest.Validate(t, doc)
			for _, s := range policy.Settings {
				is := strings.Contains(text, "<"+s.Element+">") || strings.Contains(text, "<"+s.Element+"/>")
				if want := v >= s.Since && (d[s.Name] != nil || s.Neutral != nil); is != want {
					t.Errorf("%s in %s: %s is there: %t, want %t", name, v, s.Element, is, want)
				}
			}
		}
	}
}

// What 2.5 is told. See [MS-ASPROV] "Data (string Data Type)".
func TestWAPDocuments(t *testing.T) {
	conformance.Shows(t, "PolicyData")
	registry := func(lock, wipe, word, length, complexity string) map[string]string {
		return map[string]string{"4131": "0", "4133": "0", "AEFrequencyType": lock[:1], "AEFrequencyValue": lock[2:], "DeviceWipeThreshold": wipe,
			"CodewordFrequency": word, "MinimumPasswordLength": length, "PasswordComplexity": complexity}
	}
	for _, tc := range []struct {
		name string
		d    policy.Document
		want map[string]string
	}{
		{"nothing", nil, map[string]string{"4131": "1", "4133": "1"}},
		{"settings that 2.5 does not know", policy.Document{"allow_camera": false}, map[string]string{"4131": "1", "4133": "1"}},
		{"a password", policy.Document{"device_password_enabled": true}, registry("0 0", "0", "-1", "1", "2")},
		{"all that 2.5 knows", policy.Document{"device_password_enabled": true, "alphanumeric_device_password_required": true, "min_device_password_length": 8,
			"max_inactivity_time_device_lock": 61, "max_device_password_failed_attempts": 5}, registry("1 2", "5", "2", "8", "0")},
	} {
		text := tc.d.Data(eas.V25).XML
		got := make(map[string]string)
		for d := xml.NewDecoder(strings.NewReader(text)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in %s", tc.name, err, text)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "parm" {
				got[e.Attr[0].Value] = e.Attr[1].Value
			}
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// Policies that ask the same have one name, and others have others.
func TestRevision(t *testing.T) {
	a := policy.Policy{Require: true, Document: policy.Document{"allow_camera": false, "allow_browser": false}}
	b := policy.Policy{Require: true, Document: policy.Document{"allow_browser": false, "allow_camera": false}, RefusePartial: true}
	c := policy.Policy{Require: true, Document: policy.Document{"allow_browser": false}}
	if a.Revision() == "" || a.Revision() != b.Revision() || a.Revision() == c.Revision() || (policy.Policy{}).Revision() != "" {
		t.Errorf("revisions %q, %q, %q, and of none %q", a.Revision(), b.Revision(), c.Revision(), policy.Policy{}.Revision())
	}
}

// A document that is taken survives being stored, asks nothing impossible, and
// can be said in every version.
func FuzzParse(f *testing.F) {
	f.Add(`{"device_password_enabled": true, "min_device_password_length": 6}`)
	f.Add(`{"approved_application_list": ["a", "b"], "allow_bluetooth": 1}`)
	f.Add(`{"allow_bluetooth": 1e300, "unapproved_in_rom_application_list": ["\u0000"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var written map[string]any
		if json.Unmarshal([]byte(text), &written) != nil {
			return
		}
		d, err := policy.Parse(written)
		if err != nil {
			if cs, ok := errors.AsType[policy.Complaints](err); !ok || len(cs) == 0 || strings.Count(err.Error(), "\n") != len(cs)-1 {
				t.Errorf("complaints %q, want one line each", err)
			}
			return
		}
		stored, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var read map[string]any
		if err := json.Unmarshal(stored, &read); err != nil {
			t.Fatal(err)
		}
		again, err := policy.Parse(read)
		if err != nil || !reflect.DeepEqual(again, d) && len(d) > 0 {
			t.Errorf("%v came back as %v, %v", d, again, err)
		}
		for name, v := range d {
			if n, ok := v.(int); ok && (n < -1 || n > math.MaxInt32) {
				t.Errorf("%s is %d", name, n)
			}
		}
		for _, v := range eas.Versions {
			if _, err := eas.Marshal(eas.ProvisionResponse{Policies: []eas.Policy{{Data: d.Data(v)}}}, v); err != nil {
				t.Error(err)
			}
		}
	})
}
