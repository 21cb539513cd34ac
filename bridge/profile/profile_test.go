package profile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

var update = flag.Bool("update", false, "re-record the golden files")

// phones are what phones of each sort say of themselves, and how the built-in
// table treats them.
var phones = []struct {
	name  string
	phone phone
	want  Profile
}{
	{"a phone that nobody knows", phone{"Acme", "Acme/1.0", "acme1"}, Profile{}},
	{"a phone that says nothing", phone{}, Profile{}},
	{"an iPhone", phone{"iPhone", "Apple-iPhone14C2/2107.93", "ApplC0FFEE"}, Profile{Name: "iOS", Timeout: 4 * time.Minute, Merged: kinds("notes")}},
	{"an iPad", phone{"iPad", "Apple-iPad6C3/2107.93", "ApplC0FFEE"}, Profile{Name: "iOS", Timeout: 4 * time.Minute, Merged: kinds("notes")}},
	{"an iPod", phone{"iPod", "Apple-iPod2C1/803.148", "ApplC0FFEE"}, Profile{Name: "iOS", Timeout: 4 * time.Minute, Merged: kinds("notes")}},
	{"Gmail", phone{"Android", "Android-Mail/2025.11.02.release", "androidc1"}, Profile{Name: "Gmail", Merged: kinds("contacts"), Timeout: 30 * time.Second}},
	{"Android 4 as it came", phone{"Android", "Android/4.3.3-EAS-1.3", "androidc1"}, Profile{Merged: kinds("contacts", "events"), Name: "Android's own app", BirthdayHour: 8, Timeout: 30 * time.Second}},
	{"Android 4.4", phone{"Android", "Android/4.4.2-EAS-1.3", "androidc1"}, Profile{Merged: kinds("contacts"), Name: "Android's own app", BirthdayHour: 8, Timeout: 30 * time.Second}},
	{"Android 10", phone{"Android", "Android/10-EAS-2.0", "androidc1"}, Profile{Merged: kinds("contacts"), Name: "Android's own app", BirthdayHour: 8, Timeout: 30 * time.Second}},
	{"Android 11", phone{"Android", "Android/11-EAS-2.0", "androidc1"}, Profile{Name: "Android", Merged: kinds("contacts"), Timeout: 30 * time.Second}},
	{"the first Android", phone{"Android", "Android/0.3", "androidc1"}, Profile{Name: "Android", Merged: kinds("contacts"), Timeout: 30 * time.Second}},
	{"a Samsung", phone{"SAMSUNGGTI9100", "SAMSUNG-GT-I9100/100.20304", "SEC1"}, Profile{Name: "Samsung", Merged: kinds("contacts", "events", "tasks", "notes"), Timeout: 90 * time.Second}},
	{"a Samsung that says that it is Android", phone{"SAMSUNGSMG930F", "Android/8.0-EAS-2.0", "SEC1"}, Profile{Name: "Samsung", Merged: kinds("contacts", "events", "tasks", "notes"), Timeout: 90 * time.Second}},
	{"an LG", phone{"LGD855", "LG-D855/1.0", "LG1"}, Profile{Name: "LG", EmptySupportedIsNone: true}},
	{"Outlook on a computer", phone{"WindowsOutlook15", "Outlook/15.0 (15.0.4535.1507; MSI; x86)", "0123"}, Profile{Name: "Outlook", OtherContactsUnknown: true, Timeout: 4 * time.Minute}},
	{"the first Outlook", phone{"MicrosoftOutlook", "Microsoft.Outlook.15", "0123"}, Profile{Name: "Outlook", OtherContactsUnknown: true, Timeout: 4 * time.Minute}},
	{"Outlook on a phone", phone{"Outlook", "Outlook-iOS-Android/1.0", "0123"}, Profile{Name: "Outlook mobile"}},
	{"Windows Mail", phone{"WindowsMail", "MSFT-WIN-4/10.0.19041", "0123"}, Profile{Name: "Windows Mail", Timeout: 4 * time.Minute}},
	{"Windows Phone 8", phone{"WP8", "", "0123"}, Profile{Name: "Windows Phone", Timeout: 4 * time.Minute}},
	{"BlackBerry 10", phone{"BlackBerry", "RIM-Q10-SQN100-3/10.2.1.537", "BB1"}, Profile{Name: "BlackBerry", BirthdayHour: 11}},
	{"Nine", phone{"Android", "Android/8.1-EAS-2.0", "6E696E65303132"}, Profile{Name: "Nine", Timeout: 30 * time.Second}},
	{"Nine in small letters", phone{"Android", "Android/8.1-EAS-2.0", "6e696e65303132"}, Profile{Name: "Nine", Timeout: 30 * time.Second}},
	{"an id that only begins like Nine's", phone{"Acme", "", "6E696E65XYZ"}, Profile{}},
}

