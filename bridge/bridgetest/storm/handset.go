package storm

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// A handset is a phone and what the storm knows of it.
type handset struct {
	world    *world
	name     string
	version  eas.Version
	settings phone.Settings
	phone    *phone.Phone
	merges   bool // has one folder of each kind
	judged   int  // violations
	client   *easclient.Client
	satchel  satchel

	items map[string]*object // that its owner edited, by ServerId
	adds  map[string]*object // that its owner made, by ClientId
}

// crew makes the phones: every generation, and every habit once.
func crew(w *world) []*handset {
	list := []*handset{
		w.handset("old", eas.V25, phone.Settings{WindowSize: 3}),
		w.handset("plain", eas.V121, phone.Settings{WindowSize: 100, Filters: map[string]int{eas.ClassTasks: 8}}),
		w.handset("filtered", eas.V141, phone.Settings{WindowSize: 1, Filters: map[string]int{eas.ClassCalendar: 4, eas.ClassTasks: 8}}),
		w.handset("together", eas.V141, phone.Settings{WindowSize: 5, Together: true}),
		w.handset("stubborn", eas.V161, phone.Settings{WindowSize: 7, Wins: true}),
		w.handset("hasty", eas.V141, phone.Settings{WindowSize: 10, Rebuilds: true}),
		w.handset("new", eas.V161, phone.Settings{WindowSize: 4, Together: true, Filters: map[string]int{eas.ClassCalendar: 5}}),
	}
	return append(list, w.merging("single", eas.V141, phone.Settings{WindowSize: 6, Filters: map[string]int{eas.ClassCalendar: 4}}))
}

// merging is a phone of a sort that has one folder of each kind.
func (w *world) merging(name string, v eas.Version, s phone.Settings) *handset {
	h := w.handsetOf("SAMSUNGstorm", name, v, s)
	h.merges = true
	return h
}

func (w *world) handset(name string, v eas.Version, s phone.Settings) *handset {
	return w.handsetOf("storm", name, v, s)
}

func (w *world) handsetOf(deviceType, name string, v eas.Version, s phone.Settings) *handset {
	h := &handset{world: w, name: name, version: v, settings: s, items: make(map[string]*object), adds: make(map[string]*object)}
	if w.mail != nil {
		w.mail.equip(h)
	}
	h.client = &easclient.Client{
		URL: address, User: bridgetest.User, Password: w.options.password(), Version: h.version,
		DeviceID: name, DeviceType: deviceType, UserAgent: name, HTTP: w.wire.client(),
	}
	h.phone = phone.New(h.client, h.settings)
	return h
}

func (h *handset) String() string { return fmt.Sprintf("the %s phone", h.name) }

// sync lets the phone do its whole round. An error is left to the next one.
func (h *handset) sync() (int, error) { return h.synced(h.phone.Sync(h.world.t.Context())) }

// syncOne is sync for one folder.
func (h *handset) syncOne() {
	if f, ok := h.someFolder(); ok {
		h.synced(h.phone.SyncFolders(h.world.t.Context(), f.ServerID))
	}
}

func (h *handset) folderSync() { h.synced(h.phone.FolderSync(h.world.t.Context())) }

// synced judges what a sync came to, and answers how much there was to say.
func (h *handset) synced(events []phone.Event, err error) (int, error) {
	w := h.world
	var news []string
	for _, e := range events {
		title := e.Folder
		if e.Item != nil {
			title = cmp.Or(labels.FindString(phone.Title(e.Item)), textOf(e.Item, tag.EmailSubject))
		}
		line := strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.ServerID, title))
		if e.Kind == phone.Refused {
			line += fmt.Sprintf(" %s with %d", e.ClientID, e.Status)
		}
		news = append(news, line)
	}
	w.note("%s synchronizes: %s; error %v", h, strings.Join(news, ", "), err)
	h.judge(events)
	if err != nil && !h.forgives(err) {
		h.problem("a sync failed: %v", err)
	}
	return len(events), err
}

// forgives tells whether an error is one that the weather explains. The phone
// keeps what its owner did, and tries again.
func (h *handset) forgives(err error) bool {
	w := h.world
	if errors.Is(err, errLost) || errors.Is(err, errKill) {
		return true
	}
	var he *easclient.HTTPError
	if !errors.As(err, &he) {
		return false
	}
	switch he.Status {
	case 503:
		return true
	case 401, 429:
		return w.weather.suffers(locked)
	}
	return false
}

// judge finds what must not happen, whatever the weather.
func (h *handset) judge(events []phone.Event) {
	for _, e := range events {
		switch {
		case h.world.mail.named(e.Folder) != nil && e.Kind != phone.FolderRemoved && e.Kind != phone.Restarted:
			h.judgeMail(e)
		case e.Kind == phone.Accepted:
			if o, _ := h.world.parse(labels.FindString(phone.Title(e.Item))); o != nil {
				o.sure = true
			}
		case e.Kind == phone.Removed:
			label := labels.FindString(phone.Title(e.Item))
			if o, _ := h.world.parse(label); o == nil || o.gone == "" && !o.wanders() {
				h.problem("was told that %q is gone, and nobody deleted it", label)
			} else if o.wanders() { // what its owner edited here may have come too late
				o.refuse(h.String())
			}
		case e.Kind == phone.FolderRemoved:
			if p := h.world.folders[e.FolderID]; p != nil && !p.vanished && !h.absorbs(p) {
				h.problem("was told that the folder %q is gone, and nobody removed it", e.Folder)
			}
			h.tooLate()
		case e.Kind == phone.Restarted:
			h.problem("the key of folder %q was not known any more", e.Folder)
		case e.Kind == phone.Refused:
			h.refused(e)
		case e.Kind == phone.Changed && h.world.options.Calm:
			h.reminded(e)
		}
	}
	v := h.phone.Violations()
	for _, v := range v[min(h.judged, len(v)):] {
		h.problem("%s", v)
	}
	h.judged = len(v)
}

