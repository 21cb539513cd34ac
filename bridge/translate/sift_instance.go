package translate

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
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

// instanceOf finds an occurrence among the exceptions of a series; its key is
// absent if there is nothing special about it.
func instanceOf(at string, shown eas.Properties) element {
	list, _ := shown.Find(tag.CalendarExceptions)
	key := instanceKey(at)
	for i := range list.Children {
		if el := exceptions.element(&list.Children[i]); el.key == key {
			return el
		}
	}
	return element{}
}

// hasInstance tells whether the digest has an occurrence as it is shown.
func (d Digest) hasInstance(at string, shown eas.Properties) bool {
	el := instanceOf(at, shown)
	if el.key == absent {
		return !d.has(tag.CalendarExceptions|markKey, instanceKey(at))
	}
	return d.has(tag.CalendarExceptions|markElement, el.sums[0])
}

// WroteInstance is the digest after the phone's edit of one occurrence was
// written to an object: the phone holds what the object shows of it since then.
func (d Digest) WroteInstance(at string, before, after eas.Properties) Digest {
	next := d.Wrote(d, before, after)
	el := instanceOf(at, after)
	if el.key == absent {
		return next
	}
	next.entries = append(next.entries, entry{tag.CalendarExceptions | markKey, el.key})
	for _, s := range el.sums {
		next.entries = append(next.entries, entry{tag.CalendarExceptions | markElement, s})
	}
	next.sort()
	return next
}
