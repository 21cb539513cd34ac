package tz

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestLocation(t *testing.T) {
	for _, c := range []struct{ name, tzid, want string }{
		{"an IANA name", "Europe/Berlin", "Europe/Berlin"},
		{"an IANA name in other case", "europe/BERLIN", "Europe/Berlin"},
		{"an IANA name with spaces", "America/New York", "America/New_York"},
		{"an IANA name of three parts", "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"},
		{"Mozilla's path", "/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"},
		{"Evolution's path", "/freeassociation.sourceforge.net/Tzfile/America/Indiana/Knox", "America/Indiana/Knox"},
		{"libical's path", "/softwarestudio.org/Olson_20011030_5/America/New_York", "America/New_York"},
		{"a Windows key", "W. Europe Standard Time", "Europe/Berlin"},
		{"a Windows key in other case", "w. europe standard time", "Europe/Berlin"},
		{"a Windows display text", "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"},
		{"an older display text", "(GMT+01.00) Amsterdam / Berlin / Bern / Rome / Stockholm / Vienna", "Europe/Berlin"},
		{"in quotes", `"Asia/Tokyo"`, "Asia/Tokyo"},
		{"UTC", "Etc/UTC", "UTC"},
		{"Exchange's UTC", "tzone://Microsoft/Utc", "UTC"},
		{"nothing", "", ""},
		{"the machine's zone", "Local", ""},
		{"a path that leaves", "../../etc/localtime", ""},
		{"a name of one's own", "Customized Time Zone", ""},
		{"a long name", strings.Repeat("x/", 4000) + "Europe/Berlin", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			loc, ok := Location(c.tzid)
			if ok != (c.want != "") || ok && loc.String() != c.want {
				t.Errorf("Location(%.80q) = %v, %v, want %q", c.tzid, loc, ok, c.want)
			}
		})
	}
}

// The years of which every zone is tried.
const (
	firstTried = 1995
	lastTried  = 2035
)

// untold are the zone years between firstTried and lastTried that the structure
// cannot tell, because there are three or four changes in them, or two that are
// not there and back, or one at New Year or across the date line; and for how
// many of their days the nearest blob is wrong. All others are exact.
var untold = map[string]int{
	"Africa/Cairo 2010":               21,
	"Africa/Cairo 2014":               35,
	"Africa/Casablanca 2012":          31,
	"Africa/Casablanca 2013":          34,
	"Africa/Casablanca 2014":          35,
	"Africa/Casablanca 2015":          35,
	"Africa/Casablanca 2016":          35,
	"Africa/Casablanca 2017":          42,
	"Africa/Casablanca 2018":          35,
	"Africa/Casablanca 2029":          2,
	"Africa/Casablanca 2033":          7,
	"Africa/El_Aaiun 2012":            31,
	"Africa/El_Aaiun 2013":            34,
	"Africa/El_Aaiun 2014":            35,
	"Africa/El_Aaiun 2015":            35,
	"Africa/El_Aaiun 2016":            35,
	"Africa/El_Aaiun 2017":            42,
	"Africa/El_Aaiun 2018":            35,
	"Africa/El_Aaiun 2029":            2,
	"Africa/El_Aaiun 2033":            7,
	"America/Argentina/San_Luis 2008": 20,
	"America/Bahia_Banderas 2010":     62,
	"America/Boa_Vista 2000":          7,
	"America/Cancun 1998":             68,
	"America/Fortaleza 2000":          14,
	"America/Indiana/Winamac 2007":    58,
	"America/Iqaluit 1999":            62,
	"America/Maceio 2000":             14,
	"America/Metlakatla 2019":         19,
	"America/Noronha 2000":            7,
	"America/Pangnirtung 1999":        62,
	"America/Recife 2000":             7,
	"Asia/Barnaul 1995":               63,
	"Asia/Colombo 1996":               67,
	"Asia/Hebron 2011":                29,
	"Asia/Tbilisi 2004":               62,
	"Asia/Tomsk 2002":                 31,
	"Brazil/DeNoronha 2000":           7,
	"Egypt 2010":                      21,
	"Egypt 2014":                      35,
	"Europe/Simferopol 2014":          67,
	"Pacific/Apia 2011":               1,
	"Pacific/Fakaofo 2011":            1,
}

