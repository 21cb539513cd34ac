package console

import "github.com/pushbridge/pushbridge/bridge/admin"

func (c *Console) gateways(a *ask) error {
	st, err := admin.OpStatus.Do(a.Context(), c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	c.show(a, 200, "gateways", view{Title: "Gateways", Here: "gateways", Data: st})
	return nil
}
