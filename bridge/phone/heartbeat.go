package phone

import "time"

// A Heartbeat finds the longest Ping that the network lets live. It begins with
// Default and grows by Increment while answers come; three Pings of one length
// that are lost in a row, for no reason that is known, show that the network cuts
// off what is idle for so long. Then it goes back to what lived before and comes
// nearer in halves of the step, until it is near; if nothing
// lived, or no longer does, it begins anew with Min. Once a day, and less often
// if that is in vain, it tries whether more has become possible.
//
// That is what is known of the first phones with push, which had settings of
// these names: see "Heartbeat Interval Adjustment" of Windows Mobile.
//
// It has no clock and does nothing by itself: who waits asks Next how long, and
// says what became of it. The zero value is ready, with the constants below.
type Heartbeat struct {
	Default, Increment, Min, Max time.Duration // 0 means the constants

	now    time.Duration // of the next Ping
	good   time.Duration // the longest that lived
	bad    time.Duration // the shortest that is known to be cut off; 0 if none is
	step   time.Duration // between good and what is tried next
	limit  time.Duration // of the server; 0 if it named none
	losses int           // in a row
	cut    time.Duration // the longest of them

	probing bool          // now is tried once more although it was cut off before
	idle    time.Duration // that was waited since the last probe
	pause   time.Duration // between probes
}

// The bounds of a Heartbeat that names none. The first three are those of the
// first phones with push, whose longest were 28 minutes; the rest is the range
// that servers take. See [MS-ASCMD] "HeartbeatInterval (Ping)".
const (
	HeartbeatDefault   = 8 * time.Minute
	HeartbeatIncrement = 5 * time.Minute
	HeartbeatMin       = time.Minute
	HeartbeatMax       = 59 * time.Minute
)

const (
	// lossesInARow is how many Pings have to be lost in a row: one is a lift, two
	// are a tunnel.
	lossesInARow = 3

	// precision is how near to the network's limit is near enough: a minute of
	// half an hour is one Ping a day. Short ones come nearer, see near.
	precision = time.Minute

	// firstProbe and lastProbe bound the time between attempts to wait longer
	// than the network was found to allow. A probe that fails leaves the phone
	// without push for as long as it was longer.
	firstProbe = 24 * time.Hour
	lastProbe  = 7 * 24 * time.Hour

	// early is how much sooner than its heartbeat the answer to a Ping may come
	// and still be taken for its end.
	early = 5 * time.Second
)

// A Cause is why a Ping was lost, as far as the phone knows.
type Cause int

// The causes.
const (
	Silence      Cause = iota // no answer came, or the connection broke: it may be the network that cuts off what is idle
	ServerBusy                // the server said that it cannot answer
	VoiceCall                 // the radio was needed for a call
	CoverageLost              // there was no network, or no way to the server
)

func (c Cause) String() string {
	return [...]string{"silence", "server busy", "voice call", "coverage lost"}[c]
}

func (h *Heartbeat) defaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&h.Min, HeartbeatMin}, {&h.Max, HeartbeatMax}, {&h.Increment, HeartbeatIncrement},
		{&h.Default, HeartbeatDefault}, {&h.pause, firstProbe},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	h.Max = max(h.Min, h.Max)
	h.Default = min(max(h.Default, h.Min), h.Max)
	if h.now == 0 {
		h.now = h.Default
	}
	if h.step == 0 {
		h.step = h.Increment
	}
}

// Next is how long the next Ping is to wait.
func (h *Heartbeat) Next() time.Duration {
	h.defaults()
	return h.now
}

// Lived says that a Ping was answered after this time, be it because its
// heartbeat was over or because there was news.
func (h *Heartbeat) Lived(after time.Duration) {
	h.defaults()
	h.idle += after
	if after < h.now-early {
		h.good = max(h.good, after.Truncate(time.Second))
		return
	}
	h.good = max(h.good, h.now)
	h.losses, h.cut = 0, 0
	if h.bad > 0 && h.good >= h.bad {
		h.bad, h.step, h.pause = 0, h.Increment, firstProbe // more has become possible
	}
	h.probing = false
	h.now = h.longer()
}

// longer is what is tried after a Ping that lived.
func (h *Heartbeat) longer() time.Duration {
	due := h.idle >= h.pause
	if h.limit > 0 && due {
		h.limit, h.idle = 0, 0 // the server may have changed its mind
	}
	for h.bad > 0 && h.step >= h.near() && h.good+h.step >= h.bad {
		h.step = (h.step / 2).Truncate(time.Second)
	}
	switch {
	case h.bad == 0 || h.step >= h.near():
		return min(h.good+h.step, h.most())
	case due && h.bad <= h.most():
		h.probing, h.idle = true, 0
		return h.bad
	}
	return min(h.good, h.most())
}

// near is how near to the network's limit is near enough.
func (h *Heartbeat) near() time.Duration { return min(precision, max(h.good/4, early)) }

func (h *Heartbeat) most() time.Duration {
	if h.limit > 0 {
		return min(h.limit, h.Max)
	}
	return h.Max
}

// Lost says that a Ping was not answered: that it was given up, or broken off,
// after this time. A known cause says nothing of the network, and neither does
// what breaks off sooner than any network would for being idle.
func (h *Heartbeat) Lost(why Cause, after time.Duration) {
	h.defaults()
	if why != Silence || after < h.Min {
		return
	}
	if h.probing { // that it is cut off was known before
		h.probing, h.now, h.idle, h.pause = false, h.good, 0, min(2*h.pause, lastProbe)
		return
	}
	h.losses++
	h.cut = max(h.cut, min(after, h.now))
	if h.losses < lossesInARow {
		return
	}
	h.bad, h.losses, h.cut = h.cut, 0, 0
	switch {
	case h.good > 0 && h.good < h.bad:
		h.step = (h.step / 2).Truncate(time.Second)
		h.now = h.good
	case h.bad > h.Min: // the network is another one
		h.good, h.step, h.now = 0, h.Increment, h.Min
	default:
		h.good, h.bad, h.step, h.now = 0, 0, h.Increment, h.Min
	}
}

// Bound says that the server refused a heartbeat and named the nearest one that
// it takes. See [MS-ASCMD] "HeartbeatInterval (Ping)" and "Limit".
func (h *Heartbeat) Bound(nearest time.Duration) {
	h.defaults()
	if nearest <= 0 {
		return
	}
	if nearest < h.now {
		h.limit, h.idle = nearest, 0
		h.Min, h.good = min(h.Min, nearest), min(h.good, nearest)
	} else {
		h.Min, h.Max = nearest, max(h.Max, nearest)
	}
	h.probing, h.now = false, nearest
}
