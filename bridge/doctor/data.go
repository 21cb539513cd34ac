package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// data asks for the folders.
func (v *visit) data(ctx context.Context) bool {
	const step = "folders"
	p := phone.New(v.client, phone.Settings{})
	if _, err := p.Provision(ctx); err != nil && ctx.Err() == nil {
		if he, ok := errors.AsType[*easclient.HTTPError](err); !ok || he.Status != http.StatusNotImplemented {
			v.refused("provisioning", err)
			return false
		}
	}
	if _, err := p.FolderSync(ctx); err != nil {
		v.refused(step, err)
		return false
	}
	var list []string
	shown := false
	for _, f := range p.Folders() {
		list = append(list, f.DisplayName)
		shown = shown || f.Class == eas.ClassContacts || f.Class == eas.ClassCalendar || f.Class == eas.ClassTasks || f.Class == eas.ClassNotes
	}
	if !shown {
		v.fail(step, "nothing-there", "there is no address book and no calendar: the phone stays empty", "create them at the CalDAV and CardDAV server")
		return false
	}
	v.ok(step, "%d: %s", len(list), strings.Join(list, ", "))
	if _, err := p.Sync(ctx); err != nil {
		v.refused("items", err)
		return false
	}
	items := 0
	for _, f := range p.Folders() {
		items += len(f.Items)
	}
	v.ok("items", "%d", items)
	v.phone = p
	return true
}

// refused says what an error of a command means.
func (v *visit) refused(step string, err error) {
	if he, ok := errors.AsType[*easclient.HTTPError](err); ok {
		if f := webServer(step, answer{status: he.Status, text: he.Excerpt, header: http.Header{}}); f != nil {
			v.add(*f)
			return
		}
	}
	v.fail(step, "refused", phone.Explain(err).Error(), "look at pushbridge's log (journalctl -u pushbridge); it has a line for this request")
}

// cutShare is how much of a wait may be missing before it was cut.
const cutShare = time.Second

// wait waits as a phone does, and hangs up when it has waited long enough.
func (v *visit) wait(ctx context.Context) bool {
	const step = "waiting"
	heartbeat := v.Wait + time.Minute
	for range 3 { // the server may refuse a heartbeat once, and something may change once
		began := time.Now()
		waiting, enough := context.WithTimeout(ctx, v.Wait)
		r, err := v.phone.Ping(waiting, heartbeat)
		over := waiting.Err() != nil
		enough()
		lasted := time.Since(began).Round(100 * time.Millisecond)
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil && over:
			v.ok(step, "a phone may wait, for %v and more", v.Wait)
			return true
		case err != nil:
			v.cut(step, lasted, err)
			return false
		case r.Status == eas.PingBadHeartbeat && r.HeartbeatInterval != nil:
			heartbeat = time.Duration(*r.HeartbeatInterval) * time.Second
			v.ok(step, "pushbridge wants a heartbeat of %v", heartbeat)
		case r.Status == eas.PingExpired && lasted >= min(heartbeat, v.Wait)-cutShare:
			v.ok(step, "the answer came at its time, after %v", lasted)
			return true
		case r.Status == eas.PingChanges, r.Status == eas.PingHierarchyChanged:
			if _, err := v.phone.FolderSync(ctx); err != nil {
				v.refused(step, err)
				return false
			}
			if _, err := v.phone.Sync(ctx); err != nil {
				v.refused(step, err)
				return false
			}
			v.ok(step, "something changed meanwhile, and the phone was told; waiting again")
		default:
			v.fail(step, "ping-status", fmt.Sprintf("the Ping was answered with status %d after %v", r.Status, lasted), "look at pushbridge's log; it may have been restarted")
			return false
		}
	}
	v.advise(step, "busy", "things change so often that no phone waits for long", "try it again at a quiet time")
	return true
}

// cut says what ended a wait too early.
func (v *visit) cut(step string, lasted time.Duration, err error) {
	remedy := fmt.Sprintf("nginx: fastcgi_read_timeout 3660s; as nginx.conf.example has it (60 s is its default); Apache: timeout=3660 and Timeout. If something else cuts (a firewall, a load balancer, a provider), set heartbeat_max below %v", lasted)
	he, ok := errors.AsType[*easclient.HTTPError](err)
	switch {
	case ok && he.Status == http.StatusServiceUnavailable, ok && he.Status == http.StatusBadGateway && lasted < cutShare:
		v.refused(step, err)
	case ok:
		v.fail(step, "timeout", fmt.Sprintf("a phone that waits is cut off after %v with %d %s", lasted, he.Status, http.StatusText(he.Status)), remedy)
	default:
		v.fail(step, "timeout", fmt.Sprintf("a phone that waits is cut off after %v (%v)", lasted, err), remedy)
	}
}
