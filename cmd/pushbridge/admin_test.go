package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// An office is "pushbridge serve" upon a directory of cards, with an
// administrator beside it.
type office struct {
	t      *testing.T
	cards  string // the directory
	config string
	socket string
	url    string
	log    *bridgetest.Log // of the worker that runs
	stop   func()
}

// cardsOf is how many cards an office begins with: enough for the brake.
const cardsOf = 30

func openOffice(t *testing.T) *office { return openOfficeAt(t, "") }

// openOfficeAt opens one with more lines in its configuration.
func openOfficeAt(t *testing.T, more string) *office {
	dir, err := os.MkdirTemp("", "pb") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	o := &office{t: t, cards: filepath.Join(dir, "data", "ann", "contacts"), config: filepath.Join(dir, "pushbridge.toml"),
		socket: filepath.Join(dir, "state", "admin.sock")}
	if err := os.MkdirAll(o.cards, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range cardsOf {
		o.put(fmt.Sprintf("card-%d.vcf", i), bridgetest.Card(fmt.Sprintf("card-%d", i), fmt.Sprintf("Person %d", i)))
	}
	text := more + fmt.Sprintf("http = \"127.0.0.1:0\"\nstate = %q\npoll_min = 1\n[backend.files]\nplugin = \"localdir\"\ndir = %q\nusers = {ann = \"secret\"}\n",
		filepath.Join(dir, "state"), filepath.Join(dir, "data"))
	if err := os.WriteFile(o.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.start()
	t.Cleanup(func() {
		o.stop()
		if t.Failed() {
			t.Logf("the worker's log:\n%s", o.log)
		}
	})
	return o
}

var listening = regexp.MustCompile(`listening for phones" http=(\S+)(?s:.*)listening for administrators`)

// start runs the worker until stop.
func (o *office) start() {
	o.log = new(bridgetest.Log)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	log := o.log
	go func() { ended <- run(ctx, []string{"serve", "--config", o.config}, log, log) }()
	o.stop = func() {
		cancel()
		if status := <-ended; status != exitOK {
			o.t.Errorf("the worker ended with status %d", status)
		}
		ended <- exitOK // once more is no harm
	}
	(&world{t: o.t, log: log}).await("the worker listens", func() bool {
		select {
		case status := <-ended:
			o.t.Fatalf("the worker ended with status %d:\n%s", status, log)
		default:
		}
		return listening.MatchString(log.String())
	})
	o.url = "http://" + listening.FindStringSubmatch(log.String())[1]
}

func (o *office) put(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.cards, name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) remove(name string) {
	o.t.Helper()
	if err := os.Remove(filepath.Join(o.cards, name)); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) phone(v eas.Version, device string) *phone.Phone {
	return bridgetest.Checked(o.t, phone.New(&easclient.Client{
		URL: o.url, User: "ann", Password: "secret", Version: v, DeviceID: device, DeviceType: "test", UserAgent: "office", HTTP: http.DefaultClient,
	}, phone.Settings{Classes: []string{"Contacts"}}))
}

// admin runs "pushbridge admin" and answers its status and what it printed.
func (o *office) admin(args ...string) (int, string) {
	o.t.Helper()
	var out bridgetest.Log
	status := run(o.t.Context(), append([]string{"admin", "--config", o.config}, args...), &out, &out)
	return status, out.String()
}

// says fails unless a command works and prints some words.
func (o *office) says(args string, words ...string) {
	o.t.Helper()
	status, out := o.admin(strings.Fields(args)...)
	for _, w := range words {
		if status != exitOK || !strings.Contains(out, w) {
			o.t.Errorf("admin %s: status %d, it prints\n%s\nwant %q in it", args, status, out, w)
		}
	}
}

// asked reads what a command prints as JSON.
func asked[T any](o *office, args string) (answer T) {
	o.t.Helper()
	status, out := o.admin(append(strings.Fields(args), "--json")...)
	if err := json.Unmarshal([]byte(out), &answer); err != nil || status != exitOK {
		o.t.Fatalf("admin %s: status %d, %v:\n%s", args, status, err, out)
	}
	return answer
}

func contactsOf(p *phone.Phone) int { return len(titles(p, "Contacts")) }

// waiting lets a phone wait, lets something happen meanwhile, and answers how
// the wait ended.
func (o *office) waiting(p *phone.Phone, device string, meanwhile func()) eas.PingStatus {
	o.t.Helper()
	answered := make(chan eas.PingStatus, 1)
	go func() {
		r, err := p.Ping(o.t.Context(), 50*time.Minute)
		if err != nil {
			o.t.Errorf("Ping: %v", err)
		}
		answered <- r.Status
	}()
	(&world{t: o.t, log: o.log}).await("the phone waits", func() bool {
		return slices.ContainsFunc(asked[[]admin.Device](o, "devices"), func(d admin.Device) bool { return d.Device == device && d.Waiting })
	})
	meanwhile()
	return <-answered
}

func TestAdmin(t *testing.T) {
	o := openOffice(t)
	o.says("devices", "No phone has come yet.")
	o.says("problems", "Every object can be shown.")
	o.says("brake list", "Nothing is held.")
	for _, story := range []struct {
		name string
		tell func(*office)
	}{
		{"what there is", (*office).whatThereIs},
		{"a card that cannot be read", (*office).brokenCard},
		{"a phone loads anew", (*office).loadAnew},
		{"most cards vanish", (*office).vanished},
		{"what may wake a phone", (*office).pushed},
		{"folders are hidden and shown", (*office).hidden},
		{"a phone is forgotten", (*office).forgotten},
		{"a phone is blocked", (*office).blocked},
		{"a phone is lost", (*office).lost},
		{"what cannot be done", (*office).refused},
	} {
		ok := t.Run(story.name, func(t *testing.T) {
			o.t = t
			story.tell(o)
		})
		o.t = t
		if !ok {
			return
		}
	}
}

func (o *office) whatThereIs() {
	bridgetest.Sync(o.t, o.phone(eas.V161, "PHONEA"))
	bridgetest.Sync(o.t, o.phone(eas.V121, "PHONEB"))
	o.says("status", "version", "2, 0 of them waiting", "0 large deletions", "0 objects", "files", "localdir", "well")
	o.says("devices --user ann", "PHONEA", "PHONEB", "16.1", "12.1", "office")
	o.says("devices --user bob", "No phone has come yet.")
	o.says("folders ann", "contacts", "PHONEA has 30", "PHONEB has 30")
	if info, err := os.Stat(o.socket); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		o.t.Errorf("the socket is %v, %v; want only its owner to open it", info.Mode(), err)
	}
	folders := asked[[]admin.Folder](o, "folders ann PHONEB")
	for _, f := range folders {
		if f.Kind == "contacts" && (f.Items != cardsOf || len(f.Devices) != 1 || f.Devices[0] != admin.Holding{Device: "PHONEB", Items: cardsOf}) {
			o.t.Errorf("the contacts are %+v", f)
		}
	}
}

// contacts is the number of the folder of contacts.
func (o *office) contacts() int64 {
	o.t.Helper()
	for _, f := range asked[[]admin.Folder](o, "folders ann") {
		if f.Kind == "contacts" {
			return f.ID
		}
	}
	o.t.Fatal("there is no folder of contacts")
	return 0
}

// brokenCard is listed until it is mended or deleted, is named once in the log,
// and stays as it is.
func (o *office) brokenCard() {
	a, b := o.phone(eas.V161, "PHONEA1"), o.phone(eas.V121, "PHONEB1")
	const broken = "BEGIN VCARD\r\nFN:Nobody's business\r\n"
	o.put("broken.vcf", broken)
	o.put("other.vcf", "\x00\xff")
	bridgetest.Sync(o.t, a)
	bridgetest.Sync(o.t, b)
	if n := contactsOf(a); n != cardsOf {
		o.t.Errorf("the phone holds %d contacts, want the %d others", n, cardsOf)
	}
	listed := asked[[]admin.Problem](o, "problems --user ann")
	slices.SortFunc(listed, func(a, b admin.Problem) int { return strings.Compare(string(a.ID), string(b.ID)) })
	if len(listed) != 2 || listed[0].ID != "broken.vcf" || listed[0].Backend != "files" || listed[0].Collection != "contacts" ||
		listed[0].Kind != "unreadable" || listed[0].Count != 2 || listed[0].FirstSeen.After(listed[0].LastSeen) {
		o.t.Errorf("the problems are %+v, want the two cards, seen by two phones", listed)
	}
	o.says("problems", "broken.vcf", "other.vcf", "unreadable", "there is no BEGIN line")
	o.says("problems --user bob", "Every object can be shown.")
	o.says("status", "2 objects: pushbridge admin problems")
	if n := strings.Count(o.log.String(), "id=broken.vcf"); n != 1 {
		o.t.Errorf("the log names the card %d times, want 1", n)
	}
	if strings.Contains(o.log.String(), "business") {
		o.t.Error("the log has what the card says")
	}
	if now, err := os.ReadFile(filepath.Join(o.cards, "broken.vcf")); err != nil || string(now) != broken {
		o.t.Errorf("the card is %q now, %v", now, err)
	}

	o.stop()
	o.start()
	a = o.phone(eas.V161, "PHONEC1")
	bridgetest.Sync(o.t, a)
	if again := asked[[]admin.Problem](o, "problems"); len(again) != 2 || strings.Contains(o.log.String(), "id=broken.vcf") {
		o.t.Errorf("after a restart the problems are %+v; want the same, and the log silent", again)
	}
	o.put("broken.vcf", bridgetest.Card("broken", "Mended"))
	o.remove("other.vcf")
	bridgetest.Sync(o.t, a)
	o.says("problems", "Every object can be shown.")
	o.remove("broken.vcf")
}

// loadAnew makes a phone that waits load a folder, and then everything.
func (o *office) loadAnew() {
	p, q := o.phone(eas.V161, "PHONEA2"), o.phone(eas.V141, "PHONEB2")
	bridgetest.Sync(o.t, p)
	bridgetest.Sync(o.t, q)
	restarted := func(p *phone.Phone) int {
		n := 0
		for _, e := range bridgetest.Sync(o.t, p) {
			if e.Kind == phone.Restarted {
				n++
			}
		}
		return n
	}
	folder := o.contacts()
	status := o.waiting(p, "PHONEA2", func() {
		o.says(fmt.Sprintf("resync ann PHONEA2 %d", folder), "PHONEA2", "for which it was woken")
	})
	if status != eas.PingChanges {
		o.t.Errorf("the wait ended with status %d, want %d", status, eas.PingChanges)
	}
	if restarted(p) != 1 || contactsOf(p) != cardsOf {
		o.t.Errorf("the phone did not load the folder anew, or not all of it: it has %d contacts", contactsOf(p))
	}
	if restarted(p) != 0 || restarted(q) != 0 {
		o.t.Error("a phone loads the folder anew that need not, or need not any more")
	}
	status = o.waiting(p, "PHONEA2", func() { o.says("resync ann PHONEA2", "everything") })
	if status != eas.PingChanges && status != eas.PingHierarchyChanged {
		o.t.Errorf("the wait ended with status %d, want %d or %d", status, eas.PingChanges, eas.PingHierarchyChanged)
	}
	if restarted(p) == 0 || contactsOf(p) != cardsOf {
		o.t.Errorf("the phone did not load everything anew, or not all of it: it has %d contacts", contactsOf(p))
	}
	if restarted(q) != 0 {
		o.t.Error("another phone loads everything anew, too")
	}
}

// vanished holds what vanishes at once until an administrator lets it pass.
func (o *office) vanished() {
	p := o.phone(eas.V161, "PHONEA3")
	bridgetest.Sync(o.t, p)
	const left = 5
	for i := left; i < cardsOf; i++ {
		o.remove(fmt.Sprintf("card-%d.vcf", i))
	}
	bridgetest.Sync(o.t, p)
	if n := contactsOf(p); n != cardsOf {
		o.t.Fatalf("the phone holds %d contacts, want all %d: most of them vanished at once", n, cardsOf)
	}
	holds := asked[[]admin.Hold](o, "brake list")
	folder := o.contacts()
	if len(holds) != 1 || holds[0].User != "ann" || holds[0].Folder != folder || holds[0].Backend != "files" ||
		holds[0].Items != cardsOf-left || holds[0].Of != cardsOf || !holds[0].Until.After(holds[0].Since) {
		o.t.Fatalf("held is %+v", holds)
	}
	o.says("brake list", "ann", "25 of 30")
	if log := o.log.String(); !strings.Contains(log, fmt.Sprintf("user=ann folder=%d name=contacts items=25 of=30", folder)) {
		o.t.Error("the log does not say what is held")
	}
	o.says("status", "1 large deletion: pushbridge admin brake list")
	if status, out := o.admin("brake", "release", "ann", fmt.Sprint(folder+1)); status != exitFailure || !strings.Contains(out, "Nothing of folder") {
		o.t.Errorf("release of another folder: status %d, %s", status, out)
	}
	status := o.waiting(p, "PHONEA3", func() { o.says(fmt.Sprintf("brake release ann %d", folder), "pass") })
	if status != eas.PingChanges {
		o.t.Errorf("the wait ended with status %d, want %d", status, eas.PingChanges)
	}
	bridgetest.Sync(o.t, p)
	if n := contactsOf(p); n != left {
		o.t.Errorf("after the release the phone holds %d contacts, want %d", n, left)
	}
	o.says("brake list", "Nothing is held.")
}

// pushed sets what may wake a phone that waits.
func (o *office) pushed() {
	p := o.phone(eas.V161, "PHONEA5")
	bridgetest.Sync(o.t, p)
	o.says("push ann PHONEA5", "every folder wakes it.")
	status := o.waiting(p, "PHONEA5", func() {
		o.says("push ann PHONEA5 --folders events --quiet 22:00-07:00 --zone Europe/Berlin",
			"only events wake it; nothing does from 22:00 to 07:00 (Europe/Berlin).")
	})
	if status != eas.PingExpired {
		o.t.Errorf("the wait ended with status %d, want %d", status, eas.PingExpired)
	}
	o.says("push ann PHONEA5 --folders all --quiet off", "every folder wakes it.")
	o.says("heartbeat ann PHONEA5", "may wait from 1m0s to 59m0s.", "Nothing was seen yet")
	for _, args := range []string{"--folders meetings", "--quiet never", "--folders=", "--quiet="} {
		if status, out := o.admin(append([]string{"push", "ann", "PHONEA5"}, strings.Fields(args)...)...); status != exitUsage {
			o.t.Errorf("push %s: status %d, %s", args, status, out)
		}
	}
}

// forgotten drops a phone that waits: it begins anew.
func (o *office) forgotten() {
	p := o.phone(eas.V161, "PHONEA4")
	bridgetest.Sync(o.t, p)
	status := o.waiting(p, "PHONEA4", func() { o.says("forget ann PHONEA4", "begins anew") })
	if status != eas.PingHierarchyChanged {
		o.t.Errorf("the wait ended with status %d, want %d", status, eas.PingHierarchyChanged)
	}
	if _, out := o.admin("devices"); strings.Contains(out, "PHONEA4") {
		o.t.Errorf("it is still there:\n%s", out)
	}
	before := contactsOf(p)
	bridgetest.Sync(o.t, p)
	if n := contactsOf(p); n != before {
		o.t.Errorf("the phone holds %d contacts, want %d", n, before)
	}
	o.says("folders ann PHONEA4", fmt.Sprintf("PHONEA4 has %d", before))
}

// refused is what goes wrong, with its exit status.
func (o *office) refused() {
	off := filepath.Join(filepath.Dir(o.config), "off.toml")
	text := "admin = \"off\"\nhttp = \"127.0.0.1:0\"\n[backend.files]\nplugin = \"localdir\"\n"
	if err := os.WriteFile(off, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"a phone that is not known", []string{"resync", "ann", "NONE"}, exitFailure, []string{`"ann" has no phone "NONE"`}},
		{"a phone to erase that is not known", []string{"wipe", "ann", "NONE", "--yes"}, exitFailure, []string{`"ann" has no phone "NONE"`}},
		{"an order that nobody confirms", []string{"wipe", "ann", "PHONEA"}, exitFailure, []string{"EVERYTHING", "not confirmed"}},
		{"an account to erase in a version that cannot", []string{"wipe", "ann", "PHONEB", "--account-only", "--yes"}, exitUsage, []string{"12.1", "16.1"}},
		{"an order to take back that there is not", []string{"wipe", "ann", "PHONEA", "--cancel"}, exitFailure, []string{"No order"}},
		{"which order to take back", []string{"wipe", "ann", "PHONEA", "--cancel", "--account-only"}, exitUsage, []string{"--cancel"}},
		{"a phone to block that is not known", []string{"block", "ann", "NONE"}, exitFailure, []string{`"ann" has no phone "NONE"`}},
		{"a folder that is not known", []string{"brake", "release", "ann", "4711"}, exitFailure, []string{`no folder 4711`}},
		{"nobody", []string{"folders", "bob"}, exitFailure, []string{`"bob"`}},
		{"no number", []string{"brake", "release", "ann", "Contacts"}, exitUsage, []string{`"Contacts"`, "admin folders USER"}},
		{"too few words", []string{"resync", "ann"}, exitUsage, []string{"resync USER DEVICE [FOLDER]", "help"}},
		{"too many words", []string{"status", "now"}, exitUsage, []string{"now"}},
		{"a mistyped subcommand", []string{"devicse"}, exitUsage, []string{"devicse"}},
		{"an empty name", []string{"folders", ""}, exitUsage, []string{"whose folders"}},
		{"a socket at which nobody listens", []string{"status", "--socket", filepath.Join(o.cards, "none.sock")}, exitFailure, []string{"none.sock", "pushbridge serve"}},
		{"a configuration that is not there", []string{"status", "--config", filepath.Join(o.cards, "none.toml")}, exitUsage, []string{"none.toml", "--socket PATH"}},
		{"a configuration without a door", []string{"status", "--config", off}, exitUsage, []string{`admin = "off"`}},
	} {
		o.t.Run(tt.name, func(t *testing.T) {
			here := *o
			here.t = t
			status, out := here.admin(tt.args...)
			if status != tt.status {
				t.Errorf("exit status %d, want %d", status, tt.status)
			}
			for _, word := range tt.says {
				if !strings.Contains(out, word) {
					t.Errorf("it says\n%s\nwant %q in it", out, word)
				}
			}
		})
	}
}
