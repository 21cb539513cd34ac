package eas

// A FindRequest looks for people or mails. See [MS-ASCMD] "Find".
type FindRequest struct {
	SearchID string         `eas:"Find:SearchId,always"`
	Search   *ExecuteSearch `eas:"Find:ExecuteSearch"`
}

// An ExecuteSearch has one of two criteria. See [MS-ASCMD] "ExecuteSearch".
type ExecuteSearch struct {
	Mailbox *FindCriterion `eas:"Find:MailBoxSearchCriterion"`
	GAL     *FindCriterion `eas:"Find:GALSearchCriterion"`
}

// A FindCriterion says for what to look. See [MS-ASCMD]
// "MailBoxSearchCriterion" and "GALSearchCriterion".
type FindCriterion struct {
	Query   *Element     `eas:"Find:Query"` // text for GAL, a few conditions for the mailbox
	Options *FindOptions `eas:"Find:Options"`
}

// FindOptions say how much is wanted. See [MS-ASCMD] "Options (Find)".
type FindOptions struct {
	Range         string       `eas:"Find:Range"` // "0-99"
	DeepTraversal bool         `eas:"Find:DeepTraversal"`
	Picture       *FindPicture `eas:"Find:Picture"`
}

// A FindPicture asks for photographs. See [MS-ASCMD] "Picture (Find)".
type FindPicture struct {
	MaxSize     *int `eas:"Find:MaxSize"`     // bytes
	MaxPictures *int `eas:"Find:MaxPictures"` // how many results may have one
}

// A FindResponse has what was found. See [MS-ASCMD] "Find".
type FindResponse struct {
	Status   FindStatus   `eas:"Find:Status,always"`
	Response *FindResults `eas:"Find:Response"`
}

// FindResults are the results. See [MS-ASCMD] "Response (Find)".
type FindResults struct {
	Store   string       `eas:"ItemOperations:Store"`
	Status  FindStatus   `eas:"Find:Status,always"`
	Results []FindResult `eas:"Find:Result"`
	Range   string       `eas:"Find:Range"`
	Total   *int         `eas:"Find:Total"`
}

// A FindResult is one thing that was found. See [MS-ASCMD] "Result (Find)".
type FindResult struct {
	Class        string     `eas:"AirSync:Class"`
	ServerID     string     `eas:"AirSync:ServerId"`
	CollectionID string     `eas:"AirSync:CollectionId"`
	Properties   Properties `eas:"Find:Properties"`
}

// A FindStatus is the outcome of a Find. See [MS-ASCMD] "Status (Find)".
type FindStatus int

// The statuses of Find.
const (
	FindOK         FindStatus = 1
	FindInvalid    FindStatus = 2 // the request contradicts the protocol
	FindFolderSync FindStatus = 3 // the folders are not the phone's any more
	FindRange      FindStatus = 4 // the first range of a search begins with 0
)
