package easserver

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
)

// A sentDraft is what is noted of a draft before it is sent: enough to ask its owner
// whether it arrived, when it is gone and nobody knows whether it went out.
type sentDraft struct {
	From, MessageID, Subject string
	To                       []string
	Question                 string // as in post
}

// Of a draft that is noted as sent, no more than mail.Unsure shows.
const (
	notedRecipients = 21 // one more than are shown
	notedSubject    = 1000
)

// sendsDraft begins the names under which it is noted which drafts a phone sends. No
// ServerId and no name of an Add begins like that.
const sendsDraft = "sends "

// noteSending notes what is about to be sent.
func (f *folderSync) noteSending(ctx context.Context, p post) error {
	d := sentDraft{From: p.out.From, MessageID: p.out.MessageID, Subject: p.out.Subject, To: p.out.Recipients, Question: p.question}
	d.To = d.To[:min(len(d.To), notedRecipients)]
	if len(d.Subject) > notedSubject {
		d.Subject = d.Subject[:notedSubject]
	}
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("easserver: drafts: %w", err)
	}
	return f.round.Try(ctx, map[string][]byte{sendsDraft + p.name: b})
}

// sentEarlier is a draft that is gone when the phone has it sent: it was sent, if an
// earlier try of the same command sent it. One of which nobody knows whether it was
// sent is taken away last, when the person has been told; where somebody else took it
// away before, the person is told now.
func (f *folderSync) sentEarlier(ctx context.Context, name string, n syncengine.Number) error {
	letter := outbox.Letter{User: f.call.phone.User, Device: f.call.phone.Device, Name: "draft:" + name}
	given, err := f.server.Outbox.WasGiven(ctx, letter)
	switch {
	case err != nil:
		return err
	case !given:
		return fmt.Errorf("%w: the draft is gone, and was not sent", syncengine.ErrNoItem)
	}
	over, err := f.server.Outbox.WasSent(ctx, letter)
	if err == nil && !over {
		err = f.askWhetherSent(ctx, letter, name)
	}
	if err != nil {
		return err
	}
	return f.round.Went(ctx, n)
}

// askWhetherSent tells the person of a draft that is gone, and of which nobody knows
// whether it went out.
func (f *folderSync) askWhetherSent(ctx context.Context, letter outbox.Letter, name string) error {
	tried, err := f.round.Tried(ctx)
	if err != nil {
		return err
	}
	var d sentDraft
	if b := tried[sendsDraft+letter.Name]; b != nil {
		if err := json.Unmarshal(b, &d); err != nil {
			return fmt.Errorf("easserver: drafts: what was noted of one that is sent: %w", err)
		}
	}
	m, err := f.server.mailer(ctx, f.call)
	if err != nil {
		return err
	}
	return m.askOnly(ctx, post{
		name: letter.Name, token: m.token(name), question: d.Question, draft: true, gone: true,
		out:   &mail.Outgoing{From: d.From, Recipients: d.To, MessageID: d.MessageID, Subject: d.Subject},
		after: func(context.Context) error { return nil },
	})
}
