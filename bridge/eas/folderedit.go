package eas

// A FolderCreateRequest makes a folder. See [MS-ASCMD] "FolderCreate".
type FolderCreateRequest struct {
	SyncKey     string     `eas:"FolderHierarchy:SyncKey,always"`
	ParentID    string     `eas:"FolderHierarchy:ParentId,always"`
	DisplayName string     `eas:"FolderHierarchy:DisplayName,always"`
	Type        FolderType `eas:"FolderHierarchy:Type,always"`
}

// A FolderCreateResponse has the new folder's id. See [MS-ASCMD] "FolderCreate".
type FolderCreateResponse struct {
	Status   FolderStatus `eas:"FolderHierarchy:Status,always"`
	SyncKey  string       `eas:"FolderHierarchy:SyncKey"`
	ServerID string       `eas:"FolderHierarchy:ServerId"`
}

// A FolderUpdateRequest renames or moves a folder. See [MS-ASCMD] "FolderUpdate".
type FolderUpdateRequest struct {
	SyncKey     string `eas:"FolderHierarchy:SyncKey,always"`
	ServerID    string `eas:"FolderHierarchy:ServerId,always"`
	ParentID    string `eas:"FolderHierarchy:ParentId,always"`
	DisplayName string `eas:"FolderHierarchy:DisplayName,always"`
}

// A FolderUpdateResponse answers a FolderUpdateRequest. See [MS-ASCMD] "FolderUpdate".
type FolderUpdateResponse struct {
	Status  FolderStatus `eas:"FolderHierarchy:Status,always"`
	SyncKey string       `eas:"FolderHierarchy:SyncKey"`
}

// A FolderDeleteRequest removes a folder and all in it. See [MS-ASCMD] "FolderDelete".
type FolderDeleteRequest struct {
	SyncKey  string `eas:"FolderHierarchy:SyncKey,always"`
	ServerID string `eas:"FolderHierarchy:ServerId,always"`
}

// A FolderDeleteResponse answers a FolderDeleteRequest. See [MS-ASCMD] "FolderDelete".
type FolderDeleteResponse struct {
	Status  FolderStatus `eas:"FolderHierarchy:Status,always"`
	SyncKey string       `eas:"FolderHierarchy:SyncKey"`
}
