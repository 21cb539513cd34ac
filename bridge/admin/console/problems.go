package console

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// A held deletion, and what can be done about it.
type held struct {
	admin.Hold
	Orders []offered
}

func (c *Console) problems(a *ask) error {
	holds, err := admin.OpHolds.Do(a.Context(), c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	problems, err := admin.OpProblems.Do(a.Context(), c.Server, a.actor, admin.UserRequest{})
	if err != nil {
		return err
	}
	p := struct {
		pageOf[admin.Problem]
		Holds []held
	}{pageOf: paged(problems, len(problems), a.URL.Query())}
	for _, h := range holds {
		p.Holds = append(p.Holds, held{h, c.offer(a, []string{"release"}, "user", h.User, "folder", strconv.FormatInt(h.Folder, 10))})
	}
	c.show(a, 200, "problems", view{Title: "Problems", Here: "problems", Data: p})
	return nil
}

// problemOrders are those about held deletions.
func problemOrders() map[string]order {
	return map[string]order{"release": {op: admin.OpRelease.Operation, link: "Let it pass", title: "Let this deletion pass?", button: "Let it pass", danger: true, fields: []string{"user", "folder"},
		request: func(f url.Values) any { return admin.ReleaseRequest{User: f.Get("user")} },
		about:   aboutHold,
		do: func(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
			n, err := strconv.ParseInt(f.Get("folder"), 10, 64)
			if err != nil {
				return "", &admin.Error{Kind: admin.Invalid, Text: "The folder is no number."}
			}
			d, err := admin.OpRelease.Do(ctx, c.Server, a.actor, admin.ReleaseRequest{User: f.Get("user"), Folder: n})
			return d.Text, err
		},
		back: func(c *Console, _ url.Values) string { return c.at("problems") }}}
}

// aboutHold says which deletion is held.
func aboutHold(ctx context.Context, c *Console, a *ask, f url.Values) ([]fact, []string, error) {
	holds, err := admin.OpHolds.Do(ctx, c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return nil, nil, err
	}
	for _, h := range holds {
		if h.User == f.Get("user") && strconv.FormatInt(h.Folder, 10) == f.Get("folder") {
			return []fact{{"Owner", h.User}, {"Folder", h.Name}, {"Backend", h.Backend}, {"Missing", fmt.Sprintf("%d of %d items", h.Items, h.Of)}, {"Held since", moment(h.Since)}},
				[]string{fmt.Sprintf("%d items are deleted from all phones of %s, at once. Whether they are gone on the server, too, or the backend only failed to list them, look there first.", h.Items, h.User),
					"Should they come back on the server, phones load them again."}, nil
		}
	}
	return nil, nil, &admin.Error{Kind: admin.NotFound, Text: "Nothing of this folder is held any more."}
}
