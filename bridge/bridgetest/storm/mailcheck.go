package storm

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// judgeMail is judge for an event of a folder with mail.
func (h *handset) judgeMail(e phone.Event) {
	m := h.world.mail
	switch e.Kind {
	case phone.Accepted:
		if p := h.satchel.adds[e.ClientID]; p != nil {
			p.sure = true
		}
	case phone.Removed:
		if p, _ := m.piece(textOf(e.Item, tag.EmailSubject)); p == nil || !p.wanders() && !p.rewritten() {
			h.problem("was told that %q is gone from %s, and nobody took it away", textOf(e.Item, tag.EmailSubject), e.Folder)
		} else { // what its owner did to it here may have come too late
			p.tooLate(h.String())
		}
	case phone.Refused:
		h.refusedMail(e)
	}
}

// tooLate is doubt for all but what takes the piece away: what a phone is told of
// that comes of it.
func (p *piece) tooLate(by string) {
	for _, a := range p.aspects() {
		a.doubt(by)
	}
}

// refusedMail finds out whether there was reason to refuse what the phone's owner
// did to a message.
func (h *handset) refusedMail(e phone.Event) {
	w := h.world
	p := h.satchel.items[e.ServerID]
	if e.ClientID != "" {
		p = h.satchel.adds[e.ClientID]
	}
	switch status := eas.SyncStatus(e.Status); {
	case p == nil:
		h.problem("the edit of %s%s was refused with status %d, and its owner edited nothing", e.ServerID, e.ClientID, e.Status)
	case status == eas.SyncBadItem && w.forgave < w.report.Refusals:
		w.forgave++
		p.doubt(h.String())
	case status == eas.SyncNotFound && p.draft && p.onlySentBy(h.String()) && w.mail.gave(p):
		h.problem("was told that the draft %q is not there, and it was sent", p.subject(""))
	case status == eas.SyncNotFound && (p.wanders() || p.rewritten()):
		p.doubt(h.String())
	case e.Status == int(eas.MailSubmissionFailed) && w.report.Faults > 0: // the mail system said so
		p.doubt(h.String())
	default:
		h.problem("what was done to %q was refused with status %d", p.subject(""), e.Status)
	}
}

// rewritten tells whether it is a draft that somebody went on writing: where the bridge
// was killed over it, it may be another message to phones.
func (p *piece) rewritten() bool { return p.draft && len(p.edition.touches) > 0 }

// onlySentBy tells whether somebody had the draft sent once since the last rest, did
// nothing else to it, and nobody else took it anywhere.
func (p *piece) onlySentBy(by string) bool {
	for _, a := range p.aspects() {
		if slices.ContainsFunc(a.touches, func(t touch) bool { return t.by == by }) {
			return false
		}
	}
	return len(p.acts) == 1 && p.acts[0].by == by
}

// gave tells whether the mail system was given a mail.
func (m *mailroom) gave(p *piece) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.outcome(p)
	return o.taken+o.unsure+o.given > 0
}

// check compares the mail on the server with what people did, and what phones hold
// with what is there.
func (m *mailroom) check() {
	lies := make(map[*piece]*box)
	for _, b := range m.boxes {
		for _, s := range m.holds(b) {
			p, edition := m.piece(subjectOf(s.Body))
			if p == nil {
				m.world.problem("%s holds %q as %q, which nobody made", b, s.ID, subjectOf(s.Body))
				continue
			}
			if there := lies[p]; there != nil {
				m.world.problem("%q is in %s, and in %s, too", p.subject(edition), there, b)
			}
			lies[p] = b
			m.checkPiece(b, s, p, edition)
		}
	}
	for _, p := range m.all() {
		if lies[p] == nil && !p.mayLie(nil) {
			m.world.problem("%q of %s is gone: it was in %s, and what was done is %+v", p.subject(""), p.by, p.where, p.acts)
		}
		if p.about == nil {
			m.checkOutcome(p, lies[p])
		}
	}
	for _, h := range m.world.phones {
		h.checkMail()
	}
}

// checkPiece compares a message with what people did to it.
func (m *mailroom) checkPiece(b *box, s backend.Message, p *piece, edition string) {
	loose := p.wanders()
	says := func(what, is string, a *aspect) {
		if !a.may(is, loose) {
			m.world.problem("%q in %s has %s %q, after %q and %+v", p.subject(edition), b, what, is, a.base, a.touches)
		}
	}
	if !p.mayLie(b) {
		m.world.problem("%q is in %s: it was in %s, and what was done is %+v", p.subject(edition), b, p.where, p.acts)
	}
	says("the edition", edition, &p.edition)
	says("read", readOf(s.Flags), &p.read)
	says("the follow-up", followOf(s.Flags), &p.follow)
	for _, one := range append(strings.Fields(labelOf(s.Flags)), "")[:max(1, len(strings.Fields(labelOf(s.Flags))))] {
		says("the category", one, &p.label) // several: people did it at the same moment
	}
	if p.keep != "" && !backend.HasFlag(s.Flags, p.keep) {
		m.world.problem("%q lost the keyword %s, and has %v", p.subject(edition), p.keep, s.Flags)
	}
	for mark := range p.marks {
		if !backend.HasFlag(s.Flags, mark) {
			m.world.problem("%q lost %s, and has %v", p.subject(edition), mark, s.Flags)
		}
	}
	if b.role == backend.RoleDrafts && !backend.HasFlag(s.Flags, backend.FlagDraft) {
		m.world.problem("the draft %q is none any more: %v", p.subject(edition), s.Flags)
	}
	if was := p.text[edition]; was != nil && !bytes.Equal(was, s.Body) {
		m.world.problem("%q is\n%s\nand was\n%s", p.subject(edition), s.Body, was)
	}
	if !bytes.Contains(s.Body, []byte(p.words(edition))) {
		m.world.problem("%q has another text:\n%s", p.subject(edition), s.Body)
	}
	p.text[edition] = s.Body
}

