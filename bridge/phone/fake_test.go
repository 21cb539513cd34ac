package phone

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// A fake is a server without a network and without a store: one folder of
// contacts, and an inbox without mail, for one phone. Tests bend it by its fields.
type fake struct {
	t  *testing.T
	mu sync.Mutex

	version   eas.Version
	items     int               // that the folder has to begin with
	told      int               // of which so many the phone was told
	news      []eas.SyncCommand // what else there is to tell
	round     int               // the key of the last answer
	added     int
	folderKey string

	provisioned bool // whether the phone is; else it is asked to be
	inBand      bool // by a status instead of 449

	sync      func(*eas.SyncRequest) *eas.SyncResponse // wins where it answers
	ping      func(*http.Request, eas.PingRequest) eas.PingResponse
	folders   func(eas.FolderSyncRequest) *eas.FolderSyncResponse // wins where it answers
	loseAfter int                                                 // the so manieth Sync's answer is lost; 0 for none

	log   []string // commands, with what matters of them
	syncs []eas.SyncRequest
}

// inbox is the folder of mail, which is empty.
const inbox = "2"

func newFake(t *testing.T) *fake {
	return &fake{t: t, version: eas.V141, provisioned: true, folderKey: "1"}
}

func (f *fake) config() Config {
	return Config{
		URL: "https://mail.example.org", User: "ada@example.org", Password: "secret", Version: f.version,
		DeviceID: "D1", HTTP: &http.Client{Transport: f},
	}
}

func (f *fake) phone(s Settings) *Phone { return New(f.config().client("test"), s) }

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	lost := f.serve(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if lost {
		return nil, io.ErrUnexpectedEOF
	}
	return w.Result(), nil
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) (lost bool) {
	if r.Method == http.MethodOptions {
		w.Header().Set("MS-ASProtocolVersions", "2.5,12.1,14.1")
		w.Header().Set("MS-ASProtocolCommands", "Sync,Ping,FolderSync,Provision")
		return false
	}
	if strings.HasPrefix(r.URL.Path, "/autodiscover") {
		http.NotFound(w, r)
		return false
	}
	q, err := eas.ParseQuery(r.URL.RawQuery)
	if err != nil {
		f.t.Error(err)
	}
	body, _ := io.ReadAll(r.Body)
	if q.Command == eas.CmdPing { // which waits, and lets others in
		f.answer(w, f.servePing(r, body))
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, string(q.Command))
	if q.Command != eas.CmdProvision && !f.provisioned {
		if !f.inBand {
			w.WriteHeader(449)
			return false
		}
		w.Write(eas.Failure(q.Command, eas.DeviceNotProvisioned))
		return false
	}
	switch q.Command {
	case eas.CmdProvision:
		f.serveProvision(w, body)
	case eas.CmdFolderSync:
		f.serveFolders(w, body)
	case eas.CmdSync:
		return f.serveSync(w, body)
	default:
		w.WriteHeader(http.StatusNotImplemented)
	}
	return false
}

func (f *fake) read(body []byte, message any) {
	if err := eas.Unmarshal(body, message); err != nil {
		f.t.Error(err)
	}
}

func (f *fake) answer(w http.ResponseWriter, message any) {
	doc, err := eas.Marshal(message, f.version)
	if err != nil {
		f.t.Error(err)
	}
	w.Write(doc)
}

func (f *fake) serveProvision(w http.ResponseWriter, body []byte) {
	var m eas.ProvisionRequest
	f.read(body, &m)
	f.provisioned = f.provisioned || m.Policies[0].Status == eas.PolicyApplied
	f.answer(w, eas.ProvisionResponse{Status: eas.ProvisionOK, Policies: []eas.Policy{{
		PolicyType: m.Policies[0].PolicyType, Status: eas.PolicyOK, PolicyKey: "7", Data: &eas.PolicyData{Doc: &eas.EASProvisionDoc{}},
	}}})
}

