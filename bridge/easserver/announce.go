package easserver

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/profile"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// versionsFor lists the versions that a sort of phone is told of, ascending.
func versionsFor(p profile.Profile) string {
	var list []string
	for _, v := range eas.Versions {
		if p.MaxVersion == 0 || v <= p.MaxVersion {
			list = append(list, v.String())
		}
	}
	return strings.Join(list, ",")
}

// needs are the abilities of backends without which a command is not answered.
var needs = map[eas.Command]backend.Extra{
	eas.CmdSendMail: backend.ExtraSend, eas.CmdSmartForward: backend.ExtraSend, eas.CmdSmartReply: backend.ExtraSend,
	eas.CmdGetAttachment: backend.ExtraMail,
}

// offered tells whether a command is answered with the backends that there are.
func (s *Server) offered(c eas.Command) bool {
	extra, ok := needs[c]
	return !ok || s.Accounts.Offers(extra)
}

// answers tells whether a command is answered at all. Where no mail is sent, but a
// store mails what becomes of meetings, phones up to 14.1 send that, too.
func (s *Server) answers(c eas.Command) bool {
	return s.offered(c) || c == eas.CmdSendMail && s.Accounts.Offers(backend.ExtraSchedule)
}

// announcedFor leaves out the commands that no version has which a phone is
// offered, and those for which there is no backend.
func (s *Server) announcedFor(p profile.Profile) string {
	last := p.MaxVersion
	if last == 0 {
		last = eas.Versions[len(eas.Versions)-1]
	}
	return strings.Join(slices.DeleteFunc(strings.Split(announced, ","), func(command string) bool {
		return !s.offered(eas.Command(command)) || !slices.ContainsFunc(eas.Versions, func(v eas.Version) bool { return v <= last && eas.Command(command).KnownIn(v) })
	}), ",")
}

// lastAnnounced is the name under which is remembered what a phone was told of
// versions and commands.
const lastAnnounced = "announced"

// reannounce has the answer tell a phone that the server can do something else
// than when the phone was last told so. Only a phone that begins with its folders
// anew is told: others might throw away what they have. See [MS-ASHTTP]
// "X-MS-RP" and "Handling HTTP POST Command Requests".
func (s *Server) reannounce(ctx context.Context, c *call) error {
	now := versionsFor(*c.profile) + "\n" + s.announcedFor(*c.profile)
	before, err := s.Devices.Recall(ctx, c.deviceID(), lastAnnounced)
	if err != nil || string(before) == now {
		return err
	}
	if before != nil {
		c.announces = true
	}
	return s.Devices.Remember(ctx, c.deviceID(), lastAnnounced, []byte(now))
}

// announce writes the headers that reannounce asked for.
func (s *Server) announce(c *call, h http.Header) {
	if !c.announces {
		return
	}
	versions := versionsFor(*c.profile)
	h.Set("X-MS-RP", versions)
	h.Set("MS-ASProtocolVersions", versions)
	h.Set("MS-ASProtocolCommands", s.announcedFor(*c.profile))
}
