package easclient

import (
	"context"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// mailType is the type of a body that is a mail, up to 12.1. See [MS-ASHTTP]
// "Content-Type".
const mailType = "message/rfc822"

// compose sends one of the commands that send mail: up to 12.1 as the mail itself
// with the rest in the query, from 14.0 on as a message. The error is a
// *StatusError where the server says why it sent nothing.
func (c *Client) compose(ctx context.Context, q eas.Query, mime []byte, message any, answer any, status *eas.ComposeStatus) error {
	call := Call{Query: q, Body: mime, ContentType: mailType}
	if c.version() >= eas.V140 {
		doc, err := eas.Marshal(message, c.version())
		if err != nil {
			return err
		}
		call = Call{Query: eas.Query{Command: q.Command}, Body: doc}
	}
	doc, _, err := c.Do(ctx, call)
	if err != nil || len(doc) == 0 {
		return err
	}
	if err := eas.Unmarshal(doc, answer); err != nil {
		return fmt.Errorf("easclient: the answer to %s: %w", q.Command, err)
	}
	return &StatusError{Command: q.Command, Status: int(*status)}
}

// sourced is a query that names the mail which is answered or passed on.
func sourced(command eas.Command, s *eas.MailSource, save bool) eas.Query {
	q := eas.Query{Command: command, SaveInSent: save}
	if s != nil {
		q.CollectionID, q.ItemID, q.LongID, q.Occurrence = s.FolderID, s.ItemID, s.LongID, s.InstanceID
	}
	return q
}
