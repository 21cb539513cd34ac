package storm

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A mailroom is the mail of a storm that has some: its folders, its messages, and
// what was sent.
type mailroom struct {
	world *world
	store Mailstore // the desktop's way in
	boxes []*box

	mu       sync.Mutex     // guards what the bridge's goroutines touch, too
	rng      *rand.Rand     // of the mail system
	pieces   map[int]*piece // all but the notices
	failures int            // of calls with mail, and of what does them
	notices  []*piece
	out      map[int]*outcome
}

// A box is a folder for mail.
type box struct {
	id   backend.CollectionID
	name string
	role backend.Role
}

func (b *box) String() string {
	if b == nil {
		return "nowhere"
	}
	return b.name
}

// The addresses of the person, and of somebody to whom mail is sent.
const (
	annsAddress = "ann@example.org"
	bobsAddress = "bob@example.org"
)

// openMail puts mail beside what a Worker serves, or else replaces the shelf by one
// with mail on it, too.
func (w *world) openMail() {
	m := &mailroom{
		world: w, rng: rand.New(rand.NewPCG(w.options.Seed, 2)),
		pieces: make(map[int]*piece), out: make(map[int]*outcome),
	}
	if house := w.options.Mailhouse; house != nil {
		house.Attend(Postmaster{Judge: m.judges, Broken: func(what string) {
			w.fault("%s", what)
			m.harmed()
		}})
		m.store = house
	} else {
		store := memory.New()
		store.AddUser(bridgetest.User, bridgetest.Password)
		store.SetIdentity(bridgetest.User, backend.Identity{Name: "Ann", Addresses: []string{annsAddress}})
		desk, err := newMemoryMail(store)
		if err != nil {
			w.t.Fatalf("seed %d: opening the mailroom: %v", w.options.Seed, err)
		}
		m.store, w.shelf = desk, memoryShelf{store}
	}
	w.mail = m
	for _, b := range []*box{
		{"inbox", "Inbox", backend.RoleInbox}, {"drafts", "Drafts", backend.RoleDrafts}, {"sent", "Sent", backend.RoleSent},
		{"trash", "Trash", backend.RoleTrash}, {"receipts", "Receipts", backend.RoleNone},
	} {
		m.boxes = append(m.boxes, b)
		if err := m.store.MakeFolder(b.name, b.role); err != nil {
			w.t.Fatalf("seed %d: making %s: %v", w.options.Seed, b, err)
		}
	}
}

// fill delivers what is there from the beginning on.
func (m *mailroom) fill() {
	for range 16 {
		m.deliver()
	}
	for range 3 {
		m.desktopDrafts()
	}
}

// role finds the folder for something.
func (m *mailroom) role(r backend.Role) *box {
	return m.boxes[slices.IndexFunc(m.boxes, func(b *box) bool { return b.role == r })]
}

// box finds a folder by its id; nil if it holds no mail.
func (m *mailroom) box(id backend.CollectionID) *box {
	if m == nil {
		return nil
	}
	if i := slices.IndexFunc(m.boxes, func(b *box) bool { return b.id == id }); i >= 0 {
		return m.boxes[i]
	}
	return nil
}

// all are all pieces.
func (m *mailroom) all() []*piece {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.AppendSeq(slices.Clone(m.notices), maps.Values(m.pieces))
}

// named finds a folder by its name, which no other thing of a storm has.
func (m *mailroom) named(name string) *box {
	if m == nil {
		return nil
	}
	if i := slices.IndexFunc(m.boxes, func(b *box) bool { return b.name == name }); i >= 0 {
		return m.boxes[i]
	}
	return nil
}

// A satchel is what the storm knows of a phone's mail.
type satchel struct {
	items map[string]*piece // that its owner did something to, by ServerId
	adds  map[string]*piece // drafts that its owner made, by ClientId
}

// equip gives a phone mail, each in a way of its own.
func (m *mailroom) equip(h *handset) {
	h.satchel = satchel{make(map[string]*piece), make(map[string]*piece)}
	s := &h.settings
	s.Classes = []string{eas.ClassEmail, eas.ClassContacts, eas.ClassCalendar, eas.ClassTasks, eas.ClassNotes}
	filter := 0
	switch h.name {
	case "old":
		s.MIMESupport = 2
	case "plain":
		filter, s.Purges = 3, true
	case "filtered":
		filter = 5
	case "stubborn":
		s.MIMESupport = 2
	case "hasty":
		h.version, filter = eas.V140, 1
	case "new":
		h.version, filter = eas.V160, 3
	case "single":
		s.MIMESupport, s.Purges = 1, true
	}
	filters := map[string]int{eas.ClassEmail: filter}
	for class, f := range s.Filters {
		filters[class] = f
	}
	s.Filters = filters
}

// A letterbox is a folder for mail as a phone holds it.
type letterbox struct {
	phone.Folder
	box *box
}

// letterboxes are the phone's folders for mail that it has asked for.
func (h *handset) letterboxes() []letterbox {
	var list []letterbox
	for _, f := range h.phone.Folders() {
		if b := h.world.mail.named(f.DisplayName); b != nil && f.Class == eas.ClassEmail && f.SyncKey != "0" {
			list = append(list, letterbox{f, b})
		}
	}
	return list
}

// spans are how long ago messages may have been received, by FilterType. See
// [MS-ASCMD] "FilterType (Sync)".
var spans = map[int]func(time.Time) time.Time{
	1: func(now time.Time) time.Time { return now.AddDate(0, 0, -1) },
	3: func(now time.Time) time.Time { return now.AddDate(0, 0, -7) },
	5: func(now time.Time) time.Time { return now.AddDate(0, -1, 0) },
}

// since is how long ago messages may have been received that the phone wants.
func (h *handset) since(now time.Time) time.Time {
	if span := spans[h.settings.Filters[eas.ClassEmail]]; span != nil {
		return span(now.UTC()).Truncate(syncengine.WindowStep)
	}
	return time.Time{}
}

// passed tells whether messages left the phone's window since a moment.
func (h *handset) passed(begin time.Time) bool {
	m := h.world.mail
	if m == nil {
		return false
	}
	from, to := h.since(begin), h.since(time.Now())
	for _, b := range m.boxes {
		for _, s := range m.holds(b) {
			if s.Received.Before(to) && !s.Received.Before(from) {
				return true
			}
		}
	}
	return false
}

// holds lists what the server holds in a folder.
func (m *mailroom) holds(b *box) []backend.Message {
	list, err := m.store.Messages(b.name)
	if err != nil {
		m.world.problem("reading %s: %v", b, err)
	}
	return list
}

// someMessage is a message by chance; ok is false if there is none.
func (m *mailroom) someMessage() (b *box, s backend.Message, p *piece, ok bool) {
	b = m.boxes[m.world.rng.IntN(len(m.boxes))]
	list := m.holds(b)
	if len(list) == 0 {
		return b, s, nil, false
	}
	s = list[m.world.rng.IntN(len(list))]
	if p, _ = m.piece(subjectOf(s.Body)); p == nil {
		m.world.problem("%s holds %q as %q, which nobody made", b, s.ID, subjectOf(s.Body))
	}
	return b, s, p, p != nil
}

// someTime is around now.
func (m *mailroom) someTime() time.Time {
	ago := time.Duration(m.world.rng.IntN(60*24))*time.Hour + 17*time.Minute
	if m.world.rng.IntN(2) == 0 {
		ago = time.Minute
	}
	return time.Now().UTC().Add(-ago)
}