// kinds are a set, by the names in a file.
func kinds(names ...any) Kinds {
	set, ok := someKinds(names)
	if !ok {
		panic("no such kinds")
	}
	return set
}

func TestBuiltin(t *testing.T) {
	table := Default()
	for _, tt := range phones {
		for range 2 { // the second time it is remembered
			if d := cmp.Diff(tt.want, table.For(tt.phone.deviceType, tt.phone.userAgent, tt.phone.deviceID)); d != "" {
				t.Errorf("%s is treated otherwise (-want +got):\n%s", tt.name, d)
			}
		}
	}
}

// TestEverySettingIsNeeded takes each setting and each pattern of the built-in
// table away, one at a time: a phone above has to notice.
func TestEverySettingIsNeeded(t *testing.T) {
	noticed := func(table *Table) bool {
		return slices.ContainsFunc(phones, func(tt struct {
			name  string
			phone phone
			want  Profile
		}) bool {
			return table.find(tt.phone) != tt.want
		})
	}
	if noticed(Default()) {
		t.Fatal("the whole table is not what is wanted")
	}
	for i, r := range Default().rules {
		for _, s := range r.settings {
			table := Default()
			changed := &table.rules[i]
			changed.settings = slices.DeleteFunc(slices.Clone(r.settings), func(o setting) bool { return o.key == s.key })
			if !noticed(table) {
				t.Errorf("rule %d: nobody misses %s", i+1, s.key)
			}
		}
		for name, edit := range map[string]func(*rule){
			"device_type": func(r *rule) { r.deviceType = nil },
			"user_agent":  func(r *rule) { r.userAgent = nil },
			"device_id":   func(r *rule) { r.deviceID = nil },
		} {
			table := Default()
			before := table.rules[i]
			if edit(&table.rules[i]); before.deviceType == table.rules[i].deviceType && before.userAgent == table.rules[i].userAgent && before.deviceID == table.rules[i].deviceID {
				continue
			}
			if !noticed(table) {
				t.Errorf("rule %d: nobody misses %s", i+1, name)
			}
		}
	}
}

// Every key of the file has its effect.
func TestKeys(t *testing.T) {
	tests := map[string]struct {
		value string
		want  Profile
	}{
		"name":                    {`"X"`, Profile{Name: "X"}},
		"birthday_hour":           {`23`, Profile{BirthdayHour: 23}},
		"empty_picture_removes":   {`true`, Profile{EmptyPictureRemoves: true}},
		"file_as":                 {`"last_first"`, Profile{FileAs: translate.FileAsLastFirst}},
		"empty_supported_is_none": {`true`, Profile{EmptySupportedIsNone: true}},
		"other_contacts_unknown":  {`true`, Profile{OtherContactsUnknown: true}},
		"merge":                   {`["tasks", "contacts"]`, Profile{Merged: kinds("contacts", "tasks")}},
		"timeout":                 {`"1m30s"`, Profile{Timeout: 90 * time.Second}},
		"max_version":             {`"14.1"`, Profile{MaxVersion: eas.V141}},
		"max_window":              {`10`, Profile{MaxWindow: 10}},
		"no_gzip":                 {`true`, Profile{NoGzip: true}},
	}
	for _, key := range known() {
		if slices.Contains([]string{"device_type", "user_agent", "device_id"}, key) {
			continue
		}
		tt, ok := tests[key]
		if !ok {
			t.Errorf("%s has no test", key)
			continue
		}
		table, err := Parse("r.toml", fmt.Appendf(nil, "[[rule]]\ndevice_type = '^acme$'\n%s = %s\n", key, tt.value))
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if d := cmp.Diff(tt.want, table.For("Acme", "", "")); d != "" {
			t.Errorf("%s (-want +got):\n%s", key, d)
		}
		if got := table.For("Acme2", "", ""); got != (Profile{}) {
			t.Errorf("%s holds for others, too: %+v", key, got)
		}
	}
}

// Merges is asked with the kinds of collections.
func TestMerges(t *testing.T) {
	p := Profile{Merged: kinds("contacts", "notes")}
	for kind, want := range map[backend.CollectionKind]bool{
		backend.Contacts: true, backend.Notes: true, backend.Events: false, backend.Tasks: false, backend.Mail: false,
	} {
		if p.Merges(kind) != want {
			t.Errorf("folders of %s are merged: %t", kind, !want)
		}
	}
}

