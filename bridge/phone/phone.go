// Package phone imitates the phones people carry: it holds what a server tells it, queues what its owner edits, and waits in Pings.
//
// It is a product, not a test helper: `pushbridge phone` plays it against any
// ActiveSync server. It also keeps a list of what no phone would forgive, see
// [Phone.Violations].
package phone

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// Settings tell a phone how to behave. The zero value behaves like most.
type Settings struct {
	// WindowSize is the most items that one answer may bring; 0 means 100.
	WindowSize int

	// Filters are the FilterTypes by class; a class that is absent gets
	// everything.
	Filters map[string]int

	// Bodies are the forms in which bodies are wanted, best first; nil means
	// plain text up to 32 KB, like most phones.
	Bodies []eas.BodyPreference

	// Supported are the properties that the phone keeps, by class. Classes
	// that are absent, or nil, say nothing, so that nothing is ghosted.
	Supported map[string][]wbxml.Tag

	// Classes are those that are synchronized; nil means contacts, calendar,
	// tasks and notes.
	Classes []string

	// MIMESupport is which messages the phone takes as they are, in MIME, in place
	// of a text: 0 none, 1 those that are signed or encrypted, 2 all. See [MS-ASCMD]
	// "MIMESupport".
	MIMESupport int

	// Purges says that mail which the owner deletes is gone, in place of being taken
	// to the folder for deleted mail. See [MS-ASCMD] "DeletesAsMoves".
	Purges bool

	// Together asks for all folders in one Sync, as some phones do, instead of
	// one after the other.
	Together bool

	// Rebuilds sends after a lost answer what there is to be sent by then, with
	// all edits of one item as one; otherwise the phone repeats its request first.
	Rebuilds bool

	// Wins says that the phone's edit shall stay where it meets one of the
	// server's; otherwise the server's stays. See [MS-ASCMD] "Conflict".
	Wins bool

	// Info is what the phone says of itself when it is provisioned; nil says
	// that it is this one. Servers may insist, see eas.DeviceInformationRequired.
	Info *eas.DeviceInformation

	// Acknowledge is what the phone says of a policy; 0 means that it applies it.
	Acknowledge eas.PolicyStatus

	// Unwipeable says that the phone cannot erase itself, and tells a server so
	// that orders it.
	Unwipeable bool

	// Heartbeat finds the length of Pings; its zero value starts at 8 minutes.
	Heartbeat Heartbeat

	// Radio says why a connection was lost a moment ago, as far as the radio
	// knows: a call, no coverage. Nil means that it knows nothing.
	Radio func() Cause
}

// defaultWindow is what [MS-ASCMD] "WindowSize" says for those who say nothing.
const defaultWindow = 100

// defaultBody is what phones ask for when they show a list and a page.
const defaultBody = 32 << 10

// A Phone holds what a server told it. It is made by New. Its methods may be
// called by several goroutines; a Sync waits for the one before it, a Ping does not.
type Phone struct {
	client   *easclient.Client
	settings Settings

	mu         sync.Mutex
	folderKey  string // of the hierarchy; "" before the first FolderSync
	unheard    bool   // a FolderSync was sent, and its answer did not come
	folders    map[string]*Folder
	order      []string // ids as the server told them
	violations []string
	adds       int // to name what the phone adds
}

// A Folder as a phone holds it.
type Folder struct {
	eas.Folder
	Class   string                    // of its items
	SyncKey string                    // "0" before the first Sync
	Items   map[string]eas.Properties // by ServerId

	queued []local // edits that were not sent
	sent   []local // edits that were sent and not answered
}

// A local edit of the phone's owner.
type local struct {
	eas.SyncCommand

	// own is what the owner changed. A phone that sends whole items sends the
	// rest as it was told last, not as it was when its owner made the edit.
	own   eas.Properties
	whole bool
}

