package tz

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// BlobSize is the length of the structure that phones send, in bytes. See
// [MS-ASDTYPE] "TimeZone".
const BlobSize = 172

// nameUnits is the room for a name inside it, in UTF-16 units; the last one
// stays zero.
const nameUnits = 32

// ErrBlob means that a phone sent something else than a time zone.
var ErrBlob = errors.New("tz: not a time zone structure")

// A Blob is the TIME_ZONE_INFORMATION that stands, in base64, in a calendar
// item's TimeZone element: one offset, or two of them with the dates of change
// of any one year. The zero value is UTC. See [MS-ASDTYPE] "TimeZone".
type Blob struct {
	Bias         int // minutes; UTC = local time + Bias
	StandardName string
	StandardDate Date
	StandardBias int // minutes on top of Bias, normally 0
	DaylightName string
	DaylightDate Date
	DaylightBias int // minutes on top of Bias, normally -60
}

// A Date is the moment of a change in local time before the change. The zero
// value means that there is no change.
//
// With Year 0 it is the Week-th Weekday of Month, 5 meaning the last one. In
// the wire's SYSTEMTIME the week stands in the field for the day. With a Year
// it happens once, and Week is the day of the month. See [MS-DTYP]
// "SYSTEMTIME".
type Date struct {
	Year    int
	Month   time.Month
	Weekday time.Weekday
	Week    int
	Hour    int // 0 to 24; 24 comes from 23:59:59.999
	Minute  int
	Second  int
}

// ParseBlob reads the content of a TimeZone element. An empty one is UTC.
func ParseBlob(s string) (Blob, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Blob{}, nil
	}
	if len(s) > base64.StdEncoding.EncodedLen(BlobSize)*2 {
		return Blob{}, fmt.Errorf("%w: %d characters", ErrBlob, len(s))
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return Blob{}, fmt.Errorf("%w: %v", ErrBlob, err)
	}
	if len(raw) != BlobSize {
		return Blob{}, fmt.Errorf("%w: %d bytes", ErrBlob, len(raw))
	}
	b := Blob{
		Bias:         long(raw[0:]),
		StandardName: name(raw[4:68]),
		StandardDate: date(raw[68:84]),
		StandardBias: long(raw[84:]),
		DaylightName: name(raw[88:152]),
		DaylightDate: date(raw[152:168]),
		DaylightBias: long(raw[168:]),
	}
	return b, b.check()
}

// maxBias bounds offsets, in minutes: no zone ever was further from UTC than 16 hours.
const maxBias = 16 * 60

// check refuses what cannot be a zone.
func (b Blob) check() error {
	for _, m := range []int{b.Bias, b.StandardBias, b.DaylightBias} {
		if m < -maxBias || m > maxBias {
			return fmt.Errorf("%w: a bias of %d minutes", ErrBlob, m)
		}
	}
	for _, d := range []Date{b.StandardDate, b.DaylightDate} {
		if d.Month == 0 {
			continue
		}
		days := 5
		if d.Year != 0 {
			days = 31
		}
		if d.Month > 12 || d.Weekday > 6 || d.Week < 1 || d.Week > days || d.Hour > 24 || d.Minute > 59 || d.Second > 59 {
			return fmt.Errorf("%w: a change at %+v", ErrBlob, d)
		}
	}
	return nil
}

func long(b []byte) int { return int(int32(binary.LittleEndian.Uint32(b))) }

// name reads up to the first zero. Some phones put one byte per letter where
// two are due; such a text has no zero byte between its letters.
func name(b []byte) string {
	if ansi, _, _ := strings.Cut(string(b), "\x00"); len(ansi) > 1 && !strings.ContainsFunc(ansi, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ansi
	}
	var u []uint16
	for i := 0; i+1 < len(b); i += 2 {
		c := binary.LittleEndian.Uint16(b[i:])
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	return string(utf16.Decode(u))
}

func date(b []byte) Date {
	u := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*i:])) }
	d := Date{Year: u(0), Month: time.Month(u(1)), Weekday: time.Weekday(u(2)), Week: u(3), Hour: u(4), Minute: u(5), Second: u(6)}
	if d.Month == 0 {
		return Date{}
	}
	if d.Hour == 23 && d.Minute == 59 && d.Second == 59 {
		// Windows has no hour 24 and writes the last millisecond instead.
		d.Hour, d.Minute, d.Second = 24, 0, 0
	}
	return d
}

