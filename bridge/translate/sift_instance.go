package translate

import (
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// SiftInstance compares a series with what a phone holds that edits one
// occurrence of it, named by its time; the arguments are as with [Sift]. theirs
// tells whether somebody else edited that very occurrence, or took it out.
// foreign tells whether the series shows anything that the phone neither holds
// nor wrote.
//
// Of an event that is no series the occurrence is all that there is.
func SiftInstance(held, tried Digest, at string, now eas.Properties) (theirs, foreign bool) {
	s := sifter{held: held, tried: tried, now: now}
	for _, g := range s.groups() {
		known, own := s.knows(g)
		foreign = foreign || !known && !own
	}
	if _, series := now.Find(tag.CalendarRecurrence); !series {
		return foreign, foreign
	}
	return !held.hasInstance(at, now) && (len(tried.entries) == 0 || !tried.hasInstance(at, now)), foreign
}

// instanceOf finds an occurrence among the exceptions of a series; nil if there
// is nothing special about it.
func instanceOf(at string, shown eas.Properties) *eas.Element {
	list, _ := shown.Find(tag.CalendarExceptions)
	for i := range list.Children {
		if exceptions.element(&list.Children[i]).key == instanceKey(at) {
			return &list.Children[i]
		}
	}
	return nil
}

// hasInstance tells whether the digest has an occurrence as it is shown.
func (d Digest) hasInstance(at string, shown eas.Properties) bool {
	e := instanceOf(at, shown)
	if e == nil {
		key := instanceKey(at)
		return !d.has(tag.CalendarExceptions|markKey, key) || d.has(tag.CalendarExceptions|markElement, missing(key))
	}
	return d.hasException(e, shown)
}

// differing are the properties of an occurrence that are told only where they
// differ from the series. See [MS-ASCAL] "Exception".
var differing = []wbxml.Tag{
	tag.CalendarLocation, tag.AirSyncBaseLocation, tag.CalendarReminder, tag.CalendarSensitivity,
	tag.CalendarBusyStatus, tag.CalendarCategories, tag.AirSyncBaseBody, tag.CalendarBody,
}

// hasException tells whether the digest has an occurrence of a series as it is
// shown, or as it would have been beside the series that the digest has: who
// edits that edits with it what of the occurrence differs from it.
func (d Digest) hasException(e *eas.Element, series eas.Properties) bool {
	if d.has(tag.CalendarExceptions|markElement, exceptions.element(e).sums[0]) {
		return true
	}
	was := *e
	was.Children = slices.Clone(e.Children)
	for _, t := range differing {
		general := primary(series, t)
		if d.has(t, general) {
			continue // nobody edited it
		}
		own := slices.IndexFunc(was.Children, func(c eas.Element) bool { return c.Tag == t })
		switch {
		case own < 0 && general != absent:
			was.Children = append(was.Children, *saying(series, t))
		case own >= 0 && d.has(t, propertyOf(t).kind.sums(&was.Children[own])[0]):
			was.Children = slices.Delete(was.Children, own, own+1)
		}
	}
	return d.has(tag.CalendarExceptions|markElement, exceptions.element(&was).sums[0])
}

// OrOccurrences is Or for what of a series the occurrences are: an earlier try of their
// edit may be what the series shows. What else that try noted of the series is what the
// phone was about to write of it besides, and not what it holds: to take it for that
// would be to take the edit for none when it comes again. Of an event that is no series
// the occurrence is all that there is.
func (d Digest) OrOccurrences(o Digest, now eas.Properties) Digest {
	if _, series := now.Find(tag.CalendarRecurrence); !series {
		return d.Or(o)
	}
	ofOccurrences := func(e entry) bool { return e.of&^marks == tag.CalendarExceptions }
	ofRest := func(e entry) bool { return !ofOccurrences(e) }
	held := Digest{slices.DeleteFunc(slices.Clone(d.entries), ofRest)}
	next := held.Or(Digest{slices.DeleteFunc(slices.Clone(o.entries), ofRest)})
	next.entries = append(next.entries, slices.DeleteFunc(slices.Clone(d.entries), ofOccurrences)...)
	next.sort()
	return next
}

// WroteInstance is the digest after the phone's edit of one occurrence was
// written to an object: the phone holds what the object shows of it since then.
func (d Digest) WroteInstance(at string, before, after eas.Properties) Digest {
	next := d.Wrote(d, before, after)
	e := instanceOf(at, after)
	if e == nil {
		return next
	}
	el := exceptions.element(e)
	next.entries = append(next.entries, entry{tag.CalendarExceptions | markKey, el.key})
	for _, s := range el.sums {
		next.entries = append(next.entries, entry{tag.CalendarExceptions | markElement, s})
	}
	next.sort()
	return next
}