// New makes a phone that speaks through a client. The phone changes the
// client's policy key.
func New(client *easclient.Client, settings Settings) *Phone {
	if settings.WindowSize == 0 {
		settings.WindowSize = defaultWindow
	}
	if settings.Bodies == nil {
		size := defaultBody
		settings.Bodies = []eas.BodyPreference{{Type: 1, TruncationSize: &size}}
	}
	if settings.Classes == nil {
		settings.Classes = []string{eas.ClassContacts, eas.ClassCalendar, eas.ClassTasks, eas.ClassNotes}
	}
	if settings.Info == nil {
		settings.Info = &eas.DeviceInformation{Model: "pushbridge phone"}
	}
	return &Phone{client: client, settings: settings, folders: make(map[string]*Folder)}
}

// Folders are copies of the folders that the phone holds, in the server's
// order. The items' properties are shared and must not be changed.
func (p *Phone) Folders() []Folder {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Folder
	for _, id := range p.order {
		f := *p.folders[id]
		f.Items = make(map[string]eas.Properties, len(f.Items))
		for id, item := range p.folders[f.ServerID].Items {
			f.Items[id] = item
		}
		list = append(list, f)
	}
	return list
}

// Folder is a copy of one folder, by its id.
func (p *Phone) Folder(id string) (Folder, bool) {
	for _, f := range p.Folders() {
		if f.ServerID == id {
			return f, true
		}
	}
	return Folder{}, false
}

// Violations are what the server did that a phone would not forgive: an Add for
// an item that the phone holds, a Change for one that it does not, one item
// twice in an answer, a success without the new item's id, and the like. Each is a sentence.
func (p *Phone) Violations() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.violations)
}

func (p *Phone) violated(format string, args ...any) {
	p.violations = append(p.violations, fmt.Sprintf(format, args...))
}

// Forget makes the phone new: it holds nothing, and asks for everything. What its
// owner edited is lost.
func (p *Phone) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.folderKey, p.order = "", nil
	clear(p.folders)
}

// Add queues a new item, and answers the name that the phone gives it until
// the server gives it one. It is sent with the next Sync.
func (p *Phone) Add(folder string, item eas.Properties) (clientID string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := p.folder(folder)
	if err != nil {
		return "", err
	}
	p.adds++
	clientID = fmt.Sprintf("new%d", p.adds)
	f.queued = append(f.queued, local{SyncCommand: eas.SyncCommand{Do: addTag, ClientID: clientID, Data: item}})
	return clientID, nil
}

// Change queues an edit of an item: properties that are to replace those with
// the same tags. It is sent with the next Sync, together with the rest of the
// item where its absence would mean that it is to be removed.
func (p *Phone) Change(folder, serverID string, edit eas.Properties) error {
	return p.edit(folder, eas.SyncCommand{Do: changeTag, ServerID: serverID, Data: edit})
}

// ChangeInstance queues an edit of one occurrence of a recurring event, from
// 16.0 on. See [MS-ASAIRS] "InstanceId".
func (p *Phone) ChangeInstance(folder, serverID, instanceID string, edit eas.Properties) error {
	return p.edit(folder, eas.SyncCommand{Do: changeTag, ServerID: serverID, InstanceID: instanceID, Data: edit})
}

// SendDraft queues that a draft is to be sent, from 16.0 on. The server tells that it
// is gone from among the drafts. See [MS-ASEMAIL] "Send".
func (p *Phone) SendDraft(folder, serverID string) error {
	return p.edit(folder, eas.SyncCommand{Do: changeTag, ServerID: serverID, Send: true, Data: eas.Properties{}})
}

// Delete queues the removal of an item. It is sent with the next Sync.
func (p *Phone) Delete(folder, serverID string) error {
	return p.edit(folder, eas.SyncCommand{Do: deleteTag, ServerID: serverID})
}

