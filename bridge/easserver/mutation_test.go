package easserver_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

var mutations = flag.Int("mutations", 25, "how many mutations of each good request TestMutations tries in each version; 0 means all")

// The other person in the house, of whom ann must never hear.
const (
	neighbour = "bob"
	secret    = "Neighbour's secret"
)

// A scene is a house with two people, whose phones hold all that they have.
type scene struct {
	t       testing.TB
	h       *bridgetest.House
	version eas.Version
	phone   *phone.Phone // ann's
	foreign *phone.Phone // the neighbour's
	now     time.Time
	mine    []string // ann's folders, and the neighbour's
	theirs  []string
	hasty   bool // answers are not held against the schemas, which takes a process
}

var collections = []backend.CollectionID{"contacts", "calendar", "tasks", "notes"}

func newScene(t testing.TB, v eas.Version, hasty bool) *scene {
	s := &scene{hasty: hasty, t: t, h: bridgetest.Start(t, bridgetest.Options{}), version: v, now: time.Now().Truncate(time.Hour)}
	s.h.Backend.AddUser(neighbour, bridgetest.Password)
	s.h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "sent", Kind: backend.Mail, Name: "Sent", Role: backend.RoleSent})
	s.h.Backend.SetIdentity(bridgetest.User, backend.Identity{Addresses: []string{annsAddress}})
	for c, id := range map[backend.CollectionID]string{
		"contacts": bridgetest.Card("b", secret), "calendar": bridgetest.Event("b", secret, s.now),
		"tasks": bridgetest.Task("b", secret), "notes": bridgetest.Note("b", secret),
	} {
		s.h.Backend.Store(neighbour, c, "b", []byte(id))
	}
	s.h.Backend.SetCollection(bridgetest.User, club)
	s.mine, s.theirs = s.cabinet(bridgetest.User), s.cabinet(neighbour)
	s.restore(nil)
	c := s.h.Client(v, "phone1")
	if hasty {
		c.Trace = nil
	}
	s.phone = phone.New(c, phone.Settings{})
	other := *c
	other.User, other.DeviceID = neighbour, "phone2"
	s.foreign = phone.New(&other, phone.Settings{})
	bridgetest.Sync(t, s.foreign)
	bridgetest.Sync(t, s.phone)
	return s
}

// good is what ann has at the beginning of each mutation: two of everything.
func (s *scene) good() map[backend.CollectionID]map[backend.ItemID]string {
	start := s.now.Add(24 * time.Hour)
	series := strings.Replace(bridgetest.Event("i1", "Title 1", start), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=9\r\nSUMMARY", 1)
	return map[backend.CollectionID]map[backend.ItemID]string{
		"contacts": {"i0": bridgetest.Card("i0", "Title 0"), "i1": bridgetest.Card("i1", "Title 1")},
		"calendar": {"i0": bridgetest.Event("i0", "Title 0", start), "i1": series},
		"tasks":    {"i0": bridgetest.Task("i0", "Title 0"), "i1": bridgetest.Task("i1", "Title 1")},
		"notes":    {"i0": bridgetest.Note("i0", "Title 0"), "i1": bridgetest.Note("i1", "Title 1")},
		club.ID:    {},
	}
}

// restore puts back what has changed.
func (s *scene) restore(changed map[place]bool) {
	for c, items := range s.good() {
		for id := range s.stored(c) {
			if items[id] == "" {
				s.h.Backend.Remove(bridgetest.User, c, id)
			}
		}
		for id, body := range items {
			if changed == nil || changed[place{c, id}] {
				s.h.Store(c, id, body)
			}
		}
	}
}

// settle restores what a request changed, and lets the phone take notice of what
// it did to its keys.
func (s *scene) settle(command eas.Command, request []byte, changed map[place]bool) {
	if editsFolders(command) {
		s.refile()
	}
	s.restore(changed)
	if command != eas.CmdSync {
		if len(changed) > 0 {
			bridgetest.Sync(s.t, s.phone)
		}
		return
	}
	var asked eas.SyncRequest
	eas.Unmarshal(request, &asked) // what cannot be read was not done
	var ids []string
	for _, f := range s.phone.Folders() {
		if slices.ContainsFunc(asked.Collections, func(c eas.SyncCollection) bool {
			id, err := syncengine.ParseFolderID(c.CollectionID)
			return err != nil || id.String() == f.ServerID
		}) {
			ids = append(ids, f.ServerID)
		}
	}
	if len(ids) == 0 && len(changed) == 0 {
		return
	}
	if _, err := s.phone.SyncFolders(s.t.Context(), ids...); err != nil {
		s.t.Fatalf("synchronizing afterwards: %v", err)
	}
}

// A place names one object of ann's.
type place struct {
	collection backend.CollectionID
	id         backend.ItemID
}

// changed compares what is stored with what was: objects that are new, gone or
// different.
func (s *scene) changed() map[place]bool {
	found := make(map[place]bool)
	for c, items := range s.good() {
		now := s.stored(c)
		for id, body := range items {
			if string(now[id]) != body {
				found[place{c, id}] = true
			}
		}
		for id := range now {
			if items[id] == "" {
				found[place{c, id}] = true
			}
		}
	}
	return found
}

// named finds a folder of a phone by its class, and an item in it by its title.
func named(t testing.TB, p *phone.Phone, class, title string) (f phone.Folder, id string) {
	t.Helper()
	f = bridgetest.FolderOf(t, p, class)
	for id, item := range f.Items {
		if phone.Title(item) == title {
			return f, id
		}
	}
	t.Fatalf("the phone has no %q in %s", title, class)
	return
}

// An outcome is how a request was answered.
type outcome struct {
	status int
	body   []byte
	hungUp bool // the request began to wait, and we did not
}

// ask sends a request as ann's phone; one that makes it wait is cut off.
func (s *scene) ask(command eas.Command, body []byte) outcome {
	query, err := eas.Query{Command: command, User: bridgetest.User, DeviceID: "phone1", DeviceType: "test"}.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, hangUp := context.WithCancel(s.t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/Microsoft-Server-ActiveSync?"+query, bytes.NewReader(body))
	r.SetBasicAuth(bridgetest.User, bridgetest.Password)
	r.Header.Set("Content-Type", "application/vnd.ms-sync.wbxml")
	r.Header.Set("MS-ASProtocolVersion", s.version.String())
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.h.Bridge.Handler().ServeHTTP(w, r)
	}()
	out := outcome{}
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-time.After(time.Millisecond): // the conditions decide
			if s.h.Bridge.Waiting() > 0 {
				out.hungUp = true
				hangUp()
			}
		}
	}
	hangUp()
	out.status, out.body = w.Code, w.Body.Bytes()
	return out
}

