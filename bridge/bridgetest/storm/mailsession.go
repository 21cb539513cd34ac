package storm

import (
	"bytes"
	"context"
	"io"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A mailing session is one with mail, in the weather.
type mailing struct{ editing }

var (
	_ backend.Mailbox    = mailing{}
	_ backend.Sender     = mailing{}
	_ backend.Identifier = mailing{}
)

// Extras says what sessions of a storm with mail have, so that phones are offered it.
func (b stormy) Extras() []backend.Extra {
	if b.weather.world.mail == nil {
		return nil
	}
	return []backend.Extra{backend.ExtraFolderEditor, backend.ExtraIdentity, backend.ExtraMail, backend.ExtraSend}
}

func (s mailing) room() *mailroom { return s.weather.world.mail }

// failed counts what fails with mail: where that is what is done when a mail is out,
// such as keeping a copy, nobody is told of it.
func (s mailing) failed(c backend.CollectionID, err error) error {
	m := s.room()
	if err != nil && m.box(c) != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.failures++
	}
	return err
}

func (s mailing) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	if s.room().box(c) != nil && s.weather.roll(ctx, 20) {
		s.weather.world.fault("the history of %s is forgotten", c)
		s.weather.world.shelf.Forget(c)
	}
	return s.editing.Changes(ctx, c, since, yield)
}

func (s mailing) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	stored, err := s.editing.Put(ctx, c, it)
	return stored, s.failed(c, err)
}

// Move always moves: stores of mail do.
func (s mailing) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	if s.room().box(from) == nil {
		return s.editing.Move(ctx, from, id, to)
	}
	moved, err := weathered(ctx, s.weather, memory.OpMove, func() (backend.Item, error) { return s.Session.Move(ctx, from, id, to) })
	return moved, s.failed(to, err)
}

func (s mailing) mailbox() backend.Mailbox {
	box, ok := backend.As[backend.Mailbox](s.Session)
	if !ok {
		panic("storm: the backend has no mail")
	}
	return box
}

func (s mailing) Messages(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, limit int, yield func(backend.Message) error) error {
	if err := s.weather.before(ctx, memory.OpMessages); err != nil {
		return s.failed(c, err)
	}
	breaks := -1
	if s.weather.roll(ctx, 30) {
		breaks = chance(ctx, 4)
	}
	n := 0
	err := s.mailbox().Messages(ctx, c, ids, limit, func(m backend.Message) error {
		if n++; breaks >= 0 && n > breaks {
			s.weather.world.fault("Messages breaks off after %d", breaks)
			return storms(memory.OpMessages)
		}
		if s.weather.roll(ctx, 10) {
			s.weather.world.fault("one message cannot be read")
			m = backend.Message{ID: m.ID, Err: storms(memory.OpMessages)}
		}
		return yield(m)
	})
	if err == nil {
		err = s.weather.after(ctx, memory.OpMessages)
	}
	return s.failed(c, err)
}

func (s mailing) Part(ctx context.Context, c backend.CollectionID, id backend.ItemID, path string, offset, length int64, w io.Writer) error {
	_, err := weathered(ctx, s.weather, memory.OpPart, func() (struct{}, error) {
		return struct{}{}, s.mailbox().Part(ctx, c, id, path, offset, length, w)
	})
	return err
}

func (s mailing) SetFlags(ctx context.Context, c backend.CollectionID, id backend.ItemID, set, clear []string) (backend.Revision, error) {
	rev, err := weathered(ctx, s.weather, memory.OpSetFlags, func() (backend.Revision, error) {
		return s.mailbox().SetFlags(ctx, c, id, set, clear)
	})
	return rev, s.failed(c, err)
}

func (s mailing) Identity(ctx context.Context) (backend.Identity, error) {
	return weathered(ctx, s.weather, memory.OpIdentity, func() (backend.Identity, error) {
		i, ok := backend.As[backend.Identifier](s.Session)
		if !ok {
			panic("storm: the backend knows nobody")
		}
		return i.Identity(ctx)
	})
}

// Send may find the message unfit, break off before the mail system has said
// whether it took the message, and be killed at that moment.
func (s mailing) Send(ctx context.Context, e backend.Envelope, r io.Reader) error {
	if err := s.weather.before(ctx, memory.OpSend); err != nil {
		return err
	}
	if s.weather.roll(ctx, 25) {
		s.weather.world.fault("the mail system refuses a mail")
		return backend.E(backend.Invalid, "storm: Send", errStorm)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	p, _ := s.room().piece(subjectOf(body))
	if p == nil {
		s.weather.world.problem("a mail %q is sent, which nobody wrote", subjectOf(body))
		return nil
	}
	if s.weather.roll(ctx, 25) {
		s.weather.world.fault("the mail system takes no mail, and nobody hears that")
		return s.room().sent(p, 0, backend.E(backend.Other, "storm: Send", errStorm))
	}
	sender, ok := backend.As[backend.Sender](s.Session)
	if !ok {
		panic("storm: the backend does not send")
	}
	if err := sender.Send(ctx, e, bytes.NewReader(body)); err != nil {
		return err
	}
	return s.room().sent(p, 1, s.answered(ctx))
}

// answered lets the mail system say that it took a mail, or not.
func (s mailing) answered(ctx context.Context) error {
	switch lone := s.weather.alone(); {
	case s.weather.dead():
		return storms(memory.OpSend)
	case lone && s.weather.roll(ctx, 25):
		s.weather.kill("after", memory.OpSend)
		return storms(memory.OpSend)
	case s.weather.roll(ctx, 40):
		s.weather.world.fault("the mail system takes a mail, and nobody hears that")
		return backend.E(backend.Other, "storm: Send", errStorm)
	}
	return nil
}

// sent notes that the mail system took a mail, or not, and passes on what the bridge
// is told.
func (m *mailroom) sent(p *piece, taken int, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.outcome(p)
	o.taken += taken
	if err != nil {
		o.unsure++
	}
	return err
}

// An outcome is what came of a mail that a phone sends.
type outcome struct {
	taken  int  // how many times the mail system took it
	unsure int  // how many times the bridge gave it away and was not told what came of it
	told   bool // a phone was told that it is out
	given  int  // how many times a Worker gave it to the mail system
	begun  bool // a phone sends it by way of a Worker
	harm   int  // how many failures there were before it did
	clean  bool // and there was none until the phone was told that it is out
}

// outcome is that of a piece. m.mu is held.
func (m *mailroom) outcome(p *piece) *outcome {
	o := m.out[p.number]
	if o == nil {
		o = new(outcome)
		m.out[p.number] = o
	}
	return o
}
