// Package admin is the administration API: what an administrator can ask of a running worker and order it to do.
//
// Everything is an operation in [Operations], with its types, the roles that may
// do it, and whether it changes anything; what an [Actor] does goes through one
// door, which looks whether the actor may and writes it into the audit. A program
// of this process calls the operations as they are ([Op.Do]). Others ask in JSON
// over HTTP: on a unix socket whose mode says who may do everything, or through
// whoever else lets people in ([Server.Answer]). [Client] asks at the socket.
package admin

import (
	"context"
	"log/slog"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/trace"
)

// An Engine knows what phones were told. *syncengine.Engine is one.
type Engine interface {
	// Folders lists what the user has, parents before their children.
	Folders(ctx context.Context, user string) ([]syncengine.Folder, error)

	// Folder finds one of them, or answers syncengine.ErrNoFolder.
	Folder(ctx context.Context, user string, id syncengine.FolderID) (syncengine.Folder, error)

	// Count is how many items the mirror of a folder has.
	Count(ctx context.Context, f syncengine.FolderID) (int, error)

	// Inventory is what a phone has of a folder; syncengine.ErrUnknown if it
	// never synchronized it.
	Inventory(ctx context.Context, p syncengine.Phone, f syncengine.FolderID) (syncengine.Inventory, error)

	// Held lists the deletions that are held up.
	Held(ctx context.Context) ([]syncengine.Hold, error)

	// Release lets those of a folder pass. syncengine.ErrNoFolder and ErrNoHold
	// say that there is nothing to let pass.
	Release(ctx context.Context, user string, f syncengine.FolderID) error

	// Resync makes a phone load a folder anew, or all of them if f is 0, and
	// wakes it.
	Resync(ctx context.Context, p syncengine.Phone, f syncengine.FolderID) error

	// ForgetPhone drops all that the phone was told.
	ForgetPhone(ctx context.Context, p syncengine.Phone) error
}

// Devices is the register of phones. device.Store is one.
type Devices interface {
	Phone(ctx context.Context, id device.ID) (device.Phone, error)
	Phones(ctx context.Context, user string) ([]device.Phone, error)
	Count(ctx context.Context) (int, error)
	Forget(ctx context.Context, id device.ID) error
	device.Memory
}

// Security orders phones to erase themselves, blocks and allows them, and knows
// what is asked of them. *device.Register is one.
type Security interface {
	OrderWipe(ctx context.Context, id device.ID, o device.Order, by string, alone bool) (device.Phone, error)
	ConfirmWipe(ctx context.Context, id device.ID, by string) (device.Phone, error)
	ExpireWipe(ctx context.Context, id device.ID) (device.Phone, bool, error)
	CancelWipe(ctx context.Context, id device.ID) (device.Phone, error)
	Block(ctx context.Context, id device.ID, why string) error
	Allow(ctx context.Context, id device.ID, by string) error
	Call(ctx context.Context, id device.ID, name string) error
	PolicyFor(device.Phone) policy.Policy
	FullWipes() bool

	// Health says in one word how a phone is, and why.
	Health(p device.Phone, waits bool, now time.Time) (device.Health, string)

	// Standing says why a phone is not served, in words and as an error of package
	// device.
	Standing(device.Phone) (string, error)
}

// Problems lists the objects that cannot be shown. *problem.Register is one.
type Problems interface {
	List(ctx context.Context, user string) ([]problem.Problem, error)
}

// Waiting knows the phones that wait for a change.
type Waiting interface {
	Waiting() int
	Waits(user, device string) bool

	// Order ends the wait of a phone with a reason, and tells whether it waited.
	Order(user, device string, why error) bool

	// Wake makes the waiting phones of a user look whether there is news, in
	// these folders or in the list of them.
	Wake(user string, folders ...syncengine.FolderID)

	// Again makes a phone that waits come again at once, as if its heartbeat were
	// over, and tells whether it waited.
	Again(user, device string) bool
}

// Options tell New what to build with. All but Backends, Version and Logger
// are required.
type Options struct {
	Engine   Engine
	Devices  Devices
	Security Security
	Problems Problems
	Waiting  Waiting

	// Backends says how the backends are. Nil means that there are none.
	Backends func(context.Context) []Backend

	// Activity says what the worker does, with the events behind a number. Nil
	// means that only the phones that wait are known.
	Activity func(after int64) Activity

	// Heartbeat bounds how long phones may wait.
	Heartbeat device.Bounds

	// Choices keep which folders people's phones are shown. Nil means that none
	// can be made.
	Choices *choice.Choices

	// Rules keep groups, policies and who may come in. Nil means that there are
	// none.
	Rules *rulebook.Book

	// Tracer records phones. Nil means that none can be recorded.
	Tracer *trace.Tracer

	// Roster knows who may sign in. Nil means that nobody may.
	Roster *roster.Roster

	// OwnersWipe lets people have their own phones erased as a whole; without it
	// their account on it alone.
	OwnersWipe bool

	// Tell has phones' owners hear of what was done about their phones. It must not
	// block. Nil means that nobody does.
	Tell func(Notice)

	// Audit is where everything is written down that is ordered or changed. Nil
	// means that the log has to do.
	Audit *audit.Log

	// Transact makes what is changed and its entry in the audit come true
	// together; work uses the context that it is given. Nil means one after the
	// other.
	Transact func(ctx context.Context, work func(context.Context) error) error

	Version string       // of the program
	Logger  *slog.Logger // nil means slog.Default
}

// A Server answers the calls of the API. It is an http.Handler.
type Server struct {
	Options
	started  time.Time
	services services
}

// New builds a Server.
func New(o Options) *Server {
	if o.Engine == nil || o.Devices == nil || o.Security == nil || o.Problems == nil || o.Waiting == nil {
		panic("admin: Engine, Devices, Security, Problems and Waiting are required")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Server{Options: o, started: time.Now()}
}