// refused finds out whether there was reason to refuse what the phone's owner
// did: somebody else was faster, the item is gone, or it cannot be.
func (h *handset) refused(e phone.Event) {
	o := h.items[e.ServerID]
	if e.ClientID != "" {
		o = h.adds[e.ClientID]
	}
	switch status := eas.SyncStatus(e.Status); {
	case o == nil:
		h.problem("the edit of %s%s was refused with status %d, and its owner edited nothing", e.ServerID, e.ClientID, e.Status)
	case status == eas.SyncBadItem && o.where.readOnly:
	case status == eas.SyncBadItem && o.excluded():
		if h.world.forgave < h.world.report.Refusals { // or it was too large
			o.refuse(h.String())
		}
	case status == eas.SyncBadItem && h.world.forgave < h.world.report.Refusals:
		h.world.forgave++
		o.refuse(h.String())
		if e.ClientID != "" && o.gone == "" {
			h.world.deleted(o, "the server, which found it too large,")
			o.perhaps = true // an earlier try may have brought it there
		}
	case e.ClientID != "":
		h.problem("the new item %s was refused with status %d", e.ClientID, e.Status)
	case status == eas.SyncConflict: // somebody else edited the same; who lost is told when all rest
	case status == eas.SyncNotFound && o.wanders(): // it was edited where it is no more
		o.refuse(h.String())
	case status != eas.SyncNotFound:
		h.problem("the edit of %s was refused with status %d", e.ServerID, e.Status)
	}
}

// excluded tells whether occurrences were taken out of the series.
func (o *object) excluded() bool {
	for _, d := range o.days {
		if strings.HasPrefix(d.line, "EXDATE") {
			return true
		}
	}
	return false
}

// reminded finds out whether somebody else did something to an item that the
// phone is told of. It is for good weather: in bad weather the bridge may not know
// what came of the phone's own edit.
func (h *handset) reminded(e phone.Event) {
	label := labels.FindString(phone.Title(e.Item))
	o, _ := h.world.parse(label)
	if o == nil {
		h.problem("was told of %q, which nobody made", label)
		return
	}
	all := o.authors()
	if delete(all, h.String()); len(all) == 0 && !o.where.readOnly {
		h.problem("was told again of %q, which nobody else touched", label)
	}
}

func (h *handset) problem(format string, args ...any) {
	h.world.problem("%s: %s", h, fmt.Sprintf(format, args...))
}

// shows tells whether the phone wants to see an edition.
func (h *handset) shows(o *object, e *edition) bool {
	filter := h.settings.Filters[o.kind.class]
	switch {
	case filter == 8:
		return !e.done
	case filter == 0 || o.kind.class != eas.ClassCalendar || o.series:
		return true
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	since := today.AddDate(0, 0, -14)
	if filter == 5 {
		since = today.AddDate(0, -1, 0)
	}
	return e.start.Add(length).After(since)
}

// someFolder is a folder by chance; ok is false if the phone has none yet.
func (h *handset) someFolder() (f folder, ok bool) {
	list := h.folders()
	if len(list) == 0 {
		return f, false
	}
	return list[h.world.rng.IntN(len(list))], true
}

// someItem is an item by chance of those that the phone holds under an id.
func (h *handset) someItem() (f folder, id string, o *object, e *edition) {
	f, ok := h.someFolder()
	if !ok {
		return f, "", nil, nil
	}
	return h.someItemOf(f, func(*object) bool { return true })
}

// someItemOf is an item of a folder that fits a wish.
func (h *handset) someItemOf(f folder, fits func(*object) bool) (_ folder, id string, o *object, e *edition) {
	var names []string
	by := make(map[string]string)
	for id, item := range f.Items {
		name := labels.FindString(phone.Title(item))
		if o, _ := h.world.parse(name); o == nil || fits(o) {
			names, by[name] = append(names, name), id
		}
	}
	if len(names) == 0 {
		return f, "", nil, nil
	}
	slices.Sort(names)
	name := names[h.world.rng.IntN(len(names))]
	o, e = h.world.parse(name)
	if e == nil {
		// Of before the last rest: the phone was told of another edition by now,
		// or else the rest would have found it.
		h.problem("holds %q, which nobody made", name)
		return f, "", nil, nil
	}
	h.items[by[name]] = o
	return f, by[name], o, seen(f.Items[by[name]], e)
}

// seen is an edition as somebody sees it: with the time that was somebody
// else's doing.
func seen(item eas.Properties, e *edition) *edition {
	as := *e
	if start, err := time.Parse(form, compact(textOf(item, tag.CalendarStartTime))); err == nil {
		as.start = start
	}
	if done, ok := item.Text(tag.TasksComplete); ok {
		as.done = done == "1"
	}
	return &as
}

// compact is a time in its shorter form.
func compact(t string) string { return strings.NewReplacer("-", "", ":", "", ".000", "").Replace(t) }