// answers are the messages that commands are answered with, and the statuses
// that they may say, apart from the common ones. See [MS-ASCMD] "Status" with
// the command's name, and [MS-ASPROV] "Status (Provision)" and "Status (Policy)".
var answers = map[eas.Command]struct {
	message  any
	statuses []int
}{
	eas.CmdSync:              {eas.SyncResponse{}, []int{1, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16}},
	eas.CmdFind:              {eas.FindResponse{}, []int{1, 2, 3, 4, 173, 174, 175}},
	eas.CmdFolderSync:        {eas.FolderSyncResponse{}, []int{1, 6, 9, 10, 11, 12}},
	eas.CmdFolderCreate:      {eas.FolderCreateResponse{}, []int{1, 2, 3, 5, 6, 9, 10, 11, 12}},
	eas.CmdFolderUpdate:      {eas.FolderUpdateResponse{}, []int{1, 2, 3, 4, 5, 6, 9, 10, 11}},
	eas.CmdFolderDelete:      {eas.FolderDeleteResponse{}, []int{1, 3, 4, 6, 9, 10, 11}},
	eas.CmdGetItemEstimate:   {eas.GetItemEstimateResponse{}, []int{1, 2, 3, 4}},
	eas.CmdItemOperations:    {eas.ItemOperationsResponse{}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}},
	eas.CmdMeetingResponse:   {eas.MeetingResponseResponse{}, []int{1, 2, 3, 4}},
	eas.CmdMoveItems:         {eas.MoveItemsResponse{}, []int{1, 2, 3, 4, 5, 7}},
	eas.CmdPing:              {eas.PingResponse{}, []int{1, 2, 3, 4, 5, 6, 7, 8}},
	eas.CmdProvision:         {eas.ProvisionResponse{}, []int{1, 2, 3, 4, 5}},
	eas.CmdSearch:            {eas.SearchResponse{}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 173, 174, 175}},
	eas.CmdResolveRecipients: {eas.ResolveRecipientsResponse{}, []int{1, 2, 3, 4, 5, 6, 7, 8, 160, 161, 162, 163, 173, 174, 175}},
	eas.CmdValidateCert:      {eas.ValidateCertResponse{}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}},
	eas.CmdSendMail:          {eas.SendMailResponse{}, nil},
	eas.CmdSmartReply:        {eas.SmartReplyResponse{}, nil},
	eas.CmdSmartForward:      {eas.SmartForwardResponse{}, nil},
	eas.CmdSettings:          {eas.SettingsResponse{}, []int{1, 2, 3, 4, 5, 6, 7}},
}

