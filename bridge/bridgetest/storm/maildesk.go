package storm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// deliver brings a message to the inbox, or to another folder, as filters of the
// server do.
func (m *mailroom) deliver() *piece {
	w := m.world
	b := m.role(backend.RoleInbox)
	if w.rng.IntN(4) == 0 {
		b = m.named("Receipts")
	}
	return m.deliverTo(b, m.someTime())
}

func (m *mailroom) deliverTo(b *box, received time.Time) *piece {
	w := m.world
	p := m.newPiece(desktop, b)
	p.sure, p.keep = true, fmt.Sprintf("$Keep%d", p.number)
	flags := []string{p.keep}
	if w.rng.IntN(3) == 0 {
		p.read.base = "1"
		flags = append(flags, backend.FlagSeen)
	}
	if w.rng.IntN(4) == 0 {
		p.label.base = m.category()
		flags = append(flags, p.label.base)
	}
	p.text[""] = p.compose(annsAddress, "")
	w.note("%q is delivered to %s, received %s", p.subject(""), b, received.Format(time.RFC3339))
	m.brings(p, m.store.Deliver(b.name, mailName(p.number), p.text[""], received, flags...))
	return p
}

// desktopDrafts writes a draft.
func (m *mailroom) desktopDrafts() {
	p := m.newPiece(desktop, m.role(backend.RoleDrafts))
	p.sure, p.draft, p.keep = true, true, fmt.Sprintf("$Keep%d", p.number)
	p.read.base = "1"
	p.edition.base = m.edition()
	p.text[p.edition.base] = p.compose(bobsAddress, p.edition.base)
	m.world.note("%s drafts %q", desktop, p.subject(p.edition.base))
	m.brings(p, m.store.Deliver(p.where.name, mailName(p.number), p.text[p.edition.base], time.Now(), backend.FlagSeen, backend.FlagDraft, p.keep))
}

// brings finds out whether a new message came.
func (m *mailroom) brings(p *piece, err error) {
	if err != nil {
		m.world.problem("%q cannot be delivered: %v", p.subject(p.edition.base), err)
	}
}

// category is one that nothing else has; edition the same of drafts.
func (m *mailroom) category() string {
	m.world.serial++
	return fmt.Sprintf("c%d", m.world.serial)
}

func (m *mailroom) edition() string {
	m.world.serial++
	return fmt.Sprint(m.world.serial)
}

// desktopActs does something on the server.
func (m *mailroom) desktopActs() {
	w := m.world
	switch n := w.rng.IntN(20); {
	case n < 6:
		m.deliver()
	case n < 7:
		m.desktopDrafts()
	case n < 14:
		m.desktopMarks()
	case n < 17:
		m.desktopMoves()
	default:
		m.desktopDeletes()
	}
}

// desktopMarks changes flags of a message.
func (m *mailroom) desktopMarks() {
	b, s, p, ok := m.someMessage()
	if !ok {
		return
	}
	w := m.world
	var set, clear []string
	switch n := w.rng.IntN(3); {
	case n == 0 && !p.draft:
		value := bit(readOf(s.Flags) == "0")
		p.read.touch(desktop, value)
		if value == "1" {
			set = []string{backend.FlagSeen}
		} else {
			clear = []string{backend.FlagSeen}
		}
	case n == 1:
		clear = slices.DeleteFunc(slices.Clone(s.Flags), func(f string) bool { return f != backend.FlagFlagged && !strings.HasPrefix(f, followDone) })
		value := "0"
		if followOf(s.Flags) != "2" {
			value, set = "2", []string{backend.FlagFlagged}
		}
		p.follow.touch(desktop, value)
	default:
		value := m.category()
		clear = slices.DeleteFunc(slices.Clone(s.Flags), func(f string) bool { return !categoryForm.MatchString(f) })
		set = []string{value}
		p.label.touch(desktop, value)
	}
	w.note("%s sets %v and clears %v of %q in %s", desktop, set, clear, subjectOf(s.Body), b)
	w.count(func(r *Report) { r.Edits++ })
	m.tooLate(p, m.store.SetFlags(b.name, s.ID, set, clear))
}

// desktopMoves takes a message to another folder. Drafts stay where they are.
func (m *mailroom) desktopMoves() {
	b, s, p, ok := m.someMessage()
	others := m.open(b)
	if !ok || b.role == backend.RoleDrafts || !p.sure {
		return
	}
	to := others[m.world.rng.IntN(len(others))]
	m.world.note("%s moves %q from %s to %s", desktop, subjectOf(s.Body), b, to)
	m.acts(p, act{by: desktop, to: to})
	m.tooLate(p, m.store.Move(b.name, s.ID, to.name))
}

// open are the folders to which people move what is in another one.
func (m *mailroom) open(from *box) []*box {
	return slices.DeleteFunc(slices.Clone(m.boxes), func(b *box) bool {
		return b == from || b.role == backend.RoleDrafts || b.role == backend.RoleSent
	})
}

// acts notes that somebody takes a piece somewhere.
func (m *mailroom) acts(p *piece, a act) {
	p.acts = append(p.acts, a)
	m.world.count(func(r *Report) {
		if a.to == nil {
			r.Deletions++
		} else {
			r.Moves++
		}
	})
}

func (m *mailroom) desktopDeletes() {
	b, s, p, ok := m.someMessage()
	if !ok || !p.sure {
		return
	}
	m.world.note("%s deletes %q from %s", desktop, subjectOf(s.Body), b)
	m.acts(p, act{by: desktop})
	m.tooLate(p, m.store.Delete(b.name, s.ID))
}

// tooLate finds out whether the desktop came too late for what it wanted to do to a
// piece, while others are at it.
func (m *mailroom) tooLate(p *piece, err error) {
	switch {
	case err == nil:
	case backend.KindOf(err) == backend.NotFound && m.world.weather.crowds():
		p.doubt(desktop)
	default:
		m.world.problem("%s is refused what it does to %q: %v", desktop, p.subject(""), err)
	}
}
