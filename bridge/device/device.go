// Package device keeps the register of phones: who they are, which policy they accepted, and what they asked for last.
package device

import (
	"context"
	"errors"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
)

// An ID names a phone. It is the user and the DeviceId together: two people
// may use one device, and one device may hold two accounts of one server.
type ID struct {
	User   string // the account's name
	Device string // the DeviceId of the protocol, at most MaxDeviceID bytes
}

// A Phone is what is known of one device of one user.
type Phone struct {
	ID
	Type      string // DeviceType of the query: "iPhone", "Android", ...
	UserAgent string
	Version   string // of the protocol, as last spoken: "16.1"
	Information

	Called string `json:",omitempty"` // by people, in place of what it says of itself

	FirstSeen time.Time
	LastSeen  time.Time // to within SeenStep

	Policy     Policy
	Allowed    Allowed `json:",omitzero"` // by an administrator, whatever the rules say
	Revealed   Allowed `json:",omitzero"` // who was told its recovery password last
	Blocked    bool    // it is refused until an administrator allows it
	BlockedWhy string  `json:",omitempty"` // in words
	Wipe       Wipe    `json:",omitzero"`  // the last order to erase it
}

// Allowed says that an administrator let a phone in.
type Allowed struct {
	By   string
	When time.Time
}

// Approved tells whether an administrator let the phone in.
func (p Phone) Approved() bool { return p.Allowed != Allowed{} }

// Rules say who may come in, and what is asked of whom.
type Rules interface {
	// Policy is what is asked of a phone.
	Policy(ID) policy.Policy

	// Admits answers ErrBlocked, ErrQuarantined or ErrUserOff, and why in words.
	Admits(Phone) (why string, err error)

	// MaxPhones is how many phones a user may have.
	MaxPhones(user string) int

	// Listed tells whether a DeviceId is on the block list, and why.
	Listed(device string) (why string, yes bool)
}

// Information is what a phone says of itself. See [MS-ASCMD]
// "DeviceInformation".
type Information struct {
	Model        string
	IMEI         string
	FriendlyName string
	OS           string
	OSLanguage   string
	PhoneNumber  string
	Operator     string // MobileOperator
	Agent        string `json:",omitempty"` // UserAgent, which may differ from the one of its requests
	OutboundSMS  string `json:",omitempty"` // EnableOutboundSMS: "0" or "1"
}

// Policy is where a phone stands with the security policy. See [MS-ASPROV]
// "Abstract Data Model".
type Policy struct {
	Temporary uint32    // the key of the policy last handed out; good for the acknowledgement only
	Key       uint32    // the key of the policy that the phone accepted; 0 if it never did
	Revision  string    // of the policy that Temporary belongs to
	Accepted  string    // the revision that Key belongs to
	Status    int       // how the phone acknowledged: 1 applied, 2 partly, 3 not, 4 managed by others; 0 not yet
	When      time.Time `json:",omitzero"` // it acknowledged

	Turns Turns `json:",omitzero"` // how the phone goes about provisioning
}

// Errors that callers tell apart.
var (
	ErrUnknown     = errors.New("device: no such phone")
	ErrBlocked     = errors.New("device: an administrator blocked this phone") // HTTP 403, status 129
	ErrWipe        = errors.New("device: the phone is to be erased")           // HTTP 449, status 140
	ErrInvalidID   = errors.New("device: the DeviceId is empty, too long or has special characters")
	ErrPolicyKey   = errors.New("device: the acknowledged policy key is not the one handed out") // Provision 5
	ErrNotApplied  = errors.New("device: the phone did not apply the policy that is required")   // HTTP 403, status 139
	ErrExternal    = errors.New("device: the phone is managed by somebody else")                 // HTTP 403, status 145
	ErrStale       = errors.New("device: the policy changed")                                    // HTTP 449, status 143
	ErrLoop        = errors.New("device: the phone provisions again and again")                  // HTTP 503 with Retry-After
	ErrQuarantined = errors.New("device: the phone waits for somebody who allows it")
	ErrUserOff     = errors.New("device: mobile access is off for this user") // HTTP 403, status 126
	ErrTooMany     = errors.New("device: the user has too many phones")       // status 177
)

// MaxRecalled bounds the names that one question is about.
const MaxRecalled = 4

// A Store keeps the register. Its methods may be called from many goroutines
// and many processes at a time.
type Store interface {
	// Phone answers what is known, or ErrUnknown.
	Phone(ctx context.Context, id ID) (Phone, error)

	// Phones lists the phones of a user, the one last seen first; of every
	// user if user is empty.
	Phones(ctx context.Context, user string) ([]Phone, error)

	// Update reads a phone, lets change alter it, and stores it, so that no
	// other Update of the same phone comes between. An unknown phone is given to
	// change with only its ID set; known tells which it is. If change answers
	// an error, nothing is stored and Update answers that error together with
	// the phone as it is. Whether change altered anything may be found out by
	// comparing (a Phone is comparable); one that is as before need not be
	// written. change may be called more than once and has no other effects.
	Update(ctx context.Context, id ID, change func(p *Phone, known bool) error) (Phone, error)

	// Remember keeps a value under a name for a phone, replacing an earlier
	// one. A nil value forgets. The phone need not be known.
	Remember(ctx context.Context, id ID, name string, value []byte) error

	// Recall answers what was remembered last, or nil.
	Recall(ctx context.Context, id ID, name string) ([]byte, error)

	// RecallSome answers by their names what Recall does, of at most MaxRecalled of
	// them in one question. What is not remembered is missing.
	RecallSome(ctx context.Context, id ID, names ...string) (map[string][]byte, error)

	// Count is how many phones there are, of all users.
	Count(ctx context.Context) (int, error)

	// Forget removes a phone and everything remembered for it. An unknown one
	// is no error.
	Forget(ctx context.Context, id ID) error
}
