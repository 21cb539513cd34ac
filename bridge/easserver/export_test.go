package easserver

// CauseOf is causeOf.
var CauseOf = causeOf