// TestEveryZoneComesBack builds blobs of every zone and year, and finds the
// zone and its rule again.
func TestEveryZoneComesBack(t *testing.T) {
	found := map[string]int{}
	for _, name := range zoneNames {
		loc, ok := load(name)
		if !ok {
			t.Errorf("zone %s cannot be loaded", name)
			continue
		}
		for year := firstTried; year <= lastTried; year++ {
			b, exact := BlobFor(loc, year)
			back, err := ParseBlob(b.String())
			if err != nil || back != b {
				t.Errorf("%s %d: the blob comes back as %+v, %v, want %+v", name, year, back, err, b)
				continue
			}
			if m, ok := back.Match(year, loc); !ok || m.String() != loc.String() {
				t.Errorf("%s %d: Match with the zone preferred = %v, %v\nThe object's TZID would change at a phone's edit.", name, year, m, ok)
			}
			if exact {
				sameYear(t, name, loc, back.Location(), year)
			} else {
				found[fmt.Sprint(name, " ", year)] = wrongDays(b, loc, year)
			}
		}
	}
	if !maps.Equal(found, untold) {
		for _, key := range slices.Sorted(maps.Keys(found)) {
			if found[key] != untold[key] {
				t.Errorf("%q: %d,", key, found[key])
			}
		}
		t.Errorf("%d zone years cannot be told, want %d", len(found), len(untold))
	}
}

// TestBlobAt: of a year that cannot be told the moment itself is right.
func TestBlobAt(t *testing.T) {
	for key := range untold {
		name, year, _ := strings.Cut(key, " ")
		loc, _ := load(name)
		y, _ := strconv.Atoi(year)
		for at := time.Date(y, 1, 1, 12, 0, 0, 0, loc); at.Year() == y; at = at.AddDate(0, 0, 5) {
			_, want := at.Zone()
			if _, got := at.In(BlobAt(loc, at).Location()).Zone(); got != want {
				t.Errorf("%s at %v: offset %d, want %d", name, at, got, want)
				break
			}
		}
	}
}

// sameYear compares two zones around every change of one of them and at some
// moments between.
func sameYear(t *testing.T, name string, want, got *time.Location, year int) {
	t.Helper()
	// Not New Year itself: a rule for one year says nothing of the night
	// before where summer time lasts through it.
	moments := []time.Time{time.Date(year, 1, 3, 0, 0, 0, 0, want), time.Date(year, 7, 1, 0, 0, 0, 0, want), time.Date(year, 12, 29, 0, 0, 0, 0, want)}
	after, _ := yearOf(want, year)
	for _, c := range after {
		moments = append(moments, time.Unix(c.at-1, 0), time.Unix(c.at, 0))
	}
	for _, m := range moments {
		_, w := m.In(want).Zone()
		_, g := m.In(got).Zone()
		if w != g {
			t.Errorf("%s at %s: offset %d, want %d", name, m.UTC(), g, w)
			return
		}
	}
}

func TestMatchWithoutPreference(t *testing.T) {
	for _, c := range []struct {
		zone string
		year int
		want string
	}{
		{"Europe/Vienna", 2026, "Europe/Berlin"},
		{"Europe/Helsinki", 2026, "Europe/Athens"},
		{"America/Toronto", 2026, "America/New_York"},
		{"America/Sao_Paulo", 2018, "America/Sao_Paulo"},
		{"Australia/Hobart", 2026, "Australia/Sydney"},
		{"Asia/Kathmandu", 2026, "Asia/Kathmandu"},
		{"Asia/Tehran", 2021, "Asia/Tehran"},
		{"Asia/Tehran", 2026, "Asia/Tehran"},
		{"Africa/Abidjan", 2026, "UTC"},
		{"Australia/Lord_Howe", 2026, "Australia/Lord_Howe"},
		{"Europe/Dublin", 2026, "Europe/London"},
	} {
		loc, _ := Location(c.zone)
		b, _ := BlobFor(loc, c.year)
		b.StandardName, b.DaylightName = "Ora solare", "Ora legale"
		if m, ok := b.Match(c.year); !ok || m.String() != c.want {
			t.Errorf("Match of %s's blob for %d = %v, %v, want %s", c.zone, c.year, m, ok, c.want)
		}
	}
}

func TestMatchPrefers(t *testing.T) {
	vienna, _ := Location("Europe/Vienna")
	rome, _ := Location("Europe/Rome")
	tokyo, _ := Location("Asia/Tokyo")
	b, _ := BlobFor(vienna, 2026)
	if m, _ := b.Match(2026, tokyo, nil, rome); m != rome {
		t.Errorf("Match = %v, want the preferred zone that fits, Europe/Rome", m)
	}
	b.StandardDate.Hour, b.DaylightDate.Hour = 2, 1 // UTC hours, as some phones have them
	if m, ok := b.Match(2026, rome); !ok || m != rome {
		t.Errorf("Match of a blob with wrong hours = %v, %v, want Europe/Rome", m, ok)
	}
	b.Bias = 13
	if m, ok := b.Match(2026, rome); ok {
		t.Errorf("Match of an invented offset = %v, want none", m)
	}
}

