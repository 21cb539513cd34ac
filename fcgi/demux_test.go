package fcgi

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// A transcript is a sink that writes down what it is told. Pieces of one
// request's content are joined: where they are cut means nothing.
type transcript struct {
	lines []string
	open  map[uint16]*[2][]byte // params and stdin by id
}

func (s *transcript) say(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

func (s *transcript) begin(id, role uint16, flags uint8) (*request, error) {
	s.say("begin %d role %d flags %d", id, role, flags)
	if role != roleResponder {
		return nil, nil
	}
	if s.open == nil {
		s.open = make(map[uint16]*[2][]byte)
	}
	s.open[id] = new([2][]byte)
	return &request{id: id}, nil
}

func (s *transcript) params(r *request, piece []byte) {
	s.open[r.id][0] = append(s.open[r.id][0], piece...)
}
func (s *transcript) paramsEnd(r *request) { s.say("params %d %q", r.id, s.open[r.id][0]) }
func (s *transcript) stdin(r *request, piece []byte) {
	s.open[r.id][1] = append(s.open[r.id][1], piece...)
}
func (s *transcript) complete(r *request)    { s.say("complete %d %q", r.id, s.open[r.id][1]) }
func (s *transcript) abort(id uint16)        { s.say("abort %d", id) }
func (s *transcript) getValues(names []byte) { s.say("values %q", names) }
func (s *transcript) unknownType(typ uint8)  { s.say("unknown type %d", typ) }

// feedAll feeds a stream in pieces of the given sizes, the last one again and
// again, and answers what the sink was told and how the stream ended.
func feedAll(stream []byte, sizes ...int) ([]string, error) {
	var s transcript
	d := demux{sink: &s}
	for len(stream) > 0 {
		n := min(len(stream), max(1, sizes[0]))
		if len(sizes) > 1 {
			sizes = sizes[1:]
		}
		// A copy that is spoiled afterwards shows whether a slice was kept.
		piece := bytes.Clone(stream[:n])
		err := d.feed(piece)
		for i := range piece {
			piece[i] = 0xaa
		}
		if err != nil {
			return s.lines, err
		}
		stream = stream[n:]
	}
	return s.lines, nil
}

func rec(typ uint8, id uint16, content string, padding ...byte) []byte {
	b := appendHeader(nil, typ, id, len(content))
	b[6] = byte(len(padding))
	return append(append(b, content...), padding...)
}

func begin(id uint16, role, flags byte) []byte {
	return rec(typeBeginRequest, id, string([]byte{0, role, flags, 0, 0, 0, 0, 0}))
}

// streams are the seeds of the fuzz target, and a table of what each says.
var streams = []struct {
	name   string
	stream [][]byte
	want   []string
	err    error
}{
	{"a request", [][]byte{begin(1, 1, 0), rec(4, 1, "ab"), rec(4, 1, ""), rec(5, 1, "xy"), rec(5, 1, "")},
		[]string{"begin 1 role 1 flags 0", `params 1 "ab"`, `complete 1 "xy"`}, nil},
	{"records of every split and padding", [][]byte{begin(9, 1, 1), rec(4, 9, "a", 1, 2, 3), rec(4, 9, "b", make([]byte, 255)...), rec(4, 9, "", 7), rec(5, 9, "x", 1), rec(5, 9, "", 8, 8)},
		[]string{"begin 9 role 1 flags 1", `params 9 "ab"`, `complete 9 "x"`}, nil},
	{"two requests woven together", [][]byte{begin(1, 1, 1), begin(2, 1, 1), rec(4, 2, "B"), rec(4, 1, "A"), rec(4, 1, ""), rec(4, 2, ""), rec(5, 2, "b"), rec(5, 1, ""), rec(5, 2, "")},
		[]string{"begin 1 role 1 flags 1", "begin 2 role 1 flags 1", `params 1 "A"`, `params 2 "B"`, `complete 1 ""`, `complete 2 "b"`}, nil},
	{"an id used again", [][]byte{begin(65535, 1, 1), rec(4, 65535, ""), rec(5, 65535, ""), begin(65535, 1, 0), rec(4, 65535, ""), rec(5, 65535, "")},
		[]string{"begin 65535 role 1 flags 1", `params 65535 ""`, `complete 65535 ""`, "begin 65535 role 1 flags 0", `params 65535 ""`, `complete 65535 ""`}, nil},
	{"an abort in the middle", [][]byte{begin(1, 1, 1), rec(4, 1, "ab"), rec(2, 1, ""), rec(4, 1, "cd"), rec(5, 1, "")},
		[]string{"begin 1 role 1 flags 1", "abort 1"}, nil},
	{"an abort of nothing", [][]byte{rec(2, 4, "")}, []string{"abort 4"}, nil},
	{"records of no request", [][]byte{rec(4, 4, "ab"), rec(5, 4, ""), rec(8, 4, "zz"), rec(77, 4, "z")}, nil, nil},
	{"params after their end", [][]byte{begin(1, 1, 0), rec(4, 1, ""), rec(4, 1, "late"), rec(5, 1, "")},
		[]string{"begin 1 role 1 flags 0", `params 1 ""`, `complete 1 ""`}, nil},
	{"management", [][]byte{rec(9, 0, "FCGI"), rec(9, 0, ""), rec(42, 0, "x"), rec(1, 0, "")},
		[]string{`values "FCGI"`, `values ""`, "unknown type 42", "unknown type 1"}, nil},
	{"a long GET_VALUES is cut", [][]byte{rec(9, 0, string(bytes.Repeat([]byte("x"), 5000)))},
		[]string{fmt.Sprintf("values %q", bytes.Repeat([]byte("x"), maxGetValues))}, nil},
	{"another role", [][]byte{begin(1, 3, 0), rec(4, 1, "ab"), rec(8, 1, "d")}, []string{"begin 1 role 3 flags 0"}, nil},
	{"another version", [][]byte{{2, 1, 0, 1, 0, 8, 0, 0}}, nil, errVersion},
	{"a short BEGIN", [][]byte{rec(1, 1, "1234567")}, nil, errBegin},
	{"a long BEGIN", [][]byte{rec(1, 1, "123456789")}, nil, errBegin},
	{"the same id twice", [][]byte{begin(1, 1, 0), begin(1, 1, 0)}, []string{"begin 1 role 1 flags 0"}, errBusyID},
	{"a body before its head", [][]byte{begin(1, 1, 0), rec(5, 1, "x")}, []string{"begin 1 role 1 flags 0"}, errOrder},
}

func TestDemux(t *testing.T) {
	for _, tt := range streams {
		t.Run(tt.name, func(t *testing.T) {
			stream := bytes.Join(tt.stream, nil)
			for _, size := range []int{len(stream), 1, 7, 8, 9} {
				got, err := feedAll(stream, size)
				if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
					t.Errorf("in pieces of %d: got %q, %v\nwant %q, %v", size, got, err, tt.want, tt.err)
				}
			}
		})
	}
}

