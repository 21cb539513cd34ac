package phone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// watch lets a phone watch for a while, in no time.
func watch(t *testing.T, f *fake, s Settings, long time.Duration) (p *Phone, events []string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	p = f.phone(s)
	err = p.Watch(ctx, func(e Event) {
		switch e.Kind {
		case FolderAdded:
		case Waiting, Woken:
			events = append(events, fmt.Sprintf("%s %d", e.Kind, e.Status))
		case Troubled:
			events = append(events, string(e.Kind))
		default:
			events = append(events, string(e.Kind)+" "+Title(e.Item))
		}
	})
	return p, events, err
}

// hold waits as a Ping does, for at most d.
func hold(r *http.Request, d time.Duration) {
	select {
	case <-r.Context().Done():
	case <-time.After(d):
	}
}

func TestWatch(t *testing.T) {
	minutes := func(n int) Heartbeat {
		return Heartbeat{Default: time.Duration(n) * time.Minute, Increment: time.Minute}
	}
	for _, c := range []struct {
		name  string
		long  time.Duration
		hb    Heartbeat
		ping  func(f *fake, n int, r *http.Request, m eas.PingRequest) eas.PingResponse
		want  []string // events
		asked string   // Pings
	}{
		{"a change wakes it", 90 * time.Second, minutes(5), func(f *fake, n int, r *http.Request, m eas.PingRequest) eas.PingResponse {
			if n > 1 {
				hold(r, time.Hour)
				return eas.PingResponse{}
			}
			hold(r, time.Minute)
			f.news = []eas.SyncCommand{{Do: tag.AirSyncAdd, ServerID: "7:9", Data: card("New")}}
			return eas.PingResponse{Status: eas.PingChanges, Folders: []string{"7"}}
		}, []string{"added Card 1", "waiting 300", "woken 2", "added New", "waiting 300"}, "Ping 300, Ping"},
		{"nothing happens, and it waits longer", 12 * time.Minute, minutes(5), func(f *fake, n int, r *http.Request, m eas.PingRequest) eas.PingResponse {
			hold(r, time.Duration(4+n)*time.Minute)
			return eas.PingResponse{Status: eas.PingExpired}
		}, []string{"added Card 1", "waiting 300", "woken 1", "waiting 360", "woken 1", "waiting 420"}, "Ping 300, Ping 360, Ping 420"},
		{"the server forgot", 10 * time.Second, minutes(5), func(f *fake, n int, r *http.Request, m eas.PingRequest) eas.PingResponse {
			switch n {
			case 1:
				return eas.PingResponse{Status: eas.PingChanges, Folders: []string{"7"}}
			case 2:
				return eas.PingResponse{Status: eas.PingMissing}
			}
			hold(r, time.Hour)
			return eas.PingResponse{}
		}, []string{"added Card 1", "waiting 300", "woken 2", "waiting 300", "woken 3", "waiting 300"}, "Ping 300, Ping, Ping 300"},
		{"the server wants another heartbeat", 10 * time.Second, minutes(5), func(f *fake, n int, r *http.Request, m eas.PingRequest) eas.PingResponse {
			if n == 1 {
				least := 900
				return eas.PingResponse{Status: eas.PingBadHeartbeat, HeartbeatInterval: &least}
			}
			hold(r, time.Hour)
			return eas.PingResponse{}
		}, []string{"added Card 1", "waiting 300", "woken 5", "waiting 900"}, "Ping 300, Ping 900"},
		{"the folders changed", 10 * time.Second, minutes(5), func(f *fake, n int, r *http.Request, m eas.PingRequest) eas.PingResponse {
			if n == 1 {
				return eas.PingResponse{Status: eas.PingHierarchyChanged}
			}
			hold(r, time.Hour)
			return eas.PingResponse{}
		}, []string{"added Card 1", "waiting 300", "woken 7", "waiting 300"}, "Ping 300, Ping 300"},
		{"too many folders", 10 * time.Second, minutes(5), func(f *fake, n int, r *http.Request, m eas.PingRequest) eas.PingResponse {
			if n == 1 {
				most := 1
				return eas.PingResponse{Status: eas.PingTooManyFolders, MaxFolders: &most}
			}
			hold(r, time.Hour)
			return eas.PingResponse{}
		}, []string{"added Card 1", "waiting 300", "woken 6", "waiting 300"}, "Ping 300, Ping 300"},
		{"a server that is never content is not asked without pause", 4 * time.Second, minutes(5), func(f *fake, n int, r *http.Request, m eas.PingRequest) eas.PingResponse {
			return eas.PingResponse{Status: eas.PingMissing}
		}, nil, strings.TrimSuffix(strings.Repeat("Ping 300, ", 15), ", ")},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				f.items = 1
				n := 0
				f.ping = func(r *http.Request, m eas.PingRequest) eas.PingResponse {
					n++
					return c.ping(f, n, r, m)
				}
				p, events, err := watch(t, f, Settings{Heartbeat: c.hb}, c.long)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, events); c.want != nil && diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				var asked []string
				for _, entry := range f.log {
					if strings.HasPrefix(entry, "Ping") {
						asked = append(asked, entry)
					}
				}
				if diff := cmp.Diff(c.asked, strings.Join(asked, ", ")); diff != "" {
					t.Errorf("Pings (-want +got):\n%s", diff)
				}
				contented(t, p)
			})
		})
	}
}

func TestWatchNoticesAlarmsWithoutChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.ping = func(*http.Request, eas.PingRequest) eas.PingResponse {
			return eas.PingResponse{Status: eas.PingChanges, Folders: []string{"7"}}
		}
		p, _, err := watch(t, f, Settings{}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if v := p.Violations(); len(v) == 0 || !strings.Contains(v[0], "found none") {
			t.Errorf("violations are %q", v)
		}
		if len(f.log) > 40 {
			t.Errorf("asked %d times in a minute", len(f.log))
		}
	})
}

// status answers everything with an HTTP status.
type status int

func (s status) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: int(s), Body: http.NoBody, Header: http.Header{"Retry-After": {"30"}}}, nil
}

func TestWatchGivesUpOnlyWhereWaitingDoesNotHelp(t *testing.T) {
	for code, final := range map[status]bool{401: true, 403: true, 451: true, 500: false, 502: false, 503: false} {
		t.Run(fmt.Sprint(int(code)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c := f.config()
				c.HTTP = &http.Client{Transport: code}
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
				defer cancel()
				troubles := 0
				err := New(c.client("test"), Settings{}).Watch(ctx, func(e Event) { troubles++ })
				var he *easclient.HTTPError
				if final != errors.As(err, &he) {
					t.Errorf("got %v after %d troubles", err, troubles)
				}
				if !final && troubles != 4 {
					t.Errorf("tried %d times in 100 s, want 4: the server asked for 30 s between them", troubles)
				}
			})
		})
	}
}
