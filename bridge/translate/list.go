package translate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// MaxElements is the number of categories, and of children of a contact, that
// an item can have. See [MS-ASCNTC] "Category" and "Child".
const MaxElements = 300

// AppendList appends a list of texts as a container with an element for each,
// such as Categories with Category; nothing for an empty list. A phone gets at
// most MaxElements.
func AppendList(ps eas.Properties, list, element wbxml.Tag, values []string) eas.Properties {
	if len(values) == 0 {
		return ps
	}
	es := make([]eas.Element, 0, len(values))
	for _, v := range shownList(values) {
		es = append(es, eas.T(element, v))
	}
	return append(ps, eas.C(list, es...))
}

// maxElement is the length in bytes of an element that a phone is shown: more
// than any category has.
const maxElement = 1 << 10

// shownList is as much of a list as phones are shown.
func shownList(values []string) []string {
	values = values[:min(len(values), MaxElements)]
	if !slices.ContainsFunc(values, func(v string) bool { return len(v) > maxElement }) {
		return values
	}
	short := make([]string, len(values))
	for i, v := range values {
		short[i] = Truncate(v, maxElement)
	}
	return short
}

// MergeList tells what a list is to hold when a phone, which was shown the
// stored one by AppendList, sends its properties, and whether that is another
// content. Order and doubles do not matter. An empty list is removal; so is an
// absent one, unless it is ghosted. The error is ErrInvalid for more than
// MaxElements.
func MergeList(stored []string, sent eas.Properties, list, element wbxml.Tag, o Options) (want []string, changed bool, err error) {
	e, ok := sent.Find(list)
	if !ok && (len(stored) == 0 || o.Absent(list)) {
		return stored, false, nil
	}
	if len(e.Children) > MaxElements {
		return stored, false, fmt.Errorf("%w: a list of %d, the limit is %d", ErrInvalid, len(e.Children), MaxElements)
	}
	for _, child := range e.Children {
		v := strings.TrimSpace(strings.ToValidUTF8(child.Content(), "\uFFFD"))
		if child.Tag == element && v != "" && !slices.Contains(want, v) {
			want = append(want, v)
		}
	}
	shown := shownList(stored)
	if sameSet(shown, want) {
		return stored, false, nil
	}
	for i, v := range want { // what was cut for the phone comes back whole
		if at := slices.Index(shown, v); at >= 0 {
			want[i] = stored[at]
		}
	}
	return append(want, stored[len(shown):]...), true, nil
}

func sameSet(a, b []string) bool {
	notIn := func(vs []string) func(string) bool {
		return func(v string) bool { return !slices.Contains(vs, v) }
	}
	return !slices.ContainsFunc(a, notIn(b)) && !slices.ContainsFunc(b, notIn(a))
}
