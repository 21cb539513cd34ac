package mail

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// The flags of IMAP. See RFC 9051, section 2.3.2.
const (
	Seen      = `\Seen`
	Answered  = `\Answered`
	Flagged   = `\Flagged`
	Deleted   = `\Deleted`
	DraftFlag = `\Draft`
	Forwarded = "$Forwarded"
)

// The keywords that hold what IMAP has no flag for: the dates of a follow-up.
// A day is written as 20261130, a time as 20261130T080000Z. There is one
// keyword for each day, not for each message: some servers bound their number.
const (
	doneKeyword     = "followup-done-"     // and when; the message is not \Flagged any more
	startKeyword    = "followup-start-"    // the day
	dueKeyword      = "followup-due-"      // the day
	reminderKeyword = "followup-reminder-" // the time
)

const (
	dayLayout  = "20060102"
	timeLayout = "20060102T150405Z"
)

// The values of Status inside a Flag. See [MS-ASEMAIL] "Status".
const (
	flagCleared = "0"
	flagDone    = "1"
	flagActive  = "2"
)

// flagType is what every flag is for. See [MS-ASEMAIL] "FlagType".
const flagType = "Flag for follow up"

// The values of LastVerbExecuted. See [MS-ASEMAIL] "LastVerbExecuted".
const (
	verbReplied   = "1"
	verbForwarded = "3"
)

// State answers what a phone is told of a message of which only the flags
// changed.
func State(flags []string, o translate.Options) eas.Properties {
	s := &shown{Message: Message{Flags: flags}, o: o, version: o.ProtocolVersion()}
	s.state()
	return s.ps
}

// state appends what the flags say.
func (s *shown) state() {
	s.addText(eas.T(tag.EmailRead, bit(s.has(Seen))))
	if s.version >= eas.V120 {
		s.addText(readFollowUp(s.Flags).element(s.o))
	}
	if s.version >= eas.V140 {
		// An empty list takes away what the phone had.
		list := eas.C(tag.EmailCategories)
		if ps := translate.AppendList(nil, tag.EmailCategories, tag.EmailCategory, categories(s.Flags)); len(ps) > 0 {
			list = ps[0]
		}
		s.addText(list)
		switch {
		case s.has(Answered):
			s.addText(eas.T(tag.Email2LastVerbExecuted, verbReplied))
		case s.has(Forwarded):
			s.addText(eas.T(tag.Email2LastVerbExecuted, verbForwarded))
		}
	}
	if s.version >= eas.V160 && s.has(DraftFlag) {
		s.addText(eas.T(tag.Email2IsDraft, "1"))
	}
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func (s *shown) has(flag string) bool { return hasFlag(s.Flags, flag) }

// hasFlag compares as IMAP does: without case.
func hasFlag(flags []string, flag string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return strings.EqualFold(f, flag) })
}

// A followUp is the flag of a message.
type followUp struct {
	active           bool
	done             time.Time // zero: not
	start, due, mind time.Time // zero: none
}

func readFollowUp(flags []string) followUp {
	f := followUp{active: hasFlag(flags, Flagged)}
	for _, word := range flags {
		word = strings.ToLower(word)
		if day, ok := cutDate(word, startKeyword, dayLayout); ok {
			f.start = day
		} else if day, ok := cutDate(word, dueKeyword, dayLayout); ok {
			f.due = day
		} else if at, ok := cutDate(word, reminderKeyword, timeLayout); ok {
			f.mind = at
		} else if at, ok := cutDate(word, doneKeyword, timeLayout); ok {
			f.done = at
		}
	}
	return f
}

func cutDate(word, prefix, layout string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(word, prefix)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(layout, strings.ToUpper(rest))
	return at, err == nil
}

// keywords are the flag as IMAP keeps it.
func (f followUp) keywords() []string {
	var list []string
	add := func(prefix, layout string, at time.Time) {
		if !at.IsZero() {
			list = append(list, prefix+at.UTC().Format(layout))
		}
	}
	switch {
	case f.active:
		list = append(list, Flagged)
		add(startKeyword, dayLayout, f.start)
		add(dueKeyword, dayLayout, f.due)
		add(reminderKeyword, timeLayout, f.mind)
	case !f.done.IsZero():
		add(doneKeyword, timeLayout, f.done)
	}
	return list
}

// element is the flag as a phone is shown it: empty if there is none. Days are
// shown at midnight, in the person's zone and in UTC. See [MS-ASEMAIL] "Flag".
func (f followUp) element(o translate.Options) eas.Element {
	flag := eas.C(tag.EmailFlag)
	add := func(t wbxml.Tag, text string) { flag.Children = append(flag.Children, eas.T(t, text)) }
	switch {
	case f.active:
		add(tag.EmailStatus, flagActive)
		add(tag.EmailFlagType, flagType)
		day := func(local, utc wbxml.Tag, at time.Time) {
			add(local, translate.DateTime(at))
			add(utc, translate.DateTime(time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, o.Location())))
		}
		if start, due := f.span(); !due.IsZero() {
			day(tag.TasksStartDate, tag.TasksUtcStartDate, start)
			day(tag.TasksDueDate, tag.TasksUtcDueDate, due)
		}
		if !f.mind.IsZero() {
			add(tag.TasksReminderSet, "1")
			add(tag.TasksReminderTime, translate.DateTime(f.mind))
		}
	case !f.done.IsZero():
		add(tag.EmailStatus, flagDone)
		add(tag.EmailFlagType, flagType)
		add(tag.TasksDateCompleted, translate.DateTime(f.done))
		add(tag.EmailCompleteTime, translate.DateTime(f.done))
	}
	return flag
}