// checkAnswer holds an answer against the protocol: a status of HTTP or a
// message of the command with statuses of the command, and no word of the
// neighbour's.
func (s *scene) checkAnswer(command eas.Command, got outcome) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if bytes.Contains(got.body, []byte(secret)) {
		complain("the answer has something of another person's in it")
	}
	switch got.status {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return problems
	case http.StatusNotImplemented:
		if s.answered(command) {
			complain("HTTP status 501 for a command that is announced")
		}
		return problems
	case http.StatusServiceUnavailable:
		if !got.hungUp {
			complain("HTTP status 503, and nothing is down")
		}
		return problems
	case http.StatusNotFound:
		// Before 14.0 a phone names in the query which mail it answers or forwards, here
		// none, and there is no status in an answer. See [MS-ASHTTP] "Status Line".
		if s.version >= eas.V140 || command != eas.CmdSmartReply && command != eas.CmdSmartForward {
			complain("HTTP status 404")
		}
		return problems
	default:
		complain("HTTP status %d", got.status)
		return problems
	}
	if len(got.body) == 0 {
		return problems
	}
	known, ok := answers[command]
	if !ok {
		return problems
	}
	message := reflect.New(reflect.TypeOf(known.message)).Interface()
	if err := eas.Unmarshal(got.body, message); err != nil {
		complain("the answer cannot be read: %v", err)
		return problems
	}
	for _, e := range flat(element(s.t, got.body)) {
		if tag.Local(e.Tag) != "Status" || len(e.Children) > 0 {
			continue
		}
		var status int
		if _, err := fmt.Sscan(e.Text, &status); err != nil || !slices.Contains(known.statuses, status) && (status <= 100 || !eas.Status(status).KnownIn(s.version)) {
			complain("%s %q is no status of %s in version %s", tag.Name(e.Tag), e.Text, command, s.version)
		}
	}
	if s.version >= eas.V121 && !s.hasty {
		eastest.Validate(s.t, got.body)
	}
	return problems
}

// answered tells whether a command is announced to phones.
func (s *scene) answered(command eas.Command) bool {
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodOptions, "/Microsoft-Server-ActiveSync", nil)
	r.SetBasicAuth(bridgetest.User, bridgetest.Password)
	w := httptest.NewRecorder()
	s.h.Bridge.Handler().ServeHTTP(w, r)
	return command.KnownIn(s.version) && slices.Contains(strings.Split(w.Header().Get("MS-ASProtocolCommands"), ","), string(command))
}

// flat is an element and all below it.
func flat(e eas.Element) []eas.Element {
	all := []eas.Element{e}
	for _, c := range e.Children {
		all = append(all, flat(c)...)
	}
	return all
}

// checkObjects holds what is stored now against what the request may have done:
// only what it names may have changed, of that only what phones know of, and
// nothing of which the answer says that it was not done.
func (s *scene) checkObjects(command eas.Command, request []byte, got outcome, changed map[place]bool) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, c := range collections {
		if items := s.h.Backend.Items(neighbour, c); len(items) != 1 || !bytes.Contains(items["b"], []byte(secret)) {
			complain("another person's %s are %q", c, items)
		}
	}
	if len(changed) == 0 {
		return problems
	}
	if got.status != http.StatusOK {
		complain("HTTP status %d, and still it changed %v", got.status, changed)
	}
	may := s.mayChange(command, request, got.body)
	for p := range changed {
		before, was := s.good()[p.collection][p.id]
		now, is := s.stored(p.collection)[p.id]
		switch {
		case !was:
			if may.adds--; may.adds < 0 {
				complain("%v is new, and no Add says so", p)
			}
		case may.changes[p] <= 0:
			complain("%v changed, and nothing says so", p)
		case is:
			for _, keep := range []string{"UID:" + string(p.id), "X-KEEP:as it is"} {
				if strings.Contains(before, keep) && !bytes.Contains(now, []byte(keep)) {
					complain("%v lost its %s: %q", p, keep, now)
				}
			}
		}
	}
	return problems
}

// permitted is what a request may have done: so many new objects, and so many
// commands for objects that are there.
type permitted struct {
	adds    int
	changes map[place]int
}

// mayChange reads off a request and its answer what was to be done, and was not
// said to have failed.
func (s *scene) mayChange(command eas.Command, request, answer []byte) permitted {
	p := permitted{changes: make(map[place]int)}
	count := func(id string, n int) {
		if at, ok := s.place(id); ok {
			p.changes[at] += n
		}
	}
	switch command {
	case eas.CmdSync:
		var asked eas.SyncRequest
		var said eas.SyncResponse
		eas.Unmarshal(request, &asked) // what cannot be read is not there
		eas.Unmarshal(answer, &said)
		for _, c := range asked.Collections {
			for _, cmd := range c.Commands {
				if cmd.Do == tag.AirSyncChange || cmd.Do == tag.AirSyncDelete {
					count(cmd.ServerID, 1)
				}
			}
		}
		for _, c := range said.Collections {
			for _, r := range c.Responses {
				switch {
				case r.Do == tag.AirSyncAdd && r.Status == eas.SyncOK:
					p.adds++
				case r.Do != tag.AirSyncFetch && r.Status != eas.SyncOK:
					count(r.ServerID, -1)
				}
			}
		}
	case eas.CmdMoveItems:
		var asked eas.MoveItemsRequest
		eas.Unmarshal(request, &asked)
		for _, m := range asked.Moves {
			count(m.SrcMsgID, 1)
			p.adds++
		}
	case eas.CmdMeetingResponse:
		var asked eas.MeetingResponseRequest
		eas.Unmarshal(request, &asked)
		for _, m := range asked.Requests {
			count(m.RequestID, 1)
		}
	}
	return p
}

