package eas

// RootFolder is the parent of the topmost folders. See [MS-ASCMD] "ParentId
// (FolderSync)".
const RootFolder = "0"

// A FolderType says what a folder is for. See [MS-ASCMD] "Type (FolderSync)".
type FolderType int

// The types of folders. There is exactly one folder of each default type.
const (
	FolderGeneric        FolderType = 1
	FolderInbox          FolderType = 2
	FolderDrafts         FolderType = 3
	FolderDeleted        FolderType = 4
	FolderSent           FolderType = 5
	FolderOutbox         FolderType = 6
	FolderTasks          FolderType = 7
	FolderCalendar       FolderType = 8
	FolderContacts       FolderType = 9
	FolderNotes          FolderType = 10
	FolderJournal        FolderType = 11
	FolderUserMail       FolderType = 12
	FolderUserCalendar   FolderType = 13
	FolderUserContacts   FolderType = 14
	FolderUserTasks      FolderType = 15
	FolderUserJournal    FolderType = 16
	FolderUserNotes      FolderType = 17
	FolderUnknown        FolderType = 18
	FolderRecipientCache FolderType = 19
)

// Class is the class of the items in folders of the type, "" where none can be
// told.
func (t FolderType) Class() string {
	switch t {
	case FolderInbox, FolderDrafts, FolderDeleted, FolderSent, FolderOutbox, FolderUserMail:
		return ClassEmail
	case FolderTasks, FolderUserTasks:
		return ClassTasks
	case FolderCalendar, FolderUserCalendar:
		return ClassCalendar
	case FolderContacts, FolderUserContacts, FolderRecipientCache:
		return ClassContacts
	case FolderNotes, FolderUserNotes:
		return ClassNotes
	}
	return ""
}

// A FolderSyncRequest asks for the folders that changed; with key "0" for all
// of them. See [MS-ASCMD] "FolderSync".
type FolderSyncRequest struct {
	SyncKey string `eas:"FolderHierarchy:SyncKey,always"`
}

// A FolderSyncResponse has a new key and changes only if it succeeded.
// See [MS-ASCMD] "FolderSync".
type FolderSyncResponse struct {
	Status  FolderStatus   `eas:"FolderHierarchy:Status,always"`
	SyncKey string         `eas:"FolderHierarchy:SyncKey"`
	Changes *FolderChanges `eas:"FolderHierarchy:Changes"`
}

// FolderChanges are what is new among the folders, in the order in which they
// travel. See [MS-ASCMD] "Changes".
type FolderChanges struct {
	Count   int         `eas:"FolderHierarchy:Count,always"` // of all that follow
	Updates []Folder    `eas:"FolderHierarchy:Update"`
	Deletes []FolderRef `eas:"FolderHierarchy:Delete"`
	Adds    []Folder    `eas:"FolderHierarchy:Add"` // parents before children
}

// A Folder as FolderSync tells of it. See [MS-ASCMD] "Add (FolderSync)".
type Folder struct {
	ServerID    string     `eas:"FolderHierarchy:ServerId,always"`
	ParentID    string     `eas:"FolderHierarchy:ParentId,always"` // RootFolder for the topmost
	DisplayName string     `eas:"FolderHierarchy:DisplayName,always"`
	Type        FolderType `eas:"FolderHierarchy:Type,always"`
}

// A FolderRef names a folder that is gone. See [MS-ASCMD] "Delete (FolderSync)".
type FolderRef struct {
	ServerID string `eas:"FolderHierarchy:ServerId,always"`
}

// A FolderStatus is the outcome of FolderSync, FolderCreate, FolderUpdate or
// FolderDelete. See [MS-ASCMD] "Status (FolderSync)", "Status (FolderCreate)",
// "Status (FolderUpdate)" and "Status (FolderDelete)".
type FolderStatus int

// The statuses of the folder commands.
const (
	FolderOK          FolderStatus = 1
	FolderExists      FolderStatus = 2  // FolderCreate, FolderUpdate: the parent has a folder of that name
	FolderSystem      FolderStatus = 3  // it is one of the default folders, which stay as they are
	FolderMissing     FolderStatus = 4  // FolderUpdate, FolderDelete: there is no such folder
	FolderNoParent    FolderStatus = 5  // FolderCreate, FolderUpdate: there is no such parent
	FolderServerError FolderStatus = 6  // try again
	FolderBadKey      FolderStatus = 9  // start over with key "0"
	FolderMalformed   FolderStatus = 10 // the request, or a value in it
	FolderUnknownErr  FolderStatus = 11
	FolderCodeUnknown FolderStatus = 12 // Exchange: an unusual back-end issue
)