// span is both dates if there is one: phones want none or all. See [MS-ASEMAIL]
// "StartDate" and "DueDate".
func (f followUp) span() (start, due time.Time) {
	switch start, due = f.start, f.due; {
	case due.IsZero():
		due = start
	case start.IsZero() || start.After(due):
		start = due
	}
	return start, due
}

// Change tells which flags of a message are to be set and which are to be
// cleared when a phone sends properties: Read, Flag and Categories. What is not
// there stays. The error is translate.ErrInvalid.
//
// See [MS-ASEMAIL] "Updating E-Mail Flags".
func Change(flags []string, sent eas.Properties, o translate.Options) (set, clear []string, err error) {
	if text, ok := sent.Text(tag.EmailRead); ok {
		switch strings.TrimSpace(text) {
		case "1":
			set = addOne(set, flags, Seen)
		case "0", "":
			clear = takeOne(clear, flags, Seen)
		default:
			return nil, nil, invalid("Read is %.10q", text)
		}
	}
	if el, ok := sent.Find(tag.EmailFlag); ok && o.ProtocolVersion() >= eas.V120 {
		want, err := sentFollowUp(el, readFollowUp(flags), o)
		if err != nil {
			return nil, nil, err
		}
		set, clear = exchange(set, clear, flags, want.keywords(), isFollowUp)
	}
	if _, ok := sent.Find(tag.EmailCategories); ok && o.ProtocolVersion() >= eas.V140 {
		want, changed, err := translate.MergeList(categories(flags), sent, tag.EmailCategories, tag.EmailCategory, o)
		if err != nil {
			return nil, nil, fmt.Errorf("mail: categories: %w", err)
		}
		if changed {
			set, clear = exchange(set, clear, flags, categoryKeywords(want, flags), isCategory)
		}
	}
	return set, clear, nil
}

func addOne(set, flags []string, flag string) []string {
	if hasFlag(flags, flag) {
		return set
	}
	return append(set, flag)
}

func takeOne(clear, flags []string, flag string) []string {
	if !hasFlag(flags, flag) {
		return clear
	}
	return append(clear, flag)
}

// exchange replaces the flags of a kind.
func exchange(set, clear, flags, want []string, kind func(string) bool) (_, _ []string) {
	for _, f := range flags {
		if kind(f) && !hasFlag(want, f) {
			clear = append(clear, f)
		}
	}
	for _, f := range want {
		set = addOne(set, flags, f)
	}
	return set, clear
}

func isFollowUp(flag string) bool {
	flag = strings.ToLower(flag)
	return strings.EqualFold(flag, Flagged) || strings.HasPrefix(flag, doneKeyword) || strings.HasPrefix(flag, startKeyword) ||
		strings.HasPrefix(flag, dueKeyword) || strings.HasPrefix(flag, reminderKeyword)
}

// sentFollowUp reads a phone's flag. Dates that an active flag does not mention
// go, as the flag is sent whole.
func sentFollowUp(el eas.Element, held followUp, o translate.Options) (followUp, error) {
	children := eas.Properties(el.Children)
	status, hasStatus := children.Text(tag.EmailStatus)
	status = strings.TrimSpace(status)
	switch {
	case len(children) == 0, status == flagCleared:
		return followUp{}, nil
	case status == flagDone:
		done, err := sentTimes(children, tag.TasksDateCompleted, tag.EmailCompleteTime)
		if err != nil {
			return followUp{}, err
		}
		if done.IsZero() {
			if done = held.done; done.IsZero() {
				done = o.Now
			}
		}
		return followUp{done: done.Truncate(time.Second)}, nil
	case status != flagActive && hasStatus:
		return followUp{}, invalid("the Status of the Flag is %.10q", status)
	}
	f := followUp{active: true}
	var err error
	if f.start, err = sentDay(children, tag.TasksStartDate, tag.TasksUtcStartDate, o); err != nil {
		return f, err
	}
	if f.due, err = sentDay(children, tag.TasksDueDate, tag.TasksUtcDueDate, o); err != nil {
		return f, err
	}
	if reminder, ok := children.Text(tag.TasksReminderSet); ok && strings.TrimSpace(reminder) == "1" {
		if f.mind, err = sentTimes(children, tag.TasksReminderTime); err != nil {
			return f, err
		}
	}
	if held.active && f == (followUp{active: true}) && len(children) <= 2 {
		return held, nil // a phone that knows of no dates says only that there is a flag
	}
	return f, nil
}

// sentDay reads a day: the local one, or the one in UTC as the person sees it.
func sentDay(ps eas.Properties, local, utc wbxml.Tag, o translate.Options) (time.Time, error) {
	at, err := sentTimes(ps, local)
	if err != nil || !at.IsZero() {
		return at.Truncate(24 * time.Hour), err
	}
	if at, err = sentTimes(ps, utc); err != nil || at.IsZero() {
		return at, err
	}
	y, m, d := at.In(o.Location()).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), nil
}

// sentTimes reads the first of some elements that is there and not empty.
func sentTimes(ps eas.Properties, tags ...wbxml.Tag) (time.Time, error) {
	for _, t := range tags {
		text, _ := ps.Text(t)
		if strings.TrimSpace(text) == "" {
			continue
		}
		at, err := translate.ParseDateTime(text)
		if err == nil && (at.Year() < 1601 || at.Year() > 9998) {
			err = invalid("%s in the year %d", tag.Name(t), at.Year())
		}
		return at, err
	}
	return time.Time{}, nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("mail: %w: "+format, append([]any{translate.ErrInvalid}, args...)...)
}
