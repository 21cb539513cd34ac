package eas

// A MeetingResponseRequest answers invitations. See [MS-ASCMD] "MeetingResponse".
type MeetingResponseRequest struct {
	Requests []MeetingAnswer `eas:"MeetingResponse:Request"`
}

// A MeetingAnswer accepts or declines one meeting.
// See [MS-ASCMD] "Request (MeetingResponse)".
type MeetingAnswer struct {
	UserResponse int           `eas:"MeetingResponse:UserResponse,always"` // 1 yes, 2 perhaps, 3 no
	CollectionID string        `eas:"MeetingResponse:CollectionId"`
	RequestID    string        `eas:"MeetingResponse:RequestId"`
	LongID       string        `eas:"Search:LongId"`
	InstanceID   string        `eas:"MeetingResponse:InstanceId,min=14.1"`
	SendResponse *SendResponse `eas:"MeetingResponse:SendResponse,min=16.0"` // the server is to mail the answer
}

// A SendResponse is the mail that goes with an answer.
// See [MS-ASCMD] "SendResponse".
type SendResponse struct {
	Body              Properties `eas:"AirSyncBase:Body"`
	ProposedStartTime string     `eas:"MeetingResponse:ProposedStartTime,min=16.1"`
	ProposedEndTime   string     `eas:"MeetingResponse:ProposedEndTime,min=16.1"`
}

// A MeetingResponseResponse has the outcomes. See [MS-ASCMD] "MeetingResponse".
type MeetingResponseResponse struct {
	Results []MeetingResult `eas:"MeetingResponse:Result"`
}

// A MeetingResult is the outcome of one answer. See [MS-ASCMD] "Result
// (MeetingResponse)".
type MeetingResult struct {
	RequestID  string        `eas:"MeetingResponse:RequestId"`
	Status     MeetingStatus `eas:"MeetingResponse:Status,always"`
	CalendarID string        `eas:"MeetingResponse:CalendarId"` // absent after a no
	InstanceID string        `eas:"MeetingResponse:InstanceId,min=14.1"`
}

// A MeetingStatus is the outcome of a MeetingResponse.
// See [MS-ASCMD] "Status (MeetingResponse)".
type MeetingStatus int

// The statuses of MeetingResponse.
const (
	MeetingOK           MeetingStatus = 1
	MeetingInvalid      MeetingStatus = 2 // no meeting, or the user's own
	MeetingMailboxError MeetingStatus = 3
	MeetingServerError  MeetingStatus = 4
)
