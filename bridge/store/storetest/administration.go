package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// Documents are what administrators wrote down.
type Documents interface {
	Documents(ctx context.Context, kind string) (map[string][]byte, error)
	Document(ctx context.Context, kind, name string) ([]byte, error)
	SaveDocument(ctx context.Context, kind, name string, record []byte) error
}

func audited(t *testing.T, s Stores) {
	l := audit.New(s.Audit)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := l.Append(t.Context(), audit.Entry{Actor: "jané", Action: "wipe", After: json.RawMessage(`{"a":1}`), Outcome: audit.Done}); err != nil {
				t.Errorf("append: %v", err)
			}
		})
	}
	all.Wait()
	if f, err := l.Verify(t.Context(), nil); err != nil || !f.Sound || f.Entries != 20 {
		t.Errorf("20 at a time make the chain %+v, %v", f, err)
	}
	list, err := l.Newest(t.Context(), 18, 3)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int64
	for _, r := range list {
		numbers = append(numbers, r.Number)
	}
	if !slices.Equal(numbers, []int64{17, 16, 15}) || list[0].Actor != "jané" {
		t.Errorf("before 18 come %v", numbers)
	}
}

func documents(t *testing.T, s Stores) {
	save := func(kind, name string, record []byte) {
		t.Helper()
		if err := s.Documents.SaveDocument(t.Context(), kind, name, record); err != nil {
			t.Fatal(err)
		}
	}
	check := func(kind string, want ...string) {
		t.Helper()
		got, err := s.Documents.Documents(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
			t.Errorf("of kind %s there are %q, want %q", kind, names, want)
		}
	}
	check("group")
	save("group", "büro", []byte(`{"users":["ann"]}`))
	save("group", "", []byte(`{}`))
	save("policy", "büro", []byte(`{}`))
	save("group", "büro", []byte(`{"users":["bob"]}`))
	check("group", "", "büro")
	check("policy", "büro")
	all, err := s.Documents.Documents(t.Context(), "group")
	if err != nil || string(all["büro"]) != `{"users":["bob"]}` {
		t.Errorf("it is %s, %v", all["büro"], err)
	}
	for name, want := range map[string]string{"büro": `{"users":["bob"]}`, "": `{}`, "other": ""} {
		if one, err := s.Documents.Document(t.Context(), "group", name); err != nil || string(one) != want || (one == nil) != (want == "") {
			t.Errorf("the group %q is %s, %v", name, one, err)
		}
	}
	save("group", "büro", nil)
	save("group", "nobody", nil)
	check("group", "")
	check("policy", "büro")
}

// What is done in one transaction comes true together.
func transact(t *testing.T, s Stores) {
	id, no := device.ID{User: ann, Device: "P"}, errors.New("no")
	l := audit.New(s.Audit)
	work := func(fails error) error {
		return s.Transact(t.Context(), func(ctx context.Context) error {
			_, err := s.Phones.Update(ctx, id, func(p *device.Phone, _ bool) error { p.Type = "iPhone"; return nil })
			if err != nil {
				return err
			}
			if p, err := s.Phones.Phone(ctx, id); err != nil || p.Type != "iPhone" {
				t.Errorf("within the transaction the phone is %+v, %v", p, err)
			}
			if err := s.Documents.SaveDocument(ctx, "group", "g", []byte(`{}`)); err != nil {
				return err
			}
			if _, err := l.Append(ctx, audit.Entry{Action: "x", Outcome: audit.Done}); err != nil {
				return err
			}
			return fails
		})
	}
	there := func(when string, want bool) {
		t.Helper()
		_, err := s.Phones.Phone(t.Context(), id)
		groups, err2 := s.Documents.Documents(t.Context(), "group")
		f, err3 := l.Verify(t.Context(), nil)
		if (err == nil) != want || (len(groups) == 1) != want || (f.Entries == 1) != want || err2 != nil || err3 != nil {
			t.Errorf("%s: the phone: %v; %d groups, %v; %d entries, %v", when, err, len(groups), err2, f.Entries, err3)
		}
	}
	if err := work(no); !errors.Is(err, no) {
		t.Errorf("it fails with %v, want %v", err, no)
	}
	there("one that failed", false)
	if err := work(nil); err != nil {
		t.Fatal(err)
	}
	there("one that did not", true)
}
