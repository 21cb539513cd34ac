package phone

import "time"

// A Heartbeat finds the longest Ping the network lets live. It grows while
// Pings come back by themselves and falls back when one is cut off. The zero value
// has the bounds of the constants below.
type Heartbeat struct {
	Min, Max, Step time.Duration // 0 means the constants

	now, good time.Duration
	settled   bool // a longer one was cut off after good had lived
}

// The bounds of a Heartbeat that names none: it starts with what most networks
// let live, and ends below the 59 minutes of [MS-ASCMD] "HeartbeatInterval (Ping)".
const (
	MinHeartbeat  = 8 * time.Minute
	MaxHeartbeat  = 28 * time.Minute
	HeartbeatStep = 5 * time.Minute
)

func (h *Heartbeat) defaults() {
	if h.Min == 0 {
		h.Min = MinHeartbeat
	}
	if h.Max == 0 {
		h.Max = MaxHeartbeat
	}
	if h.Step == 0 {
		h.Step = HeartbeatStep
	}
	h.Max = max(h.Min, h.Max)
	if h.now == 0 {
		h.now = h.Min
	}
}

// Next is how long the next Ping is to wait.
func (h *Heartbeat) Next() time.Duration {
	h.defaults()
	return h.now
}

// Lived says that a Ping came back after its whole heartbeat.
func (h *Heartbeat) Lived() {
	h.defaults()
	h.good = max(h.good, h.now)
	if !h.settled {
		h.now = min(h.now+h.Step, h.Max)
	}
}

// Cut says that a Ping was cut off. The longest that lived is tried again; if it
// was that one, shorter ones are.
func (h *Heartbeat) Cut() {
	h.defaults()
	if h.good > 0 && h.good < h.now {
		h.now, h.settled = h.good, true
		return
	}
	h.good, h.settled = 0, false
	h.now = max(h.now-h.Step, h.Min)
}

// Bound says that the server refused a heartbeat and named the nearest one that
// it takes. See [MS-ASCMD] "HeartbeatInterval (Ping)".
func (h *Heartbeat) Bound(nearest time.Duration) {
	h.defaults()
	if nearest <= 0 {
		return
	}
	if nearest < h.now {
		h.Max, h.Min = nearest, min(h.Min, nearest)
	} else {
		h.Min, h.Max = nearest, max(h.Max, nearest)
	}
	h.now = nearest
}
