package translate

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A property says how one element is compared when two sides edit one item.
type property struct {
	kind kind

	// group is the property together with which this one means something: an
	// edit of one is an edit of all of them. 0 means that it stands alone.
	group wbxml.Tag

	// quiet: its absence never means removal, whatever is ghosted, because the
	// translation does not take it for one.
	quiet bool

	// empty: sending it empty is no edit either.
	empty bool

	// follows: what a phone says of it matters only where the rest of its group
	// was edited. Phones put their own into whatever they send.
	follows bool

	// theirs: phones are told of it and have no say in it.
	theirs bool

	// twin says the same in other words. Where only the twin is sent, that one
	// counts.
	twin wbxml.Tag

	// rich is the same text as rich text, which phones may send and are never
	// shown. Where only that is sent, it counts as the property itself.
	rich wbxml.Tag
}

// properties are those that are not plain texts standing alone.
var properties = map[wbxml.Tag]property{
	// Every class. See [MS-ASAIRS] "Body" and "Location".
	tag.AirSyncBaseBody:           {kind: prose, quiet: true},
	tag.AirSyncBaseNativeBodyType: {kind: mute},
	tag.AirSyncBaseLocation:       {kind: place, quiet: true},
	tag.AirSyncBaseAttachments:    {quiet: true, theirs: true},
	tag.AirSyncBaseInstanceId:     {kind: mute},

	// Contacts. See [MS-ASCNTC].
	tag.ContactsBody:          {kind: prose, quiet: true, rich: tag.ContactsCompressedRTF},
	tag.ContactsBodySize:      {kind: mute, group: tag.ContactsBody},
	tag.ContactsBodyTruncated: {kind: mute, group: tag.ContactsBody},
	tag.ContactsCompressedRTF: {kind: prose, quiet: true, empty: true, follows: true, group: tag.ContactsBody},
	tag.ContactsFileAs:        {quiet: true, empty: true},
	tag.ContactsEmail1Address: {kind: mailbox},
	tag.ContactsEmail2Address: {kind: mailbox},
	tag.ContactsEmail3Address: {kind: mailbox},
	tag.ContactsBirthday:      {kind: birthday},
	tag.ContactsAnniversary:   {kind: birthday},
	tag.ContactsPicture:       {kind: picture, quiet: true, empty: true},
	tag.ContactsCategories:    {kind: words},
	tag.ContactsChildren:      {kind: words},
	tag.ContactsWeightedRank:  {kind: mute},

	// Events. Times and recurrence are one thing: half of the one with half of
	// the other is an event that nobody planned. See [MS-ASCAL].
	tag.CalendarStartTime:                 {kind: minute, quiet: true},
	tag.CalendarEndTime:                   {kind: minute, quiet: true, group: tag.CalendarStartTime},
	tag.CalendarAllDayEvent:               {kind: flag, quiet: true, group: tag.CalendarStartTime},
	tag.CalendarTimezone:                  {quiet: true, follows: true, group: tag.CalendarStartTime},
	tag.CalendarRecurrence:                {kind: recurrence, group: tag.CalendarStartTime},
	tag.CalendarExceptions:                {kind: exceptions, quiet: true, empty: true},
	tag.CalendarAttendees:                 {kind: guests, quiet: true, empty: true},
	tag.CalendarCategories:                {kind: words},
	tag.CalendarSubject:                   {quiet: true},
	tag.CalendarBusyStatus:                {kind: flag, quiet: true, empty: true},
	tag.CalendarSensitivity:               {kind: flag, quiet: true, empty: true},
	tag.CalendarMeetingStatus:             {kind: flag, quiet: true, empty: true},
	tag.CalendarBody:                      {kind: prose, quiet: true, rich: tag.CalendarCompressedRTF},
	tag.CalendarBodyTruncated:             {kind: mute, group: tag.CalendarBody},
	tag.CalendarCompressedRTF:             {kind: prose, quiet: true, empty: true, follows: true, group: tag.CalendarBody},
	tag.CalendarDtStamp:                   {kind: mute},
	tag.CalendarUID:                       {kind: mute},
	tag.CalendarOrganizerName:             {quiet: true, theirs: true},
	tag.CalendarOrganizerEmail:            {quiet: true, theirs: true},
	tag.CalendarResponseRequested:         {quiet: true, theirs: true},
	tag.CalendarResponseType:              {quiet: true, theirs: true},
	tag.CalendarAppointmentReplyTime:      {kind: mute},
	tag.CalendarDisallowNewTimeProposal:   {quiet: true, theirs: true},
	tag.CalendarOnlineMeetingConfLink:     {quiet: true, theirs: true},
	tag.CalendarOnlineMeetingExternalLink: {quiet: true, theirs: true},
	tag.CalendarClientUid:                 {kind: mute},

	// Tasks. See [MS-ASTASK].
	tag.TasksStartDate:     {kind: day, twin: tag.TasksUtcStartDate},
	tag.TasksDueDate:       {kind: day, twin: tag.TasksUtcDueDate, group: tag.TasksStartDate},
	tag.TasksUtcStartDate:  {kind: minute, quiet: true, follows: true, group: tag.TasksStartDate},
	tag.TasksUtcDueDate:    {kind: minute, quiet: true, follows: true, group: tag.TasksStartDate},
	tag.TasksRecurrence:    {kind: recurrence, group: tag.TasksStartDate},
	tag.TasksComplete:      {kind: flag, quiet: true, empty: true},
	tag.TasksDateCompleted: {kind: minute, quiet: true, empty: true, group: tag.TasksComplete},
	tag.TasksReminderSet:   {kind: flag, quiet: true},
	tag.TasksReminderTime:  {kind: minute, quiet: true, empty: true, group: tag.TasksReminderSet},
	tag.TasksSubject:       {quiet: true},
	tag.TasksImportance:    {kind: flag, quiet: true, empty: true},
	tag.TasksSensitivity:   {kind: flag, quiet: true, empty: true},
	tag.TasksCategories:    {kind: words},
	tag.TasksBody:          {kind: prose, quiet: true, rich: tag.TasksCompressedRTF},
	tag.TasksBodySize:      {kind: mute, group: tag.TasksBody},
	tag.TasksBodyTruncated: {kind: mute, group: tag.TasksBody},
	tag.TasksCompressedRTF: {kind: prose, quiet: true, empty: true, follows: true, group: tag.TasksBody},
	tag.TasksOrdinalDate:   {kind: mute},

	tag.TasksSubOrdinalDate: {kind: mute},

	// Notes. See [MS-ASNOTE].
	tag.NotesCategories:       {kind: words},
	tag.NotesLastModifiedDate: {kind: mute},
	tag.NotesMessageClass:     {kind: mute},
}

