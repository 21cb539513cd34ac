package selfservice

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// rename gives a phone a name.
func (p *Pages) rename(a *ask) error {
	device := a.PostForm.Get("device")
	_, err := admin.OpRename.Do(a.Context(), p.Server, a.actor, admin.RenameRequest{User: a.user, Device: device, Name: a.PostForm.Get("name")})
	if err != nil {
		return err
	}
	return p.goTo(a, "phone", "device", device, "said", "renamed")
}

// chooseFolders shows those folders on a phone that are ticked, and hides the
// others. Only what differs from before is changed, so that what an administrator
// chose for many folders at once stays as it is.
func (p *Pages) chooseFolders(a *ask) error {
	device := a.PostForm.Get("device")
	folders, err := p.folders(a, device)
	if err != nil {
		return err
	}
	if device == "" {
		return &admin.Error{Kind: admin.Invalid, Text: "The form does not say which phone."}
	}
	for _, f := range folders {
		id := strconv.FormatInt(f.ID, 10)
		if !slices.Contains(a.PostForm["listed"], id) {
			continue // it came since the page was made
		}
		hide := !slices.Contains(a.PostForm["show"], id)
		if hide == f.Hidden {
			continue
		}
		c := admin.Choice{Device: device, Pattern: patternOf(f.Folder), Hide: hide}
		if _, err := admin.OpChoose.Do(a.Context(), p.Server, a.actor, admin.ChoiceRequest{User: a.user, Choice: c}); err != nil {
			return err
		}
	}
	return p.goTo(a, "phone", "device", device, "said", "folders")
}

// patternOf is a rule that fits a folder. What would stand for any text there
// stands for one character, which it fits itself.
func patternOf(f admin.Folder) string { return f.Kind + "/" + strings.ReplaceAll(f.Name, "*", "?") }

// setPush says what may wake a phone. Folders that an administrator named stay.
func (p *Pages) setPush(a *ask) error {
	device, form := a.PostForm.Get("device"), a.PostForm
	now, err := admin.OpPush.Do(a.Context(), p.Server, a.actor, a.phone(device))
	if err != nil {
		return err
	}
	r := admin.PushRequest{User: a.user, Device: device, SetFolders: true, All: form.Get("wakes") != "some", SetQuiet: true}
	if !r.All {
		r.Kinds = form["kind"]
		if now.Only {
			r.Folders = now.Folders
		}
	}
	switch from, to := strings.TrimSpace(form.Get("from")), strings.TrimSpace(form.Get("to")); {
	case from == "" && to == "":
	case from == "" || to == "":
		return &admin.Error{Kind: admin.Invalid, Text: "Quiet hours have a beginning and an end; leave both empty for none."}
	default:
		r.Quiet, r.Zone = from+"-"+to, strings.TrimSpace(form.Get("zone"))
		if r.Zone == "" {
			return &admin.Error{Kind: admin.Invalid, Text: "Say in which time zone the quiet hours are, such as Europe/Berlin."}
		}
	}
	if _, err := admin.OpSetPush.Do(a.Context(), p.Server, a.actor, r); err != nil {
		return err
	}
	return p.goTo(a, "phone", "device", device, "said", "push")
}