func (p *Phone) edit(folder string, c eas.SyncCommand) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := p.folder(folder)
	if err != nil {
		return err
	}
	item, ok := f.Items[c.ServerID]
	if !ok {
		return fmt.Errorf("phone: folder %q has no item %q", folder, c.ServerID)
	}
	own, whole := c.Data, false
	switch {
	case c.Do == deleteTag:
		delete(f.Items, c.ServerID)
	case c.InstanceID == "":
		f.Items[c.ServerID] = merge(item, c.Data)
		if !p.ghosts(f.Class) {
			c.Data, whole = sendable(f.Items[c.ServerID]), true
		}
	}
	f.queued = append(f.queued, local{c, own, whole})
	return nil
}

func (p *Phone) folder(id string) (*Folder, error) {
	f, ok := p.folders[id]
	if !ok {
		return nil, fmt.Errorf("phone: there is no folder %q", id)
	}
	return f, nil
}

// merge puts an edit over an item.
func merge(item, edit eas.Properties) eas.Properties {
	merged := slices.DeleteFunc(slices.Clone(item), func(e eas.Element) bool {
		_, ok := edit.Find(e.Tag)
		return ok
	})
	return append(merged, edit...)
}

// ghosts tells whether a server keeps what the phone does not send of an item.
// See [MS-ASCMD] "Supported" and "Change".
func (p *Phone) ghosts(class string) bool {
	switch class {
	case eas.ClassEmail:
		return true
	case eas.ClassCalendar:
		return p.client.Version >= eas.V160 || p.settings.Supported[class] != nil
	}
	return p.settings.Supported[class] != nil
}

// serverOnly are properties that phones receive and do not send. See [MS-ASCAL]
// "ResponseType", "AppointmentReplyTime" and [MS-ASAIRS] "NativeBodyType".
var serverOnly = map[wbxml.Tag]bool{
	tag.CalendarResponseType: true, tag.CalendarAppointmentReplyTime: true, tag.AirSyncBaseNativeBodyType: true,
}

// sendable is an item without what only servers send. A body that the phone has
// only a part of is left out, as a phone would not overwrite it with the part.
func sendable(item eas.Properties) eas.Properties {
	out := make(eas.Properties, 0, len(item))
	for _, e := range item {
		switch {
		case serverOnly[e.Tag]:
			continue
		case e.Tag == tag.AirSyncBaseBody:
			truncated, _ := eas.Properties(e.Children).Text(tag.AirSyncBaseTruncated)
			data, ok := eas.Properties(e.Children).Find(tag.AirSyncBaseData)
			kind, _ := eas.Properties(e.Children).Find(tag.AirSyncBaseType)
			if truncated == "1" || !ok {
				continue
			}
			e.Children = []eas.Element{kind, data}
		}
		out = append(out, e)
	}
	return out
}

// Provision does both phases of Provision.
func (p *Phone) Provision(ctx context.Context) (easclient.Provisioning, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.provision(ctx)
}

func (p *Phone) provision(ctx context.Context) (easclient.Provisioning, error) {
	result, err := p.client.ProvisionAs(ctx, p.settings.Info, cmp.Or(p.settings.Acknowledge, eas.PolicyApplied))
	if err != nil {
		return result, fmt.Errorf("phone: provisioning: %w", err)
	}
	if result.Wipe || result.WipeAccountOnly {
		return result, p.wipe(ctx, result.WipeAccountOnly)
	}
	return result, nil
}

// wipe says to the server what comes of its order, and carries it out. A phone
// does not wait for what the server says to that. See [MS-ASPROV] "Acknowledging a
// Remote Wipe Directive".
func (p *Phone) wipe(ctx context.Context, accountOnly bool) error {
	_, err := p.client.ConfirmWipe(ctx, accountOnly, !p.settings.Unwipeable)
	if !p.settings.Unwipeable {
		p.folderKey, p.order = "", nil
		clear(p.folders)
		p.client.PolicyKey = 0
	}
	if err != nil {
		return fmt.Errorf("%w, and did not hear what came of it: %w", ErrWiped, err)
	}
	return ErrWiped
}