func TestDemuxKnowsWhetherMoreIsDue(t *testing.T) {
	stream := bytes.Join([][]byte{begin(1, 1, 0), rec(4, 1, "ab", 0, 0), rec(4, 1, ""), rec(5, 1, "")}, nil)
	d := demux{sink: new(transcript)}
	ends := map[int]bool{16: true, 28: true, 36: true, 44: true}
	for i := range stream {
		if err := d.feed(stream[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if got, want := d.midRecord(), !ends[i+1]; got != want {
			t.Errorf("after %d bytes: midRecord = %v, want %v\nA buffer is held, or missed, while a request waits.", i+1, got, want)
		}
	}
}

// FuzzDemux: however a stream of bytes is cut, it says the same.
func FuzzDemux(f *testing.F) {
	for _, tt := range streams {
		f.Add(bytes.Join(tt.stream, nil), uint8(3), uint8(8))
	}
	f.Fuzz(func(t *testing.T, stream []byte, first, then uint8) {
		want, wantErr := feedAll(stream, len(stream))
		for _, sizes := range [][]int{{1}, {int(first), int(then)}, {int(then)}} {
			got, err := feedAll(stream, sizes...)
			if !slices.Equal(got, want) {
				t.Errorf("in pieces of %v: got %q\nwant %q", sizes, got, want)
			}
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("in pieces of %v: error = %v, want %v", sizes, err, wantErr)
			}
		}
	})
}
