package backend

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"
)

// A Role is what a mail folder is for. The values travel between processes and
// are therefore append-only.
type Role string

// The roles of mail folders. A person has at most one folder of each.
const (
	RoleNone    Role = ""
	RoleInbox   Role = "inbox"
	RoleDrafts  Role = "drafts"
	RoleSent    Role = "sent"
	RoleTrash   Role = "trash"
	RoleJunk    Role = "junk"
	RoleArchive Role = "archive"
	RoleOutbox  Role = "outbox"
)

// Flags of messages are IMAP's: the system flags of RFC 9051, section 2.3.2,
// and keywords, such as those that RFC 9051 lists there and whatever words
// people's programs make up. They are compared without regard to the case of
// ASCII letters; see Flags.
const (
	FlagSeen      = `\Seen`
	FlagAnswered  = `\Answered`
	FlagFlagged   = `\Flagged`
	FlagDeleted   = `\Deleted`
	FlagDraft     = `\Draft`
	FlagForwarded = `$Forwarded`
)

// Limits of what stores say of messages.
const (
	// MaxFlags bounds the flags of one message, and those of one call. More
	// keywords than that are left out.
	MaxFlags = 128

	// MaxFlagLength bounds one flag, in bytes.
	MaxFlagLength = 128

	// MaxParts bounds the parts of a message that are told apart, and
	// MaxPartDepth how deep they may lie inside of one another. What a message
	// has beyond that belongs to the part around it.
	MaxParts     = 1000
	MaxPartDepth = 32

	// MaxSearchResults bounds what one Search answers.
	MaxSearchResults = 1000

	// MaxRecipients bounds the recipients of one Send.
	MaxRecipients = 1000
)

// Flags puts flags in order, each of them once: flags as they are stored,
// without those that say nothing lasting (\Recent), that are no IMAP flags or
// over the limits.
func Flags(flags []string) []string {
	kept := make([]string, 0, len(flags))
	for _, f := range flags {
		if ValidFlag(f) && !strings.EqualFold(f, `\Recent`) {
			kept = append(kept, canonicalFlag(f))
		}
	}
	slices.SortFunc(kept, compareFlags)
	kept = slices.CompactFunc(kept, strings.EqualFold)
	return kept[:min(len(kept), MaxFlags)]
}

// HasFlag tells whether a flag is among others.
func HasFlag(flags []string, flag string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return strings.EqualFold(f, flag) })
}

// ChangeFlags answers flags with some more and without others, in order. What
// is both set and cleared is set.
func ChangeFlags(flags, set, clear []string) []string {
	kept := slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return HasFlag(clear, f) })
	return Flags(append(kept, set...))
}

func compareFlags(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }

var systemFlags = []string{FlagSeen, FlagAnswered, FlagFlagged, FlagDeleted, FlagDraft, FlagForwarded}

// canonicalFlag writes a flag that everybody knows as everybody writes it.
func canonicalFlag(flag string) string {
	for _, f := range systemFlags {
		if strings.EqualFold(f, flag) {
			return f
		}
	}
	return flag
}

