package eas

// A PingRequest asks to be told of changes in folders. The parts that are nil
// stay as the phone last sent them; a Ping without a body repeats both.
// See [MS-ASCMD] "Ping".
type PingRequest struct {
	HeartbeatInterval *int         `eas:"Ping:HeartbeatInterval"` // seconds to wait; nil means as last time
	Folders           []PingFolder `eas:"Ping:Folders>Folder"`    // nil means as last time
}

// A PingFolder is a folder to be watched. See [MS-ASCMD] "Folder (Ping)".
type PingFolder struct {
	ID    string `eas:"Ping:Id"`
	Class string `eas:"Ping:Class"`
}

// A PingResponse ends a Ping. See [MS-ASCMD] "Ping".
type PingResponse struct {
	Status            PingStatus `eas:"Ping:Status,always"`
	Folders           []string   `eas:"Ping:Folders>Folder"`    // ids of the folders that changed, with PingChanges
	MaxFolders        *int       `eas:"Ping:MaxFolders"`        // with PingTooManyFolders
	HeartbeatInterval *int       `eas:"Ping:HeartbeatInterval"` // seconds, the nearest bound, with PingBadHeartbeat
}

// A PingStatus says why a Ping ended. See [MS-ASCMD] "Status (Ping)".
type PingStatus int

// The statuses of Ping.
const (
	PingExpired          PingStatus = 1 // nothing changed during the heartbeat
	PingChanges          PingStatus = 2 // the listed folders changed
	PingMissing          PingStatus = 3 // heartbeat or folders are missing and were never sent; send everything
	PingSyntax           PingStatus = 4 // the request is malformed
	PingBadHeartbeat     PingStatus = 5 // the heartbeat is out of bounds; the nearest bound is in the answer
	PingTooManyFolders   PingStatus = 6 // more folders than MaxFolders
	PingHierarchyChanged PingStatus = 7 // do a FolderSync first
	PingServerError      PingStatus = 8 // try again
)
