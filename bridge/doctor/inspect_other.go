//go:build !linux

package doctor

import "context"

func (n *notes) socket(context.Context, Inspection) {
	n.advise("socket", "elsewhere", "sockets and limits are looked at on Linux only", "")
}

func (n *notes) state(dir string, _ uint64) { n.ok("state", "%s", dir) }

func (n *notes) notifySocket(e Events, _ bool) { n.ok("events", "notices come in at %s", e.Notify) }
