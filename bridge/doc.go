// Package bridge joins the rooms of the gateway into one program and routes requests to them.
package bridge
