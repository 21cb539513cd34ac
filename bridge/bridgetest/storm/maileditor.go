package storm

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// somePiece is a message by chance of those that the phone holds and that fit.
func (h *handset) somePiece(fits func(letterbox, *piece) bool) (b letterbox, id string, p *piece) {
	m := h.world.mail
	type found struct {
		letterbox
		id string
		p  *piece
	}
	var list []found
	for _, b := range h.letterboxes() {
		for id, item := range b.Items {
			subject := textOf(item, tag.EmailSubject)
			p, _ := m.piece(subject)
			if p == nil {
				h.problem("holds %q in %s, which nobody made", subject, b.box)
			} else if fits(b, p) {
				list = append(list, found{b, id, p})
			}
		}
	}
	if len(list) == 0 {
		return letterbox{}, "", nil
	}
	slices.SortFunc(list, func(a, b found) int {
		if a.p.number != b.p.number {
			return a.p.number - b.p.number
		}
		return cmp.Or(slices.Index(m.boxes, a.box)-slices.Index(m.boxes, b.box), strings.Compare(a.id, b.id))
	})
	f := list[h.world.rng.IntN(len(list))]
	h.satchel.items[f.id] = f.p
	return f.letterbox, f.id, f.p
}

func anyPiece(letterbox, *piece) bool { return true }

// mark lets the phone's owner read a message, or flag it, or give it a category.
func (h *handset) mark() {
	b, id, p := h.somePiece(anyPiece)
	if p == nil {
		return
	}
	w := h.world
	item := b.Items[id]
	var sent eas.Properties
	switch n := w.rng.IntN(6); {
	case n < 3 && !p.draft:
		value := bit(textOf(item, tag.EmailRead) != "1")
		p.read.touch(h.String(), value)
		sent = eas.Properties{eas.T(tag.EmailRead, value)}
	case n < 5 && h.version >= eas.V120:
		value := []string{"0", "1", "2"}[w.rng.IntN(3)]
		p.follow.touch(h.String(), value)
		sent = eas.Properties{followUp(value)}
	case h.version >= eas.V140:
		value := w.mail.category()
		p.label.touch(h.String(), value)
		sent = eas.Properties{eas.C(tag.EmailCategories, eas.T(tag.EmailCategory, value))}
	default:
		return
	}
	w.count(func(r *Report) { r.Edits++ })
	w.note("%s marks %q (%s) in %s: %v", h, p.subject(""), id, b.box, sent)
	if err := h.phone.Change(b.ServerID, id, sent); err != nil {
		h.problem("marking: %v", err)
	}
}

// followUp is a flag as phones send it. See [MS-ASEMAIL] "Flag".
func followUp(status string) eas.Element {
	switch status {
	case "0":
		return eas.C(tag.EmailFlag)
	case "1":
		done := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		return eas.C(tag.EmailFlag, eas.T(tag.EmailStatus, "1"), eas.T(tag.EmailFlagType, "Flag for follow up"),
			eas.T(tag.TasksDateCompleted, done), eas.T(tag.EmailCompleteTime, done))
	}
	return eas.C(tag.EmailFlag, eas.T(tag.EmailStatus, "2"), eas.T(tag.EmailFlagType, "Flag for follow up"))
}

// discardMail lets the phone's owner delete a message.
func (h *handset) discardMail() {
	b, id, p := h.somePiece(anyPiece)
	if p == nil {
		return
	}
	to := h.world.mail.role(backend.RoleTrash)
	if h.settings.Purges || b.box == to {
		to = nil
	}
	h.world.note("%s deletes %q (%s) from %s, to %s", h, p.subject(""), id, b.box, to)
	h.world.mail.acts(p, act{by: h.String(), to: to})
	if err := h.phone.Delete(b.ServerID, id); err != nil {
		h.problem("deleting: %v", err)
	}
}

// moveMail lets the phone's owner take a message to another folder.
func (h *handset) moveMail() {
	b, id, p := h.somePiece(func(b letterbox, p *piece) bool { return b.box.role != backend.RoleDrafts })
	if p == nil {
		return
	}
	w := h.world
	open := w.mail.open(b.box)
	to := open[w.rng.IntN(len(open))]
	target := ""
	for _, f := range h.letterboxes() {
		if f.box == to {
			target = f.ServerID
		}
	}
	if target == "" {
		return
	}
	w.note("%s moves %q (%s) from %s to %s", h, p.subject(""), id, b.box, to)
	wandered, refusals := p.wanders(), w.report.Refusals
	w.mail.acts(p, act{by: h.String(), to: to})
	at := len(p.acts) - 1
	var out []eas.MoveOutcome
	err := h.insist(func() (err error) {
		out, err = h.phone.Move(w.t.Context(), b.ServerID, target, id)
		return err
	})
	w.note("%s is told of the move: %+v, error %v", h, out, err)
	if err != nil || len(out) != 1 {
		h.problem("moving %q: %v, with %d answers", p.subject(""), err, len(out))
		return
	}
	wandered = wandered || len(p.acts) > at+1 // somebody else was faster
	if out[0].Status != eas.MoveOK {
		p.acts[at].doubt = true
		if !wandered && w.report.Refusals == refusals && out[0].Status != eas.MoveLocked {
			h.problem("the move of %q was refused with status %d", p.subject(""), out[0].Status)
		}
	}
	if wandered { // what it did to it here and has not sent goes nowhere
		p.doubt(h.String())
	}
}

