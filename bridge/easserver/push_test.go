package easserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A bubble is a bridge whose time is the test's own.
type bubble struct {
	*testing.T
	*memory.Backend
	bridge *bridge.Bridge
	phone  *phone.Phone
	client *easclient.Client
	from   string // where the phone's requests come from
	file   config.File
}

// Whereabouts bring requests to a bridge from the address where the phone is.
type whereabouts struct{ *bubble }

func (p whereabouts) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RemoteAddr = p.from
	return inside{p.bridge.Handler()}.RoundTrip(r)
}

// inBubble runs a test in a house whose time is its own.
func inBubble(t *testing.T, edit func(*config.File), test func(*bubble)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, Backend: memory.New(), from: "192.0.2.1:1000"}
		b.AddUser(bridgetest.User, bridgetest.Password)
		file := config.Default()
		file.State = t.TempDir()
		if edit != nil {
			edit(&file)
		}
		b.file = file
		b.start()
		defer func() { b.bridge.Close() }()
		b.client, b.phone = b.another("phone1", eas.V141)
		bridgetest.Sync(t, b.phone)
		test(b)
	})
}

// start starts the bridge, with what it knew when it ended.
func (b *bubble) start() {
	b.Helper()
	var err error
	b.bridge, err = bridge.New(b.Context(), bridge.Options{
		Config: b.file, Logger: slog.New(slog.NewTextHandler(new(bridgetest.Log), nil)),
		Backends: []account.Named{{Name: "memory", Backend: b.Backend}},
	})
	if err != nil {
		b.Fatal(err)
	}
}

// another is a phone of the same person.
func (b *bubble) another(device string, v eas.Version) (*easclient.Client, *phone.Phone) {
	c := &easclient.Client{
		URL: "http://bridge.example", User: bridgetest.User, Password: bridgetest.Password, Version: v,
		DeviceID: device, DeviceType: "test", HTTP: &http.Client{Transport: whereabouts{b}},
	}
	return c, bridgetest.Checked(b.T, phone.New(c, phone.Settings{}))
}

// order asks the administration, as the command line does.
func (b *bubble) order(method, path string, body, into any) {
	b.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	rec := httptest.NewRecorder()
	b.bridge.Door().ServeHTTP(rec, httptest.NewRequest(method, path, bytes.NewReader(text)))
	if rec.Code != http.StatusOK {
		b.Fatalf("%s: %s", path, rec.Body)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), into); err != nil {
		b.Fatal(err)
	}
}

func (b *bubble) setPush(r admin.PushRequest) {
	b.Helper()
	r.User, r.Device = bridgetest.User, "phone1"
	var p admin.Push
	b.order(http.MethodPost, "/v1/push/set", r, &p)
}

// store lets an item appear in a collection after a while.
func (b *bubble) store(after time.Duration, c backend.CollectionID) {
	time.AfterFunc(after, func() {
		id := fmt.Sprint(c, time.Now().Unix())
		body := bridgetest.Card(id, "New")
		if c == "calendar" {
			body = bridgetest.Event(id, "New", time.Now().Add(time.Hour))
		}
		b.Store(bridgetest.User, c, backend.ItemID(id), []byte(body))
	})
}

// told is how a Ping ended, and after how many minutes.
type told struct {
	status  eas.PingStatus
	classes string
	minutes int
}

func (b *bubble) ping(heartbeat time.Duration) told {
	b.Helper()
	begin := time.Now()
	r, err := b.phone.Ping(b.Context(), heartbeat)
	if err != nil {
		b.Fatal(err)
	}
	var classes []string
	for _, id := range r.Folders {
		f, _ := b.phone.Folder(id)
		classes = append(classes, f.Class)
	}
	slices.Sort(classes)
	return told{r.Status, fmt.Sprint(classes), int(time.Since(begin).Round(time.Minute) / time.Minute)}
}

func (b *bubble) want(want, got told) {
	b.Helper()
	if got.minutes != want.minutes && want.status == eas.PingChanges && got.minutes > want.minutes && got.minutes-want.minutes <= 5 {
		got.minutes = want.minutes // polled: at most poll_max later
	}
	if got != want {
		b.Errorf("told %v, want %v", got, want)
	}
}

const anHour = 59 * time.Minute

