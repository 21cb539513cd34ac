package eas

// What a server of ours says with HTTP status 401, so that a person who looks
// for what is wrong can tell a password that never arrived from a wrong one.
const (
	TextNoLogin    = "Log in with the user name and password of your contacts and calendars."
	TextWrongLogin = "The user name or the password is wrong."
)
