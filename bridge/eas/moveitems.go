package eas

// A MoveItemsRequest moves items between folders. See [MS-ASCMD] "MoveItems".
type MoveItemsRequest struct {
	Moves []ItemMove `eas:"Move:Move"`
}

// An ItemMove moves one item. See [MS-ASCMD] "Move (MoveItems)".
type ItemMove struct {
	SrcMsgID string `eas:"Move:SrcMsgId,always"`
	SrcFldID string `eas:"Move:SrcFldId,always"`
	DstFldID string `eas:"Move:DstFldId,always"`
}

// A MoveItemsResponse answers item by item. See [MS-ASCMD] "MoveItems".
type MoveItemsResponse struct {
	Status    MoveStatus    `eas:"Move:Status"` // of the whole request; 0 leaves it out
	Responses []MoveOutcome `eas:"Move:Response"`
}

// A MoveOutcome is the new id of a moved item. See [MS-ASCMD] "Response
// (MoveItems)".
type MoveOutcome struct {
	SrcMsgID string     `eas:"Move:SrcMsgId,always"`
	Status   MoveStatus `eas:"Move:Status,always"`
	DstMsgID string     `eas:"Move:DstMsgId"`
}

// A MoveStatus is the outcome of a move. See [MS-ASCMD] "Status (MoveItems)".
type MoveStatus int

// The statuses of MoveItems. Success is 3.
const (
	MoveBadSource      MoveStatus = 1
	MoveBadDestination MoveStatus = 2
	MoveOK             MoveStatus = 3
	MoveSameFolder     MoveStatus = 4
	MoveFailed         MoveStatus = 5 // or more than one destination
	MoveLocked         MoveStatus = 7
)