// checkOutcome compares what is on the server with what the mail system took.
func (m *mailroom) checkOutcome(p *piece, in *box) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.outcome(p)
	switch sent := m.role(backend.RoleSent); {
	case o.taken > 1:
		m.world.problem("%q was sent %d times", p.subject(""), o.taken)
	case o.unsure > 0 && p.notice == nil:
		m.world.problem("nobody knows whether %q went out, and nobody is told of that", p.subject(""))
	case p.notice != nil: // whether it went out is not known, which may be where it was not given away
	case o.told && o.taken == 0:
		m.world.problem("a phone was told that %q is out, and it is not, and nobody is told of that", p.subject(""))
	case o.taken+o.unsure == 0 && p.draft && in == sent:
		m.world.problem("the draft %q is among sent mail, and was not sent", p.subject(""))
	case o.taken+o.unsure == 0 && p.letter && in != nil:
		m.world.problem("%q is in %s, and was not sent", p.subject(""), in)
	}
}

// checkMail compares the messages of a phone with those of the server.
func (h *handset) checkMail() {
	m := h.world.mail
	since := h.since(time.Now())
	seen := make(map[*box]bool)
	for _, f := range h.letterboxes() {
		seen[f.box] = true
		want := make(map[string]backend.Message)
		for _, s := range m.holds(f.box) {
			if !s.Received.Before(since) {
				want[subjectOf(s.Body)] = s
			}
		}
		for id, item := range f.Items {
			subject := textOf(item, tag.EmailSubject)
			s, ok := want[subject]
			if !ok {
				h.problem("holds %s as %q in %s, which it should not, or twice", id, subject, f.box)
				continue
			}
			delete(want, subject)
			h.checkMessage(f.box, item, s)
		}
		for subject := range want {
			h.problem("does not hold %q in %s", subject, f.box)
		}
	}
	for _, b := range m.boxes {
		if !seen[b] {
			h.problem("has no folder %s", b)
		}
	}
}

// checkMessage compares one.
func (h *handset) checkMessage(b *box, item eas.Properties, s backend.Message) {
	subject := subjectOf(s.Body)
	same := func(what, is, want string) {
		if is != want {
			h.problem("holds %q in %s with %s %q, want %q", subject, b, what, is, want)
		}
	}
	same("read", textOf(item, tag.EmailRead), readOf(s.Flags))
	if h.version >= eas.V120 {
		flag, _ := item.Find(tag.EmailFlag)
		status := textOf(flag.Children, tag.EmailStatus)
		if status == "" {
			status = "0"
		}
		same("the follow-up", status, followOf(s.Flags))
	}
	if h.version >= eas.V140 {
		var list []string
		held, _ := item.Find(tag.EmailCategories)
		for _, e := range held.Children {
			list = append(list, e.Text)
		}
		slices.Sort(list)
		want := strings.Fields(labelOf(s.Flags))
		slices.Sort(want)
		same("the categories", strings.Join(list, " "), strings.Join(want, " "))
	}
	p, edition := h.world.mail.piece(subject)
	if p == nil {
		return // it was said above
	}
	body, raw := bodyOf(item)
	if !strings.Contains(body, p.words(edition)) {
		h.problem("holds %q in %s with the text %q", subject, b, body)
	}
	if raw && body != string(s.Body) {
		h.problem("holds %q in %s as %q, and it is %q", subject, b, body, s.Body)
	}
}

// bodyOf is the body that a phone holds, and whether it is the message as it is. See [MS-ASEMAIL] "MIMEData" and [MS-ASAIRS]
// "Data (Body)".
func bodyOf(item eas.Properties) (body string, raw bool) {
	if e, ok := item.Find(tag.EmailMIMEData); ok {
		return e.Content(), true
	}
	if e, ok := item.Find(tag.AirSyncBaseBody); ok {
		data, _ := eas.Properties(e.Children).Find(tag.AirSyncBaseData)
		return data.Content(), textOf(e.Children, tag.AirSyncBaseType) == "4"
	}
	e, _ := item.Find(tag.EmailBody)
	return e.Content(), false
}

// settle makes what is now the beginning of what comes.
func (m *mailroom) settle() {
	for _, p := range m.all() {
		p.where, p.acts = nil, nil
	}
	for _, b := range m.boxes {
		for _, s := range m.holds(b) {
			p, edition := m.piece(subjectOf(s.Body))
			if p == nil {
				continue
			}
			p.where, p.sure = b, true
			p.edition.settle(edition)
			p.read.settle(readOf(s.Flags))
			p.follow.settle(followOf(s.Flags))
			p.label.settle(labelOf(s.Flags))
			p.marks = make(map[string]bool)
			for _, f := range []string{backend.FlagAnswered, backend.FlagForwarded} {
				if backend.HasFlag(s.Flags, f) {
					p.marks[f] = true
				}
			}
		}
	}
	for _, h := range m.world.phones {
		clear(h.satchel.items)
		clear(h.satchel.adds)
	}
}