// place finds the object that ann's phone knows by an id.
func (s *scene) place(serverID string) (place, bool) {
	folder, n, err := syncengine.ParseServerID(strings.TrimSpace(serverID))
	if err != nil {
		return place{}, false
	}
	serverID = syncengine.ServerID(folder, n)
	for class, c := range map[string]backend.CollectionID{"Contacts": "contacts", "Calendar": "calendar", "Tasks": "tasks", "Notes": "notes"} {
		for _, f := range s.phone.Folders() {
			if item, ok := f.Items[serverID]; ok && f.Class == class {
				return place{c, backend.ItemID(strings.Replace(phone.Title(item), "Title ", "i", 1))}, true
			}
		}
	}
	return place{}, false
}

// requests are good requests of ann's phone, at least one for each command.
func (s *scene) requests() map[string]any {
	T, C := eas.T, eas.C
	contacts, c0 := named(s.t, s.phone, "Contacts", "Title 0")
	_, c1 := named(s.t, s.phone, "Contacts", "Title 1")
	second := folderNamed(s.t, s.phone, club.Name)
	calendar, e0 := named(s.t, s.phone, "Calendar", "Title 0")
	_, e1 := named(s.t, s.phone, "Calendar", "Title 1")
	tasks, t0 := named(s.t, s.phone, "Tasks", "Title 0")
	const form = "20060102T150405Z"
	start := s.now.Add(24 * time.Hour).UTC()
	body := C(tag.AirSyncBaseBody, T(tag.AirSyncBaseType, "1"), T(tag.AirSyncBaseData, "Text"))
	person := eas.Properties{T(tag.ContactsFirstName, "Ann"), T(tag.ContactsLastName, "Lee"), T(tag.ContactsBirthday, "1980-05-06T00:00:00.000Z"), T(tag.ContactsEmail1Address, "a@example.org"), C(tag.ContactsCategories, T(tag.ContactsCategory, "Club"))}
	event := eas.Properties{T(tag.CalendarAllDayEvent, "0"), T(tag.CalendarStartTime, start.Format(form)), T(tag.CalendarEndTime, start.Add(time.Hour).Format(form)), T(tag.CalendarSubject, "Tea"), T(tag.CalendarReminder, "15"), T(tag.CalendarBusyStatus, "2"),
		C(tag.CalendarRecurrence, T(tag.CalendarType, "1"), T(tag.CalendarInterval, "2"), T(tag.CalendarDayOfWeek, "4"), T(tag.CalendarOccurrences, "5"))}
	task := eas.Properties{T(tag.TasksSubject, "Work"), T(tag.TasksImportance, "1"), T(tag.TasksUtcDueDate, "2026-12-02T10:00:00.000Z"), T(tag.TasksDueDate, "2026-12-02T10:00:00.000Z"), T(tag.TasksComplete, "0")}
	if s.version >= eas.V120 {
		person, event, task = append(person, body), append(event, body), append(task, body)
	}
	sync := func(f phone.Folder, commands ...eas.SyncCommand) *eas.SyncRequest {
		return &eas.SyncRequest{WindowSize: ptr(50), Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: f.ServerID, WindowSize: ptr(10), GetChanges: ptr(true),
			Options: []eas.SyncOptions{{FilterType: ptr(0), Conflict: ptr(1), BodyPreferences: []eas.BodyPreference{{Type: 1, TruncationSize: ptr(512)}}}}, Commands: commands}}}
	}
	change := func(id string, data eas.Properties) eas.SyncCommand {
		return eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id, Data: data}
	}
	occurrence := change(e1, event[3:4])
	if s.version >= eas.V160 {
		occurrence.InstanceID = start.AddDate(0, 0, 1).Format(form)
	}
	all := map[string]any{
		"Sync contacts": sync(contacts, eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "new", Data: person}, change(c0, person), eas.SyncCommand{Do: tag.AirSyncFetch, ServerID: c1}),
		"Sync events":   sync(calendar, eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "new", Data: event}, change(e0, event), occurrence),
		"Sync tasks":    sync(tasks, eas.SyncCommand{Do: tag.AirSyncDelete, ServerID: t0}, eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "new", Data: task}),
		"Sync and wait": &eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: contacts.SyncKey, CollectionID: contacts.ServerID}, {SyncKey: calendar.SyncKey, CollectionID: calendar.ServerID}}, Wait: ptr(5)},
		"Ping":          &eas.PingRequest{HeartbeatInterval: ptr(300), Folders: []eas.PingFolder{{ID: contacts.ServerID, Class: "Contacts"}, {ID: calendar.ServerID, Class: "Calendar"}}},
		"FolderSync":    &eas.FolderSyncRequest{SyncKey: "0"},
		"FolderCreate":  &eas.FolderCreateRequest{SyncKey: s.phone.FolderKey(), ParentID: "0", DisplayName: "Friends", Type: eas.FolderUserContacts},
		"FolderUpdate":  &eas.FolderUpdateRequest{SyncKey: s.phone.FolderKey(), ServerID: second.ServerID, ParentID: "0", DisplayName: "Clubs"},
		"FolderDelete":  &eas.FolderDeleteRequest{SyncKey: s.phone.FolderKey(), ServerID: second.ServerID},
		"GetItemEstimate": &eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{
			{Class: "Contacts", CollectionID: contacts.ServerID, SyncKey: contacts.SyncKey, Options: []eas.SyncOptions{{FilterType: ptr(0)}}},
			{Class: "Tasks", CollectionID: tasks.ServerID, SyncKey: tasks.SyncKey, Options: []eas.SyncOptions{{FilterType: ptr(8)}}}}},
		"ItemOperations": &eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: "Mailbox", CollectionID: calendar.ServerID, ServerID: e0,
			Options: &eas.FetchOptions{Schema: []wbxml.Tag{tag.CalendarSubject}, BodyPreferences: []eas.BodyPreference{{Type: 1, TruncationSize: ptr(5)}}}}},
			Empties: []eas.EmptyFolder{{CollectionID: "999", Options: &eas.EmptyFolderOptions{DeleteSubFolders: true}}}},
		"MeetingResponse": &eas.MeetingResponseRequest{Requests: []eas.MeetingAnswer{{UserResponse: 1, CollectionID: calendar.ServerID, RequestID: e0}}},
		"MoveItems":       &eas.MoveItemsRequest{Moves: []eas.ItemMove{{SrcMsgID: c0, SrcFldID: contacts.ServerID, DstFldID: second.ServerID}, {SrcMsgID: c1, SrcFldID: contacts.ServerID, DstFldID: second.ServerID}}},
		"Provision": &eas.ProvisionRequest{DeviceInformation: &eas.DeviceInformation{Model: "M", OS: "O"},
			Policies: []eas.Policy{{PolicyType: "MS-EAS-Provisioning-WBXML", PolicyKey: "1", Status: 1}}},
		"Provision and wipe":         &eas.ProvisionRequest{RemoteWipe: &eas.WipeResult{Status: 1}},
		"Provision and wipe account": &eas.ProvisionRequest{AccountOnlyRemoteWipe: &eas.WipeResult{Status: 1}},
		"MeetingResponse by mail": &eas.MeetingResponseRequest{Requests: []eas.MeetingAnswer{{UserResponse: 2, CollectionID: calendar.ServerID, RequestID: e1, InstanceID: start.AddDate(0, 0, 1).Format(form),
			SendResponse: &eas.SendResponse{Body: eas.Properties{T(tag.AirSyncBaseType, "1"), T(tag.AirSyncBaseData, "Text")}, ProposedStartTime: start.Format(form), ProposedEndTime: start.Add(time.Hour).Format(form)}}}},
		"Settings and write": &eas.SettingsRequest{Oof: &eas.OofRequest{Set: &eas.Oof{OofState: ptr(2), StartTime: "2026-12-01T00:00:00.000Z", EndTime: "2026-12-24T00:00:00.000Z",
			Messages: []eas.OofMessage{{AppliesToInternal: true, Enabled: ptr(true), ReplyMessage: "Away", BodyType: "TEXT"}}}}, DevicePassword: &eas.DevicePassword{Password: "x"}},
		"Search": &eas.SearchRequest{Store: eas.SearchStore{Name: eas.SearchGAL, Query: &eas.Element{Tag: tag.SearchQuery, Text: "Title"}, Options: &eas.SearchOptions{Range: "0-99", RebuildResults: true, Picture: &eas.SearchPicture{MaxSize: ptr(1000)}}}},
		"Search a mailbox": &eas.SearchRequest{Store: eas.SearchStore{Name: eas.SearchMailbox, Query: &eas.Element{Tag: tag.SearchQuery, Children: []eas.Element{
			C(tag.SearchAnd, T(tag.AirSyncClass, "Email"), T(tag.AirSyncCollectionId, contacts.ServerID), T(tag.SearchFreeText, "Title"))}}, Options: &eas.SearchOptions{Range: "0-9", DeepTraversal: true}}},
		"Find": &eas.FindRequest{SearchID: "D5F5E4F0-3B11-4B36-A1D9-8F1B7D3B4D2A", Search: &eas.ExecuteSearch{GAL: &eas.FindCriterion{
			Query: &eas.Element{Text: "Title"}, Options: &eas.FindOptions{Range: "0-9", Picture: &eas.FindPicture{MaxSize: ptr(1000), MaxPictures: ptr(2)}}}}},
		"ResolveRecipients": &eas.ResolveRecipientsRequest{To: []string{"Title", "ann@example.org", "b"}, Options: &eas.ResolveOptions{CertificateRetrieval: ptr(eas.FullCertificates),
			MaxCertificates: ptr(5), MaxAmbiguousRecipients: ptr(5), Picture: &eas.ResolvePicture{MaxSize: ptr(1000)},
			Availability: &eas.AvailabilityRequest{StartTime: start.Format("2006-01-02T15:04:05.000Z"), EndTime: start.Add(4 * time.Hour).Format("2006-01-02T15:04:05.000Z")}}},
		"ValidateCert": &eas.ValidateCertRequest{Chain: []string{"AAAA"}, Certificates: []string{"AAAA", "BBBB"}, CheckCRL: ptr(true)},
		"Settings": &eas.SettingsRequest{Oof: &eas.OofRequest{Get: &eas.OofGet{BodyType: "TEXT"}}, UserInformation: &eas.InformationRequest{Get: true},
			DeviceInformation: &eas.DeviceInformation{Model: "M", OS: "O", PhoneNumber: "1"}, DevicePassword: &eas.DevicePassword{Password: "x"}},
	}
	if s.version >= eas.V140 { // the class is unknown before, and the schemas know no Fetch of it
		notes, n0 := named(s.t, s.phone, "Notes", "Title 0")
		_, n1 := named(s.t, s.phone, "Notes", "Title 1")
		note := eas.Properties{T(tag.NotesSubject, "Idea"), T(tag.NotesMessageClass, "IPM.StickyNote"), body}
		all["Sync notes"] = sync(notes, change(n0, note), eas.SyncCommand{Do: tag.AirSyncDelete, ServerID: n1}, eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "new", Data: note})
		inbox := folderOfType(s.t, s.phone, eas.FolderInbox)
		source := &eas.MailSource{FolderID: inbox.ServerID, ItemID: inbox.ServerID + ":1"}
		all["SendMail"] = &eas.SendMailRequest{ClientID: "mail", SaveInSentItems: true, Mime: eas.Opaque(newMail)}
		all["SmartReply"] = &eas.SmartReplyRequest{ClientID: "reply", Source: source, SaveInSentItems: true, ReplaceMime: true, Mime: eas.Opaque(newMail)}
		all["SmartForward"] = &eas.SmartForwardRequest{ClientID: "forward", Source: source, Mime: eas.Opaque(newMail)}
		all["SmartForward meeting"] = &eas.SmartForwardRequest{ClientID: "meeting", Source: &eas.MailSource{FolderID: calendar.ServerID, ItemID: e0, InstanceID: "2031-03-11T09:00:00.000Z"}, Mime: eas.Opaque(newMail)}
		all["ItemOperations move"] = &eas.ItemOperationsRequest{Moves: []eas.ConversationMove{{ConversationID: eas.Opaque("0123456789abcdef"), DstFldID: inbox.ServerID, Options: &eas.MoveOptions{MoveAlways: true}}}}
	}
	if s.version >= eas.V160 {
		all["SmartForward people"] = &eas.SmartForwardRequest{ClientID: "people", Source: &eas.MailSource{FolderID: calendar.ServerID, ItemID: e0},
			Forwardees: []eas.Forwardee{{Name: "Bob", Email: "bob@example.org"}, {Email: "eve@example.org"}}, Body: eas.Properties{T(tag.AirSyncBaseType, "1"), T(tag.AirSyncBaseData, "Text")}}
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return !commandOf(name).KnownIn(s.version) })
	return all
}

