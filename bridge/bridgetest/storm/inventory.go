package storm

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A stored object is what the server holds.
type stored struct {
	id    backend.ItemID
	where *place
	lines []string

	label  string
	side   string
	start  time.Time
	done   bool
	rest   []string            // lines that no edit of the storm's touches
	blocks map[string][]string // of occurrences, by their RECURRENCE-ID
}

// written are lines that change with every edit, and those that the storm's
// desktop writes; the latter are looked for one by one.
var written = regexp.MustCompile(`^(REV|DTSTAMP|LAST-MODIFIED|SEQUENCE|CREATED|EXDATE|X-DESK)[:;]`)

// holds lists what the server holds in a place, by label.
func (w *world) holds(p *place) []stored {
	items, err := w.shelf.Items(p.id)
	if err != nil {
		w.problem("reading %s: %v", p.id, err)
	}
	list := make([]stored, 0, len(items))
	for id, body := range items {
		s := stored{id: id, where: p, lines: split(body), blocks: make(map[string][]string)}
		s.read(p.kind)
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b stored) int { return strings.Compare(a.label+string(a.id), b.label+string(b.id)) })
	return list
}

// read takes the lines apart.
func (s *stored) read(k *kind) {
	var block []string
	named := ""
	for i, l := range s.lines {
		switch {
		case l == "BEGIN:VEVENT" && isOccurrence(s.lines[i:]):
			block, named = []string{l}, ""
		case block != nil:
			if strings.HasPrefix(l, "RECURRENCE-ID") {
				named = l
			}
			if !written.MatchString(l) {
				block = append(block, l)
			}
			if l == "END:VEVENT" {
				s.blocks[named], block = block, nil
			}
		case k.side != nil && k.side.lines.MatchString(l):
			s.side = asides.FindString(l)
		case k.title.MatchString(l):
			if label := labels.FindString(l); label != "" && (strings.HasPrefix(l, "FN:") || strings.HasPrefix(l, "SUMMARY")) {
				s.label = label
			}
			s.start = startOf(l, s.start)
			s.done = s.done || l == "STATUS:COMPLETED"
		case !written.MatchString(l):
			s.rest = append(s.rest, l)
		}
	}
}

var starts = regexp.MustCompile(`^DTSTART(?:;TZID="?([^":;]*)"?)?:(\d{8}T\d{6}Z?)$`)

// startOf reads a time if a line is one.
func startOf(line string, before time.Time) time.Time {
	m := starts.FindStringSubmatch(line)
	if m == nil {
		return before
	}
	zone, err := time.LoadLocation(m[1])
	if err != nil {
		return before
	}
	start, err := time.ParseInLocation("20060102T150405", strings.TrimSuffix(m[2], "Z"), zone)
	if err != nil {
		return before
	}
	return start.UTC()
}

// found is the edition that an object on the server is, with the time that was
// somebody else's doing.
func (w *world) found(s stored) (*object, *edition) {
	o, e := w.parse(s.label)
	if e == nil {
		return o, nil
	}
	as := *e
	as.start, as.done = s.start, s.done
	return o, &as
}

// isOccurrence tells whether the event that begins here is one of a series.
func isOccurrence(lines []string) bool {
	for _, l := range lines {
		switch {
		case strings.HasPrefix(l, "RECURRENCE-ID"):
			return true
		case l == "END:VEVENT":
			return false
		}
	}
	return false
}

// An inventory is what the server holds at a rest.
type inventory map[*place][]stored

func (w *world) inventory() inventory {
	all := make(inventory)
	for _, p := range w.places {
		if !p.gone {
			all[p] = w.holds(p)
		}
	}
	return all
}