// draftWith is what phones send of a draft. See [MS-ASEMAIL] "Sending a Draft E-mail".
func (p *piece) draftWith(edition string, all bool) eas.Properties {
	sent := eas.Properties{eas.T(tag.EmailSubject, p.subject(edition)),
		eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, p.words(edition)))}
	if all {
		sent = append(eas.Properties{eas.T(tag.EmailTo, bobsAddress), eas.T(tag.EmailRead, "1")}, sent...)
	}
	return sent
}

// drafts is the phone's folder for drafts, if it writes any.
func (h *handset) drafts() (letterbox, bool) {
	for _, b := range h.letterboxes() {
		if h.version >= eas.V160 && b.box.role == backend.RoleDrafts {
			return b, true
		}
	}
	return letterbox{}, false
}

// writeDraft lets the phone's owner begin a mail.
func (h *handset) writeDraft() {
	b, ok := h.drafts()
	if !ok {
		return
	}
	m := h.world.mail
	p := m.newPiece(h.String(), nil)
	p.draft, p.read.base = true, "1"
	edition := m.edition()
	p.edition.touch(h.String(), edition)
	p.acts = []act{{by: h.String(), to: b.box}}
	id, err := h.phone.Add(b.ServerID, p.draftWith(edition, true))
	if err != nil {
		h.problem("writing a draft: %v", err)
	}
	h.satchel.adds[id] = p
	h.world.note("%s drafts %q as %s", h, p.subject(edition), id)
}

func isDraftHere(b letterbox, p *piece) bool { return p.draft && b.box.role == backend.RoleDrafts }

// editDraft lets the phone's owner go on with one.
func (h *handset) editDraft() {
	if _, ok := h.drafts(); !ok {
		return
	}
	b, id, p := h.somePiece(isDraftHere)
	if p == nil {
		return
	}
	edition := h.world.mail.edition()
	p.edition.touch(h.String(), edition)
	h.world.note("%s makes the draft %q (%s) %q", h, textOf(b.Items[id], tag.EmailSubject), id, p.subject(edition))
	if err := h.phone.Change(b.ServerID, id, p.draftWith(edition, false)); err != nil {
		h.problem("editing a draft: %v", err)
	}
}

// sendDraft lets the phone's owner have one sent.
func (h *handset) sendDraft() {
	if _, ok := h.drafts(); !ok {
		return
	}
	b, id, p := h.somePiece(isDraftHere)
	if p == nil {
		return
	}
	h.world.note("%s has the draft %q (%s) sent", h, textOf(b.Items[id], tag.EmailSubject), id)
	h.world.mail.acts(p, act{by: h.String(), to: h.world.mail.role(backend.RoleSent)})
	h.world.count(func(r *Report) { r.Letters++ })
	h.world.mail.begins(p)
	if err := h.phone.SendDraft(b.ServerID, id); err != nil {
		h.problem("sending a draft: %v", err)
	}
}

// syncMail is syncOne for a folder with mail.
func (h *handset) syncMail() {
	if list := h.letterboxes(); len(list) > 0 {
		h.synced(h.phone.SyncFolders(h.world.t.Context(), list[h.world.rng.IntN(len(list))].ServerID))
	}
}

// waitForMail is wait for a message.
func (h *handset) waitForMail() {
	w, m := h.world, h.world.mail
	defer w.calmly()()
	if !h.calmSync() {
		return
	}
	w.note("%s waits for mail", h)
	w.count(func(r *Report) { r.Pings++ })
	answered := make(chan error, 1)
	var status eas.PingStatus
	w.weather.crowd(+1)
	go func(ctx context.Context) {
		r, err := h.phone.Ping(ctx, heartbeat)
		status = r.Status
		answered <- err
	}(w.t.Context())
	w.pass(meanwhile)
	m.deliverTo(m.role(backend.RoleInbox), time.Now())
	err := <-answered
	w.weather.crowd(-1)
	w.note("%s is told %d, %v", h, status, err)
	if err != nil || status != eas.PingChanges && status != eas.PingHierarchyChanged {
		h.problem("waited for mail, and was told status %d, error %v", status, err)
	}
	h.sync()
}
