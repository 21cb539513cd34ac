package easserver

import (
	"bytes"
	"errors"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// occurrence is the editor for one occurrence of a series, named by its time. It
// is compared as a whole: where somebody else edited that very occurrence, the
// phone's wish decides, and what others did to the rest of the series stays. See
// [MS-ASCMD] "Conflict" and [MS-ASAIRS] "InstanceId".
func (f *folderSync) occurrence(cmd *eas.SyncCommand, o translate.Options, apply func([]byte) ([]byte, error)) editor {
	return func(e edit, object []byte, told bool) (_ edit, err error) {
		e.foreign = !told
		if e.body, err = apply(object); err != nil || !e.known {
			return e, err
		}
		before, err1 := f.class.show(object, o)
		shown, err2 := f.class.show(e.body, o)
		if err := errors.Join(err1, err2); err != nil {
			return e, err
		}
		tried, again := f.tried[tryOf(cmd)]
		if !told || f.round.Repeated {
			var theirs bool
			theirs, e.foreign = translate.SiftInstance(e.held, tried, cmd.InstanceID, before)
			if e.sifted = true; theirs && !f.set.phoneWins() && !bytes.Equal(object, e.body) {
				e.body, e.disputed = object, true
				return e, nil
			}
		}
		if again { // an earlier try may be what is there
			e.held = e.held.OrOccurrences(tried, before)
		}
		e.held = e.held.WroteInstance(cmd.InstanceID, before, shown)
		e.try = tryOf(cmd)
		return e, nil
	}
}
