package eas

// A GetItemEstimateRequest asks how many changes a Sync would bring.
// See [MS-ASCMD] "GetItemEstimate".
type GetItemEstimateRequest struct {
	Collections []EstimateCollection `eas:"GetItemEstimate:Collections>Collection"`
}

// An EstimateCollection is one folder of the question. Up to 12.1 Class and
// FilterType stand beside the key, later they are among the Options, and the
// key comes first. See [MS-ASCMD] "Collection (GetItemEstimate)".
type EstimateCollection struct {
	Class            string        `eas:"GetItemEstimate:Class,max=12.1"`
	CollectionID     string        `eas:"GetItemEstimate:CollectionId"`
	ConversationMode *bool         `eas:"AirSync:ConversationMode,min=14.0"`
	FilterType       *int          `eas:"AirSync:FilterType,max=12.1"`
	SyncKey          string        `eas:"AirSync:SyncKey,always,first=14.0"`
	Options          []SyncOptions `eas:"AirSync:Options,min=14.0"`
}

// A GetItemEstimateResponse answers folder by folder.
// See [MS-ASCMD] "GetItemEstimate".
type GetItemEstimateResponse struct {
	Status    EstimateStatus `eas:"GetItemEstimate:Status"` // of the whole request; 0 leaves it out
	Responses []Estimate     `eas:"GetItemEstimate:Response"`
}

// An Estimate is the answer for one folder. See [MS-ASCMD] "Response
// (GetItemEstimate)".
type Estimate struct {
	Status     EstimateStatus  `eas:"GetItemEstimate:Status,always"`
	Collection *EstimateResult `eas:"GetItemEstimate:Collection"`
}

// An EstimateResult is a folder and its number of changes.
type EstimateResult struct {
	Class        string `eas:"GetItemEstimate:Class,max=12.0"`
	CollectionID string `eas:"GetItemEstimate:CollectionId,always"`
	Estimate     *int   `eas:"GetItemEstimate:Estimate"` // nil if the status is not EstimateOK
}

// An EstimateStatus is the outcome of a GetItemEstimate.
// See [MS-ASCMD] "Status (GetItemEstimate)".
type EstimateStatus int

// The statuses of GetItemEstimate.
const (
	EstimateOK            EstimateStatus = 1
	EstimateBadCollection EstimateStatus = 2
	EstimateNotPrimed     EstimateStatus = 3 // the folder has not been synchronized yet
	EstimateBadKey        EstimateStatus = 4
)