// ValidFlag tells whether a word can be a flag: an atom, or a backslash and an
// atom. See RFC 9051, section 9, "flag".
func ValidFlag(flag string) bool {
	atom := strings.TrimPrefix(flag, `\`)
	if atom == "" || len(flag) > MaxFlagLength {
		return false
	}
	return !strings.ContainsFunc(atom, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r)
	})
}

// A Message is an item of kind Mail with what belongs to it beside its bytes.
// The bytes of a message never change; its flags do, and with them its
// Revision.
type Message struct {
	ID       ItemID
	Revision Revision
	Flags    []string  // as Flags answers them
	Received time.Time // when the store got it
	Size     int64     // of the whole message, in bytes; a few more or less are no harm

	// Body is the message (RFC 5322, RFC 2045) with lines that end in CRLF. Nil
	// if it was not asked for. In a message of more bytes than were asked for,
	// parts are hollow: it has the header of the message and of every part, and
	// the boundaries, as they are, but the bytes of the leaf parts that Left
	// names end early, or there are none. What stands before the first and
	// behind the last part of a multipart may be missing.
	Body []byte
	Left []LeftPart

	// Err is why just this message could not be read; then only the ID is set.
	Err error
}

// A LeftPart is a leaf part of which a Message has not all bytes. Parts that are
// not multiparts are leaves, messages inside of a message among them.
type LeftPart struct {
	// Path is the part's number. See RFC 9051, section 6.4.5.1: "1" is the first
	// part of a multipart, or the body of a message that is none; "2.1" is the
	// first one of a multipart that is the second part.
	Path string

	Encoded int64 // how many bytes the part has as it is transferred (base64 and so on)
	Kept    int64 // how many of them are in Body
}

// A Mailbox is a Session that knows what is special about messages. A Session
// with collections of kind Mail is one.
//
// A Put into a collection of kind Mail creates a message, with the Flags of the
// Item; one with a Revision is Unsupported. A Get answers whole messages.
// Delete removes a message for good.
type Mailbox interface {
	Session

	// Messages calls yield once for each of the named messages that exists, in
	// no certain order, as Get does, with bodies of which the leaf parts have
	// limit bytes together. A limit of 0 asks for no bodies. Text that is to be
	// read comes before attachments; of other parts all bytes are there or
	// none.
	Messages(ctx context.Context, c CollectionID, ids []ItemID, limit int, yield func(Message) error) error

	// Part writes bytes of a message's part to w, as they are transferred: from
	// offset on, length of them, or up to the end if length is negative or
	// reaches beyond it. The path is as in LeftPart, also of parts of messages
	// inside of the message; the empty path is the whole message. NotFound
	// means that there is no such message or part. An error of w comes back
	// unchanged.
	Part(ctx context.Context, c CollectionID, id ItemID, path string, offset, length int64, w io.Writer) error

	// SetFlags sets flags of a message and clears others, and answers its
	// revision then. Flags that it had and that are not named are not touched.
	// A store without room for a keyword leaves it out.
	SetFlags(ctx context.Context, c CollectionID, id ItemID, set, clear []string) (Revision, error)
}

// A Sender is a Session that sends mail. Where a Session is not one, people
// cannot send.
type Sender interface {
	Session

	// Send hands a message to the mail system, all recipients or none where the
	// system can. It reads r to its end. Errors of r come back unchanged, and
	// nothing is sent then.
	//
	// Invalid means that the system will not take this message, the text says
	// why in the system's words; TooLarge that it would take a smaller one;
	// Denied that the person may not send, or not under this address. After
	// Transient the same may work later: the message was not taken. After Other
	// nobody knows whether it was taken, for example because the connection broke
	// after its last byte.
	Send(ctx context.Context, m Envelope, r io.Reader) error
}

// An Envelope says from where and to whom a message goes.
type Envelope struct {
	From string   // a mail address, without a name
	To   []string // at most MaxRecipients mail addresses
	Size int64    // of the message, in bytes; 0 if it is not known
}

// A Searcher is a Session of a store that can search its messages. Where a
// Session is not one, nothing is found.
type Searcher interface {
	Session

	// Search finds messages that meet all of the conditions, the latest received
	// first. A missing collection has no messages.
	Search(ctx context.Context, q Query) ([]Found, error)
}

// A Query is what to search for. Texts are searched for without regard to case,
// as parts of words or as whole ones, as the store can. Empty ones are met by
// every message.
type Query struct {
	Collections []CollectionID // all of kind Mail
	Text        string         // anywhere in the message
	From        string         // in the header fields From, To (with Cc) and Subject
	To          string
	Subject     string
	Since       time.Time // received then or later; whole days where the store knows no better
	Before      time.Time // received earlier
	Limit       int       // how many are wanted at most; 0 and more than MaxSearchResults mean that many
}

// A Found is a message that was searched for.
type Found struct {
	Collection CollectionID
	ID         ItemID
	Received   time.Time
}

// SortFound brings the results of several searches in the order of Search, and
// leaves as many as are wanted.
func SortFound(found []Found, limit int) []Found {
	slices.SortStableFunc(found, func(a, b Found) int { return b.Received.Compare(a.Received) })
	if limit <= 0 || limit > MaxSearchResults {
		limit = MaxSearchResults
	}
	return found[:min(len(found), limit)]
}

// MaxVacationText bounds what people are told of an absence, in bytes.
const MaxVacationText = 64 << 10

// A Vacationer is a Session of a store that answers mail while a person is away.
type Vacationer interface {
	Session

	// Vacation answers what is set. Unsupported means that just this person has
	// no such thing.
	Vacation(ctx context.Context) (Vacation, error)

	// SetVacation sets it. Other rules for the person's mail stay as they are.
	SetVacation(ctx context.Context, v Vacation) error
}

// A Vacation is what people are told who write to somebody who is away.
type Vacation struct {
	Enabled bool
	From    time.Time // zero: from now on
	Until   time.Time // zero: until it is switched off
	Text    string    // plain text; kept while it is not enabled, where the store can
}
