package easserver

import (
	"bytes"
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// tryOf names the try of a command. ClientIds may look like ServerIds.
func tryOf(cmd *eas.SyncCommand) string {
	if cmd.Do == tag.AirSyncAdd {
		return "+" + cmd.ClientID
	}
	return cmd.ServerID
}

// prepare notes what the phone's commands are about to write, before anything
// of it is written: see [syncengine.Round.Try]. It finds what was noted when the
// phone sent the same key before.
func (f *folderSync) prepare(ctx context.Context) error {
	if !f.writes() {
		return nil
	}
	before, err := f.round.Tried(ctx)
	if err != nil {
		return err
	}
	f.tried, f.noted = make(map[string]translate.Digest, len(before)), make(map[string]translate.Digest)
	for name, b := range before {
		if d, err := translate.ParseDigest(b); err == nil {
			f.tried[name], f.noted[name] = d, d
		}
	}
	tries := make(map[string][]byte)
	o := f.translation(0)
	after := make(map[string]translate.Digest) // of items that are edited more than once
	for i := range f.request.Commands {
		cmd := &f.request.Commands[i]
		if cmd.InstanceID != "" {
			continue // see noteTry
		}
		name := tryOf(cmd)
		d, ok := after[name]
		if !ok {
			if d, ok, err = f.toTry(ctx, cmd); err != nil {
				return err
			}
		}
		if !ok {
			continue
		}
		if cmd.Do == tag.AirSyncChange {
			d = d.After(cmd.Data, o)
		}
		after[name] = d
		if old, ok := f.tried[name]; ok {
			d = d.Or(old)
		}
		if b := d.Bytes(); b != nil && !bytes.Equal(b, before[name]) {
			tries[name], f.noted[name] = b, d
		}
	}
	return f.round.Try(ctx, tries)
}

// writes tells whether any command writes something that can be compared.
func (f *folderSync) writes() bool {
	for i := range f.request.Commands {
		switch cmd := &f.request.Commands[i]; {
		case cmd.Do == tag.AirSyncAdd, cmd.Do == tag.AirSyncChange, cmd.Do == tag.AirSyncDelete && cmd.InstanceID != "":
			return f.class.merge != nil && f.class.make != nil
		}
	}
	return false
}

// toTry answers what a command starts from: nothing of it can be told where it
// is not known what the phone holds.
func (f *folderSync) toTry(ctx context.Context, cmd *eas.SyncCommand) (translate.Digest, bool, error) {
	switch {
	case cmd.Do == tag.AirSyncAdd:
		c := f.create(cmd, f.nextName(cmd.ClientID))
		return c.digest, c.err == nil, nil
	case cmd.Do == tag.AirSyncChange:
		n, err := f.number(cmd.ServerID)
		if err != nil {
			return translate.Digest{}, false, nil // refused later
		}
		return f.holds(ctx, n)
	}
	return translate.Digest{}, false, nil
}

// noteTry notes what an edit of an occurrence is about to write. It is known only
// now, for it depends on what the series looks like.
func (f *folderSync) noteTry(ctx context.Context, e edit) error {
	if e.try == "" {
		return nil
	}
	d := e.held
	if before, ok := f.noted[e.try]; ok {
		d = d.Or(before)
	}
	f.noted[e.try] = d
	b := d.Bytes()
	if b == nil {
		return nil
	}
	return f.round.Try(ctx, map[string][]byte{e.try: b})
}
