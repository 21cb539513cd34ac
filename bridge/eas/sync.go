package eas

import "github.com/pushbridge/pushbridge/bridge/wbxml"

// The classes of items. See [MS-ASCMD] "Class (Sync)".
const (
	ClassEmail    = "Email"
	ClassContacts = "Contacts"
	ClassCalendar = "Calendar"
	ClassTasks    = "Tasks"
	ClassNotes    = "Notes"
	ClassSMS      = "SMS"
)

// A SyncRequest brings the phone's changes and asks for those of the server.
// Without a body it repeats the request before it. See [MS-ASCMD] "Sync".
type SyncRequest struct {
	Collections       []SyncCollection `eas:"AirSync:Collections>Collection"`
	Wait              *int             `eas:"AirSync:Wait,min=12.1"`              // minutes to wait for a change, 1 to 59
	HeartbeatInterval *int             `eas:"AirSync:HeartbeatInterval,min=14.0"` // the same in seconds, 60 to 3540
	WindowSize        *int             `eas:"AirSync:WindowSize,min=12.1"`        // most items in the whole answer
	Partial           bool             `eas:"AirSync:Partial,min=12.1"`           // what is not said is as in the request before
}

// A SyncCollection is what a SyncRequest says of one folder.
// See [MS-ASCMD] "Collection (Sync)".
type SyncCollection struct {
	Class            string        `eas:"AirSync:Class,max=12.0"`
	SyncKey          string        `eas:"AirSync:SyncKey,always"`
	CollectionID     string        `eas:"AirSync:CollectionId"`
	Supported        []wbxml.Tag   `eas:"AirSync:Supported"` // properties that are not ghosted; nil if the element is absent: nothing is
	DeletesAsMoves   *bool         `eas:"AirSync:DeletesAsMoves"`
	GetChanges       *bool         `eas:"AirSync:GetChanges"`
	WindowSize       *int          `eas:"AirSync:WindowSize"` // most items in the answer
	ConversationMode *bool         `eas:"AirSync:ConversationMode,min=14.0"`
	Options          []SyncOptions `eas:"AirSync:Options"` // nil means as last time
	Commands         []SyncCommand `eas:"AirSync:Commands>Add|Change|Delete|Fetch"`
}

// SyncOptions say which items of a folder a phone wants and in what form. They
// last until a phone sends others. See [MS-ASCMD] "Options (Sync)".
type SyncOptions struct {
	FilterType              *int                `eas:"AirSync:FilterType"`
	Class                   string              `eas:"AirSync:Class,min=14.0"`
	BodyPreferences         []BodyPreference    `eas:"AirSyncBase:BodyPreference,min=12.0"`
	BodyPartPreference      *BodyPartPreference `eas:"AirSyncBase:BodyPartPreference,min=14.1"`
	Truncation              *int                `eas:"AirSync:Truncation,max=2.5"` // 0 headers only, 1 512 bytes, 2 1 KB, ... 9 everything
	Conflict                *int                `eas:"AirSync:Conflict"`           // 0 the phone wins, 1 the server wins (the default)
	MIMESupport             *int                `eas:"AirSync:MIMESupport"`
	MIMETruncation          *int                `eas:"AirSync:MIMETruncation"`
	MaxItems                *int                `eas:"AirSync:MaxItems,min=14.0"` // of the recipient information cache
	RightsManagementSupport *bool               `eas:"RightsManagement:RightsManagementSupport,min=14.1"`
}

// A BodyPreference is a form in which a phone takes bodies, one per Type.
// See [MS-ASAIRS] "BodyPreference".
type BodyPreference struct {
	Type           int  `eas:"AirSyncBase:Type,always"`      // 1 plain text, 2 HTML, 3 RTF, 4 MIME
	TruncationSize *int `eas:"AirSyncBase:TruncationSize"`   // bytes; nil means no limit
	AllOrNone      bool `eas:"AirSyncBase:AllOrNone,value"`  // nothing rather than a cut body
	Preview        *int `eas:"AirSyncBase:Preview,min=14.0"` // characters
}

// A BodyPartPreference is a form in which a phone takes the part of a body that
// is new in a conversation. See [MS-ASAIRS] "BodyPartPreference".
type BodyPartPreference struct {
	Type           int  `eas:"AirSyncBase:Type,always"`
	TruncationSize *int `eas:"AirSyncBase:TruncationSize"`
	AllOrNone      bool `eas:"AirSyncBase:AllOrNone,value"`
	Preview        *int `eas:"AirSyncBase:Preview"`
}

