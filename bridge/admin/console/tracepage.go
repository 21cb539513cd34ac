package console

import (
	"errors"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// stopPolling is the status by which htmx is told not to ask again.
const stopPolling = 286

// A tracePage shows a recording.
type tracePage struct {
	admin.FetchRequest
	admin.Traced
}

// trace shows what was recorded since the last time, and with a script goes on.
func (c *Console) trace(a *ask) error {
	q := a.URL.Query()
	r := admin.FetchRequest{User: q.Get("user"), Device: q.Get("device")}
	if !a.may(admin.OpTraced.Operation, r) {
		return &admin.Error{Kind: admin.Refused, Text: refusal(a.actor, admin.OpTraced.Operation)}
	}
	c.show(a, 200, "trace", view{Title: "Recording", Here: "devices", Data: tracePage{FetchRequest: r}})
	return nil
}

// traced answers a piece of the recording: for a script the piece alone.
func (c *Console) traced(a *ask) error {
	r := admin.FetchRequest{User: a.PostForm.Get("user"), Device: a.PostForm.Get("device"), Stop: a.PostForm.Get("stop") == "yes"}
	piece, err := admin.OpTraced.Do(a.Context(), c.Server, a.actor, r)
	script := a.Request.Header.Get("HX-Request") != ""
	if e, ok := errors.AsType[*admin.Error](err); ok && e.Kind == admin.NotFound && script {
		piece, err = admin.Traced{Over: true}, nil // somebody else ended it, or its time was over
	}
	if err != nil {
		return err
	}
	p := tracePage{r, piece}
	if !script {
		c.show(a, 200, "trace", view{Title: "Recording", Here: "devices", Data: p})
		return nil
	}
	part, err := c.fragment("trace", "piece", p)
	if err != nil {
		return err
	}
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.Over {
		a.w.WriteHeader(stopPolling)
	}
	a.w.Write(part)
	return nil
}
