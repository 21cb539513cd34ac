package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// An Attachment is a file of a mail as GetAttachment answers it.
type Attachment struct {
	ContentType string
	Data        []byte
}

// GetAttachment fetches a file of a mail by the name that the mail's properties
// have for it, up to 12.1. See [MS-ASCMD] "GetAttachment".
func (c *Client) GetAttachment(ctx context.Context, name string) (Attachment, error) {
	data, header, err := c.Do(ctx, Call{Query: eas.Query{Command: eas.CmdGetAttachment, AttachmentName: name}})
	if err != nil {
		return Attachment{}, err
	}
	return Attachment{ContentType: header.Get("Content-Type"), Data: data}, nil
}
