package tz

import (
	"encoding/binary"
	"errors"
	"time"
)

// A period is a span of time with one offset.
type period struct {
	start    int64 // Unix seconds
	offset   int   // seconds east of UTC
	daylight bool
}

// maxKinds is how many different offsets the format can hold.
const maxKinds = 255

// location builds a zone from periods in ascending order, the first of which
// counts from the beginning of time, and a POSIX TZ string for what follows
// the last one ("" means that the last one lasts). It goes through the TZif
// format, the only door that package time has. See RFC 8536, section 3.
func location(name string, periods []period, footer string) (*time.Location, error) {
	type kind struct {
		offset   int
		daylight bool
	}
	// The first kind stays apart: readers use it before the first transition
	// only if no transition leads to it.
	kinds := []kind{{periods[0].offset, periods[0].daylight}}
	seen := map[kind]byte{}
	var when, index []byte
	for _, p := range periods[1:] {
		k := kind{p.offset, p.daylight}
		i, ok := seen[k]
		if !ok {
			if len(kinds) == maxKinds {
				return nil, errors.New("tz: a zone with too many offsets")
			}
			i = byte(len(kinds))
			seen[k] = i
			kinds = append(kinds, k)
		}
		when = binary.BigEndian.AppendUint64(when, uint64(p.start))
		index = append(index, i)
	}

	const names = "STD\x00DST\x00"
	var b []byte
	header := func(times, types, chars int) {
		b = append(b, "TZif2"...)
		b = append(b, make([]byte, 15)...)
		for _, n := range []int{0, 0, 0, times, types, chars} {
			b = binary.BigEndian.AppendUint32(b, uint32(n))
		}
	}
	header(0, 0, 0) // the version 1 block, which readers of version 2 skip
	header(len(index), len(kinds), len(names))
	b = append(b, when...)
	b = append(b, index...)
	for _, k := range kinds {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(k.offset)))
		if k.daylight {
			b = append(b, 1, 4)
		} else {
			b = append(b, 0, 0)
		}
	}
	b = append(b, names...)
	b = append(b, '\n')
	b = append(b, footer...)
	b = append(b, '\n')
	return time.LoadLocationFromTZData(name, b)
}
