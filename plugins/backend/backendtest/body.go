package backendtest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var bodies = []promise{
	{"a plain body comes back byte for byte", bodyPlain},
	{"an odd body comes back byte for byte", bodyOdd},
	{"odd text survives", bodySurvives},
	{"two megabytes come back", bodyBig},
	{"the caller may reuse what it gave", bodyReuse},
}

func bodyPlain(t *testing.T, w *world) {
	it := w.create(t, "plain")
	w.wantBytes(t, it)
	w.wantBytes(t, w.replace(t, it, "second"))
}

func bodyOdd(t *testing.T, w *world) {
	lines, _ := oddLines(w.kind)
	name := unique("odd")
	w.wantBytes(t, w.createBody(t, name, sampleWith(w.kind, name, "first", lines)))
}

// wantBytes complains unless an item's body is exactly as it was stored.
func (w *world) wantBytes(t *testing.T, it stored) {
	t.Helper()
	f := w.get(t, it.id)[it.id]
	if f.Err != nil {
		t.Errorf("Get: %v", f.Err)
	} else if !bytes.Equal(f.Body, it.body) {
		t.Errorf("the body came back as\n%q\nwant\n%q", f.Body, it.body)
	}
}

func bodySurvives(t *testing.T, w *world) {
	lines, survive := oddLines(w.kind)
	name := unique("odd")
	it := w.createBody(t, name, sampleWith(w.kind, name, "first", lines))
	got := unfold(w.get(t, it.id)[it.id].Body)
	for _, text := range survive {
		if !strings.Contains(got, text) {
			t.Errorf("the text %q is lost in\n%s", text, got)
		}
	}
}

func bodyBig(t *testing.T, w *world) {
	if !w.first {
		t.Skip("tried with the first kind: what matters is the size, and it takes servers seconds")
	}
	const size = 2 << 20
	name := unique("big")
	it := w.createBody(t, name, sampleWith(w.kind, name, "first", bigLines(w.kind, size)))
	small := w.create(t, "small")
	got := w.get(t, it.id, small.id)
	f := got[it.id]
	if f.Err != nil {
		t.Fatalf("Get of a body of %d bytes: %v", len(it.body), f.Err)
	}
	if !bytes.Contains([]byte(unfold(f.Body)), []byte(unfold(it.body)[size/2:size/2+1000])) || len(f.Body) < size {
		t.Errorf("%d of %d bytes come back, and not the same", len(f.Body), len(it.body))
	}
	if f.Revision != it.rev {
		t.Errorf("the big item is at revision %q, want %q", f.Revision, it.rev)
	}
	if got[small.id].Body == nil {
		t.Error("the big item's neighbour is missing")
	}
}

func bodyReuse(t *testing.T, w *world) {
	name := unique("reuse")
	it := w.createBody(t, name, sample(w.kind, name, "first"))
	kept := bytes.Clone(it.body)
	for n := range it.body {
		it.body[n] = '#'
	}
	it.body = kept
	var held []byte
	err := w.s.Get(t.Context(), w.c, []backend.ItemID{it.id}, func(f backend.Fetched) error { held = f.Body; return f.Err })
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	for n := range held {
		held[n] = '#'
	}
	w.wantUntouched(t, it, "the caller wrote over its own bytes")
}
