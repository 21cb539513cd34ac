// Package bridge joins the rooms of the gateway into one program and routes requests to them.
//
// It starts the plugins, opens the store, builds the sync engine, the hub and
// the servers upon them, and serves all of it over FastCGI and, for trials,
// over plain HTTP.
package bridge
