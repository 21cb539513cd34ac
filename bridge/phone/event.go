package phone

import "github.com/pushbridge/pushbridge/bridge/eas"

// A Kind says what happened.
type Kind string

// The kinds of events.
const (
	FolderAdded   Kind = "folder added"
	FolderChanged Kind = "folder changed"
	FolderRemoved Kind = "folder removed"
	Added         Kind = "added"     // the server has a new item
	Changed       Kind = "changed"   // the server has a new version
	Removed       Kind = "removed"   // the server has it no more
	Left          Kind = "left"      // it is there, but outside of the filter's window
	Accepted      Kind = "accepted"  // the server has taken the phone's new item
	Refused       Kind = "refused"   // the server has not taken the phone's edit, see Status
	Restarted     Kind = "restarted" // the server no longer knew the folder's key: everything was asked for again
	Waiting       Kind = "waiting"   // a Ping begins
	Woken         Kind = "woken"     // a Ping ended, see Status
	Troubled      Kind = "troubled"  // a Ping or a Sync failed; the phone tries again, see Err
)

// An Event is one thing that a phone noticed.
type Event struct {
	Kind     Kind
	Folder   string // its name
	FolderID string
	ServerID string         // of an item
	ClientID string         // with Accepted and Refused: the phone's name for it
	Item     eas.Properties // with Added, Changed, Accepted: the item
	Status   int            // with Refused, Woken
	Err      error          // with Troubled
}

func (f *Folder) event(k Kind) Event {
	return Event{Kind: k, Folder: f.DisplayName, FolderID: f.ServerID}
}
