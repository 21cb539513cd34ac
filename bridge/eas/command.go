package eas

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A Command is the name of a command as a query says it.
type Command string

// The commands there are. See [MS-ASCMD] "Commands" and [MS-ASHTTP] "Command
// Codes".
const (
	CmdSync              Command = "Sync"
	CmdSendMail          Command = "SendMail"
	CmdSmartForward      Command = "SmartForward"
	CmdSmartReply        Command = "SmartReply"
	CmdGetAttachment     Command = "GetAttachment"
	CmdGetHierarchy      Command = "GetHierarchy"
	CmdFolderSync        Command = "FolderSync"
	CmdFolderCreate      Command = "FolderCreate"
	CmdFolderDelete      Command = "FolderDelete"
	CmdFolderUpdate      Command = "FolderUpdate"
	CmdMoveItems         Command = "MoveItems"
	CmdGetItemEstimate   Command = "GetItemEstimate"
	CmdMeetingResponse   Command = "MeetingResponse"
	CmdSearch            Command = "Search"
	CmdSettings          Command = "Settings"
	CmdPing              Command = "Ping"
	CmdItemOperations    Command = "ItemOperations"
	CmdProvision         Command = "Provision"
	CmdResolveRecipients Command = "ResolveRecipients"
	CmdValidateCert      Command = "ValidateCert"
	CmdFind              Command = "Find"
)

// noCode marks a command that the base64 query cannot name.
const noCode = -1

// commands are the commands: their code in the base64 query, the element that
// their answer is and the element of its status (0 for those that have none),
// and the versions that know them.
var commands = []struct {
	name         Command
	code         int
	root, status wbxml.Tag
	min, max     Version
}{
	{CmdSync, 0, tag.AirSyncSync, tag.AirSyncStatus, V25, V161},
	{CmdSendMail, 1, tag.ComposeMailSendMail, tag.ComposeMailStatus, V25, V161},
	{CmdSmartForward, 2, tag.ComposeMailSmartForward, tag.ComposeMailStatus, V25, V161},
	{CmdSmartReply, 3, tag.ComposeMailSmartReply, tag.ComposeMailStatus, V25, V161},
	{CmdGetAttachment, 4, 0, 0, V25, V121},
	{CmdGetHierarchy, noCode, 0, 0, V25, V121},
	{CmdFolderSync, 9, tag.FolderHierarchyFolderSync, tag.FolderHierarchyStatus, V25, V161},
	{CmdFolderCreate, 10, tag.FolderHierarchyFolderCreate, tag.FolderHierarchyStatus, V25, V161},
	{CmdFolderDelete, 11, tag.FolderHierarchyFolderDelete, tag.FolderHierarchyStatus, V25, V161},
	{CmdFolderUpdate, 12, tag.FolderHierarchyFolderUpdate, tag.FolderHierarchyStatus, V25, V161},
	{CmdMoveItems, 13, tag.MoveMoveItems, tag.MoveStatus, V25, V161},
	{CmdGetItemEstimate, 14, tag.GetItemEstimateGetItemEstimate, tag.GetItemEstimateStatus, V25, V161},
	{CmdMeetingResponse, 15, tag.MeetingResponseMeetingResponse, tag.MeetingResponseStatus, V25, V161},
	{CmdSearch, 16, tag.SearchSearch, tag.SearchStatus, V25, V161},
	{CmdSettings, 17, tag.SettingsSettings, tag.SettingsStatus, V120, V161},
	{CmdPing, 18, tag.PingPing, tag.PingStatus, V25, V161},
	{CmdItemOperations, 19, tag.ItemOperationsItemOperations, tag.ItemOperationsStatus, V120, V161},
	{CmdProvision, 20, tag.ProvisionProvision, tag.ProvisionStatus, V25, V161},
	{CmdResolveRecipients, 21, tag.ResolveRecipientsResolveRecipients, tag.ResolveRecipientsStatus, V25, V161},
	{CmdValidateCert, 22, tag.ValidateCertValidateCert, tag.ValidateCertStatus, V25, V161},
	{CmdFind, 23, tag.FindFind, tag.FindStatus, V161, V161},
}

// ParseCommand finds a command by its name, in any case. A name that no
// specification knows is answered as it is, and false.
func ParseCommand(name string) (Command, bool) {
	for _, c := range commands {
		if strings.EqualFold(string(c.name), name) {
			return c.name, true
		}
	}
	return Command(name), false
}

// commandByCode names the command of a base64 query.
func commandByCode(code uint8) Command {
	for _, c := range commands {
		if c.code == int(code) {
			return c.name
		}
	}
	return Command(fmt.Sprintf("#%d", code))
}

// Code is the command's number in a base64 query, and whether it has one.
// See [MS-ASHTTP] "Command Codes".
func (c Command) Code() (uint8, bool) {
	for _, known := range commands {
		if known.name == c && known.code != noCode {
			return uint8(known.code), true
		}
	}
	return 0, false
}

// KnownIn tells whether a version of the protocol has the command.
func (c Command) KnownIn(v Version) bool {
	for _, known := range commands {
		if known.name == c {
			return v >= known.min && v <= known.max
		}
	}
	return false
}

// Failure is the answer to a command that has a status and nothing else, as a
// document. It is nil for commands whose answers have no document, and for
// unknown ones.
func Failure(c Command, status Status) []byte {
	for _, known := range commands {
		if known.name != c || known.root == 0 {
			continue
		}
		e := wbxml.NewEncoder(nil)
		e.Start(known.root)
		if c == CmdMeetingResponse { // whose status stands in a result
			e.Start(tag.MeetingResponseResult)
		}
		e.Element(known.status, strconv.Itoa(int(status)))
		if c == CmdMeetingResponse {
			e.End()
		}
		e.End()
		return e.Bytes()
	}
	return nil
}