// commandOf is the command of a request by its name: "Sync contacts" is a Sync.
func commandOf(name string) eas.Command {
	command, _, _ := strings.Cut(name, " ")
	return eas.Command(command)
}

// Each command is fed a hundred mutations of a good request, or all that there
// are with -mutations 0. Whatever it is
// fed, it answers in the protocol; it tells nobody of another person's things;
// and it changes nothing that a well-formed part of the request does not name.
func TestMutations(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		s := newScene(t, v, false)
		for _, name := range slices.Sorted(maps.Keys(s.requests())) {
			command := commandOf(name)
			if !s.answered(command) {
				if got := s.ask(command, nil); got.status != http.StatusNotImplemented {
					t.Errorf("%s is not announced, and answered %d", command, got.status)
				}
				continue
			}
			tried, writes, outcomes := 0, 0, make(map[int]int)
			for i := 0; ; i++ {
				doc := element(t, mustMarshal(t, s.requests()[name], v)) // anew: keys and ids change
				all, most := s.mutationsOf(doc, slices.Index(bridgetest.Versions, v)**mutations/kinds), *mutations
				if v == eas.V161 { // names are what matters most: once in all places
					slices.SortStableFunc(all, func(a, b mutation) int { return cmp.Compare(b.kind/inName, a.kind/inName) })
					most += len(slices.DeleteFunc(slices.Clone(all), func(m mutation) bool { return m.kind != inName }))
				}
				if i == 0 { // the good request itself
					all = []mutation{{name: "nothing", doc: func() eas.Element { return doc }}}
				} else if *mutations > 0 && i > most || i > len(all) {
					break
				} else {
					all = all[i-1:]
				}
				m := all[0]
				tried++
				request := document(m.doc())
				got := s.ask(command, request)
				changed := s.changed()
				problems := append(s.checkAnswer(command, got), s.checkObjects(command, request, got, changed)...)
				refiled, wrong := s.rearranged(command, got)
				problems = append(problems, wrong...)
				for _, p := range problems {
					t.Errorf("%s with %s: %s", name, m.name, p)
				}
				if len(problems) > 0 {
					t.Logf("the request was\n%.3000s\nthe answer was %d\n%.2000s", eastest.XML(request), got.status, eastest.XML(got.body))
				}
				outcomes[got.status]++
				if len(changed) > 0 || refiled {
					writes++
				}
				s.settle(command, request, changed)
			}
			if strings.HasPrefix(name, "Sync ") && name != "Sync and wait" && 8*writes < tried {
				t.Errorf("only %d of %d mutations of %s changed something: they are less well-formed than they seem", writes, tried, name)
			}
			if writes == 0 && (editsFolders(command) && command != eas.CmdFolderSync || command == eas.CmdMoveItems) {
				t.Errorf("no mutation of %s changed anything, nor did the good request", name)
			}
			t.Logf("%s: %d mutations, HTTP statuses %v, %d of them changed something", name, tried-1, outcomes, writes)
		}
		if strings.Contains(s.h.Log.String(), "panic") {
			t.Error("something panicked")
		}
	})
}

