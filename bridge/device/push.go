package device

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// pushName is the name under which a phone's Push is remembered.
const pushName = "push"

// MaxPushFolders bounds the folders that a Push names: more than any person has.
const MaxPushFolders = 1000

// A Push says which changes may wake a phone, and when. The zero value lets all
// of them at any time. What may not wake it is not lost: the phone is told when
// it comes by itself, or when the quiet hours are over.
type Push struct {
	// Only says that no other folders than the ones below wake the phone: those
	// that have one of these numbers, or one of these kinds ("events").
	Only    bool     `json:"only,omitempty"`
	Folders []int64  `json:"folders,omitempty"`
	Kinds   []string `json:"kinds,omitempty"`

	Quiet *Quiet `json:"quiet,omitempty"` // nil means that no hours are quiet
}

// Quiet are hours of the day in which nothing wakes a phone, from From until
// To, which may be on the next day.
type Quiet struct {
	From Clock  `json:"from"`
	To   Clock  `json:"to"`
	Zone string `json:"zone"` // an IANA name; "" means UTC
}

// A Clock is a time of the day in minutes.
type Clock int

// String is the time as people write it, "07:00".
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// Wakes tells whether a change in a folder of a kind may wake the phone.
func (p Push) Wakes(folder int64, kind string) bool {
	return !p.Only || slices.Contains(p.Folders, folder) || slices.Contains(p.Kinds, kind)
}

// ParseQuiet reads "22:00-07:00".
func ParseQuiet(text, zone string) (*Quiet, error) {
	from, to, ok := strings.Cut(text, "-")
	q := &Quiet{Zone: zone}
	var err error
	if q.From, err = parseClock(from); err == nil && ok {
		q.To, err = parseClock(to)
	}
	if err != nil || !ok || q.From == q.To {
		return nil, fmt.Errorf("device: %.40q are no quiet hours, which are written 22:00-07:00", text)
	}
	return q, q.check()
}

func parseClock(s string) (Clock, error) {
	t, err := time.Parse("15:04", strings.TrimSpace(s))
	return Clock(t.Hour()*60 + t.Minute()), err
}

func (q *Quiet) check() error {
	const day = 24 * 60
	if q.From < 0 || q.From >= day || q.To < 0 || q.To >= day || q.From == q.To {
		return fmt.Errorf("device: quiet hours from %d to %d minutes of the day", int(q.From), int(q.To))
	}
	if q.Zone == "Local" {
		return fmt.Errorf("device: the zone of the quiet hours is to be named, such as Europe/Berlin")
	}
	if _, err := time.LoadLocation(q.Zone); err != nil {
		return fmt.Errorf("device: the zone of the quiet hours: %w", err)
	}
	return nil
}

// Until answers when the quiet hours that now is in are over; false if it is in
// none. On the days when clocks are changed they are as long as the clock on the
// wall says.
func (q *Quiet) Until(now time.Time) (time.Time, bool) {
	if q == nil {
		return time.Time{}, false
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		zone = time.UTC // it was there when the hours were set
	}
	at := now.In(zone)
	for _, day := range []int{-1, 0} { // those that began yesterday, and today
		begin := time.Date(at.Year(), at.Month(), at.Day()+day, 0, int(q.From), 0, 0, zone)
		last := day
		if q.To <= q.From {
			last++
		}
		end := time.Date(at.Year(), at.Month(), at.Day()+last, 0, int(q.To), 0, 0, zone)
		if !now.Before(begin) && now.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}

// Check tells what is wrong with a Push.
func (p Push) Check() error {
	if len(p.Folders)+len(p.Kinds) > MaxPushFolders {
		return fmt.Errorf("device: more than %d folders", MaxPushFolders)
	}
	if !p.Only && len(p.Folders)+len(p.Kinds) > 0 {
		return fmt.Errorf("device: folders are named although all of them wake the phone")
	}
	if p.Quiet != nil {
		return p.Quiet.check()
	}
	return nil
}

// String says it in a sentence for administrators.
func (p Push) String() string {
	what := "every folder wakes it"
	if p.Only {
		var names []string
		names = append(names, p.Kinds...)
		for _, f := range p.Folders {
			names = append(names, fmt.Sprint("folder ", f))
		}
		what = "nothing wakes it"
		if len(names) > 0 {
			what = "only " + strings.Join(names, ", ") + " wake it"
		}
	}
	if q := p.Quiet; q != nil {
		zone := q.Zone
		if zone == "" {
			zone = "UTC"
		}
		what += fmt.Sprintf("; nothing does from %s to %s (%s)", q.From, q.To, zone)
	}
	return what
}

// A Memory keeps values for phones. A Store is one.
type Memory interface {
	Remember(ctx context.Context, id ID, name string, value []byte) error
	Recall(ctx context.Context, id ID, name string) ([]byte, error)
}

// PushOf answers what may wake a phone.
func PushOf(ctx context.Context, m Memory, id ID) (Push, error) {
	var p Push
	if err := recall(ctx, m, id, pushName, &p); err != nil {
		return Push{}, err
	}
	return p, nil
}

// SetPush stores what may wake a phone.
func SetPush(ctx context.Context, m Memory, id ID, p Push) error {
	if err := p.Check(); err != nil {
		return err
	}
	if !p.Only && p.Quiet == nil {
		return remember(ctx, m, id, pushName, nil)
	}
	return remember(ctx, m, id, pushName, p)
}

// recall reads what was remembered as JSON. What an earlier program wrote and
// this one cannot read counts for nothing.
func recall(ctx context.Context, m Memory, id ID, name string, into any) error {
	text, err := m.Recall(ctx, id, name)
	if err != nil {
		return fmt.Errorf("device: recalling %q: %w", name, err)
	}
	return read(text, into)
}

func read(text []byte, into any) error {
	if text != nil && json.Unmarshal(text, into) != nil {
		return json.Unmarshal([]byte("null"), into)
	}
	return nil
}

func remember(ctx context.Context, m Memory, id ID, name string, value any) error {
	var text []byte
	if value != nil {
		var err error
		if text, err = json.Marshal(value); err != nil {
			return fmt.Errorf("device: remembering %q: %w", name, err)
		}
	}
	if err := m.Remember(ctx, id, name, text); err != nil {
		return fmt.Errorf("device: remembering %q: %w", name, err)
	}
	return nil
}
