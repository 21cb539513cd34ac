package storm

import (
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
	judged   int // violations
}

// crew makes the phones: every generation, and every habit once.
func crew(w *world) []*handset {
	return []*handset{
		w.handset("old", eas.V25, phone.Settings{WindowSize: 3}),
		w.handset("plain", eas.V121, phone.Settings{WindowSize: 100, Filters: map[string]int{eas.ClassTasks: 8}}),
		w.handset("filtered", eas.V141, phone.Settings{WindowSize: 1, Filters: map[string]int{eas.ClassCalendar: 4, eas.ClassTasks: 8}}),
		w.handset("together", eas.V141, phone.Settings{WindowSize: 5, Together: true}),
		w.handset("stubborn", eas.V161, phone.Settings{WindowSize: 7, Wins: true}),
		w.handset("hasty", eas.V141, phone.Settings{WindowSize: 10, Rebuilds: true}),
		w.handset("new", eas.V161, phone.Settings{WindowSize: 4, Together: true, Filters: map[string]int{eas.ClassCalendar: 5}}),
	}
}

func (w *world) handset(name string, v eas.Version, s phone.Settings) *handset {
	h := &handset{world: w, name: name, version: v, settings: s}
	h.phone = phone.New(&easclient.Client{
		URL: address, User: bridgetest.User, Password: bridgetest.Password, Version: v,
		DeviceID: name, DeviceType: "storm", UserAgent: name, HTTP: w.wire.client(),
	}, s)
	return h
}

func (h *handset) String() string { return fmt.Sprintf("the %s phone", h.name) }

// sync lets the phone do its whole round. An error is left to the next one.
func (h *handset) sync() { h.synced(h.phone.Sync(h.world.t.Context())) }

// syncOne is sync for one folder.
func (h *handset) syncOne() {
	folders := h.phone.Folders()
	if len(folders) == 0 {
		return
	}
	f := folders[h.world.rng.IntN(len(folders))]
	if !slices.Contains([]string{eas.ClassContacts, eas.ClassCalendar, eas.ClassTasks, eas.ClassNotes}, f.Class) {
		return
	}
	h.synced(h.phone.SyncFolders(h.world.t.Context(), f.ServerID))
}

func (h *handset) folderSync() { h.synced(h.phone.FolderSync(h.world.t.Context())) }

// synced judges what a sync came to, and answers what is to say about it.
func (h *handset) synced(events []phone.Event, err error) (int, error) {
	w := h.world
	var news []string
	for _, e := range events {
		title := ""
		if e.Item != nil {
			title = labels.FindString(phone.Title(e.Item))
		}
		line := strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.ServerID, title))
		if e.Kind == phone.Refused {
			line += fmt.Sprintf("%s with %d", e.ClientID, e.Status)
		}
		news = append(news, line)
	}
	w.note("%s synchronizes: %s; error %v", h, strings.Join(news, ", "), err)
	h.judge(events)
	var he *easclient.HTTPError
	switch {
	case err == nil, errors.Is(err, errLost), errors.Is(err, errKill):
	case errors.As(err, &he) && he.Status == 503:
	default:
		h.problem("a sync failed: %v", err)
	}
	return len(events), err
}

// judge finds what must not happen, whatever the weather.
func (h *handset) judge(events []phone.Event) {
	for _, e := range events {
		switch {
		case e.Kind == phone.Accepted:
			if o, _ := h.world.parse(labels.FindString(phone.Title(e.Item))); o != nil {
				o.sure = true
			}
		case e.Kind == phone.Removed:
			label := labels.FindString(phone.Title(e.Item))
			if o, _ := h.world.parse(label); o == nil || o.gone == "" {
				h.problem("was told that %q is gone, and nobody deleted it", label)
			}
		case e.Kind == phone.Restarted:
			h.problem("the key of folder %q was not known any more", e.Folder)
		case e.Kind == phone.Refused && e.ClientID != "":
			h.problem("the new item %s was refused with status %d", e.ClientID, e.Status)
		case e.Kind == phone.Refused && eas.SyncStatus(e.Status) != eas.SyncConflict && eas.SyncStatus(e.Status) != eas.SyncNotFound:
			h.problem("the edit of %s was refused with status %d", e.ServerID, e.Status)
		}
	}
	v := h.phone.Violations()
	for _, v := range v[min(h.judged, len(v)):] {
		h.problem("%s", v)
	}
	h.judged = len(v)
}

