package eas

// What an OPTIONS request asks for that wants to know how answers travel. It is no
// part of the protocol: phones ask without, and servers that do not know it answer
// as ever. The answer to [ProbeStream] begins with a line that says from which
// address the request came, as far as the server knows, and ends with another one:
// [ProbeReleased] if a second request with [ProbeRelease] and the same word came
// while the first one was open, else [ProbeHeld]. Where a proxy keeps answers until
// they are whole, nobody can know when to send the second.
const (
	ProbeStream   = "ProbeStream"
	ProbeRelease  = "ProbeRelease"
	ProbeFrom     = "from " // and the address; nothing where it is not known
	ProbeReleased = "released"
	ProbeHeld     = "held"
)
