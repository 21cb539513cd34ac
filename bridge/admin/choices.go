package admin

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/pushbridge/pushbridge/bridge/choice"
)

// Choices lists the rules that were made for a user, the one that decides last.
func (c *Client) Choices(ctx context.Context, user string) (list []Choice, err error) {
	return list, c.get(ctx, OpChoices.Path, url.Values{"user": {user}}, &list)
}

// Choose makes a rule the last one of a user.
func (c *Client) Choose(ctx context.Context, r ChoiceRequest) (d Done, err error) {
	return d, c.post(ctx, OpChoose.Path, r, &d)
}

// Unchoose takes a rule back.
func (c *Client) Unchoose(ctx context.Context, r ChoiceRequest) (d Done, err error) {
	return d, c.post(ctx, OpUnchoose.Path, r, &d)
}

// noChoices is for workers that keep none.
var noChoices = invalid("this worker keeps no choices of folders")

func (s *Server) choices(ctx context.Context, _ *visit, r UserRequest) ([]Choice, error) {
	if s.Options.Choices == nil {
		return nil, noChoices
	}
	if r.User == "" {
		return nil, invalid("say whose choices: ?user=NAME")
	}
	list, err := s.Options.Choices.List(ctx, r.User)
	if list == nil {
		list = []Choice{}
	}
	return list, err
}

// wanted looks whether a choice is one, and of somebody.
func (s *Server) wanted(ctx context.Context, req ChoiceRequest) error {
	switch {
	case s.Options.Choices == nil:
		return noChoices
	case req.User == "" || req.Pattern == "":
		return invalid("say whose phones, and which folders: user and pattern")
	}
	if _, err := choice.ParseRule("*: " + req.Pattern); err != nil {
		return invalid("%.80q is no pattern of folders: write a name with * and ?, or a kind and a name such as events/Work*", req.Pattern)
	}
	phones, err := s.Devices.Phones(ctx, req.User)
	if err == nil && len(phones) == 0 {
		err = notFound("Nobody named %q has used a phone here. The name is the one in the list of devices.", req.User)
	}
	return err
}

// on says which phones a choice is about.
func (r ChoiceRequest) on() string {
	if r.Device == "" {
		return "all phones of " + r.User
	}
	return fmt.Sprintf("the phones %s of %s", r.Device, r.User)
}

func (s *Server) choose(ctx context.Context, v *visit, req ChoiceRequest) (done Done, err error) {
	if err := s.wanted(ctx, req); err != nil {
		return done, err
	}
	v.changed(nil, req.Choice)
	err = s.Options.Choices.Add(ctx, req.User, req.Choice)
	if errors.Is(err, choice.ErrTooMany) {
		return done, invalid("%q has %d choices, which is the most there may be: take some back", req.User, choice.MaxChoices)
	}
	if err != nil {
		return done, err
	}
	v.afterwards(func(context.Context) { s.Waiting.Wake(req.User) })
	what := "shown on"
	if req.Hide {
		what = "hidden from"
	}
	return Done{fmt.Sprintf("Folders %q are %s %s; those that wait are told at once.", req.Pattern, what, req.on())}, nil
}

func (s *Server) unchoose(ctx context.Context, v *visit, req ChoiceRequest) (done Done, err error) {
	if err := s.wanted(ctx, req); err != nil {
		return done, err
	}
	v.changed(req.Choice, nil)
	dropped, err := s.Options.Choices.Drop(ctx, req.User, req.Choice)
	if err == nil && !dropped {
		err = notFound("There is no choice of %q for %s. The list of choices has them as they were made.", req.Pattern, req.on())
	}
	if err != nil {
		return done, err
	}
	v.afterwards(func(context.Context) { s.Waiting.Wake(req.User) })
	return Done{fmt.Sprintf("The choice of folders %q for %s is taken back.", req.Pattern, req.on())}, nil
}
