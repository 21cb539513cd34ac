package host

import "time"

// SetPulse makes a host look after its plugins more often.
func (h *Host) SetPulse(every, limit time.Duration) { h.pulseEvery, h.pulseTime = every, limit }