func (h *handset) problem(format string, args ...any) {
	h.world.problem("%s: %s", h, fmt.Sprintf(format, args...))
}

// folder is one of the phone's that the storm plays with.
type folder struct {
	phone.Folder
	kind *kind
}

func (h *handset) folders() []folder {
	var list []folder
	for _, f := range h.phone.Folders() {
		for _, k := range kinds {
			if f.Class == k.class {
				list = append(list, folder{f, k})
			}
		}
	}
	return list
}

// someFolder is a folder by chance; ok is false if the phone has none yet.
func (h *handset) someFolder() (f folder, ok bool) {
	list := h.folders()
	if len(list) == 0 {
		return f, false
	}
	return list[h.world.rng.IntN(len(list))], true
}

// add lets the phone's owner make something.
func (h *handset) add() {
	f, ok := h.someFolder()
	if !ok || f.SyncKey == "0" {
		return
	}
	o, e := h.world.newObject(f.kind, h.String())
	p := f.kind.sends(o, e)
	if f.kind.more != nil {
		p = append(p, f.kind.more(o)...)
	}
	id, err := h.phone.Add(f.ServerID, p)
	if err != nil {
		h.problem("adding: %v", err)
	}
	h.world.note("%s adds %q as %s", h, e.label(), id)
}

// someItem is an item by chance of those that the phone holds under an id.
func (h *handset) someItem() (f folder, id string, o *object, e *edition) {
	f, ok := h.someFolder()
	if !ok || len(f.Items) == 0 {
		return f, "", nil, nil
	}
	var names []string
	by := make(map[string]string)
	for id, item := range f.Items {
		name := labels.FindString(phone.Title(item))
		names, by[name] = append(names, name), id
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
	return f, by[name], o, e
}

// edit lets the phone's owner change something.
func (h *handset) edit() {
	f, id, o, was := h.someItem()
	if o == nil {
		return
	}
	w := h.world
	e := w.edited(o, w.turned(o, *was), h.String())
	o.editions[len(o.editions)-1].rebuilt = h.settings.Rebuilds
	w.note("%s makes %q of %q (%s)", h, e.label(), was.label(), id)
	if err := h.phone.Change(f.ServerID, id, f.kind.sends(o, e)); err != nil {
		h.problem("editing: %v", err)
	}
}

// editDay lets the phone's owner change one occurrence of a series.
func (h *handset) editDay() {
	if h.version < eas.V160 {
		return
	}
	f, id, o, was := h.someItem()
	for range 10 { // there are few
		if o != nil && o.series {
			break
		}
		f, id, o, was = h.someItem()
	}
	if o == nil || !o.series {
		return
	}
	w := h.world
	day := was.start.AddDate(0, 0, 3*(1+w.rng.IntN(4))).Format(form)
	w.serial++
	title := fmt.Sprintf("day %d of %d", w.serial, o.number)
	w.note("%s calls the occurrence of %q at %s %q", h, was.label(), day, title)
	again := *was
	again.by = h.String()
	o.editions = append(o.editions, again)
	if o.days == nil {
		o.days = make(map[string]string)
	}
	o.keep = slices.DeleteFunc(o.keep, func(l string) bool { return l == "SUMMARY:"+o.days[day] })
	o.days[day] = title
	w.count(func(r *Report) { r.Days++ })
	if err := h.phone.ChangeInstance(f.ServerID, id, day, eas.Properties{eas.T(tag.CalendarSubject, title)}); err != nil {
		h.problem("editing an occurrence: %v", err)
	}
}

// remove lets the phone's owner delete something.
func (h *handset) remove() {
	f, id, o, was := h.someItem()
	if o == nil {
		return
	}
	h.world.note("%s deletes %q (%s)", h, was.label(), id)
	h.world.deleted(o, h.String())
	if err := h.phone.Delete(f.ServerID, id); err != nil {
		h.problem("deleting: %v", err)
	}
}

// forget makes the phone new. What its owner edited is brought home before.
func (h *handset) forget() {
	w := h.world
	w.calm(true)
	defer w.calm(false)
	if err := w.shelf.Recover(); err != nil {
		w.problem("the shelf is broken: %v", err)
	}
	h.sync()
	if n, err := h.synced(h.phone.Sync(w.t.Context())); err != nil {
		h.problem("synchronizing in calm weather (%d events): %v", n, err)
		return
	}
	w.note("%s forgets everything", h)
	h.phone.Forget()
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
