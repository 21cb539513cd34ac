package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// bob does something at Radicale as Bob, who keeps the directory.
func (w *world) bob(method, path, body string) {
	w.t.Helper()
	kind := "application/xml"
	if method == http.MethodPut {
		kind = "text/vcard"
	}
	r, err := w.radicale.DoAs(davtest.Bob, method, path, []byte(body), "Content-Type", kind)
	if err != nil || r.Status/100 != 2 {
		w.t.Fatalf("%s %s as Bob: %d, %v", method, path, r.Status, err)
	}
}

// People in a real address book are found by phones of each generation, through
// a real nginx: by Search, and by Find from 16.1 on; their time is that of a real
// calendar.
func TestPeopleEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx and Radicale")
	}
	for name, value := range map[string]string{"LOGIN_DOMAIN": "example.org", "DIRECTORY_BACKEND": "contacts", "DIRECTORY_COLLECTION": "Accounts",
		"DIRECTORY_USER": davtest.Bob.Name, "DIRECTORY_PASSWORD": davtest.Bob.Password} {
		t.Setenv("PUSHBRIDGE_"+name, value)
	}
	w := startWorld(t)
	card := func(uid, name, mail string) string {
		return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nFN:" + name + "\r\nN:" + name + ";;;;\r\nEMAIL:" + mail + "\r\nEND:VCARD\r\n"
	}
	w.radicale.Put(w.radicale.AddressBook+"zoe.vcf", card("zoe", "Zoë Lindström", "zoe@example.org"))
	w.radicale.Put(w.radicale.AddressBook+"own.vcf", card("own", "Myself", w.radicale.User+"@example.org"))
	for path, name := range map[string]string{"/bob/accounts/": "Accounts", "/bob/private/": "Private"} {
		w.bob("MKCOL", path, `<?xml version="1.0"?><D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop><D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>`+
			`<D:displayname>`+name+`</D:displayname></D:prop></D:set></D:mkcol>`)
	}
	w.bob("PUT", "/bob/accounts/d.vcf", card("d", "Lindstrom Director", "director@example.org"))
	w.bob("PUT", "/bob/private/p.vcf", card("p", "Lindstrom Private", "private@example.org"))
	start := time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour)
	w.radicale.Put(w.radicale.Calendar+"tea.ics", bridgetest.Event("tea", "Tea", start.Add(time.Hour)))
	for _, v := range bridgetest.Versions {
		t.Run(v.String(), func(t *testing.T) {
			c := w.within(t).client(v, "PEOPLE"+strings.ReplaceAll(v.String(), ".", ""))
			a, err := c.Search(t.Context(), eas.SearchRequest{Store: eas.SearchStore{Name: eas.SearchGAL, Query: &eas.Element{Text: "lindstrom"}, Options: &eas.SearchOptions{Range: "0-9"}}})
			if err != nil || a.Store == nil || len(a.Store.Results) != 2 {
				t.Fatalf("Search: %+v, %v", a, err)
			}
			for i, want := range []string{"director@example.org", "zoe@example.org"} {
				if mail, _ := a.Store.Results[i].Properties.Text(tag.GALEmailAddress); mail != want {
					t.Errorf("found %v, want %s, and nobody of Bob's private book", a.Store.Results[i].Properties, want)
				}
			}
			const form = "2006-01-02T15:04:05.000Z"
			r, err := c.ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{To: []string{"Zoë", "Myself"}, Options: &eas.ResolveOptions{
				Availability: &eas.AvailabilityRequest{StartTime: start.Format(form), EndTime: start.Add(3 * time.Hour).Format(form)}}})
			if err != nil || r.Status != eas.ResolveOK || len(r.Responses) != 2 || len(r.Responses[0].Recipients) != 1 || len(r.Responses[1].Recipients) != 1 {
				t.Fatalf("ResolveRecipients: %+v, %v", r, err)
			}
			if got := r.Responses[0].Recipients[0].Availability; (got != nil) != (v >= eas.V140) || got != nil && got.Status != eas.ResolveBusyNever {
				t.Errorf("of somebody of whom Radicale tells nothing: %+v, want status 163", got)
			}
			if got := r.Responses[1].Recipients[0].Availability; v >= eas.V140 && (got == nil || got.Status != eas.ResolveOK || got.MergedFreeBusy != "002200") {
				t.Errorf("of the phone's owner: %+v, want 002200", got)
			}
		})
	}
	for _, v := range []string{"2.5", "16.1"} {
		var out bytes.Buffer
		args := []string{"phone", "find", "zoë", "lind", "--url", w.nginx.URL, "--user", w.radicale.User, "--password", w.radicale.Password, "--eas", v}
		if status := run(t.Context(), args, &out, &out); status != exitOK || !strings.Contains(out.String(), "Zoë Lindström <zoe@example.org>") || !strings.Contains(out.String(), "1 of 1 shown, asked by version "+v) {
			t.Errorf("phone find: status %d\n%s", status, out.String())
		}
	}
	var out bytes.Buffer
	args := []string{"phone", "availability", "zoe@example.org", "nobody", "--url", w.nginx.URL, "--user", w.radicale.User, "--password", w.radicale.Password,
		"--from", start.Local().Format("2006-01-02 15:04"), "--for", "3h"}
	if status := run(t.Context(), args, &out, &out); status != exitOK || !strings.Contains(out.String(), "not known (status 163)") || !strings.Contains(out.String(), "nobody: nobody") {
		t.Errorf("phone availability: status %d\n%s", status, fmt.Sprint(out.String()))
	}
}

