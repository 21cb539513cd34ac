package easserver

import "github.com/pushbridge/pushbridge/bridge/telemetry"

// CauseOf is causeOf.
var CauseOf = causeOf

// Answered is Server.answered.
func Answered(c Counts, e *telemetry.Event) { (&Server{Options: Options{Counts: c}}).answered(e) }
