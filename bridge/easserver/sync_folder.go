package easserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A folderSync is one folder of a Sync: its round and what is to be said.
type folderSync struct {
	server  *Server
	call    *call
	request *eas.SyncCollection
	folder  syncengine.Folder
	class   *class
	session backend.Session
	reading *reading // what the round reads of session; nil if that is not kept
	round   *syncengine.Round

	parts   []*folderSync // of a merged folder
	head    *folderSync   // the merged folder of a part
	leaves  bool          // a part that is none any more
	hidden  bool          // the phone will hear that the folder is gone; until then it may send edits
	set     folderSettings
	result  eas.SyncResult
	failed  error // the backend did not answer; the folder can be left out
	skipped int   // items that could not be shown

	invites
	relisted bool                // because of a command for an item that was gone
	lost     []syncengine.Number // of which the phone is told that they are not there

	mine    map[syncengine.Number]backend.Revision // those that hold what the phone sent in this round already
	tried   map[string]translate.Digest            // by earlier tries of the phone's commands; see prepare
	noted   map[string]translate.Digest            // the same, and what this request tries
	created map[*eas.SyncCommand]creation          // see create
	drafts  map[*eas.SyncCommand]*mail.Outgoing    // what became of phones' new drafts
}

// folderSettings are what a phone said of a folder and what holds until it
// says something else. They are kept with the partnership.
type folderSettings struct {
	FilterType int                  `json:"filter,omitempty"`
	Body       []eas.BodyPreference `json:"body,omitempty"`
	Truncation *int                 `json:"truncation,omitempty"` // of 2.5
	Conflict   *int                 `json:"conflict,omitempty"`

	BodyPart       *eas.BodyPartPreference `json:"part,omitempty"`
	MIMESupport    *int                    `json:"mime,omitempty"`
	MIMETruncation *int                    `json:"mime_truncation,omitempty"` // of 2.5

	Supported []wbxml.Tag `json:"supported,omitempty"`
	Listed    bool        `json:"listed,omitempty"` // Supported was there, if only empty

	// Parts are the keys of the folders behind a merged one that the phone was
	// told of.
	Parts map[syncengine.FolderID]syncengine.Key `json:"parts,omitempty"`
}

// phoneWins tells how a conflict is to end. The default is that the server's
// version stays. See [MS-ASCMD] "Conflict".
func (s folderSettings) phoneWins() bool { return s.Conflict != nil && *s.Conflict == 0 }

// speaks tells whether the phone has to hear of the folder.
func (f *folderSync) speaks() bool {
	if f.failed != nil {
		return false
	}
	return f.result.Status != eas.SyncOK || len(f.result.Responses) > 0 || len(f.result.Commands) > 0 ||
		f.result.MoreAvailable || f.round != nil && f.round.Dirty()
}

// onlyNews tells whether the phone has to hear of nothing but a few new items:
// not of a folder that begins, an answer that got lost, or one of many answers.
func (f *folderSync) onlyNews() bool {
	return f.result.Status == eas.SyncOK && len(f.result.Responses) == 0 && len(f.result.Commands) > 0 &&
		!f.result.MoreAvailable && f.round != nil && !f.round.Initial && !f.round.Repeated
}

// answer completes what is said of the folder.
func (f *folderSync) answer() eas.SyncResult {
	if f.round != nil && f.result.Status == eas.SyncOK {
		f.result.SyncKey = string(f.round.Key())
	}
	return f.result
}

// refuse ends the folder's part with a status and changes nothing.
func (f *folderSync) refuse(status eas.SyncStatus) *folderSync {
	f.round, f.parts = nil, nil
	f.result.Status, f.result.Responses, f.result.Commands, f.result.MoreAvailable = status, nil, nil, false
	if f.result.SyncKey == "" || len(f.result.SyncKey) > MaxID || status == eas.SyncBadKey {
		f.result.SyncKey = string(syncengine.NoKey)
	}
	return f
}

// syncFolder prepares one folder's round: the phone's commands, then what is
// new in the backend, then what of it goes into the room that is left in this
// answer. An error fails the whole request.
func (s *Server) syncFolder(ctx context.Context, c *call, w *syncWant, req *eas.SyncCollection, left *room) (*folderSync, error) {
	f := &folderSync{server: s, call: c, request: req, mine: make(map[syncengine.Number]backend.Revision),
		result: eas.SyncResult{CollectionID: req.CollectionID, SyncKey: req.SyncKey, Status: eas.SyncOK}}
	if !wellFormed(req) {
		return f.refuse(eas.SyncProtocol), nil
	}
	if status, err := f.open(ctx); err != nil {
		return nil, err
	} else if status != eas.SyncOK {
		return f.refuse(status), nil
	}
	if f.failed != nil {
		return f, nil
	}
	if f.round.Repeated || f.round.Initial {
		if err := s.twin(ctx, c, w); err != nil {
			return nil, err
		}
	}
	if status := f.takeSettings(); status != eas.SyncOK {
		return f.refuse(status), nil
	}
	if f.folder.ID.Merged() {
		return f.syncParts(ctx, left)
	}
	if f.round.Initial {
		return f, nil
	}
	switch err := f.applyAll(ctx); {
	case errors.Is(err, syncengine.ErrNoFolder): // it went while the phone's owner wrote
		return f.refuse(eas.SyncHierarchyChanged), nil
	case err != nil:
		return nil, err
	}
	if !f.wantsNews() {
		return f, nil
	}
	err := f.takeNews(ctx, f.window(), left)
	if err == nil {
		return f, nil
	}
	if kind := backend.KindOf(err); kind == backend.Transient && len(req.Commands) == 0 && !f.round.Dirty() {
		f.failed = err
		return f, nil
	}
	if errors.Is(err, syncengine.ErrNoFolder) || backend.KindOf(err) == backend.NotFound {
		return f.refuse(eas.SyncHierarchyChanged), nil
	}
	return nil, err
}