func (f *fake) serveFolders(w http.ResponseWriter, body []byte) {
	var m eas.FolderSyncRequest
	f.read(body, &m)
	if f.folders != nil {
		if a := f.folders(m); a != nil {
			f.answer(w, a)
			return
		}
	}
	c := &eas.FolderChanges{}
	if m.SyncKey == "0" {
		c = &eas.FolderChanges{Count: 2, Adds: []eas.Folder{
			{ServerID: "7", ParentID: "0", DisplayName: "Contacts", Type: eas.FolderContacts},
			{ServerID: inbox, ParentID: "0", DisplayName: "Inbox", Type: eas.FolderInbox},
		}}
	}
	f.answer(w, eas.FolderSyncResponse{Status: eas.FolderOK, SyncKey: f.folderKey, Changes: c})
}

func (f *fake) servePing(r *http.Request, body []byte) eas.PingResponse {
	var m eas.PingRequest
	if len(body) > 0 {
		f.read(body, &m)
	}
	f.mu.Lock()
	entry := "Ping"
	if m.HeartbeatInterval != nil {
		entry = fmt.Sprintf("Ping %d", *m.HeartbeatInterval)
	}
	f.log = append(f.log, entry)
	f.mu.Unlock()
	if f.ping == nil {
		<-r.Context().Done()
		return eas.PingResponse{}
	}
	return f.ping(r, m)
}

func card(name string) eas.Properties { return eas.Properties{eas.T(tag.ContactsFileAs, name)} }

func (f *fake) serveSync(w http.ResponseWriter, body []byte) (lost bool) {
	var m eas.SyncRequest
	f.read(body, &m)
	f.syncs = append(f.syncs, m)
	lost = len(f.syncs) == f.loseAfter
	if f.sync != nil {
		if a := f.sync(&m); a != nil {
			f.answer(w, a)
			return lost
		}
	}
	c := m.Collections[0]
	r := eas.SyncResult{CollectionID: c.CollectionID, Status: eas.SyncOK}
	if c.CollectionID == inbox { // there is never news of it
		if c.SyncKey == "0" {
			r.SyncKey = "1"
			f.answer(w, eas.SyncResponse{Collections: []eas.SyncResult{r}})
		}
		return lost
	}
	if c.SyncKey == "0" {
		f.told, f.round = 0, 0
	}
	if c.SyncKey != "0" {
		for f.told < f.items && len(r.Commands) < *c.WindowSize {
			f.told++
			r.Commands = append(r.Commands, eas.SyncCommand{Do: tag.AirSyncAdd, ServerID: fmt.Sprintf("7:%d", f.told), Data: card(fmt.Sprintf("Card %d", f.told))})
		}
		r.MoreAvailable = f.told < f.items
		r.Commands = append(r.Commands, f.news...)
		f.news = nil
		r.Responses = f.outcomes(c.Commands)
	}
	if c.SyncKey != "0" && len(r.Commands)+len(c.Commands) == 0 {
		return lost // an empty body
	}
	f.round++
	r.SyncKey = fmt.Sprint(f.round)
	f.answer(w, eas.SyncResponse{Collections: []eas.SyncResult{r}})
	return lost
}

func (f *fake) outcomes(commands []eas.SyncCommand) []eas.SyncOutcome {
	var list []eas.SyncOutcome
	for _, c := range commands {
		if c.Do == tag.AirSyncAdd {
			f.added++
			list = append(list, eas.SyncOutcome{Do: c.Do, ClientID: c.ClientID, ServerID: fmt.Sprintf("7:new%d", f.added), Status: eas.SyncOK})
		}
	}
	return list
}

// one answers for the folder of contacts.
func one(r eas.SyncResult) *eas.SyncResponse {
	r.CollectionID = "7"
	if r.Status == 0 {
		r.Status = eas.SyncOK
	}
	return &eas.SyncResponse{Collections: []eas.SyncResult{r}}
}

// titlesOf are the names of what a phone holds, sorted.
func titlesOf(t *testing.T, p *Phone) []string {
	t.Helper()
	f, ok := p.Folder("7")
	if !ok {
		t.Fatal("there is no folder 7")
	}
	var list []string
	for _, item := range f.Items {
		list = append(list, Title(item))
	}
	slices.Sort(list)
	return list
}

var _ http.RoundTripper = (*fake)(nil)
