package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

var update = flag.Bool("update", false, "re-record the golden files")

func TestParse(t *testing.T) {
	const backends = "\n[backend.c]\nplugin = \"caldav\"\n"
	only := func() []Backend { return []Backend{{Name: "c", Plugin: "caldav", Settings: backend.Settings{}}} }
	for _, tc := range []struct {
		name, text string
		env        []string
		want       func(*File)
	}{
		{name: "nothing but a backend", text: backends, want: func(*File) {}},
		{
			name: "everything",
			text: "\ufefflisten = \"unix:/run/p.sock\"\nhttp = \"127.0.0.1:8080\"\nstate = \"/s\"\nmetrics = \"[::1]:9464\"\nplugins_dir = \"/p\"\nprofiles = \"/f\"\n" +
				"poll_min = 5\npoll_max = \"1m\"\npoll_share = 40\nheartbeat_min = 60\nheartbeat_default = \"5m\"\nheartbeat_max = 1680\nheartbeat_increment = 300\n" +
				"log = { level = \"debug\", format = \"json\" }\n[login]\nrule = \"{user}@{domain}\"\ndomains = [\"example.org\"]\ndomain = \"example.org\"\nlower = true\naddress = \"{user}@example.org\"\nverify = \"c\"\n" +
				"[folders]\nshow = [\"ann: *\"]\nhide = [\"Archive*\", \"*/iPad: events/*\"]\nmain = [\"events/Work\"]\n" +
				"[policy]\nrequire = true\n[autodiscover]\nurl = \"https://m.example.org/Microsoft-Server-ActiveSync\"\n" + backends,
			want: func(f *File) {
				f.Listen, f.HTTP, f.State, f.PluginsDir, f.Profiles = "unix:/run/p.sock", "127.0.0.1:8080", "/s", "/p", "/f"
				f.Metrics = "[::1]:9464"
				f.PollMin, f.PollMax, f.PollShare = 5*time.Second, time.Minute, 40
				f.Heartbeat = Heartbeat{time.Minute, 5 * time.Minute, 28 * time.Minute, 5 * time.Minute, false}
				f.Log = Log{"debug", "json"}
				f.Login = Login{"{user}@{domain}", []string{"example.org"}, "example.org", true, "{user}@example.org", []string{"c"}}
				f.Folders = Folders{Show: []string{"ann: *"}, Hide: []string{"Archive*", "*/iPad: events/*"}, Main: []string{"events/Work"}}
				f.Policy.Require = true
				f.AutodiscoverURL = "https://m.example.org/Microsoft-Server-ActiveSync"
			},
		},
		{
			name: "several check the passwords", text: "login.verify = [\"c\", \"m\"]" + backends + "[backend.m]\nplugin = \"imap\"\n",
			want: func(f *File) {
				f.Login.Verify = []string{"c", "m"}
				f.Backends = append(f.Backends, Backend{Name: "m", Plugin: "imap", Settings: backend.Settings{}})
			},
		},
		{
			name: "defaults give way to what was written",
			text: "heartbeat_max = 30\npoll_min = 600" + backends,
			want: func(f *File) {
				f.Heartbeat.Min, f.Heartbeat.Default, f.Heartbeat.Max = 30*time.Second, 30*time.Second, 30*time.Second
				f.PollMin, f.PollMax = 10*time.Minute, 10*time.Minute
			},
		},
		{
			name: "the environment goes before the file", text: "listen = \"tcp:127.0.0.1:1\"" + backends,
			env: []string{"PUSHBRIDGE_LISTEN=tcp:127.0.0.1:9000", "PUSHBRIDGE_CI=1", "PUSHBRIDGE_LOG_LEVEL=warn", "PUSHBRIDGE_POLICY_REQUIRE=true", "PUSHBRIDGE_POLL_MIN=7", "PUSHBRIDGE_LOGIN_DOMAINS=a.example, b.example", "HOME=/"},
			want: func(f *File) {
				f.Listen, f.Log.Level, f.Policy.Require, f.PollMin = "tcp:127.0.0.1:9000", "warn", true, 7*time.Second
				f.Login.Domains = []string{"a.example", "b.example"}
			},
		},
		{
			name: "the administration over the web",
			text: "[web]\nurl = \"https://mail.example.org:8443\"\nowners = false\nsession_idle = \"5m\"\nsession_longest = \"1h\"\n" + backends,
			want: func(f *File) {
				f.Web = Web{URL: "https://mail.example.org:8443", Idle: 5 * time.Minute, Longest: time.Hour}
			},
		},
		{
			name: "an identity provider",
			text: "[web]\nurl = \"https://m.example.org\"\n[web.oidc]\nissuer = \"https://login.example.org/realms/x\"\nclient_id = \"p\"\nscopes = [\"profile\"]\nname_claim = \"upn\"\ngroups_claim = \"g\"\nroles = [\"cn=it: helpdesk\"]\n" + backends,
			env:  []string{"PUSHBRIDGE_WEB_OIDC_CLIENT_SECRET=s"},
			want: func(f *File) {
				f.Web.URL = "https://m.example.org"
				f.Web.OIDC = OIDC{"https://login.example.org/realms/x", "p", "s", []string{"profile"}, "upn", "g", []string{"cn=it: helpdesk"}}
			},
		},
		{
			name: "and without TLS, on this computer",
			text: "[web]\nurl = \"http://127.0.0.1:8080/\"\nsession_longest = \"10m\"\n" + backends,
			want: func(f *File) {
				f.Web = Web{URL: "http://127.0.0.1:8080/", Owners: true, Idle: 10 * time.Minute, Longest: 10 * time.Minute}
			},
		},
		{
			name: "mails to administrators",
			text: "[mail]\nsmtp = \"smtps://mail.example.org\"\nuser = \"u\"\nfrom = \"bridge@example.org\"\nadministrators = [\"a@example.org\", \"b@example.org\"]\nca_file = \"/ca.pem\"\n" + backends,
			env:  []string{"PUSHBRIDGE_MAIL_PASSWORD=p"},
			want: func(f *File) {
				f.Mail = Mail{"smtps://mail.example.org", "u", "p", "/ca.pem", "bridge@example.org", []string{"a@example.org", "b@example.org"}}
			},
		},
		{
			name: "the brake",
			text: "[brake]\nshare = 50\ncount = 3\npause = \"1h\"\n" + backends,
			env:  []string{"PUSHBRIDGE_BRAKE_COUNT=4"},
			want: func(f *File) { f.Brake = Brake{50, 4, time.Hour} },
		},
		{
			name: "a directory for everybody",
			text: "[directory]\nbackend = \"c\"\ncollection = \"Acc*\"\nuser = \"u\"\n[certificates]\nca_file = \"/ca.pem\"\n" + backends,
			env:  []string{"PUSHBRIDGE_DIRECTORY_PASSWORD=p"},
			want: func(f *File) {
				f.Directory, f.CertificatesCA = Directory{Backend: "c", Collection: "Acc*", User: "u", Password: "p"}, "/ca.pem"
			},
		},
		{name: "a socket with options", text: "listen = \"unix:/p?mode=0660&group=www-data\"" + backends, want: func(f *File) { f.Listen = "unix:/p?mode=0660&group=www-data" }},
		{name: "a control door", text: "admin = \"unix:/p?group=adm\"" + backends, want: func(f *File) { f.Admin = "unix:/p?group=adm" }},
		{name: "no control door", text: "admin = \"off\"" + backends, want: func(f *File) { f.Admin = "off" }},
		{name: "a socket for hooks", text: "notify = \"unixgram:/p?group=radicale\"" + backends, want: func(f *File) { f.Notify = "unixgram:/p?group=radicale" }},
		{name: "no socket for hooks", text: "notify = \"off\"" + backends, want: func(f *File) { f.Notify = "off" }},
		{
			name: "a policy",
			text: "[policy]\nrequire = true\nrefuse_partial = true\nrecovery_keys = \"/etc/keys\"\ndevice_password_enabled = true\nmin_device_password_length = 6\nunapproved_in_rom_application_list = [\"a\"]\n" + backends,
			env:  []string{"PUSHBRIDGE_POLICY_ALLOW_CAMERA=false", "PUSHBRIDGE_POLICY_APPROVED_APPLICATION_LIST=aa,bb"},
			want: func(f *File) {
				f.Policy.Require, f.Policy.RefusePartial, f.Policy.RecoveryKeys = true, true, "/etc/keys"
				f.Policy.Document = policy.Document{"device_password_enabled": true, "min_device_password_length": 6, "unapproved_in_rom_application_list": []string{"a"},
					"allow_camera": false, "approved_application_list": []string{"aa", "bb"}}
			},
		},
		{
			name: "people whose server is elsewhere",
			text: "[redirect]\n\"Bob\" = \"https://b.example.org\"\n\"*@old.example.org\" = \"{user}@example.net\"\n" + backends,
			want: func(f *File) {
				f.Redirects = account.Redirects{{Pattern: "bob", To: "https://b.example.org"}, {Pattern: "*@old.example.org", To: "{user}@example.net"}}
			},
		},
		{
			name: "a backend with a rule for logins of its own",
			text: backends + "[backend.d]\nplugin = \"carddav\"\nlogin_rule = \"strip_domain\"\n",
			want: func(f *File) {
				f.Backends = append(f.Backends, Backend{Name: "d", Plugin: "carddav", Login: "strip_domain", Settings: backend.Settings{}})
			},
		},
		{name: "an address for pushes", text: "webdav_push = \"https://mail.example.org\"" + backends, want: func(f *File) { f.WebDAVPush = "https://mail.example.org" }},
		{
			name: "hooks",
			text: "[hook.n]\nkind = \"nextcloud\"\nbackend = \"c\"\nsecret = \"0123456789abcdef\"\n[hook.a]\nkind = \"generic\"\nsecret = \"fedcba9876543210\"" + backends,
			want: func(f *File) {
				f.Hooks = []Hook{{"n", "nextcloud", "c", "0123456789abcdef", "p.toml:1"}, {"a", "generic", "", "fedcba9876543210", "p.toml:5"}}
			},
		},
		{name: "a socket that systemd passes", text: "listen = \"systemd\"" + backends, want: func(f *File) { f.Listen = "systemd" }},
		{name: "a named socket that systemd passes", text: "listen = \"systemd:phones\"" + backends, want: func(f *File) { f.Listen = "systemd:phones" }},
		{name: "a socket that spawn-fcgi passes", text: "listen = \"spawn-fcgi\"" + backends, want: func(f *File) { f.Listen = "spawn-fcgi" }},
		{
			name: "what belongs to plugins is passed on, in the file's order",
			text: "[backend.z]\nplugin = \"caldav\"\nurl = \"https://z\"\nhtpasswd_file = \"/h\"\ntimeout = 3\nlist = [1, 2]\n[backend.z.inner]\nx = true\n[backend.a-b]\nplugin = \"other\"\n",
			env:  []string{"PUSHBRIDGE_BACKEND_A_B_PASSWORD=hush", "PUSHBRIDGE_BACKEND_NOBODY_X=1"},
			want: func(f *File) {
				f.Backends = []Backend{
					{Name: "z", Plugin: "caldav", Settings: backend.Settings{"url": "https://z", "htpasswd_file": "/h", "timeout": int64(3), "list": []any{int64(1), int64(2)}, "inner": map[string]any{"x": true}}, At: "p.toml:1"},
					{Name: "a-b", Plugin: "other", Settings: backend.Settings{"password": "hush"}, At: "p.toml:9"},
				}
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := Default()
			want.Backends = only()
			tc.want(&want)
			got, err := Parse("p.toml", []byte(tc.text), tc.env)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want.Backends {
				if want.Backends[i].At == "" {
					want.Backends[i].At = got.Backends[i].At
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("the file was read otherwise (-want +got):\n%s", d)
			}
		})
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
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(filepath.Base(file), data, []string{"PUSHBRIDGE_LOG_FORMAT=yaml"})
			cs, ok := errors.AsType[Complaints](err)
			if !ok || len(cs) == 0 {
				t.Fatalf("error = %v, want complaints", err)
			}
			golden := strings.TrimSuffix(file, ".toml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(cs.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), cs.Error()+"\n"); d != "" {
				t.Errorf("said otherwise (-want +got):\n%s", d)
			}
		})
	}
}

