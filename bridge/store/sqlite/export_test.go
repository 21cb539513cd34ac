package sqlite

// Explain is explain, for errors that a healthy disk does not have.
var Explain = explain
