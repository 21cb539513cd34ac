package easserver

import (
	"errors"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// One object that brings a mistake of ours to light must not keep a phone from
// all the others.
func TestPanicOfATranslatorConcernsOneItem(t *testing.T) {
	k := (&class{
		show:           func([]byte, translate.Options) (eas.Properties, error) { panic("show") },
		merge:          func([]byte, eas.Properties, translate.Options) ([]byte, error) { panic("merge") },
		make:           func(string, eas.Properties, translate.Options) ([]byte, error) { panic("make") },
		mergeInstance:  func([]byte, string, eas.Properties, translate.Options) ([]byte, error) { panic("mergeInstance") },
		deleteInstance: func([]byte, string, translate.Options) ([]byte, error) { panic("deleteInstance") },
		facts:          func([]byte, translate.Options) (translate.Facts, error) { panic("facts") },
	}).guarded()
	for name, call := range map[string]func() error{
		"show":           func() error { _, err := k.show(nil, translate.Options{}); return err },
		"merge":          func() error { _, err := k.merge(nil, nil, translate.Options{}); return err },
		"make":           func() error { _, err := k.make("", nil, translate.Options{}); return err },
		"mergeInstance":  func() error { _, err := k.mergeInstance(nil, "", nil, translate.Options{}); return err },
		"deleteInstance": func() error { _, err := k.deleteInstance(nil, "", translate.Options{}); return err },
		"facts":          func() error { _, err := k.facts(nil, translate.Options{}); return err },
	} {
		err := call()
		if d, ok := errors.AsType[*defect](err); !ok || d.panicked != name || len(d.stack) == 0 {
			t.Errorf("%s: error %v, want the panic with its stack", name, err)
		}
		if status := itemStatus(err); status != eas.SyncBadItem {
			t.Errorf("%s: the phone would be told status %d, want 6", name, status)
		}
	}
	if k := (&class{}).guarded(); k.show != nil || k.merge != nil || k.mergeInstance != nil {
		t.Error("guarding made up translators that the class lacks")
	}
}
