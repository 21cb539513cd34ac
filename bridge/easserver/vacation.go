package easserver

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// oof reads or writes what people are told while somebody is away, where a backend
// keeps that; where none does, it is not available, so that nobody believes that
// mail is answered. What contradicts itself is told so first. See [MS-ASCMD] "Oof"
// and "Status (Settings)".
func (s *Server) oof(ctx context.Context, c *call, req *eas.OofRequest) (*eas.OofResult, error) {
	if status := checkOof(req); status != eas.SettingsOK {
		return &eas.OofResult{Status: status}, nil
	}
	v, err := s.vacationer(ctx, c)
	if v == nil && err == nil {
		return &eas.OofResult{Status: eas.SettingsUnavailable}, nil
	}
	var got *eas.Oof
	switch {
	case err != nil:
	case req.Set != nil:
		err = setOof(ctx, v, req.Set)
	default:
		var is backend.Vacation
		if is, err = v.Vacation(ctx); err == nil {
			got = oofOf(is)
		}
	}
	switch kind := backend.KindOf(err); {
	case err == nil:
		return &eas.OofResult{Status: eas.SettingsOK, Get: got}, nil
	case kind == backend.Denied:
		return nil, err
	case kind == backend.Invalid, kind == backend.TooLarge:
		return &eas.OofResult{Status: eas.SettingsBadValue}, nil
	}
	c.note(slog.Any("oof", err))
	return &eas.OofResult{Status: eas.SettingsUnavailable}, nil
}

// checkOof refuses what contradicts itself.
func checkOof(req *eas.OofRequest) eas.SettingsStatus {
	switch set := req.Set; {
	case req.Get != nil && set != nil:
		return eas.SettingsConflicting
	case req.Get != nil:
	case set == nil:
		return eas.SettingsProtocol
	case set.OofState == nil || *set.OofState < 0 || *set.OofState > 2:
		return eas.SettingsBadValue
	case *set.OofState == 2 && !during(set.StartTime, set.EndTime):
		return eas.SettingsBadValue
	}
	return eas.SettingsOK
}

// vacationer finds who answers mail while the person is away; nil if nobody does.
func (s *Server) vacationer(ctx context.Context, c *call) (backend.Vacationer, error) {
	if !s.Accounts.Offers(backend.ExtraVacation) {
		return nil, nil
	}
	var down error
	for _, name := range c.account.Backends() {
		session, err := c.account.Session(ctx, name)
		if err != nil {
			down = err
			continue
		}
		if v, ok := backend.As[backend.Vacationer](session); ok {
			return v, nil
		}
	}
	return nil, down
}

// The states of Oof. See [MS-ASCMD] "OofState".
const (
	oofOff = iota
	oofOn
	oofDuring
)

// setOof writes what a phone sent. There is one text for everybody: that for people
// of the same organization, else the first one that is enabled.
func setOof(ctx context.Context, v backend.Vacationer, set *eas.Oof) error {
	now, err := v.Vacation(ctx)
	if err != nil {
		return err
	}
	now.Enabled, now.From, now.Until = *set.OofState != oofOff, time.Time{}, time.Time{}
	if *set.OofState == oofDuring { // which checkOof has read
		now.From, _ = translate.ParseDateTime(set.StartTime)
		now.Until, _ = translate.ParseDateTime(set.EndTime)
	}
	if text, ok := oofText(set.Messages); ok {
		now.Text = text
	}
	return v.SetVacation(ctx, now)
}

func oofText(messages []eas.OofMessage) (string, bool) {
	best := -1
	for i, m := range messages {
		if m.Enabled != nil && !*m.Enabled || strings.TrimSpace(m.ReplyMessage) == "" {
			continue
		}
		if best < 0 || m.AppliesToInternal {
			best = i
		}
	}
	if best < 0 {
		return "", false
	}
	text := messages[best].ReplyMessage
	if strings.EqualFold(messages[best].BodyType, "HTML") {
		text = translate.HTMLToText(text)
	}
	return text, true
}

// oofOf is what is set, as a phone is told of it: the same for everybody.
func oofOf(v backend.Vacation) *eas.Oof {
	state := oofOff
	out := &eas.Oof{OofState: &state}
	if v.Enabled {
		state = oofOn
		if !v.From.IsZero() && !v.Until.IsZero() {
			state = oofDuring
			out.StartTime, out.EndTime = translate.DateTime(v.From), translate.DateTime(v.Until)
		}
	}
	enabled := v.Enabled
	for _, m := range []eas.OofMessage{{AppliesToInternal: true}, {AppliesToExternalKnown: true}, {AppliesToExternalUnknown: true}} {
		m.Enabled, m.ReplyMessage, m.BodyType = &enabled, v.Text, "TEXT"
		out.Messages = append(out.Messages, m)
	}
	return out
}