func TestParseBlob(t *testing.T) {
	berlin, _ := Location("Europe/Berlin")
	good, _ := BlobFor(berlin, 2026)
	for _, c := range []struct {
		name, text string
		bad        bool
		want       int // the offset in July 2026, seconds
	}{
		{"empty is UTC", "", false, 0},
		{"zeros are UTC", Blob{}.String(), false, 0},
		{"a good one", good.String(), false, 7200},
		{"spaces around", " " + good.String() + "\r\n", false, 7200},
		{"not base64", "!!!", true, 0},
		{"too short", "AAAA", true, 0},
		{"too long", strings.Repeat("A", 10000), true, 0},
		{"a bias of years", Blob{Bias: 1 << 30}.String(), true, 0},
		{"a month 13", Blob{StandardDate: Date{Month: 13, Week: 1}}.String(), true, 0},
		{"a week 6", Blob{StandardDate: Date{Month: 1, Week: 6}}.String(), true, 0},
		{"a fixed date", Blob{Bias: -60, StandardDate: Date{Year: 2026, Month: 10, Week: 25, Hour: 3},
			DaylightDate: Date{Year: 2026, Month: 3, Week: 29, Hour: 2}, DaylightBias: -60}.String(), false, 7200},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := ParseBlob(c.text)
			if (err != nil) != c.bad {
				t.Fatalf("ParseBlob: %v", err)
			}
			if _, got := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).In(b.Location()).Zone(); err == nil && got != c.want {
				t.Errorf("offset in July = %d, want %d", got, c.want)
			}
		})
	}
}

func TestBlobOnTheWire(t *testing.T) {
	berlin, _ := Location("Europe/Berlin")
	b, _ := BlobFor(berlin, 2026)
	want := Blob{Bias: -60, StandardName: "W. Europe Standard Time", DaylightName: "W. Europe Daylight Time", DaylightBias: -60,
		StandardDate: Date{Month: 10, Week: 5, Hour: 3}, DaylightDate: Date{Month: 3, Week: 5, Hour: 2}}
	if b != want {
		t.Errorf("BlobFor(Berlin) = %+v, want %+v", b, want)
	}
	b.StandardName = strings.Repeat("€", 30) + "😀"
	if back, err := ParseBlob(b.String()); err != nil || back.StandardName != strings.Repeat("€", 30) {
		t.Errorf("a name is cut to %q, %v, want it cut before half a character", back.StandardName, err)
	}
}

// TestNamesInBlobs: a name of single bytes, as some phones send it, and one of
// other letters; both serve as hints.
func TestNamesInBlobs(t *testing.T) {
	raw := make([]byte, BlobSize)
	copy(raw[4:], "Tokyo Standard Time")
	binary.LittleEndian.PutUint32(raw, uint32(0xFFFFFFFF-540+1))
	b, err := ParseBlob(base64.StdEncoding.EncodeToString(raw))
	if err != nil || b.StandardName != "Tokyo Standard Time" {
		t.Errorf("single bytes: %+v, %v", b, err)
	}
	if m, ok := b.Match(2026); !ok || m.String() != "Asia/Tokyo" {
		t.Errorf("Match = %v, %v", m, ok)
	}
	b.StandardName = "中国标准时间"
	if back, err := ParseBlob(b.String()); err != nil || back.StandardName != b.StandardName {
		t.Errorf("Chinese letters: %q, %v", back.StandardName, err)
	}
	// Of several zones with the rule, the name chooses.
	b.StandardName = "Korea Standard Time"
	if m, ok := b.Match(2026); !ok || m.String() != "Asia/Seoul" {
		t.Errorf("Match by rule and name = %v, %v, want Asia/Seoul", m, ok)
	}
}