// A mutation is a request with one thing wrong.
type mutation struct {
	name string
	kind int
	doc  func() eas.Element
}

// The kinds of mutations, of which each request gets its share.
const (
	inShape = iota
	inText
	inName
	kinds
)

// wrongTexts stand where a number, a time, a name or an id is expected.
var wrongTexts = map[string]string{
	"nothing": "", "zero": "0", "a negative number": "-1", "a number that is just too large": "2147483648", "a huge number": "99999999999999999999",
	"a word": "wrong", "a float": "1e9", "a time that there is not": "20269999T999999Z", "control characters": "a\x01\u202eb", "a class": "Email",
	"a path": "../../b", "an item of nobody": "1:99999", "a folder of nobody": "4711", "a very long text": strings.Repeat("long ", 20_000), "nested syntax": "END:VCARD\r\nBEGIN:VCARD\r\nUID:b",
}

// mutationsOf are the wrong requests that one good one can become: each of its
// elements left out, doubled, emptied, nested, moved and with wrong texts in it,
// and each name replaced by those of other folders, items and people. Their order is
// the same each time, turned on by some for each kind, with all kinds mixed.
func (s *scene) mutationsOf(good eas.Element, turn int) []mutation {
	names := map[string]string{"a key of nobody": "AAAAAAAAAAAAAAAAAAAAAAAAAA-1", "an item of nobody": "1:99999", "a folder of nobody": "4711", "the first key": "0", "a path": "../../b"}
	mine := make(map[string]bool)
	for _, class := range []string{"Contacts", "Calendar", "Tasks"} {
		theirs, item := named(s.t, s.foreign, class, secret)
		names["another person's folder of "+class], names["another person's item of "+class] = theirs.ServerID, item
		names["another person's key of "+class] = theirs.SyncKey
		f, item := named(s.t, s.phone, class, "Title 1")
		names["the folder of "+class], names["an item of "+class], names["the key of "+class] = f.ServerID, item, f.SyncKey
		names["an item of "+class+", written otherwise"] = "0" + item
		mine[f.ServerID], mine[f.SyncKey] = true, true
		for id := range f.Items {
			mine[id] = true
		}
	}
	var all []mutation
	kind := inShape
	var walk func(path []int, e eas.Element, name string)
	add := func(path []int, name string, edit func(parent *eas.Element, i int)) {
		all = append(all, mutation{name, kind, func() eas.Element {
			doc := clone(good)
			parent := &doc
			for _, i := range path[:len(path)-1] {
				parent = &parent.Children[i]
			}
			edit(parent, path[len(path)-1])
			return doc
		}})
	}
	walk = func(path []int, e eas.Element, name string) {
		name += ">" + tag.Local(e.Tag)
		if len(path) > 0 {
			add(path, name+" left out", func(p *eas.Element, i int) { p.Children = slices.Delete(p.Children, i, i+1) })
			add(path, name+" doubled", func(p *eas.Element, i int) { p.Children = slices.Insert(p.Children, i, clone(p.Children[i])) })
			add(path, name+" a hundred times", func(p *eas.Element, i int) {
				p.Children = append(p.Children, slices.Repeat([]eas.Element{p.Children[i]}, 100)...)
			})
			add(path, name+" first", func(p *eas.Element, i int) {
				c := p.Children[i]
				p.Children = slices.Insert(slices.Delete(p.Children, i, i+1), 0, c)
			})
			add(path, name+" last", func(p *eas.Element, i int) {
				c := p.Children[i]
				p.Children = append(slices.Delete(p.Children, i, i+1), c)
			})
			add(path, name+" in itself", func(p *eas.Element, i int) {
				p.Children[i] = eas.Element{Tag: p.Children[i].Tag, Children: []eas.Element{p.Children[i]}}
			})
			add(path, name+" with an unknown element in it", func(p *eas.Element, i int) {
				p.Children[i].Children = append(p.Children[i].Children, eas.T(0x3F3E, "x"))
			})
			add(path, name+" as another element", func(p *eas.Element, i int) { p.Children[i].Tag = tag.EmailSubject })
			add(path, name+" as opaque data that is no text", func(p *eas.Element, i int) {
				p.Children[i] = eas.Element{Tag: p.Children[i].Tag, Opaque: []byte("\xFF\x00\xED\xA0\x80")}
			})
			texts := wrongTexts
			if kind = inText; mine[e.Text] {
				texts, kind = names, inName
			}
			for _, what := range slices.Sorted(maps.Keys(texts)) {
				if texts[what] == e.Text {
					continue
				}
				add(path, name+" with "+what+" for a text", func(p *eas.Element, i int) {
					p.Children[i] = eas.T(p.Children[i].Tag, texts[what])
				})
			}
			kind = inShape
		}
		for i, c := range e.Children {
			walk(append(slices.Clone(path), i), c, name)
		}
	}
	walk(nil, good, "")
	empty := func() eas.Element { return eas.Element{Tag: good.Tag} }
	other := func() eas.Element {
		return eas.Element{Tag: cmp.Or(good.Tag^tag.PingPing^tag.AirSyncSync, tag.PingPing), Children: good.Children}
	}
	return mixed(append(all, mutation{"nothing in it", inShape, empty}, mutation{"another root", inShape, other}), turn)
}