func TestSecretsFromFiles(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("/secret/place\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "state_file = '" + secret + "'\n[backend.c]\nplugin = \"x\"\npassword_file = '" + secret + "'\n"
	path := filepath.Join(dir, "p.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	const want = "/secret/place"
	if f.State != want || f.Backends[0].Settings["password"] != want || len(f.Backends[0].Settings) != 1 {
		t.Errorf("state = %q, settings = %v, want the content of the file in both", f.State, f.Backends[0].Settings)
	}
	_, err = Parse("p.toml", []byte(text+"password = \"x\"\n"), nil)
	if err == nil || !strings.Contains(err.Error(), "p.toml:4: backend.c.password_file and backend.c.password are both set; remove one of them") {
		t.Errorf("error = %v, want a complaint about two passwords", err)
	}
	if _, err = Load(filepath.Join(dir, "none.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want that the file does not exist", err)
	}
}

// TestNoSecretsInComplaints keeps passwords in the wrong place out of the log.
func TestNoSecretsInComplaints(t *testing.T) {
	_, err := Parse("p.toml", []byte("state = \"mysql://u:hush@h\"\npassword = \"hush\"\n[policy]\nrequire = \"hush\"\n[backend.c]\nplugin=[\"hush\"]\npassword_file=3\n"), nil)
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("error = %v, want complaints without the secret", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("listen = \"unix:/x\"\n[backend.a]\nplugin = \"caldav\"\n"))
	f.Add([]byte("[backend]"))                // a table of backends with none in it
	f.Add([]byte("\"\\n\" = 0\n\"\\n\" = 0")) // a key with a line break in it, twice
	f.Add([]byte("a = { b = { c = 1 } }\n[[backend]]\n[login]\ndomains = [1]\n"))
	f.Add([]byte("\"a.b\" = 1\n\"x\\ny\" = 2\nheartbeat_min = 999999999999999\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse("p.toml", data, nil)
		if err != nil {
			cs, ok := errors.AsType[Complaints](err)
			if !ok || len(cs) == 0 {
				t.Fatalf("error is a %T (%v), want Complaints", err, err)
			}
			lines := strings.Count(string(data), "\n") + 1
			for _, c := range cs {
				if c.Line < 0 || c.Line > lines || c.Wrong == "" || strings.Contains(c.String(), "\n") {
					t.Errorf("complaint %+v about a file with %d lines", c, lines)
				}
			}
			return
		}
		h := got.Heartbeat
		if len(got.Backends) == 0 || h.Min < LeastHeartbeat || h.Min > h.Default || h.Default > h.Max || h.Max > MostHeartbeat || got.PollMin < LeastPoll || got.PollMin > got.PollMax {
			t.Errorf("accepted %+v", got)
		}
	})
}
