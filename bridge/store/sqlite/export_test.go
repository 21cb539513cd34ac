package sqlite

// Explain is explain, for errors that a healthy disk does not have.
var Explain = explain

// Migrations are the files that bring a database up to date, and ApplicationID is
// what its files are known by.
var Migrations = migrations

const ApplicationID = applicationID
