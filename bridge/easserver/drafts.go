package easserver

import (
	"context"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// errNoDrafts refuses what is to be added or edited.
var errNoDrafts = fmt.Errorf("%w: a message stays as it is, but for its flags", translate.ErrInvalid)

func (f *folderSync) addDraft(context.Context, *eas.SyncCommand) (string, error) {
	return "", errNoDrafts
}

func (f *folderSync) changeDraft(context.Context, *eas.SyncCommand, syncengine.Number) error {
	return errNoDrafts
}