// "Only meetings wake me."
func TestFoldersThatDoNotWakeAPhone(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.setPush(admin.PushRequest{SetFolders: true, Kinds: []string{"events"}})
		b.store(10*time.Minute, "contacts")
		b.store(20*time.Minute, "calendar")
		b.want(told{eas.PingChanges, "[Calendar Contacts]", 20}, b.ping(anHour))
		bridgetest.Sync(b.T, b.phone)

		b.store(10*time.Minute, "contacts")
		b.want(told{eas.PingChanges, "[Contacts]", 59}, b.ping(anHour)) // it is awake now
		bridgetest.Sync(b.T, b.phone)
		b.want(told{eas.PingExpired, "[]", 59}, b.ping(anHour))

		b.setPush(admin.PushRequest{SetFolders: true, All: true})
		b.store(10*time.Minute, "contacts")
		b.want(told{eas.PingChanges, "[Contacts]", 10}, b.ping(anHour))
	})
}

func TestQuietHours(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		// In this bubble it is midnight in London.
		b.setPush(admin.PushRequest{SetQuiet: true, Quiet: "22:00-02:30", Zone: "Europe/London"})
		b.store(10*time.Minute, "contacts")
		b.want(told{eas.PingExpired, "[]", 59}, b.ping(anHour))
		b.want(told{eas.PingExpired, "[]", 59}, b.ping(anHour))
		b.want(told{eas.PingChanges, "[Contacts]", 32}, b.ping(anHour)) // 2:30
		bridgetest.Sync(b.T, b.phone)
		b.store(10*time.Minute, "contacts")
		b.want(told{eas.PingChanges, "[Contacts]", 10}, b.ping(anHour)) // by day as ever
	})
}

// A Ping that waits goes by new rules at once.
func TestNewRulesForAPhoneThatWaits(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		time.AfterFunc(5*time.Minute, func() {
			b.setPush(admin.PushRequest{SetQuiet: true, Quiet: "22:00-01:00"})
		})
		b.want(told{eas.PingExpired, "[]", 5}, b.ping(anHour))
		b.store(10*time.Minute, "contacts")
		b.want(told{eas.PingChanges, "[Contacts]", 55}, b.ping(anHour))
	})
}

// A Sync that waits loses nothing in quiet hours, whether its news came before or
// meanwhile.
func TestQuietHoursOfASyncThatWaits(t *testing.T) {
	for _, when := range []string{"before", "meanwhile"} {
		t.Run(when, func(t *testing.T) {
			inBubble(t, nil, func(b *bubble) {
				b.setPush(admin.PushRequest{SetQuiet: true, Quiet: "22:00-01:30"})
				after := 10 * time.Minute
				if when == "before" {
					after = 0
				}
				b.store(after, "contacts")
				synctest.Wait()
				r := &raw{b.T, b.client, b.phone}
				m := &eas.SyncRequest{HeartbeatInterval: ptr(3540), Collections: []eas.SyncCollection{r.collection("Contacts"), r.collection("Calendar")}}
				begin := time.Now()
				if res := r.sync(m); res != nil {
					b.Errorf("answered %+v after %v, want nothing in quiet hours", res, time.Since(begin))
				}
				m.HeartbeatInterval = ptr(3539) // else it is the same request again
				res := r.sync(m)
				if res == nil || len(res.Collections) != 1 || len(res.Collections[0].Commands) != 1 {
					b.Errorf("answered %+v, want the contact", res)
				}
				if after := time.Since(begin).Round(time.Minute); after != 90*time.Minute {
					b.Errorf("answered after %v, want at the end of the quiet hours", after)
				}
			})
		})
	}
}

// A phone that asks without waiting is awake: it gets what there is.
func TestASyncInQuietHours(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.setPush(admin.PushRequest{SetQuiet: true, Quiet: "22:00-07:00"})
		b.store(0, "contacts")
		synctest.Wait()
		if events := bridgetest.Sync(b.T, b.phone); len(events) != 1 {
			b.Errorf("events %+v, want the contact", events)
		}
	})
}

// networks asks what was seen of the phone's waits.
func (b *bubble) networks() []admin.Network {
	b.Helper()
	var h admin.Heartbeat
	b.order(http.MethodGet, "/v1/heartbeat?user=ann&device=phone1", nil, &h)
	return h.Networks
}

// cutOff waits in a Ping that the phone gives up after a while.
func (b *bubble) cutOff(heartbeat, after time.Duration) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	time.AfterFunc(after, cancel)
	if r, err := b.phone.Ping(ctx, heartbeat); err == nil {
		b.Fatalf("told %d, want nothing within %v", r.Status, after)
	}
	synctest.Wait()
}

// A noted is what stands of one network in the list: seconds, and numbers.
type noted struct{ lived, cut, inARow, ever int }