// A SyncCommand is one change to one item, by the phone (Add, Change, Delete,
// Fetch) or by the server (Add, Change, Delete, SoftDelete).
// See [MS-ASCMD] "Commands".
type SyncCommand struct {
	Do         wbxml.Tag  `eas:",element"`                        // tag.AirSyncAdd, AirSyncChange, AirSyncDelete, AirSyncFetch, AirSyncSoftDelete
	Class      string     `eas:"AirSync:Class,min=14.0"`          // where it is not that of the folder
	ClientID   string     `eas:"AirSync:ClientId"`                // in an Add of the phone
	ServerID   string     `eas:"AirSync:ServerId"`                // in everything else
	InstanceID string     `eas:"AirSyncBase:InstanceId,min=16.0"` // one occurrence of a recurring event
	Send       bool       `eas:"Email2:Send,min=16.0"`            // send the draft
	Data       Properties `eas:"AirSync:ApplicationData"`
	Encoded    Encoded    `eas:"AirSync:ApplicationData"` // written in place of Data where it is not nil; never read
}

// A SyncResponse answers a SyncRequest. One that has nothing to say, no change
// in any folder, is sent as an empty body. See [MS-ASCMD] "Sync".
type SyncResponse struct {
	Status      SyncStatus   `eas:"AirSync:Status"`                 // of the whole request; 0 leaves it out
	Limit       *int         `eas:"AirSync:Limit,min=12.1"`         // with SyncBadWait and SyncTooManyCollections
	Collections []SyncResult `eas:"AirSync:Collections>Collection"` // nil, never empty: some phones stumble over an empty list
}

// A SyncResult is what a SyncResponse says of one folder.
// See [MS-ASCMD] "Collection (Sync)".
type SyncResult struct {
	Class         string        `eas:"AirSync:Class,max=12.0"`
	SyncKey       string        `eas:"AirSync:SyncKey,always"`
	CollectionID  string        `eas:"AirSync:CollectionId"`
	Status        SyncStatus    `eas:"AirSync:Status,always"`
	Responses     []SyncOutcome `eas:"AirSync:Responses>Add|Change|Delete|Fetch"` // to the phone's commands; nil, never empty
	MoreAvailable bool          `eas:"AirSync:MoreAvailable"`
	Commands      []SyncCommand `eas:"AirSync:Commands>Add|Change|Delete|SoftDelete"` // what is new; nil, never empty
}

// A SyncOutcome answers one command of the phone. Successful Changes and Deletes
// are not answered. See [MS-ASCMD] "Responses".
type SyncOutcome struct {
	Do         wbxml.Tag  `eas:",element"` // the tag of the command
	Class      string     `eas:"AirSync:Class,min=14.0"`
	ClientID   string     `eas:"AirSync:ClientId"` // of an Add
	ServerID   string     `eas:"AirSync:ServerId"` // of the new item, or of that which the command was for
	InstanceID string     `eas:"AirSyncBase:InstanceId,min=16.0"`
	Status     SyncStatus `eas:"AirSync:Status,always"`
	Data       Properties `eas:"AirSync:ApplicationData"` // of a Fetch, and of an Add or Change that got attachments
	Encoded    Encoded    `eas:"AirSync:ApplicationData"` // written in place of Data where it is not nil; never read
}

// A SyncStatus is the outcome of a Sync, of one folder in it, or of one
// command. See [MS-ASCMD] "Status (Sync)".
type SyncStatus int

// The statuses of Sync.
const (
	SyncOK                 SyncStatus = 1
	SyncBadKey             SyncStatus = 3  // the phone starts over with key "0" and loads everything again
	SyncProtocol           SyncStatus = 4  // the request contradicts the protocol
	SyncServerError        SyncStatus = 5  // try again later
	SyncBadItem            SyncStatus = 6  // the phone's item is malformed or contradicts itself
	SyncConflict           SyncStatus = 7  // the server's version won
	SyncNotFound           SyncStatus = 8  // there is no such item
	SyncNoSpace            SyncStatus = 9  // the user has no room left
	SyncHierarchyChanged   SyncStatus = 12 // do a FolderSync first
	SyncIncomplete         SyncStatus = 13 // an empty or partial request, and what it refers to is unknown; send all of it
	SyncBadWait            SyncStatus = 14 // the wait is out of bounds; the nearest bound is in Limit
	SyncTooManyCollections SyncStatus = 15 // more folders than Limit
	SyncRetry              SyncStatus = 16 // something passing; try again
)