// source is what the round reads the folder's items from.
func (f *folderSync) source() syncengine.Source {
	switch {
	case f.session == nil:
		return nil
	case f.class.facts == nil:
		return f.session
	}
	f.reading = newReading(f.session)
	return f.reading
}

// wantsNews tells whether the phone wants to hear of changes. See [MS-ASCMD]
// "GetChanges".
func (f *folderSync) wantsNews() bool {
	return !f.hidden && f.request.GetChanges == nil || *f.request.GetChanges
}

// window is how many items the folder may have of the answer.
func (f *folderSync) window() int {
	if f.request.WindowSize == nil {
		return DefaultWindow
	}
	return boundWindow(*f.request.WindowSize)
}

// open finds the folder, the session and the round.
func (f *folderSync) open(ctx context.Context) (eas.SyncStatus, error) {
	s, c := f.server, f.call
	var err error
	f.folder, err = s.wantedFolder(ctx, c, f.request.CollectionID, f.request.Class)
	if errors.Is(err, syncengine.ErrNoFolder) && len(f.request.Commands) > 0 {
		f.folder, err = s.hiddenFolder(ctx, c, f.request.CollectionID)
		f.hidden = err == nil
	}
	if errors.Is(err, syncengine.ErrNoFolder) {
		return s.missingFolder(ctx, c), nil
	}
	if err != nil {
		return 0, err
	}
	f.class = classes[f.folder.Kind]
	if f.request.Class != "" && f.request.Class != f.class.name {
		return eas.SyncProtocol, nil
	}
	f.result.Class = f.class.name
	key := syncengine.Key(f.request.SyncKey)
	if key != syncengine.NoKey && !f.folder.ID.Merged() { // for which nothing is asked of a backend
		f.session, err = c.account.Session(ctx, f.folder.Backend)
	}
	if errors.Is(err, account.ErrNoBackend) { // it is no longer in the configuration: FolderSync takes its folders away
		return eas.SyncHierarchyChanged, nil
	}
	if err != nil {
		if backend.KindOf(err) == backend.Transient && len(f.request.Commands) == 0 {
			f.failed = err
			return eas.SyncOK, nil
		}
		return 0, err
	}
	f.round, err = s.Engine.Begin(ctx, c.phone, f.folder, key, f.source())
	switch {
	case errors.Is(err, syncengine.ErrInvalidKey):
		return eas.SyncBadKey, nil
	case err != nil:
		return 0, err
	}
	// Nothing but a key is exchanged in the first round. See [MS-ASCMD]
	// "GetChanges".
	if f.round.Initial && (len(f.request.Commands) > 0 || f.request.GetChanges != nil && *f.request.GetChanges) {
		return eas.SyncProtocol, nil
	}
	return eas.SyncOK, nil
}

// missingFolder answers for a folder that is not there: "synchronize the
// hierarchy" only where that brings news, because phones would go round and
// round otherwise.
func (s *Server) missingFolder(ctx context.Context, c *call) eas.SyncStatus {
	if pending, err := s.hierarchyPending(ctx, c); err == nil && !pending {
		return eas.SyncNotFound
	}
	return eas.SyncHierarchyChanged
}

// takeSettings merges what the phone says now with what it said before.
func (f *folderSync) takeSettings() eas.SyncStatus {
	f.set = readSettings(f.round.Settings())
	before := f.set
	if f.round.Initial {
		f.set = folderSettings{Supported: f.request.Supported, Listed: f.request.Supported != nil}
		if len(f.set.Supported) == 0 && f.call.profile.EmptySupportedIsNone {
			f.set.Listed = false
		}
	}
	for i, o := range f.request.Options {
		if o.Class != "" && o.Class != f.class.name {
			continue // such as SMS beside Email
		}
		if i == 0 || o.Class != "" {
			f.set.FilterType, f.set.Body, f.set.Truncation, f.set.Conflict = 0, onePerType(o.BodyPreferences), o.Truncation, o.Conflict
			f.set.BodyPart, f.set.MIMESupport, f.set.MIMETruncation = o.BodyPartPreference, o.MIMESupport, o.MIMETruncation
			if o.FilterType != nil {
				f.set.FilterType = *o.FilterType
			}
		}
	}
	if f.set.FilterType < 0 || f.set.FilterType > MaxFilterType {
		if f.call.version < eas.V140 {
			return eas.SyncProtocol
		}
		return eas.SyncStatus(eas.InvalidXML)
	}
	if f.set.Conflict != nil && (*f.set.Conflict < 0 || *f.set.Conflict > 1) {
		return eas.SyncProtocol
	}
	if !f.folder.ID.Merged() {
		f.round.SetFilter(f.class.filter(f.set.FilterType, time.Now()))
	}
	if f.round.Initial || !sameSettings(before, f.set) {
		f.keepSettings()
	}
	return eas.SyncOK
}

