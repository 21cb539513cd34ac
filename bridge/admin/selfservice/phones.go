package selfservice

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

func itoa(n int) string { return strconv.Itoa(n) }

// A kind of folders, as people know it.
type kind struct{ Kind, Words string }

var kinds = []kind{
	{string(backend.Mail), "mail"}, {string(backend.Events), "calendar"}, {string(backend.Contacts), "contacts"},
	{string(backend.Tasks), "tasks"}, {string(backend.Notes), "notes"},
}

// nameOf is what a phone is called.
func nameOf(d admin.Device) string { return cmp.Or(d.Called, d.Name, d.Model, d.Type, d.Device) }

// mostProblems bounds the objects that are listed.
const mostProblems = 20

// A list of an owner's phones.
type list struct {
	Phones   []admin.Device
	Away     []string // servers that do not answer
	Problems []admin.Problem
	More     int // problems that are not listed
}

func (p *Pages) phones(a *ask) (err error) {
	var l list
	if l.Phones, err = admin.OpDevices.Do(a.Context(), p.Server, a.actor, admin.UserRequest{User: a.user}); err != nil {
		return err
	}
	if l.Away, err = p.away(a); err != nil {
		return err
	}
	if l.Problems, err = admin.OpProblems.Do(a.Context(), p.Server, a.actor, admin.UserRequest{User: a.user}); err != nil {
		return err
	}
	if l.More = len(l.Problems) - mostProblems; l.More > 0 {
		l.Problems = l.Problems[:mostProblems]
	}
	p.show(a, 200, "phones", view{Title: "My phones", Data: l})
	return nil
}

// away are the servers that do not answer.
func (p *Pages) away(a *ask) (names []string, err error) {
	services, err := admin.OpServices.Do(a.Context(), p.Server, a.actor, admin.UserRequest{User: a.user})
	for _, s := range services {
		if !s.Well {
			names = append(names, s.Name)
		}
	}
	return names, err
}

// A phonePage is everything that an owner sees of a phone.
type phonePage struct {
	admin.DevicePage
	Away    []string
	Folders []choosable
	Kinds   []wakes
	All     bool // every folder wakes it
	Some    int  // folders that wake it and that only an administrator can name
	From    string
	To      string
	Zone    string
	Offers  []offer

	MayName, MayChoose, MayPush bool
}

// A choosable folder can be shown on the phone or not.
type choosable struct {
	admin.Folder
	On int // items on this phone
}

// wakes says whether folders of a kind wake the phone.
type wakes struct {
	kind
	Yes bool
}

func (p *Pages) phone(a *ask) error {
	device := a.URL.Query().Get("device")
	page := phonePage{}
	var err error
	if page.DevicePage, err = admin.OpDevice.Do(a.Context(), p.Server, a.actor, a.phone(device)); err != nil {
		return err
	}
	if page.Away, err = p.away(a); err != nil {
		return err
	}
	if page.Folders, err = p.folders(a, device); err != nil {
		return err
	}
	page.push()
	page.Offers = p.offers(a, page.Device)
	page.MayName = a.may(admin.OpRename.Operation, admin.RenameRequest{User: a.user})
	page.MayChoose = a.may(admin.OpChoose.Operation, admin.ChoiceRequest{User: a.user}) && p.Server.Choices != nil
	page.MayPush = a.may(admin.OpSetPush.Operation, admin.PushRequest{User: a.user})
	p.show(a, 200, "phone", view{Title: nameOf(page.Device), Data: page})
	return nil
}

// folders are those of the owner, with what a phone has of each and whether it is
// shown it.
func (p *Pages) folders(a *ask, device string) (list []choosable, err error) {
	all, err := admin.OpFolders.Do(a.Context(), p.Server, a.actor, a.phone(device))
	for _, f := range all {
		c := choosable{Folder: f}
		for _, h := range f.Devices {
			c.On += h.Items
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b choosable) int {
		at := func(c choosable) int { return slices.IndexFunc(kinds, func(k kind) bool { return k.Kind == c.Kind }) }
		return cmp.Or(cmp.Compare(at(a), at(b)), strings.Compare(a.Name, b.Name))
	})
	return list, err
}

// push says what wakes the phone, as the form has it.
func (page *phonePage) push() {
	now := page.Push
	page.All, page.Some = !now.Only, len(now.Folders)
	for _, k := range kinds {
		page.Kinds = append(page.Kinds, wakes{k, !now.Only || slices.Contains(now.Kinds, k.Kind)})
	}
	if now.Quiet != nil {
		page.From, page.To, page.Zone = now.Quiet.From.String(), now.Quiet.To.String(), cmp.Or(now.Quiet.Zone, "UTC")
	}
}
