package eas_test

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
)

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		command     eas.Command
		code        uint8
		hasCode     bool
		in25, in161 bool
	}{
		{eas.CmdSync, 0, true, true, true},
		{eas.CmdGetAttachment, 4, true, true, false},
		{eas.CmdGetHierarchy, 0, false, true, false},
		{eas.CmdFolderSync, 9, true, true, true},
		{eas.CmdSettings, 17, true, false, true},
		{eas.CmdPing, 18, true, true, true},
		{eas.CmdFind, 23, true, false, true},
		{"Dance", 0, false, false, false},
	} {
		t.Run(string(c.command), func(t *testing.T) {
			if code, ok := c.command.Code(); code != c.code || ok != c.hasCode {
				t.Errorf("Code() = %d, %v", code, ok)
			}
			if c.command.KnownIn(eas.V25) != c.in25 || c.command.KnownIn(eas.V161) != c.in161 {
				t.Errorf("KnownIn(2.5) = %v, KnownIn(16.1) = %v", c.command.KnownIn(eas.V25), c.command.KnownIn(eas.V161))
			}
			if got, _ := eas.ParseCommand(strings.ToUpper(string(c.command))); got != c.command && c.command != "Dance" {
				t.Errorf("ParseCommand in capitals = %q", got)
			}
		})
	}
}

func TestFailure(t *testing.T) {
	for _, c := range []eas.Command{
		eas.CmdSync, eas.CmdFolderSync, eas.CmdFolderCreate, eas.CmdFolderDelete, eas.CmdFolderUpdate, eas.CmdMoveItems,
		eas.CmdGetItemEstimate, eas.CmdMeetingResponse, eas.CmdSearch, eas.CmdSettings, eas.CmdPing, eas.CmdItemOperations,
		eas.CmdProvision, eas.CmdSendMail, eas.CmdSmartReply, eas.CmdSmartForward, eas.CmdResolveRecipients,
		eas.CmdValidateCert, eas.CmdFind,
	} {
		t.Run(string(c), func(t *testing.T) {
			doc := eas.Failure(c, eas.DeviceNotProvisioned)
			if !strings.Contains(eastest.XML(doc), "<Status>142</Status>") {
				t.Errorf("got %s", eastest.XML(doc))
			}
			eastest.Validate(t, doc)
		})
	}
	for _, c := range []eas.Command{eas.CmdGetAttachment, "Dance", ""} {
		if doc := eas.Failure(c, eas.ServerError); doc != nil {
			t.Errorf("Failure(%q) = %x", c, doc)
		}
	}
}

func TestStatusesByVersion(t *testing.T) {
	for _, c := range []struct {
		status eas.Status
		v      eas.Version
		want   bool
	}{
		{1, eas.V25, true},
		{eas.DeviceNotProvisioned, eas.V121, false},
		{eas.DeviceNotProvisioned, eas.V140, true},
		{eas.DeviceInformationRequired, eas.V140, false},
		{eas.DeviceInformationRequired, eas.V141, true},
		{eas.MaximumDevicesReached, eas.V140, true},
	} {
		if got := c.status.KnownIn(c.v); got != c.want {
			t.Errorf("Status(%d).KnownIn(%v) = %v", c.status, c.v, got)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, v := range eas.Versions {
		if got, err := eas.ParseVersion(v.String()); err != nil || got != v {
			t.Errorf("ParseVersion(%q) = %v, %v", v.String(), got, err)
		}
	}
	for _, s := range []string{"", "14", "14.2", "1.41", "x", "15.1", "141"} {
		if v, err := eas.ParseVersion(s); err == nil {
			t.Errorf("ParseVersion(%q) = %v", s, v)
		}
	}
}

func TestFolderTypesHaveClasses(t *testing.T) {
	for kind, want := range map[eas.FolderType]string{
		eas.FolderContacts: eas.ClassContacts, eas.FolderUserCalendar: eas.ClassCalendar, eas.FolderTasks: eas.ClassTasks,
		eas.FolderUserNotes: eas.ClassNotes, eas.FolderInbox: eas.ClassEmail, eas.FolderUnknown: "",
	} {
		if got := kind.Class(); got != want {
			t.Errorf("type %d has class %q, want %q", kind, got, want)
		}
	}
}
