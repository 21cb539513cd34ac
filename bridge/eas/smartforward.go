package eas

// A SmartForwardRequest passes on a mail that the server has, from 14.0 on; see
// [SendMailRequest] for what was before. An invitation is passed on by Forwardees
// and Body, without Mime, from 16.0 on. See [MS-ASCMD] "SmartForward".
type SmartForwardRequest struct {
	ClientID        string      `eas:"ComposeMail:ClientId,always"`
	Source          *MailSource `eas:"ComposeMail:Source"`
	AccountID       string      `eas:"ComposeMail:AccountId,min=14.1"`
	SaveInSentItems bool        `eas:"ComposeMail:SaveInSentItems"`
	ReplaceMime     bool        `eas:"ComposeMail:ReplaceMime"` // all of it is in Mime
	Mime            Opaque      `eas:"ComposeMail:Mime"`
	TemplateID      string      `eas:"RightsManagement:TemplateID,min=14.1"`
	Body            Properties  `eas:"AirSyncBase:Body,min=16.0"`
	Forwardees      []Forwardee `eas:"ComposeMail:Forwardees>Forwardee,min=16.0"`
}

// A Forwardee is somebody to whom an invitation is passed on.
// See [MS-ASCMD] "Forwardee".
type Forwardee struct {
	Name  string `eas:"ComposeMail:ForwardeeName"`
	Email string `eas:"ComposeMail:ForwardeeEmail"`
}

// A SmartForwardResponse says why a mail was not passed on.
// See [MS-ASCMD] "SmartForward".
type SmartForwardResponse struct {
	Status ComposeStatus `eas:"ComposeMail:Status,always"`
}
