package contact

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// date is a day without a time: a birthday, an anniversary. ActiveSync has
// only points in time for it ([MS-ASCNTC] "Birthday"); we write midnight UTC,
// or the hour that this phone expects, and read with care. What is compared is "2006-01-02".
type date struct{}

// noYear stands for the year of a day that has none. It is Apple's choice (a
// leap year in which nobody living was born), so that its phones show none.
const noYear = 1604

// omitYear is Apple's parameter that says so in vCard 3.0.
const omitYear = "X-APPLE-OMIT-YEAR"

func (date) wire(text string, o translate.Options) string {
	return fmt.Sprintf("%sT%02d:00:00.000Z", text, o.BirthdayHour)
}

func (date) show(c *card, s slotID) string {
	y, m, d, ok := readDate(c.bound[s].Text())
	if !ok {
		return ""
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// readDate understands 19960415, 1996-04-15, either with a time behind it,
// which is ignored, and --0415, --04-15 without a year. See RFC 6350, section
// 4.3.1.
func readDate(s string) (year int, month time.Month, day int, ok bool) {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, "Tt "); i >= 0 {
		s = s[:i]
	}
	yearless := strings.HasPrefix(s, "--")
	digits := strings.ReplaceAll(s, "-", "")
	if yearless {
		digits = strconv.Itoa(noYear) + digits
	}
	t, err := time.Parse("20060102", digits)
	if err != nil || t.Year() < 1 || strings.Count(s, "-") > 3 {
		return 0, 0, 0, false
	}
	return t.Year(), t.Month(), t.Day(), true
}

// read takes the day out of a point in time. Phones send midnight UTC, some
// hour of the day in UTC (8:00, 11:00, 11:59), or midnight where the person
// is; the last one is told by the person's zone, with or without its daylight
// saving time, for phones differ about that in the past.
func (date) read(sent string, o translate.Options) (string, error) {
	if strings.TrimSpace(sent) == "" {
		return "", nil
	}
	t, err := translate.ParseDateTime(sent)
	if err != nil {
		return "", err
	}
	if h, m, _ := t.Clock(); m != 0 || h != 0 && h != o.BirthdayHour {
		for _, shift := range []time.Duration{0, time.Hour, -time.Hour} {
			local := t.Add(shift).In(o.Location())
			if h, m, _ := local.Clock(); h == 0 && m == 0 {
				return local.Format(time.DateOnly), nil
			}
		}
	}
	return t.Format(time.DateOnly), nil
}

// write keeps the manner in which the card writes days.
func (date) write(c *card, s slotID, text string) {
	if text == "" {
		c.remove(s)
		return
	}
	l := c.line(s)
	old := strings.TrimSpace(l.Value())
	basic := c.four && old == "" || old != "" && !strings.Contains(strings.TrimPrefix(old, "--"), "-")
	yearless, without := strings.CutPrefix(text, strconv.Itoa(noYear)+"-")
	if without && (c.four || strings.HasPrefix(old, "--")) {
		text = "--" + yearless
		if basic {
			text = "--" + strings.ReplaceAll(yearless, "-", "")
		}
	} else if basic {
		text = strings.ReplaceAll(text, "-", "")
	}
	switch {
	case !without:
		l.SetParam(omitYear)
	case !c.four && !c.vcard.Legacy() && !strings.HasPrefix(text, "--"):
		l.SetParam(omitYear, strconv.Itoa(noYear))
	}
	if v := l.Param("VALUE"); v != "" && !strings.EqualFold(v, "date") {
		l.SetParam("VALUE")
	}
	l.SetValue(text)
}
