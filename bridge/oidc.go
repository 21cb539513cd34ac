package bridge

import (
	"net/url"

	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/gate/oidc"
	"github.com/pushbridge/pushbridge/bridge/config"
)

// newProvider builds who says who administrators are that are not in the list.
func newProvider(c config.OIDC, here *url.URL) (*oidc.Provider, error) {
	roles := map[string][]string{}
	for _, text := range c.Roles {
		group, of, err := config.ParseGroupRoles(text)
		if err != nil {
			return nil, faulty("web.oidc.roles: %w", err)
		}
		roles[group] = append(roles[group], of...)
	}
	scopes := c.Scopes
	if len(scopes) == 0 {
		scopes = []string{"email", "profile"}
	}
	return oidc.New(oidc.Options{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.Secret, Scopes: scopes, NameClaim: c.Name, GroupsClaim: c.Groups, Roles: roles,
		Redirect: here.JoinPath(gate.CallbackPath).String(),
	}), nil
}
