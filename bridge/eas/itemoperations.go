package eas

import "github.com/pushbridge/pushbridge/bridge/wbxml"

// An ItemOperationsRequest fetches items or parts of them, empties folders and
// moves conversations. See [MS-ASCMD] "ItemOperations".
type ItemOperationsRequest struct {
	Moves   []ConversationMove `eas:"ItemOperations:Move,min=14.0"`
	Empties []EmptyFolder      `eas:"ItemOperations:EmptyFolderContents"`
	Fetches []FetchRequest     `eas:"ItemOperations:Fetch"`
}

// The stores to fetch from. See [MS-ASCMD] "Store (ItemOperations)".
const (
	StoreMailbox         = "Mailbox"
	StoreDocumentLibrary = "Document Library"
)

// A FetchRequest asks for one item: by CollectionID and ServerID, or by LongID,
// or for an attachment by FileReference, or for a document by LinkID.
// See [MS-ASCMD] "Fetch (ItemOperations)".
type FetchRequest struct {
	Store                            string        `eas:"ItemOperations:Store,always"`
	ServerID                         string        `eas:"AirSync:ServerId"`
	CollectionID                     string        `eas:"AirSync:CollectionId"`
	LinkID                           string        `eas:"DocumentLibrary:LinkId"`
	LongID                           string        `eas:"Search:LongId"`
	FileReference                    string        `eas:"AirSyncBase:FileReference"`
	Options                          *FetchOptions `eas:"ItemOperations:Options"`
	RemoveRightsManagementProtection bool          `eas:"RightsManagement:RemoveRightsManagementProtection,min=14.1"`
}

// FetchOptions say in which form the item is wanted.
// See [MS-ASCMD] "Options (ItemOperations)".
type FetchOptions struct {
	Schema                  []wbxml.Tag         `eas:"ItemOperations:Schema"` // the properties that are wanted; nil means all
	Range                   string              `eas:"ItemOperations:Range"`  // "0-999" of the bytes
	UserName                string              `eas:"ItemOperations:UserName"`
	Password                string              `eas:"ItemOperations:Password"`
	MIMESupport             *int                `eas:"AirSync:MIMESupport"`
	BodyPreferences         []BodyPreference    `eas:"AirSyncBase:BodyPreference"`
	BodyPartPreference      *BodyPartPreference `eas:"AirSyncBase:BodyPartPreference,min=14.1"`
	RightsManagementSupport *bool               `eas:"RightsManagement:RightsManagementSupport,min=14.1"`
}

// An EmptyFolder removes all items of a folder.
// See [MS-ASCMD] "EmptyFolderContents".
type EmptyFolder struct {
	CollectionID string              `eas:"AirSync:CollectionId,always"`
	Options      *EmptyFolderOptions `eas:"ItemOperations:Options"`
}

// EmptyFolderOptions are the options of EmptyFolder.
type EmptyFolderOptions struct {
	DeleteSubFolders bool `eas:"ItemOperations:DeleteSubFolders"`
}

// A ConversationMove moves a conversation to a folder.
// See [MS-ASCMD] "Move (ItemOperations)".
type ConversationMove struct {
	ConversationID Opaque       `eas:"ItemOperations:ConversationId"`
	DstFldID       string       `eas:"ItemOperations:DstFldId"`
	Options        *MoveOptions `eas:"ItemOperations:Options"`
}

// MoveOptions are the options of ConversationMove.
type MoveOptions struct {
	MoveAlways bool `eas:"ItemOperations:MoveAlways"`
}

// An ItemOperationsResponse answers the operations.
// See [MS-ASCMD] "ItemOperations".
type ItemOperationsResponse struct {
	Status   ItemOperationsStatus  `eas:"ItemOperations:Status,always"`
	Response *ItemOperationResults `eas:"ItemOperations:Response"`
}

// ItemOperationResults are the outcomes of the operations.
type ItemOperationResults struct {
	Moves   []MoveResult        `eas:"ItemOperations:Move,min=14.0"`
	Empties []EmptyFolderResult `eas:"ItemOperations:EmptyFolderContents"`
	Fetches []FetchResult       `eas:"ItemOperations:Fetch"`
}

// A MoveResult answers a ConversationMove.
type MoveResult struct {
	Status         ItemOperationsStatus `eas:"ItemOperations:Status,always"`
	ConversationID Opaque               `eas:"ItemOperations:ConversationId,always"`
}

// An EmptyFolderResult answers an EmptyFolder.
type EmptyFolderResult struct {
	Status       ItemOperationsStatus `eas:"ItemOperations:Status,always"`
	CollectionID string               `eas:"AirSync:CollectionId,always"`
}

// A FetchResult answers a FetchRequest and names what it asked for.
// See [MS-ASCMD] "Fetch (ItemOperations)".
type FetchResult struct {
	Status        ItemOperationsStatus `eas:"ItemOperations:Status,always"`
	CollectionID  string               `eas:"AirSync:CollectionId"`
	ServerID      string               `eas:"AirSync:ServerId"`
	LongID        string               `eas:"Search:LongId"`
	Class         string               `eas:"AirSync:Class"`
	LinkID        string               `eas:"DocumentLibrary:LinkId"`
	FileReference string               `eas:"AirSyncBase:FileReference"`
	Properties    Properties           `eas:"ItemOperations:Properties"`
	Encoded       Encoded              `eas:"ItemOperations:Properties"` // written in place of Properties where it is not nil; never read
}

// An ItemOperationsStatus is the outcome of ItemOperations or of one operation.
// See [MS-ASCMD] "Status (ItemOperations)".
type ItemOperationsStatus int

// The statuses of ItemOperations.
const (
	ItemOperationsOK              ItemOperationsStatus = 1
	ItemOperationsProtocol        ItemOperationsStatus = 2
	ItemOperationsServerError     ItemOperationsStatus = 3
	ItemOperationsBadURI          ItemOperationsStatus = 4
	ItemOperationsAccess          ItemOperationsStatus = 5
	ItemOperationsNotFound        ItemOperationsStatus = 6
	ItemOperationsConnect         ItemOperationsStatus = 7
	ItemOperationsBadRange        ItemOperationsStatus = 8
	ItemOperationsUnknownStore    ItemOperationsStatus = 9
	ItemOperationsEmptyFile       ItemOperationsStatus = 10
	ItemOperationsTooLarge        ItemOperationsStatus = 11
	ItemOperationsIO              ItemOperationsStatus = 12
	ItemOperationsConversion      ItemOperationsStatus = 14
	ItemOperationsBadAttachment   ItemOperationsStatus = 15 // or its id
	ItemOperationsDenied          ItemOperationsStatus = 16 // to the resource
	ItemOperationsPartial         ItemOperationsStatus = 17
	ItemOperationsCredentials     ItemOperationsStatus = 18
	ItemOperationsNoOptions       ItemOperationsStatus = 155 // the protocol does not allow these options
	ItemOperationsActionForbidden ItemOperationsStatus = 156 // the action is not allowed on this folder
)