// readSettings reads what keepSettings wrote.
func readSettings(b []byte) (s folderSettings) {
	if b != nil && json.Unmarshal(b, &s) != nil {
		return folderSettings{} // of an earlier program; the phone says it again
	}
	return s
}

func (f *folderSync) keepSettings() {
	b, err := json.Marshal(f.set)
	if err != nil {
		panic(fmt.Sprintf("easserver: settings do not marshal: %v", err)) // numbers and texts always do
	}
	f.round.SetSettings(b)
}

// onePerType keeps the first preference for each type of body that there is;
// more is against the protocol and not worth remembering. See [MS-ASAIRS]
// "BodyPreference".
func onePerType(wishes []eas.BodyPreference) []eas.BodyPreference {
	var kept []eas.BodyPreference
	for _, w := range wishes {
		known := w.Type >= int(translate.PlainText) && w.Type <= int(translate.MIME)
		if known && !slices.ContainsFunc(kept, func(k eas.BodyPreference) bool { return k.Type == w.Type }) {
			kept = append(kept, w)
		}
	}
	return kept
}

func sameSettings(a, b folderSettings) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && slices.Equal(x, y)
}

// translation tells the translators for whom they work, and on which item: 0
// is one that has no number yet.
func (f *folderSync) translation(n syncengine.Number) translate.Options {
	o := f.server.translation(f.call)
	if n != 0 {
		o.Item = syncengine.ServerID(f.folder.ID, n)
	}
	o.Schedules, o.Calendar = f.schedules, zoneOf(f.folder)
	o.Since = f.class.filter(f.set.FilterType, o.Now).Since
	o.Body = bodyWish(f.call.version, f.set.Body, f.set.Truncation)
	o.Ghosted = f.class.ghosted(f.call.version, f.set.Supported, f.set.Listed)
	return o
}

// translation is what holds for every item of a person.
func (s *Server) translation(c *call) translate.Options {
	o := translate.Options{Version: c.version, Zone: s.Zone, Now: time.Now(),
		Mailless: !s.Accounts.Offers(backend.ExtraSend), BirthdayHour: c.profile.BirthdayHour, EmptyPictureRemoves: c.profile.EmptyPictureRemoves, FileAs: c.profile.FileAs}
	if a := c.account.Address(); a != "" {
		o.Self = []string{a}
	}
	for _, a := range c.self {
		if !slices.Contains(o.Self, a) {
			o.Self = append(o.Self, a)
		}
	}
	return o
}

// schedules tells whether a folder's store mails invitations and answers by
// itself, so that it has to be told what phones mail.
func schedules(ctx context.Context, session backend.Session, folder syncengine.Folder) (bool, error) {
	if folder.Kind != backend.Events {
		return false, nil
	}
	s, ok := backend.As[backend.Scheduler](session)
	if !ok {
		return false, nil
	}
	yes, err := s.Schedules(ctx, folder.Collection)
	if err != nil && passing(err) {
		return false, fmt.Errorf("easserver: who mails invitations: %w", err)
	}
	return err == nil && yes, nil // a store that has no answer mails nothing
}

// truncations are the sizes that 2.5 names by number, in characters. See
// [MS-ASCMD] "Truncation".
var truncations = [...]int{0: -1, 1: 512, 2: 1024, 3: 2048, 4: 5120, 5: 10240, 6: 20480, 7: 51200, 8: 102400}

// bodyWish chooses the form of the body: plain text where the phone takes it,
// since that is what people keep in these stores, else HTML, else rich text.
func bodyWish(v eas.Version, wishes []eas.BodyPreference, truncation *int) translate.Body {
	if v < eas.V120 {
		body := translate.Body{Type: translate.PlainText}
		if truncation != nil && *truncation >= 0 && *truncation < len(truncations) {
			body.Truncate = truncations[*truncation]
		}
		return body
	}
	for _, typ := range []translate.BodyType{translate.PlainText, translate.HTML, translate.RTF} {
		for _, w := range wishes {
			if w.Type != int(typ) {
				continue
			}
			body := translate.Body{Type: typ, AllOrNone: w.AllOrNone}
			if w.TruncationSize != nil {
				if body.Truncate = *w.TruncationSize; body.Truncate <= 0 {
					body.Truncate = -1
				}
			}
			if w.Preview != nil {
				body.Preview = *w.Preview
			}
			return body
		}
	}
	return translate.Body{Type: translate.PlainText}
}
