package admin_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
)

// Two people who change a setting each of the same policy both have their way.
func TestOneSettingIsChanged(t *testing.T) {
	d, book := newRuledDesk(t, false)
	set := func(settings map[string]any) error {
		_, err := admin.OpPolicyEdit.Do(t.Context(), d.Server, boss, admin.PolicyEdit{Policies: map[string]*admin.PolicyText{"strict": {Settings: settings, Keep: true}}})
		return err
	}
	for _, settings := range []map[string]any{
		{"device_password_enabled": true, "allow_camera": "false"}, {"min_device_password_length": "8"}, {"device_password_history": 3.0}, {"allow_camera": nil},
	} {
		if err := set(settings); err != nil {
			t.Fatal(err)
		}
	}
	err := set(map[string]any{"allow_camra": nil})
	if e, _ := errors.AsType[*admin.Error](err); e == nil || e.Kind != admin.Invalid {
		t.Errorf("taking out what is no setting ends with %v", err)
	}
	st, err := book.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := rsop.Values{"device_password_enabled": true, "min_device_password_length": 8.0, "device_password_history": 3.0}
	if diff := cmp.Diff(want, st.Policies["strict"].Values); diff != "" {
		t.Errorf("the policy is another one (-want +got):\n%s", diff)
	}
}
