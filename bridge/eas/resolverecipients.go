package eas

// A ResolveRecipientsRequest asks who is meant by some names and addresses.
// See [MS-ASCMD] "ResolveRecipients".
type ResolveRecipientsRequest struct {
	To      []string        `eas:"ResolveRecipients:To"`
	Options *ResolveOptions `eas:"ResolveRecipients:Options"`
}

// ResolveOptions say what else is wanted of each person. See [MS-ASCMD]
// "Options (ResolveRecipients)".
type ResolveOptions struct {
	CertificateRetrieval   *CertificateRetrieval `eas:"ResolveRecipients:CertificateRetrieval"`
	MaxCertificates        *int                  `eas:"ResolveRecipients:MaxCertificates"`
	MaxAmbiguousRecipients *int                  `eas:"ResolveRecipients:MaxAmbiguousRecipients"`
	Availability           *AvailabilityRequest  `eas:"ResolveRecipients:Availability,min=14.0"`
	Picture                *ResolvePicture       `eas:"ResolveRecipients:Picture,min=14.1"`
}

// CertificateRetrieval says whether certificates are wanted, and in what form.
// See [MS-ASCMD] "CertificateRetrieval".
type CertificateRetrieval int

// The values of CertificateRetrieval.
const (
	NoCertificates   CertificateRetrieval = 1
	FullCertificates CertificateRetrieval = 2
	MiniCertificates CertificateRetrieval = 3
)

// An AvailabilityRequest asks when people are free. See [MS-ASCMD]
// "Availability".
type AvailabilityRequest struct {
	StartTime string `eas:"ResolveRecipients:StartTime,always"`
	EndTime   string `eas:"ResolveRecipients:EndTime"`
}

// A ResolvePicture asks for photographs. See [MS-ASCMD] "Picture
// (ResolveRecipients)".
type ResolvePicture struct {
	MaxSize     *int `eas:"ResolveRecipients:MaxSize"`     // bytes
	MaxPictures *int `eas:"ResolveRecipients:MaxPictures"` // how many people may have one
}

// A ResolveRecipientsResponse says who is meant. See [MS-ASCMD]
// "ResolveRecipients".
type ResolveRecipientsResponse struct {
	Status    ResolveStatus `eas:"ResolveRecipients:Status,always"`
	Responses []Resolved    `eas:"ResolveRecipients:Response"`
}

// A Resolved answers one To. See [MS-ASCMD] "Response (ResolveRecipients)".
type Resolved struct {
	To             string        `eas:"ResolveRecipients:To,always"`
	Status         ResolveStatus `eas:"ResolveRecipients:Status,always"`
	RecipientCount *int          `eas:"ResolveRecipients:RecipientCount"`
	Recipients     []Recipient   `eas:"ResolveRecipients:Recipient"`
}

// A Recipient is one person. See [MS-ASCMD] "Recipient".
type Recipient struct {
	Type         RecipientType  `eas:"ResolveRecipients:Type,always"`
	DisplayName  string         `eas:"ResolveRecipients:DisplayName,always"`
	EmailAddress string         `eas:"ResolveRecipients:EmailAddress,always"`
	Availability *Availability  `eas:"ResolveRecipients:Availability,min=14.0"`
	Certificates *Certificates  `eas:"ResolveRecipients:Certificates"`
	Picture      *PictureResult `eas:"ResolveRecipients:Picture,min=14.1"`
}

// A RecipientType says where a person was found. See [MS-ASCMD] "Type
// (ResolveRecipients)".
type RecipientType int

// The values of RecipientType.
const (
	RecipientGAL     RecipientType = 1
	RecipientContact RecipientType = 2
)

// Availability says when a person is free, a digit for each half hour: 0 free,
// 1 tentative, 2 busy, 3 out of office, 4 not known. See [MS-ASCMD]
// "MergedFreeBusy".
type Availability struct {
	Status         ResolveStatus `eas:"ResolveRecipients:Status,always"`
	MergedFreeBusy string        `eas:"ResolveRecipients:MergedFreeBusy"`
}

// Certificates are those of a person, base64 of DER. See [MS-ASCMD]
// "Certificates (ResolveRecipients)".
type Certificates struct {
	Status           ResolveStatus `eas:"ResolveRecipients:Status,always"`
	CertificateCount *int          `eas:"ResolveRecipients:CertificateCount"`
	RecipientCount   *int          `eas:"ResolveRecipients:RecipientCount"`
	Certificates     []string      `eas:"ResolveRecipients:Certificate"`
}

// A PictureResult is a person's photograph, or why there is none.
type PictureResult struct {
	Status ResolveStatus `eas:"ResolveRecipients:Status,always"`
	Data   Opaque        `eas:"ResolveRecipients:Data"`
}

// A ResolveStatus is the outcome of ResolveRecipients, of one name, or of a
// part of what is told of a person. See [MS-ASCMD] "Status
// (ResolveRecipients)".
type ResolveStatus int

// The statuses of ResolveRecipients.
const (
	ResolveOK            ResolveStatus = 1
	ResolveAmbiguous     ResolveStatus = 2 // all who may be meant are told
	ResolveAmbiguousSome ResolveStatus = 3 // there are more
	ResolveNobody        ResolveStatus = 4
	ResolveProtocol      ResolveStatus = 5
	ResolveServerError   ResolveStatus = 6
	ResolveNoCertificate ResolveStatus = 7
	ResolveTooMany       ResolveStatus = 8 // more certificates than were wanted
	ResolveTooManyPeople ResolveStatus = 160
	ResolveLargeGroup    ResolveStatus = 161
	ResolveBusyLater     ResolveStatus = 162 // ask again
	ResolveBusyNever     ResolveStatus = 163 // do not ask again
	ResolveNoPhoto       ResolveStatus = 173
	ResolvePhotoTooLarge ResolveStatus = 174
	ResolvePhotosTooMany ResolveStatus = 175
)
