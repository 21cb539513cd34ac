package directory_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A shop has many cards, each made when it is asked for.
type shop int

func (n shop) Changes(_ context.Context, _ backend.CollectionID, _ backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	for i := range int(n) {
		if err := yield([]backend.Change{{ID: backend.ItemID(fmt.Sprintf("person-%06d.vcf", i)), Revision: "1"}}); err != nil {
			return "", err
		}
	}
	return "1", nil
}

var firsts = []string{"Anna", "Bernd", "Chloë", "Dörte", "Erik", "François", "Grace", "Hans-Peter", "Ines", "José"}

func (n shop) Get(_ context.Context, _ backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	for _, id := range ids {
		var i int
		fmt.Sscanf(string(id), "person-%d.vcf", &i)
		first, last := firsts[i%len(firsts)], fmt.Sprintf("Name%d", i/len(firsts))
		body := card("UID:"+string(id), "FN:"+first+" "+last, "N:"+last+";"+first+";;;", fmt.Sprintf("EMAIL;TYPE=WORK:%d@example.org", i),
			fmt.Sprintf("TEL;TYPE=WORK:+49 30 %d", 1_000_000+i), fmt.Sprintf("TEL;TYPE=CELL:+49 170 %d", 1_000_000+i), "ORG:Example Ltd.;Sales", "TITLE:Clerk")
		if err := yield(backend.Fetched{Item: backend.Item{ID: id, Revision: "1", Body: body}}); err != nil {
			return err
		}
	}
	return nil
}

const cards = 50_000

func BenchmarkIndex(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		before := heap()
		d := directory.New(directory.Options{})
		if err := d.Refresh(b.Context(), annsBook, shop(cards)); err != nil {
			b.Fatal(err)
		}
		people, counted := d.Size()
		b.ReportMetric(float64(heap()-before)/float64(people), "heapB/contact")
		b.ReportMetric(float64(counted)/float64(people), "countedB/contact")
		runtime.KeepAlive(d)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkFind(b *testing.B) {
	d := directory.New(directory.Options{})
	if err := d.Refresh(b.Context(), annsBook, shop(cards)); err != nil {
		b.Fatal(err)
	}
	for name, query := range map[string]string{"one": "name4711 anna", "letter": "a", "inside": "ame47", "number": "1001234", "nobody": "zacharias"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				d.Find(query, []directory.Place{annsBook}, 0, 100)
			}
		})
	}
	b.Run("resolve100", func(b *testing.B) {
		var to []string
		for i := range 100 {
			to = append(to, fmt.Sprintf("%d@example.org", i*7))
		}
		for b.Loop() {
			if _, err := d.Resolve(b.Context(), to, []directory.Place{annsBook}, 20); err != nil {
				b.Fatal(err)
			}
		}
	})
}
