package admin

import (
	"time"

	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/problem"
)

// A Status is how a worker is.
type Status struct {
	Version  string    `json:"version"`
	Started  time.Time `json:"started"`
	Phones   int       `json:"phones"`   // in the register
	Waiting  int       `json:"waiting"`  // phones that wait for a change
	Holds    int       `json:"holds"`    // folders whose deletions are held up
	Problems int       `json:"problems"` // objects that cannot be shown
	Backends []Backend `json:"backends"`
}

// A Backend is how a backend is, as far as can be said.
type Backend struct {
	Name     string `json:"name"`
	Plugin   string `json:"plugin,omitempty"`
	Well     bool   `json:"well"`             // its process runs and its server answers
	Restarts int    `json:"restarts"`         // of its process, since the worker began
	Detail   string `json:"detail,omitempty"` // why it is not well

	Sources []Source `json:"sources"` // by which it tells of changes
}

// A Source is a way by which a backend's changes are told of without being
// asked for.
type Source struct {
	Name   string     `json:"name"`            // "notify", "hook NAME", "webdav-push", "events"
	Heard  *time.Time `json:"heard,omitempty"` // when last; absent if not since the worker began
	Relied bool       `json:"relied"`          // polling is slowed because of it
}

// A Device is a phone of a person. What it says of itself is not to be
// trusted: phones choose their names.
type Device struct {
	User      string    `json:"user"`
	Device    string    `json:"device"` // the DeviceId
	Type      string    `json:"type"`
	Model     string    `json:"model,omitempty"`
	Name      string    `json:"name,omitempty"`
	Called    string    `json:"called,omitempty"` // by its owner, or an administrator
	System    string    `json:"system,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Version   string    `json:"version"` // of the protocol
	Says      *Says     `json:"says,omitempty"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"` // to within device.SeenStep
	Waiting   bool      `json:"waiting"`

	Blocked    string `json:"blocked,omitempty"`    // why it is not served; empty if it is
	Quarantine string `json:"quarantine,omitempty"` // why it waits for somebody who lets it in; empty if it does not
	AllowedBy  string `json:"allowed_by,omitempty"` // who let it in, whatever the rules say

	Health string `json:"health"` // in one word
	Why    string `json:"why"`    // in words

	Revealed *Revealed `json:"revealed,omitempty"` // who was told its recovery password last
	Policy   string    `json:"policy,omitempty"`   // how it stands with the policy, where there is one, in words
	Wipe     *Wipe     `json:"wipe,omitempty"`     // the last order to erase it
}

// Revealed says who was told a recovery password.
type Revealed struct {
	By   string    `json:"by"`
	When time.Time `json:"when"`
}

// Says is what else a phone says of itself; empty where it says nothing.
type Says struct {
	IMEI        string `json:"imei,omitempty"`
	Language    string `json:"language,omitempty"`
	PhoneNumber string `json:"phone_number,omitempty"`
	Operator    string `json:"operator,omitempty"`
	Agent       string `json:"agent,omitempty"`        // which may differ from the one of its requests
	OutboundSMS string `json:"outbound_sms,omitempty"` // "0" or "1"
}

// A Wipe is an order to erase a phone, and what came of it.
type Wipe struct {
	AccountOnly bool       `json:"account_only"`
	State       string     `json:"state"` // requested, pending, sent, acknowledged, failed, cancelled, expired
	By          string     `json:"by"`
	Ordered     time.Time  `json:"ordered"`
	Sent        *time.Time `json:"sent,omitempty"`
	Ended       *time.Time `json:"ended,omitempty"`
	Second      string     `json:"second,omitempty"`  // who confirmed it, where two people have to want it
	Expires     *time.Time `json:"expires,omitempty"` // when it is over, unless the phone came
	Tries       int        `json:"tries,omitempty"`   // how often the phone said that it could not
}

// A Folder is a collection of a person as phones know it.
type Folder struct {
	ID         int64     `json:"id"`
	Name       string    `json:"name"`
	Kind       string    `json:"kind"`
	Backend    string    `json:"backend"`
	Collection string    `json:"collection"`
	Default    bool      `json:"default,omitempty"`
	ReadOnly   bool      `json:"read_only,omitempty"`
	Hidden     bool      `json:"hidden,omitempty"` // from the phone that was asked about, if one was
	Items      int       `json:"items"`            // in the mirror
	Devices    []Holding `json:"devices"`          // those that synchronized it
}