// mixed shuffles mutations so that those of each kind come in turns.
func mixed(all []mutation, turn int) []mutation {
	var of [kinds][]mutation
	for _, i := range rand.New(rand.NewPCG(7, 7)).Perm(len(all)) {
		of[all[i].kind] = append(of[all[i].kind], all[i])
	}
	for k, list := range of {
		if n := len(list); n > 0 {
			of[k] = append(slices.Clone(list[turn%n:]), list[:turn%n]...)
		}
	}
	all = all[:0]
	for i := 0; len(all) < len(of[0])+len(of[1])+len(of[2]); i++ {
		for _, list := range of {
			if i < len(list) {
				all = append(all, list[i])
			}
		}
	}
	return all
}

func clone(e eas.Element) eas.Element {
	e.Children = slices.Clone(e.Children)
	for i := range e.Children {
		e.Children[i] = clone(e.Children[i])
	}
	return e
}

// One folder has one round in a request, by whatever names the request calls it:
// two could not both be committed, and what the phone sent would be carried out
// and answered with an error for ever.
func TestOneFolderByTwoNames(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		s := newScene(t, v, false)
		f, c0 := named(t, s.phone, "Contacts", "Title 0")
		part := func(id, class, client string) eas.SyncCollection {
			return eas.SyncCollection{SyncKey: f.SyncKey, CollectionID: id, Class: class, Commands: []eas.SyncCommand{
				{Do: tag.AirSyncAdd, ClientID: client, Data: eas.Properties{eas.T(tag.ContactsLastName, "New")}},
				{Do: tag.AirSyncChange, ServerID: c0, Data: eas.Properties{eas.T(tag.ContactsLastName, client)}},
			}}
		}
		for _, tt := range []struct {
			name   string
			second eas.SyncCollection
			adds   int // what is carried out of the first part
		}{
			{"the same name", part(f.ServerID, "", "b"), 0},
			{"with a zero before it", part("0"+f.ServerID, "", "b"), 1},
			{"with a sign before it", part("+"+f.ServerID, "", "b"), 1},
			{"by its class", part("", "Contacts", "b"), 0},
		} {
			request := mustMarshal(t, &eas.SyncRequest{Collections: []eas.SyncCollection{part(f.ServerID, "", "a"), tt.second}}, v)
			got := s.ask(eas.CmdSync, request)
			changed := s.changed()
			if n := len(s.h.Backend.Items(bridgetest.User, "contacts")) - 2; got.status != http.StatusOK || n != tt.adds {
				t.Errorf("%s: HTTP status %d and %d new objects, want 200 and %d\n%s", tt.name, got.status, n, tt.adds, eastest.XML(got.body))
			}
			s.settle(eas.CmdSync, request, changed)
			f, c0 = named(t, s.phone, "Contacts", "Title 0")
		}
	})
}
