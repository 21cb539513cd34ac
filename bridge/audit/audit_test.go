package audit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/audit/audittest"
)

// chain is a log with three entries.
func chain(t *testing.T) (*audit.Log, *audittest.Memory) {
	t.Helper()
	m := new(audittest.Memory)
	l := audit.New(m)
	for _, e := range []audit.Entry{
		{Actor: "uid 0", Address: "socket", Action: "wipe", Object: "phone A of ann", After: json.RawMessage(`{"a": "<b>"}`), Outcome: audit.Done},
		{Actor: "jane", Action: "devices.block", Object: "phone B of bob", Outcome: audit.Failed, Detail: "no such phone"},
		{Actor: "jane", Action: "devices.block", Object: "phone A of bob", Outcome: audit.Done},
	} {
		if _, err := l.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return l, m
}

func TestChainThatIsSound(t *testing.T) {
	l, m := chain(t)
	f, err := l.Verify(t.Context(), nil)
	if err != nil || !f.Sound || f.Entries != 3 || f.Last.Number != 3 || f.Last.Hash != m.Records[2].Hash {
		t.Errorf("it is %+v, %v", f, err)
	}
	f, err = l.Verify(t.Context(), &audit.Link{Number: 2, Hash: m.Records[1].Hash})
	if err != nil || !f.Sound {
		t.Errorf("with a link that was noted it is %+v, %v", f, err)
	}
	// What was exported can be verified by itself.
	var exported []audit.Record
	text, err := json.Marshal(m.Records)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &exported); err != nil {
		t.Fatal(err)
	}
	v := audit.NewVerifier()
	for _, r := range exported {
		if !v.Take(r) {
			t.Errorf("an export is not sound: %s", v.Fault)
		}
	}
}

// Whatever is done to a chain is found out, and where.
func TestChainThatWasTamperedWith(t *testing.T) {
	for _, tc := range []struct {
		name   string
		do     func(m *audittest.Memory)
		anchor int // the entry that somebody noted; 0 none
		at     int64
	}{
		{"an actor", func(m *audittest.Memory) { m.Records[1].Actor = "bob" }, 0, 2},
		{"an address", func(m *audittest.Memory) { m.Records[0].Address = "" }, 0, 1},
		{"a value", func(m *audittest.Memory) { m.Records[0].After = json.RawMessage(`{"a":"c"}`) }, 0, 1},
		{"an outcome", func(m *audittest.Memory) { m.Records[1].Outcome = audit.Done }, 0, 2},
		{"a time", func(m *audittest.Memory) { m.Records[1].Time = m.Records[1].Time.Add(1) }, 0, 2},
		{"taken out of the middle", func(m *audittest.Memory) { m.Records = append(m.Records[:1], m.Records[2]) }, 0, 2},
		{"taken out, and numbered anew", func(m *audittest.Memory) {
			m.Records = append(m.Records[:1], m.Records[2])
			m.Records[1].Number = 2
		}, 0, 2},
		{"the first is gone", func(m *audittest.Memory) { m.Records = m.Records[1:] }, 0, 1},
		{"two exchanged", func(m *audittest.Memory) { m.Records[0], m.Records[1] = m.Records[1], m.Records[0] }, 0, 1},
		{"cut off at the end", func(m *audittest.Memory) { m.Records = m.Records[:2] }, 3, 3},
		{"everything is gone", func(m *audittest.Memory) { m.Records = nil }, 3, 1},
		{"written anew", func(m *audittest.Memory) {
			m.Records = nil
			l := audit.New(m)
			for range 3 {
				_, _ = l.Append(t.Context(), audit.Entry{Actor: "nobody", Outcome: audit.Done})
			}
		}, 2, 2},
		{"spoilt", func(m *audittest.Memory) { m.Records[2].Entry = audit.Entry{Number: 3, Outcome: audit.Unreadable} }, 0, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, m := chain(t)
			var anchor *audit.Link
			if tc.anchor > 0 {
				anchor = &audit.Link{Number: int64(tc.anchor), Hash: m.Records[tc.anchor-1].Hash}
			}
			tc.do(m)
			f, err := l.Verify(t.Context(), anchor)
			if err != nil {
				t.Fatal(err)
			}
			if f.Sound || f.At != tc.at || f.Fault == "" {
				t.Errorf("it is %+v, want that entry %d is wrong", f, tc.at)
			}
		})
	}
}

// A phone's name of any length does not make an entry of any length.
func TestEntriesAreBounded(t *testing.T) {
	m := new(audittest.Memory)
	l := audit.New(m)
	long := strings.Repeat("ä", audit.MaxText)
	value, err := json.Marshal(strings.Repeat("x", audit.MaxValue))
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Append(t.Context(), audit.Entry{Actor: long + "\xff", Object: "x" + long, After: value, Outcome: audit.Done})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Actor) > audit.MaxText || len(r.Object) > audit.MaxText || !utf8.ValidString(r.Actor+r.Object) {
		t.Errorf("an actor of %d and an object of %d bytes", len(r.Actor), len(r.Object))
	}
	if !strings.Contains(string(r.After), "sha256") || len(r.After) > 200 {
		t.Errorf("the value is %.100s", r.After)
	}
	if f, err := l.Verify(t.Context(), nil); err != nil || !f.Sound {
		t.Errorf("it is %+v, %v", f, err)
	}
}