// A Holding is what a phone has of a folder.
type Holding struct {
	Device string `json:"device"`
	Items  int    `json:"items"`
	Behind bool   `json:"behind"` // there may be news for it
}

// A Hold is a deletion of many items that looks like a mishap and is held up.
type Hold struct {
	User    string    `json:"user"`
	Folder  int64     `json:"folder"`
	Name    string    `json:"name"`
	Backend string    `json:"backend"`
	Items   int       `json:"items"` // that are missing
	Of      int       `json:"of"`    // how many there were
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"` // from then on a complete listing that says the same is believed
}

// A UserRequest asks about a person; an empty name about everybody, where that
// makes sense.
type UserRequest struct {
	User string `json:"user"`
}

func (r UserRequest) whose() (string, string, int64) { return r.User, "", 0 }

// A PhoneRequest asks about a phone; an empty device about all of the person's,
// where that makes sense.
type PhoneRequest struct {
	User   string `json:"user"`
	Device string `json:"device"`
}

func (r PhoneRequest) whose() (string, string, int64) { return r.User, r.Device, 0 }

// A ReleaseRequest lets the deletions of a folder pass.
type ReleaseRequest struct {
	User   string `json:"user"`
	Folder int64  `json:"folder"`
}

func (r ReleaseRequest) whose() (string, string, int64) { return r.User, "", r.Folder }

// A ResyncRequest makes a phone load a folder anew.
type ResyncRequest struct {
	User   string `json:"user"`
	Device string `json:"device"`
	Folder int64  `json:"folder,omitempty"` // 0 means all
}

func (r ResyncRequest) whose() (string, string, int64) { return r.User, r.Device, r.Folder }

// A Choice is a rule of a person's own that shows folders to phones, or hides
// them. Of those that fit the last one decides.
type Choice = choice.Choice

// A ChoiceRequest makes a choice, or takes it back.
type ChoiceRequest struct {
	User string `json:"user"`
	Choice
}

func (r ChoiceRequest) whose() (string, string, int64) { return r.User, r.Device, 0 }

// A ForgetRequest drops what is known of a phone.
type ForgetRequest = PhoneRequest

// A WipeRequest has a phone erased, or takes that back.
type WipeRequest struct {
	User        string `json:"user"`
	Device      string `json:"device"`
	AccountOnly bool   `json:"account_only,omitempty"` // not the whole phone
	Cancel      bool   `json:"cancel,omitempty"`
}

func (r WipeRequest) whose() (string, string, int64) { return r.User, r.Device, 0 }

// An AdmissionRequest blocks or allows a phone.
type AdmissionRequest = PhoneRequest

// A Policy is what is asked of phones.
type Policy struct {
	Required bool     `json:"required"` // there is a policy
	Revision string   `json:"revision,omitempty"`
	Settings []Asked  `json:"settings"` // those that the configuration has
	Rules    []string `json:"rules"`    // who is kept out or let in, and what is never done, in words
}

// Asked is one setting of a policy.
type Asked struct {
	Name    string `json:"name"`
	Value   any    `json:"value"`
	Element string `json:"element"` // of the protocol
	Means   string `json:"means"`
}

// Done says what an order led to, in a sentence.
type Done struct {
	Text string `json:"text"`
}

// A Kind of error is what the caller can do about it. Kinds travel, and are
// therefore append-only.
type Kind string

// The kinds of errors.
const (
	Internal  Kind = "internal"   // look into the worker's log
	Invalid   Kind = "invalid"    // ask properly
	NotFound  Kind = "not_found"  // ask for something else
	Unknown   Kind = "unknown"    // there is no such call: is the worker older than the client?
	Absent    Kind = "absent"     // no worker answers at the socket
	Forbidden Kind = "forbidden"  // the socket is not for this user
	Strange   Kind = "not_a_door" // what answers is no worker
	Refused   Kind = "refused"    // ask somebody with another role
	Stranger  Kind = "stranger"   // sign in, or show a token that is valid
	Busy      Kind = "busy"       // come back later
)

// An Error is what a call fails with. Its text is a sentence for the person who
// asked, and says what to do.
type Error struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"`
}

// Error is the sentence.
func (e *Error) Error() string { return e.Text }

// failure is the body of an answer that is no success.
type failure struct {
	Error *Error `json:"error"`
}

// Problem is an object that cannot be shown to phones.
type Problem = problem.Problem
