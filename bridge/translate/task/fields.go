package task

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A field is one of the properties that stand for themselves.
type field struct {
	tag  wbxml.Tag
	show func(*todo) (eas.Element, bool)

	// merge takes a value that differs from the one shown.
	merge func(*todo, eas.Element) error

	// removable: its absence from a whole task removes it, which merge does
	// with an empty element. The others stay: a phone that does not know of
	// CLASS must not make private things public.
	removable bool
}

// fields lists them in the order in which they are sent. See [MS-ASTASK]
// "Elements".
var fields = []field{
	{tag.TasksSubject, showSubject, mergeSubject, false},
	{tag.TasksImportance, showImportance, mergeImportance, false},
	{tag.TasksSensitivity, showSensitivity, mergeSensitivity, false},
	{tag.TasksOrdinalDate, showOrdinal, mergeOrdinal, false},
	{tag.TasksSubOrdinalDate, showSubOrdinal, mergeSubOrdinal, false},
}

func (t *todo) mergeFields(sent eas.Properties) error {
	for _, f := range fields {
		el, ok := sent.Find(f.tag)
		shown, has := f.show(t)
		switch {
		case ok && (!has || !equal(shown, el)):
		case !ok && has && f.removable && whole(sent) && !t.o.Absent(f.tag):
			el = eas.Element{Tag: f.tag}
		default:
			continue
		}
		if err := f.merge(t, el); err != nil {
			return err
		}
	}
	return t.mergeCategories(sent)
}

// equal compares two elements as a person would.
func equal(a, b eas.Element) bool {
	return a.Tag == b.Tag && tidy(a.Content()) == tidy(b.Content()) && slices.EqualFunc(a.Children, b.Children, equal)
}

// sentNumber reads a number between 0 and hi; an empty element is -1.
func sentNumber(el eas.Element, hi int) (int, error) {
	s := strings.TrimSpace(el.Content())
	if s == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > hi {
		return 0, invalid("%s is %.20q", tag.Name(el.Tag), s)
	}
	return n, nil
}

func showSubject(t *todo) (eas.Element, bool) {
	s := tidy(translate.Truncate(t.c.Get("SUMMARY").Text(), maxSubject))
	return eas.T(tag.TasksSubject, s), s != ""
}

// maxSubject is the length in bytes of the subject that a phone is shown.
const maxSubject = 16 << 10

func mergeSubject(t *todo, el eas.Element) error {
	t.setText("SUMMARY", el.Content())
	return nil
}

// The values of Importance. See [MS-ASTASK] "Importance".
const (
	low = iota
	normal
	high
)

// importance puts the nine priorities of RFC 5545, section 3.8.1.9, into three
// classes, as that section itself does.
func (t *todo) importance() int {
	n, err := strconv.Atoi(strings.TrimSpace(t.c.Get("PRIORITY").Value()))
	switch {
	case err != nil || n == 0 || n == 5:
		return normal
	case n < 5:
		return high
	}
	return low
}

func showImportance(t *todo) (eas.Element, bool) {
	return eas.T(tag.TasksImportance, strconv.Itoa(t.importance())), true
}

func mergeImportance(t *todo, el eas.Element) error {
	n, err := sentNumber(el, high)
	if err != nil || n < 0 || n == t.importance() {
		return err
	}
	t.c.Set("PRIORITY", []string{low: "9", normal: "5", high: "1"}[n])
	return nil
}

// classes are the values of Sensitivity. iCalendar has no "personal". See
// [MS-ASTASK] "Sensitivity".
var classes = []string{"PUBLIC", "PRIVATE", "PRIVATE", "CONFIDENTIAL"}

func (t *todo) sensitivity() int {
	switch strings.ToUpper(t.c.Get("CLASS").Text()) {
	case "", "PUBLIC":
		return 0
	case "CONFIDENTIAL":
		return 3
	}
	return 2 // PRIVATE, and by RFC 5545, section 3.8.1.3, what we do not know
}

func showSensitivity(t *todo) (eas.Element, bool) {
	return eas.T(tag.TasksSensitivity, strconv.Itoa(t.sensitivity())), true
}

func mergeSensitivity(t *todo, el eas.Element) error {
	n, err := sentNumber(el, 3)
	if err != nil || n < 0 || n == t.sensitivity() || n == 1 && t.sensitivity() == 2 {
		return err
	}
	t.c.Set("CLASS", classes[n])
	return nil
}

// mergeCategories applies the categories. Their absence from what is no whole
// task says nothing.
func (t *todo) mergeCategories(sent eas.Properties) error {
	if _, ok := sent.Find(tag.TasksCategories); !ok && !whole(sent) {
		return nil
	}
	want, changed, err := translate.MergeList(t.c.List("CATEGORIES"), sent, tag.TasksCategories, tag.TasksCategory, t.o)
	if err != nil {
		return fmt.Errorf("task: categories: %w", err)
	}
	if changed {
		t.c.SetList("CATEGORIES", want)
	}
	return nil
}

// Where a task stands in a list that its owner put in order by hand: Exchange
// has a date for it, and a text for those of one date, and iCalendar has
// nothing. See [MS-ASTASK] "OrdinalDate" and "SubOrdinalDate".
const (
	ordinal    = "X-PUSHBRIDGE-ORDINAL-DATE"
	subOrdinal = "X-PUSHBRIDGE-SUBORDINAL-DATE"
)

func showOrdinal(t *todo) (eas.Element, bool) {
	m, ok := t.zones.Moment(t.c.Get(ordinal))
	if !ok || t.o.ProtocolVersion() < eas.V120 {
		return eas.Element{}, false
	}
	return eas.T(tag.TasksOrdinalDate, translate.DateTime(m.Instant(time.UTC))), true
}

func mergeOrdinal(t *todo, el eas.Element) error {
	at, ok, err := sentTime(eas.Properties{el}, el.Tag)
	if err != nil {
		return err
	}
	if !ok {
		t.c.RemoveAll(ordinal)
		return nil
	}
	moment{Form: ical.UTC, Loc: time.UTC}.When(at).Put(t.c, ordinal)
	return nil
}

// showSubOrdinal shows the text only beside the date that it belongs to.
func showSubOrdinal(t *todo) (eas.Element, bool) {
	s := t.c.Get(subOrdinal).Text()
	_, dated := showOrdinal(t)
	return eas.T(tag.TasksSubOrdinalDate, s), s != "" && dated
}

func mergeSubOrdinal(t *todo, el eas.Element) error {
	t.setText(subOrdinal, el.Content())
	return nil
}