// Others' free and busy times are those that a real server which schedules
// (RFC 6638), Cyrus, tells of them by the outbox of the phone's owner; it knows
// people by their addresses, too.
func TestAvailabilityOfOthersEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx and Cyrus")
	}
	w := startWorldOn(t, davtest.Cyrus(t), "", "", "")
	card := "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bob\r\nFN:Bob Beispiel\r\nN:Beispiel;Bob;;;\r\nEMAIL:%s\r\nEND:VCARD\r\n"
	w.radicale.Put(w.radicale.AddressBook+"bob.vcf", fmt.Sprintf(card, "bob@"+davtest.CyrusDomain))
	w.radicale.Put(w.radicale.AddressBook+"nobody.vcf", strings.NewReplacer("UID:bob", "UID:nobody", "Beispiel;Bob", "Niemand;Nora", "Bob Beispiel", "Nora Niemand").Replace(
		fmt.Sprintf(card, "nora@elsewhere.example.net")))
	start := time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour)
	event := bridgetest.Event("tea", "Bob's private matter", start.Add(time.Hour)) // for an hour
	tentative := strings.Replace(bridgetest.Event("maybe", "Perhaps", start.Add(3*time.Hour)), "SUMMARY", "STATUS:TENTATIVE\r\nSUMMARY", 1)
	free := strings.Replace(bridgetest.Event("free", "Free", start.Add(5*time.Hour)), "SUMMARY", "TRANSP:TRANSPARENT\r\nSUMMARY", 1)
	for name, body := range map[string]string{"tea": event, "maybe": tentative, "free": free} {
		if r, err := w.radicale.DoAs(davtest.Bob, http.MethodPut, "/dav/calendars/user/bob/Default/"+name+".ics", []byte(body), "Content-Type", "text/calendar"); err != nil || r.Status/100 != 2 {
			t.Fatalf("PUT as Bob: %d, %v\n%s", r.Status, err, r.Body)
		}
	}
	for _, v := range []eas.Version{eas.V140, eas.V161} {
		t.Run(v.String(), func(t *testing.T) {
			c := w.within(t).client(v, "BUSY"+strings.ReplaceAll(v.String(), ".", ""))
			const form = "2006-01-02T15:04:05.000Z"
			r, err := c.ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{To: []string{"Bob", "Nora"}, Options: &eas.ResolveOptions{
				Availability: &eas.AvailabilityRequest{StartTime: start.Format(form), EndTime: start.Add(6 * time.Hour).Format(form)}}})
			if err != nil || len(r.Responses) != 2 || len(r.Responses[0].Recipients) != 1 || len(r.Responses[1].Recipients) != 1 {
				t.Fatalf("ResolveRecipients: %+v, %v", r, err)
			}
			if got := r.Responses[0].Recipients[0].Availability; got == nil || got.Status != eas.ResolveOK || got.MergedFreeBusy != "002200110000" {
				t.Errorf("of Bob: %+v, want 002200110000", got)
			}
			if got := r.Responses[1].Recipients[0].Availability; got == nil || got.Status != eas.ResolveBusyNever || got.MergedFreeBusy != "" {
				t.Errorf("of somebody whom Cyrus does not know: %+v, want status 163", got)
			}
		})
	}
	if strings.Contains(w.log.String(), "private matter") {
		t.Error("what Bob does stands in the log")
	}
}