// String writes the structure as it stands in a TimeZone element.
func (b Blob) String() string {
	raw := make([]byte, BlobSize)
	putLong := func(at, v int) { binary.LittleEndian.PutUint32(raw[at:], uint32(int32(v))) }
	putLong(0, b.Bias)
	putName(raw[4:68], b.StandardName)
	putDate(raw[68:84], b.StandardDate)
	putLong(84, b.StandardBias)
	putName(raw[88:152], b.DaylightName)
	putDate(raw[152:168], b.DaylightDate)
	putLong(168, b.DaylightBias)
	return base64.StdEncoding.EncodeToString(raw)
}

func putName(to []byte, s string) {
	u := utf16.Encode([]rune(s))
	if len(u) > nameUnits-1 {
		u = u[:nameUnits-1]
		if utf16.IsSurrogate(rune(u[len(u)-1])) && u[len(u)-1] < 0xDC00 {
			u = u[:len(u)-1] // no half of a pair at the end
		}
	}
	for i, c := range u {
		binary.LittleEndian.PutUint16(to[2*i:], c)
	}
}

func putDate(to []byte, d Date) {
	hour, minute, second, milli := d.Hour, d.Minute, d.Second, 0
	if hour == 24 {
		hour, minute, second, milli = 23, 59, 59, 999
	}
	for i, v := range []int{d.Year, int(d.Month), int(d.Weekday), d.Week, hour, minute, second, milli} {
		binary.LittleEndian.PutUint16(to[2*i:], uint16(v))
	}
}

// clock is the local time of a change as seconds after midnight.
func (d Date) clock() int { return d.Hour*3600 + d.Minute*60 + d.Second }

// in is the moment of the change in a year, as if local time were UTC.
func (d Date) in(year int) time.Time {
	if d.Year != 0 {
		year = d.Year
		return time.Date(year, d.Month, d.Week, 0, 0, d.clock(), 0, time.UTC)
	}
	first := time.Date(year, d.Month, 1, 0, 0, 0, 0, time.UTC)
	day := 1 + int(d.Weekday-first.Weekday()+7)%7 + 7*(d.Week-1)
	if last := first.AddDate(0, 1, -1).Day(); day > last {
		day -= 7
	}
	return time.Date(year, d.Month, day, 0, 0, d.clock(), 0, time.UTC)
}

// recurring turns a Date with a Year into the rule that it stands for in this
// year.
func (d Date) recurring() Date {
	if d.Year == 0 {
		return d
	}
	at := time.Date(d.Year, d.Month, d.Week, 0, 0, 0, 0, time.UTC)
	r := Date{Month: at.Month(), Weekday: at.Weekday(), Week: (at.Day()-1)/7 + 1, Hour: d.Hour, Minute: d.Minute, Second: d.Second}
	if at.AddDate(0, 0, 7).Month() != at.Month() {
		r.Week = 5
	}
	return r
}

// Changes tells whether the blob has two offsets.
func (b Blob) Changes() bool {
	return b.StandardDate.Month != 0 && b.DaylightDate.Month != 0 && b.StandardBias != b.DaylightBias
}

// standard and daylight are the offsets in seconds east of UTC.
func (b Blob) standard() int { return -60 * (b.Bias + b.StandardBias) }
func (b Blob) daylight() int { return -60 * (b.Bias + b.DaylightBias) }

// Location is a zone that follows the blob's rule for all time. Its name is
// not an IANA name. It is never nil.
func (b Blob) Location() *time.Location {
	if !b.Changes() {
		offset := -60 * b.Bias
		if b.StandardDate.Month != 0 {
			offset = b.standard()
		}
		if offset == 0 {
			return time.UTC
		}
		return time.FixedZone("", offset)
	}
	posix := func(d Date) string {
		d = d.recurring()
		return fmt.Sprintf(",M%d.%d.%d/%d:%02d:%02d", d.Month, d.Week, d.Weekday, d.Hour, d.Minute, d.Second)
	}
	offset := func(seconds int) string {
		sign := ""
		if seconds > 0 { // POSIX counts westwards
			sign = "-"
		}
		seconds = max(seconds, -seconds)
		return fmt.Sprintf("%s%d:%02d", sign, seconds/3600, seconds/60%60)
	}
	footer := "STD" + offset(b.standard()) + "DST" + offset(b.daylight()) + posix(b.DaylightDate) + posix(b.StandardDate)
	loc, err := location("", []period{{offset: b.standard()}}, footer)
	if err != nil {
		return time.FixedZone("", b.standard())
	}
	return loc
}
