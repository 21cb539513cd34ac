// Package fcgi serves an http.Handler to a web server over FastCGI and keeps requests that wait cheap.
//
// It speaks the FastCGI Specification 1.0 (Brown, 29 April 1996) in the role
// of a responder: connections kept or not, several requests on one connection,
// parameters cut anywhere.
//
// # The life of a request
//
// A request is collected whole - parameters and body, within the limits of
// [Server] - before its handler starts, so a slow or broken upload never costs
// a handler, the handler finds Content-Length always known and true, and a
// handler that does not read its body holds nobody up. While the handler runs,
// a second goroutine reads the connection: it notices the web server hanging up
// and cancels the request's context. context.Cause then says why:
//
//	ErrHungUp    the web server closed the connection: the client is gone
//	ErrAborted   the web server sent ABORT_REQUEST
//	ErrShutdown  this server is being shut down; the answer still arrives
//
// After the first two whatever the handler writes is thrown away; after
// ErrShutdown a waiting handler should answer at once and its answer reaches
// the client. A handler that must not be torn in two works on with
// context.WithoutCancel.
//
// A handler that panics is answered with 500, or, once a part of its answer is
// on its way, by breaking that answer off so that nobody takes it for whole.
// No other request notices.
//
// # What waiting costs
//
// A request that waits in its handler holds two goroutines (the handler's and
// the connection's reader), the http.Request with its headers, and no buffers:
// buffers for reading are borrowed when bytes arrive and given back between
// records, buffers for writing are borrowed at the first byte of the answer
// and given back at a Flush.
//
// # Detaching
//
// A handler that has nothing to say before something happens elsewhere calls
// [Detach] with what is to come then, and returns:
//
//	func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
//		d := fcgi.Detach(w, time.Now().Add(heartbeat), func(ctx context.Context, w http.ResponseWriter, cause error) {
//			io.WriteString(w, "what happened: "+cause.Error())
//		})
//		s.whenSomethingHappens(func(what error) { d.End(what) })
//	}
//
// From then on the request is a descriptor, its id and that function: some 300
// bytes, no goroutine, no timer and no buffer. On Linux an epoll instance looks
// after the connection; elsewhere, and where the web server keeps the
// connection for other requests, the goroutine that reads it stays. Of all who
// end the waiting - End, the deadline, the web server hanging up or aborting,
// Shutdown - exactly one wins, and none of them waits for anything. A hundred
// thousand that end at once get a goroutine each when they do; who ends so many
// should do it in portions, as Shutdown does.
//
// # Trust
//
// Whoever can reach the socket can claim to be any client. Use a unix socket
// with mode 0660, or TCP on a loopback address.
package fcgi

import "errors"

// Why a request's context ended, as told by context.Cause.
var (
	// ErrHungUp says that the web server closed the connection, usually
	// because its client went away. Closing only its sending half counts too.
	ErrHungUp = errors.New("fcgi: the web server hung up")

	// ErrAborted says that the web server sent FCGI_ABORT_REQUEST.
	ErrAborted = errors.New("fcgi: the web server aborted the request")

	// ErrShutdown says that the Server is being shut down and that the handler
	// should answer now; the answer still reaches the web server.
	ErrShutdown = errors.New("fcgi: the server is shutting down")
)

// ErrServerClosed is what Serve answers after Shutdown or Close.
var ErrServerClosed = errors.New("fcgi: server closed")