func TestHowLongWaitsLiveIsNoted(t *testing.T) {
	const long, short = 28 * time.Minute, time.Minute
	for _, tc := range []struct {
		name string
		do   func(*bubble)
		want noted
	}{
		{"it goes on upon the same connection", func(b *bubble) {
			b.ping(long)
			time.Sleep(20 * time.Second) // slow radio
		}, noted{lived: 1680}},
		{"it comes back at once upon another connection", func(b *bubble) {
			b.ping(long)
			b.from = "192.0.2.1:1001"
		}, noted{lived: 1680}},
		{"it waits for the answer in vain", func(b *bubble) {
			b.ping(long)
			b.from = "192.0.2.1:1001"
			time.Sleep(15 * time.Second)
		}, noted{cut: 1680, inARow: 1, ever: 1}},
		{"it comes from another network", func(b *bubble) {
			b.ping(long)
			b.from = "198.51.100.1:1001"
			time.Sleep(15 * time.Second)
		}, noted{}},
		{"it was asleep", func(b *bubble) {
			b.ping(long)
			b.from = "192.0.2.1:1001"
			time.Sleep(time.Hour)
		}, noted{}},
		{"it hangs up and waits again", func(b *bubble) { b.cutOff(long, 12*time.Minute) }, noted{cut: 720, inARow: 1, ever: 1}},
		{"it hangs up to send an edit", func(b *bubble) {
			b.cutOff(long, 12*time.Minute)
			bridgetest.Sync(b.T, b.phone)
		}, noted{}},
		{"it hangs up soon", func(b *bubble) { b.cutOff(long, 50*time.Second) }, noted{}},
		{"what was cut off lives after all", func(b *bubble) {
			b.cutOff(long, 12*time.Minute)
			b.ping(long)
		}, noted{lived: 1680, ever: 1}},
		{"a shorter one that lives says nothing of the longer", func(b *bubble) {
			b.cutOff(long, 12*time.Minute)
			b.ping(5 * time.Minute)
		}, noted{lived: 300, cut: 720, inARow: 1, ever: 1}},
		{"a newer one takes over", func(b *bubble) {
			over := make(chan struct{})
			go func() { b.phone.Ping(b.Context(), long); close(over) }()
			time.Sleep(10 * time.Minute)
			b.ping(5 * time.Minute)
			<-over
		}, noted{lived: 300, cut: 600, inARow: 1, ever: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(b *bubble) {
				tc.do(b)
				b.ping(short)
				var got noted
				if all := b.networks(); len(all) > 0 {
					got = noted{all[0].Lived, all[0].Cut, all[0].Losses, all[0].Cuts}
				}
				if got != tc.want {
					b.Errorf("noted %+v, want %+v", got, tc.want)
				}
			})
		})
	}
}

// With heartbeat_learn a phone is granted what its network lets live, says
// status 5 of Ping and 14 of Sync, until there is reason to try again.
func TestWhatIsGrantedIsWhatLives(t *testing.T) {
	for _, learn := range []bool{true, false} {
		t.Run(fmt.Sprint("heartbeat_learn=", learn), func(t *testing.T) {
			inBubble(t, func(f *config.File) { f.Heartbeat.Learn = learn }, func(b *bubble) {
				b.ping(20 * time.Minute)
				for range device.Losses {
					b.cutOff(30*time.Minute, 25*time.Minute)
				}
				nearest := func() int {
					b.Helper()
					r, err := b.phone.Ping(b.Context(), 30*time.Minute)
					if err != nil {
						b.Fatal(err)
					}
					if r.Status != eas.PingBadHeartbeat {
						return 0
					}
					return *r.HeartbeatInterval
				}
				want := 0
				if learn {
					want = 1200
				}
				if got := nearest(); got != want {
					b.Errorf("status 5 names %d, want %d", got, want)
				}
				if !learn {
					return
				}
				r := &raw{b.T, b.client, b.phone}
				res := r.sync(&eas.SyncRequest{HeartbeatInterval: ptr(1800), Collections: []eas.SyncCollection{r.collection("Contacts")}})
				if res == nil || res.Status != eas.SyncBadWait || res.Limit == nil || *res.Limit != 1200 {
					b.Errorf("Sync is answered %+v, want status 14 with 1200", res)
				}
				if n := b.networks()[0]; n.Cap != 1200 || n.Because == "" || n.Until.IsZero() {
					b.Errorf("administrators are told %+v, want the cap and why", n)
				}
				b.from = "198.51.100.1:1"
				if got := nearest(); got != 0 {
					b.Errorf("in another network status 5 names %d", got)
				}
				b.from = "192.0.2.1:1000"
				time.Sleep(device.Believed)
				if got := nearest(); got != 0 {
					b.Errorf("a week later status 5 names %d, want that the phone may try again", got)
				}
			})
		})
	}
}