// The rules of a file go after the built-in ones, and the later of two wins,
// setting by setting.
func TestOverride(t *testing.T) {
	table, err := Parse("r.toml", []byte(`
[[rule]]
no_gzip = true

[[rule]]
device_type = 'phone'
user_agent = '/2107'
timeout = "1m"
max_window = 20

[[rule]]
device_id = '^vip'
max_window = 50
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		phone phone
		want  Profile
	}{
		{"a rule without patterns holds for everyone", phone{"Acme", "", ""}, Profile{NoGzip: true}},
		{"one of two patterns is not enough", phone{"iPhone", "Apple-iPhone14C2/1905", ""}, Profile{Name: "iOS", Merged: kinds("notes"), Timeout: 4 * time.Minute, NoGzip: true}},
		{"what a rule does not say stays", phone{"iPhone", "Apple-iPhone14C2/2107.93", ""}, Profile{Name: "iOS", Merged: kinds("notes"), Timeout: time.Minute, MaxWindow: 20, NoGzip: true}},
		{"the last rule wins", phone{"iPhone", "Apple-iPhone14C2/2107.93", "VIP1"}, Profile{Name: "iOS", Merged: kinds("notes"), Timeout: time.Minute, MaxWindow: 50, NoGzip: true}},
	} {
		if d := cmp.Diff(tt.want, table.For(tt.phone.deviceType, tt.phone.userAgent, tt.phone.deviceID)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

// TestComplaints compares everything that is said about each bad file with
// what was recorded.
func TestComplaints(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files to complain about: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(filepath.Base(file), data)
		if err == nil {
			t.Errorf("%s: no complaints", file)
			continue
		}
		golden := strings.TrimSuffix(file, ".toml") + ".txt"
		got := err.Error() + "\n"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s: other complaints (-want +got):\n%s", file, d)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, text := range map[string]string{
		"a file that is too large": strings.Repeat("#", MaxSize+1),
		"too many rules":           strings.Repeat("[[rule]]\nno_gzip = true\n", MaxRules+1),
		"a pattern that is large":  "[[rule]]\nno_gzip = true\nuser_agent = '" + strings.Repeat("x", maxPattern+1) + "'\n",
		"a name that is long":      "[[rule]]\nname = '" + strings.Repeat("x", maxName+1) + "'\n",
	} {
		if _, err := Parse("r.toml", []byte(text)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	table := Default()
	long := strings.Repeat("x", 1<<20)
	for i := range 2*maxKnown + 1 {
		table.For("type", fmt.Sprint(i)+long[:i%512], long)
		if len(table.known) > maxKnown {
			t.Fatalf("%d phones are remembered", len(table.known))
		}
	}
	for p := range table.known {
		if len(p.deviceID) > MaxText || len(p.userAgent) > MaxText {
			t.Fatalf("%d and %d bytes are remembered", len(p.deviceID), len(p.userAgent))
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.toml")
	if _, err := Load(path); err == nil {
		t.Error("a file that is not there was read")
	}
	if err := os.WriteFile(path, []byte("[[rule]]\nmax_window = 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for i := range 8 {
		asking.Go(func() {
			if p := table.For("iPad", fmt.Sprint(i%3), ""); p.MaxWindow != 7 || p.Name != "iOS" {
				t.Errorf("the profile is %+v", p)
			}
		})
	}
	asking.Wait()
}

// FuzzParse: whatever a file holds, it is refused with complaints, or makes a
// table that answers the same twice.
func FuzzParse(f *testing.F) {
	f.Add(builtin, "iPhone", "Apple-iPhone14C2/2107.93", "ApplC0FFEE")
	f.Add([]byte("[[rule]]\nname = 'x'\ndevice_type = '^.*$'\n"), "\xff", "", "6E696E65")
	f.Add([]byte("rule = [{ no_gzip = true }]\nother = 1\n[rule2]\n"), "", "", "")
	f.Fuzz(func(t *testing.T, data []byte, deviceType, userAgent, deviceID string) {
		table, err := Parse("r.toml", data)
		if err != nil {
			if c, ok := err.(Complaints); !ok || len(c) == 0 {
				t.Fatalf("the error is %#v", err)
			}
			return
		}
		if a, b := table.For(deviceType, userAgent, deviceID), table.For(deviceType, userAgent, deviceID); a != b {
			t.Fatalf("%+v and then %+v", a, b)
		}
	})
}

func BenchmarkFor(b *testing.B) {
	table := Default()
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			table.For("Android", "Android-Mail/2025.11.02.release", "androidc1")
		}
	})
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			table.find(phone{"Android", "Android-Mail/2025.11.02.release", "androidc1"})
		}
	})
}
