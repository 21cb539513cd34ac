package eas

// The stores to search. See [MS-ASCMD] "Name (Search)".
const (
	SearchGAL             = "GAL"
	SearchMailbox         = "Mailbox"
	SearchDocumentLibrary = "DocumentLibrary"
)

// A SearchRequest looks for people, mails or documents. See [MS-ASCMD] "Search".
type SearchRequest struct {
	Store SearchStore `eas:"Search:Store"`
}

// A SearchStore says where to look and for what. See [MS-ASCMD] "Store
// (Search)".
type SearchStore struct {
	Name    string         `eas:"Search:Name,always"`
	Query   *Element       `eas:"Search:Query"` // text for GAL, a tree of conditions for the others
	Options *SearchOptions `eas:"Search:Options"`
}

// SearchOptions say how much is wanted and in what form.
// See [MS-ASCMD] "Options (Search)".
type SearchOptions struct {
	MIMESupport             *int                `eas:"AirSync:MIMESupport"`
	BodyPreferences         []BodyPreference    `eas:"AirSyncBase:BodyPreference"`
	BodyPartPreference      *BodyPartPreference `eas:"AirSyncBase:BodyPartPreference,min=14.1"`
	RightsManagementSupport *bool               `eas:"RightsManagement:RightsManagementSupport,min=14.1"`
	Range                   string              `eas:"Search:Range"` // "0-99"
	UserName                string              `eas:"Search:UserName"`
	Password                string              `eas:"Search:Password"`
	DeepTraversal           bool                `eas:"Search:DeepTraversal"`
	RebuildResults          bool                `eas:"Search:RebuildResults"`
	Picture                 *SearchPicture      `eas:"Search:Picture,min=14.1"`
}

// A SearchPicture asks for photographs. See [MS-ASCMD] "Picture (Search)".
type SearchPicture struct {
	MaxSize     *int `eas:"Search:MaxSize"`     // bytes
	MaxPictures *int `eas:"Search:MaxPictures"` // how many results may have one
}

// A SearchResponse has what was found. See [MS-ASCMD] "Search".
type SearchResponse struct {
	Status SearchStatus        `eas:"Search:Status,always"`
	Store  *SearchStoreResults `eas:"Search:Response>Store"`
}

// SearchStoreResults are the results of one store. See [MS-ASCMD] "Store
// (Search)".
type SearchStoreResults struct {
	Status  SearchStatus   `eas:"Search:Status,always"`
	Results []SearchResult `eas:"Search:Result"`
	Range   string         `eas:"Search:Range"`
	Total   *int           `eas:"Search:Total"`
}

// A SearchResult is one thing that was found. See [MS-ASCMD] "Result (Search)".
type SearchResult struct {
	Class        string     `eas:"AirSync:Class"`
	LongID       string     `eas:"Search:LongId"`
	CollectionID string     `eas:"AirSync:CollectionId"`
	Properties   Properties `eas:"Search:Properties"`
}

// A SearchStatus is the outcome of a Search. See [MS-ASCMD] "Status (Search)".
type SearchStatus int

// The statuses of Search.
const (
	SearchOK            SearchStatus = 1
	SearchProtocol      SearchStatus = 2
	SearchServerError   SearchStatus = 3
	SearchBadLink       SearchStatus = 4
	SearchDenied        SearchStatus = 5
	SearchNotFound      SearchStatus = 6
	SearchConnect       SearchStatus = 7
	SearchTooComplex    SearchStatus = 8
	SearchTimeout       SearchStatus = 10
	SearchFolderSync    SearchStatus = 11
	SearchEndOfRange    SearchStatus = 12
	SearchAccessBlocked SearchStatus = 13
	SearchCredentials   SearchStatus = 14
	SearchNoPhoto       SearchStatus = 173
	SearchPhotoTooLarge SearchStatus = 174
	SearchPhotosTooMany SearchStatus = 175
)