func propertyOf(t wbxml.Tag) property { return properties[t] }

// groupOf is the property that stands for all that are edited together with it.
func groupOf(t wbxml.Tag) wbxml.Tag {
	if g := properties[t].group; g != 0 {
		return g
	}
	return t
}

// membersOf are the properties of each group that has more than one.
var membersOf = func() map[wbxml.Tag][]wbxml.Tag {
	m := map[wbxml.Tag][]wbxml.Tag{}
	for t, p := range properties {
		if p.group != 0 {
			m[p.group] = append(m[p.group], t)
		}
	}
	for g := range m {
		m[g] = append(m[g], g)
	}
	return m
}()

func members(group wbxml.Tag) []wbxml.Tag {
	if m := membersOf[group]; m != nil {
		return m
	}
	return []wbxml.Tag{group}
}

// namesMake are the parts of a name of which phones make a contact's FileAs by
// themselves.
var namesMake = []wbxml.Tag{
	tag.ContactsFirstName, tag.ContactsLastName, tag.ContactsMiddleName, tag.ContactsTitle, tag.ContactsSuffix, tag.ContactsCompanyName,
}

// wholes are the properties without which an item of a class was not sent as a
// whole, so that nothing absent means removal, by code page. The other classes
// are always sent whole.
var wholes = map[uint8]wbxml.Tag{
	tag.CalendarStartTime.Page(): tag.CalendarStartTime,
	tag.TasksSubject.Page():      tag.TasksSubject,
}

// wholeItem tells whether a phone sent an item as a whole; others are
// properties that the item has beside what was sent.
func wholeItem(sent eas.Properties, others []wbxml.Tag) bool {
	for _, list := range [][]wbxml.Tag{others, tagsOf(sent)} {
		for _, t := range list {
			if mark, ok := wholes[t.Page()]; ok {
				_, there := sent.Find(mark)
				return there
			}
		}
	}
	return true
}

func tagsOf(ps eas.Properties) []wbxml.Tag {
	list := make([]wbxml.Tag, len(ps))
	for i := range ps {
		list[i] = ps[i].Tag
	}
	return list
}

// heard tells whether a phone said something of a property.
func heard(sent eas.Properties, t wbxml.Tag) bool {
	p := propertyOf(t)
	e, ok := sent.Find(t)
	if !ok {
		return p.rich != 0 && heard(sent, p.rich)
	}
	if t == tag.AirSyncBaseBody {
		_, _, ok := sentBody(eas.Properties{e}, BodyTags{})
		return ok
	}
	return !p.empty || p.kind.sums(&e)[0] != absent
}

// BodyCut tells whether a phone was shown only the beginning of an item's
// text, or nothing of it.
func BodyCut(shown eas.Properties) bool {
	for i := range shown {
		switch e := &shown[i]; e.Tag {
		case tag.AirSyncBaseBody:
			cut, _ := eas.Properties(e.Children).Text(tag.AirSyncBaseTruncated)
			return cut == "1"
		case tag.ContactsBodyTruncated, tag.CalendarBodyTruncated, tag.TasksBodyTruncated:
			return e.Text == "1"
		}
	}
	return false
}
