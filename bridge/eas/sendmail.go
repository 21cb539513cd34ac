package eas

// A SendMailRequest sends a mail, from 14.0 on. Before, the body of the request
// is the mail itself, of the type message/rfc822, and the query says the rest. A
// success is answered with an empty body. See [MS-ASCMD] "SendMail".
type SendMailRequest struct {
	ClientID        string `eas:"ComposeMail:ClientId,always"` // the same when the phone sends it once more
	AccountID       string `eas:"ComposeMail:AccountId,min=14.1"`
	SaveInSentItems bool   `eas:"ComposeMail:SaveInSentItems"`
	Mime            Opaque `eas:"ComposeMail:Mime"`
	TemplateID      string `eas:"RightsManagement:TemplateID,min=14.1"`
}

// A SendMailResponse says why a mail was not sent. See [MS-ASCMD] "SendMail".
type SendMailResponse struct {
	Status ComposeStatus `eas:"ComposeMail:Status,always"`
}

// A ComposeStatus is why SendMail, SmartReply or SmartForward failed: one of the
// common ones. See [MS-ASCMD] "Status (SendMail)" and "Status (SmartForward and
// SmartReply)".
type ComposeStatus = Status
