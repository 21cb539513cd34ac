package main

import _ "embed" // for the units

// What systemd has to know. Distributors find the files beside this one, others
// print them.
var (
	//go:embed pushbridge.service
	serviceUnit string

	//go:embed pushbridge.socket
	socketUnit string
)
