package easserver

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A defect is a mistake in a translator that one item brought to light. It
// concerns this item only: the others of the folder go their way, and the log
// gets the stack.
type defect struct {
	panicked any
	stack    []byte
}

func (d *defect) Error() string {
	return fmt.Sprintf("easserver: a translator panicked: %v", d.panicked)
}

// Unwrap says what it means to the phone: the item cannot be read.
func (d *defect) Unwrap() error { return translate.ErrUnreadable }

// guard turns a panic of a translator into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = &defect{p, debug.Stack()}
	}
}

// guarded makes every translator of a class survive its own mistakes.
func (k *class) guarded() *class {
	g := *k
	if k.show != nil {
		g.show = func(object []byte, o translate.Options) (p eas.Properties, err error) {
			defer guard(&err)
			return k.show(object, o)
		}
	}
	if k.merge != nil {
		g.merge = func(object []byte, sent eas.Properties, o translate.Options) (b []byte, err error) {
			defer guard(&err)
			return k.merge(object, sent, o)
		}
	}
	if k.make != nil {
		g.make = func(uid string, sent eas.Properties, o translate.Options) (b []byte, err error) {
			defer guard(&err)
			return k.make(uid, sent, o)
		}
	}
	if k.mergeInstance != nil {
		g.mergeInstance = func(object []byte, instance string, sent eas.Properties, o translate.Options) (b []byte, err error) {
			defer guard(&err)
			return k.mergeInstance(object, instance, sent, o)
		}
	}
	if k.deleteInstance != nil {
		g.deleteInstance = func(object []byte, instance string, o translate.Options) (b []byte, err error) {
			defer guard(&err)
			return k.deleteInstance(object, instance, o)
		}
	}
	if k.attachment != nil {
		g.attachment = func(object []byte, part string) (a translate.Attachment, err error) {
			defer guard(&err)
			return k.attachment(object, part)
		}
	}
	if k.attached != nil {
		g.attached = func(sent eas.Properties, o translate.Options) eas.Properties {
			var p eas.Properties
			var err error
			func() {
				defer guard(&err)
				p = k.attached(sent, o)
			}()
			return p
		}
	}
	if k.respond != nil {
		g.respond = func(object []byte, a calendar.Answer, o translate.Options) (b []byte, err error) {
			defer guard(&err)
			return k.respond(object, a, o)
		}
	}
	if k.message != nil {
		g.message = func(m mail.Message, o translate.Options) (p eas.Properties, err error) {
			defer guard(&err)
			return k.message(m, o)
		}
	}
	if k.flags != nil {
		g.flags = func(flags []string, sent eas.Properties, o translate.Options) (set, clear []string, err error) {
			defer guard(&err)
			return k.flags(flags, sent, o)
		}
	}
	if k.facts != nil {
		g.facts = func(object []byte, o translate.Options) (f translate.Facts, err error) {
			defer guard(&err)
			return k.facts(object, o)
		}
	}
	return &g
}

// guardedAll is guarded for a table of classes.
func guardedAll(table map[backend.CollectionKind]*class) map[backend.CollectionKind]*class {
	for kind, k := range table {
		table[kind] = k.guarded()
	}
	return table
}

// report puts the stack of a defect into the log; other errors are told where
// they happen.
func (c *call) report(s *Server, err error) {
	if d, ok := errors.AsType[*defect](err); ok {
		s.Logger.Error("a translator panicked", "command", string(c.query.Command), "panic", fmt.Sprint(d.panicked), "stack", string(d.stack))
	}
}