func TestFromObservances(t *testing.T) {
	berlin, _ := Location("Europe/Berlin")
	newYork, _ := Location("America/New_York")
	for _, c := range []struct {
		name string
		want *time.Location
		list []Observance
	}{
		{"rules since 1601", berlin, []Observance{
			{Daylight: true, Start: time.Date(1601, 3, 25, 2, 0, 0, 0, time.UTC), OffsetFrom: 3600, OffsetTo: 7200, Rule: "FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3"},
			{Start: time.Date(1601, 10, 28, 3, 0, 0, 0, time.UTC), OffsetFrom: 7200, OffsetTo: 3600, Rule: "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"},
		}},
		{"rules that ended, with month days", newYork, []Observance{
			{Daylight: true, Start: time.Date(1987, 4, 5, 2, 0, 0, 0, time.UTC), OffsetFrom: -18000, OffsetTo: -14400, Rule: "FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z"},
			{Start: time.Date(1967, 10, 29, 2, 0, 0, 0, time.UTC), OffsetFrom: -14400, OffsetTo: -18000, Rule: "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z"},
			{Daylight: true, Start: time.Date(2007, 3, 11, 2, 0, 0, 0, time.UTC), OffsetFrom: -18000, OffsetTo: -14400, Rule: "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU"},
			{Start: time.Date(2007, 11, 4, 2, 0, 0, 0, time.UTC), OffsetFrom: -14400, OffsetTo: -18000, Rule: "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			loc, err := FromObservances("Own", c.list)
			if err != nil {
				t.Fatal(err)
			}
			for year := 1990; year < 2050; year++ {
				if year < 1996 && c.want == berlin {
					continue // Europe ended summer time in September then
				}
				sameYear(t, loc.String(), c.want, loc, year)
			}
		})
	}
	if loc, err := FromObservances("x", nil); err == nil {
		t.Errorf("a VTIMEZONE without observances = %v, want an error", loc)
	}
	bomb := Observance{Rule: "FREQ=SECONDLY"}
	if _, err := FromObservances("x", []Observance{bomb}); err != nil {
		t.Errorf("a rule that no zone needs: %v, want it to count once", err)
	}
}

// TestVTimezone reads what VTimezone writes and compares it with the zone, over
// the ten years for which it is right at least.
func TestVTimezone(t *testing.T) {
	for _, name := range zoneNames {
		loc, _ := load(name)
		for _, first := range []int{firstTried, 2011, 2026} {
			back, err := FromObservances(name, parse(t, string(VTimezone(loc, name, first))))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for year := first; year < first+lookAhead; year++ {
				sameYear(t, name, loc, back, year)
			}
		}
	}
}

// parse is a reader of the plain components that VTimezone writes.
func parse(t *testing.T, text string) []Observance {
	var list []Observance
	offset := func(s string) int {
		at, err := time.Parse("150405", (s[1:] + "00")[:6])
		if err != nil {
			t.Fatal(err)
		}
		n := at.Hour()*3600 + at.Minute()*60 + at.Second()
		if s[0] == '-' {
			n = -n
		}
		return n
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "BEGIN":
			if value != "VTIMEZONE" {
				list = append(list, Observance{Daylight: value == "DAYLIGHT"})
			}
		case "DTSTART":
			at, err := time.Parse("20060102T150405", value)
			if err != nil {
				t.Fatal(err)
			}
			list[len(list)-1].Start = at
		case "TZOFFSETFROM":
			list[len(list)-1].OffsetFrom = offset(value)
		case "TZOFFSETTO":
			list[len(list)-1].OffsetTo = offset(value)
		case "RRULE":
			list[len(list)-1].Rule = value
		}
	}
	return list
}

// FuzzParseBlob: what is read can be written, and is then read again as the
// same; and every blob is a zone.
func FuzzParseBlob(f *testing.F) {
	berlin, _ := Location("Europe/Berlin")
	b, _ := BlobFor(berlin, 2026)
	f.Add(b.String())
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBlob(s)
		if err != nil {
			return
		}
		again, err := ParseBlob(b.String())
		if err != nil || again.Bias != b.Bias || again.StandardDate != b.StandardDate || again.DaylightDate != b.DaylightDate {
			t.Errorf("%+v comes back as %+v, %v", b, again, err)
		}
		if b.Location() == nil {
			t.Error("a blob without a zone")
		}
		b.Match(2026)
	})
}

func BenchmarkMatch(b *testing.B) {
	loc, _ := Location("Asia/Kathmandu")
	blob, _ := BlobFor(loc, 2026)
	blob.StandardName = ""
	for b.Loop() {
		blob.Match(2026)
	}
}

func BenchmarkMatchPreferred(b *testing.B) {
	loc, _ := Location("Europe/Berlin")
	blob, _ := BlobFor(loc, 2026)
	for b.Loop() {
		blob.Match(2026, loc)
	}
}

// BenchmarkFromObservances shows what the worst VTIMEZONE costs.
func BenchmarkFromObservances(b *testing.B) {
	var list []Observance
	for range MaxObservances {
		list = append(list, Observance{Start: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), Rule: "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=5MO;BYMONTHDAY=1"})
	}
	for b.Loop() {
		if _, err := FromObservances("x", list); err != nil {
			b.Fatal(err)
		}
	}
}
