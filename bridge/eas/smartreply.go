package eas

// A SmartReplyRequest sends an answer to a mail that the server has, from 14.0 on;
// see [SendMailRequest] for what was before. See [MS-ASCMD] "SmartReply".
type SmartReplyRequest struct {
	ClientID        string      `eas:"ComposeMail:ClientId,always"`
	Source          *MailSource `eas:"ComposeMail:Source"`
	AccountID       string      `eas:"ComposeMail:AccountId,min=14.1"`
	SaveInSentItems bool        `eas:"ComposeMail:SaveInSentItems"`
	ReplaceMime     bool        `eas:"ComposeMail:ReplaceMime"` // all of it is in Mime
	Mime            Opaque      `eas:"ComposeMail:Mime"`
	TemplateID      string      `eas:"RightsManagement:TemplateID,min=14.1"`
}

// A MailSource names the mail that is answered or passed on: by FolderID and
// ItemID, or by LongID. See [MS-ASCMD] "Source".
type MailSource struct {
	FolderID   string `eas:"ComposeMail:FolderId"`
	ItemID     string `eas:"ComposeMail:ItemId"`
	LongID     string `eas:"ComposeMail:LongId"`
	InstanceID string `eas:"ComposeMail:InstanceId"` // one occurrence of a recurring event
}

// A SmartReplyResponse says why an answer was not sent.
// See [MS-ASCMD] "SmartReply".
type SmartReplyResponse struct {
	Status ComposeStatus `eas:"ComposeMail:Status,always"`
}
