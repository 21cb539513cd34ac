package storm

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// A deaf worker never answers.
type deaf struct{ Worker }

func (deaf) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("killed") }

// A request that nobody heard the answer to may have been carried out. One for the
// same folders that was answered before it would come after it then, out of its
// turn, and take a key away that the phone has.
func TestNothingOlderComesAfterARequestThatWasNotHeard(t *testing.T) {
	x := &wire{world: &world{options: Options{Worker: deaf{}}}}
	ask := func(command string, folders ...string) *message {
		var asked eas.SyncRequest
		for _, id := range folders {
			asked.Collections = append(asked.Collections, eas.SyncCollection{SyncKey: "k", CollectionID: id})
		}
		body, err := eas.Marshal(&asked, eas.V141)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/?Cmd="+command, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", "together")
		return &message{request: r, body: body}
	}
	ab, c := ask("Sync", "a", "b"), ask("Sync", "c")
	for _, tt := range []struct {
		name  string
		asked *message
		want  []string
	}{
		{"one of its folders", ask("Sync", "b"), []string{"together c"}},
		{"another folder", ask("Sync", "d"), []string{"together a", "together b", "together c"}},
		{"no folder's items", ask("Ping", "a"), []string{"together a", "together b", "together c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x.before = map[string]*message{"together a": ab, "together b": ab, "together c": c}
			if _, err := x.serve(t.Context(), tt.asked); !errors.Is(err, errKill) {
				t.Fatalf("answered with %v", err)
			}
			if diff := cmp.Diff(tt.want, slices.Sorted(maps.Keys(x.before))); diff != "" {
				t.Errorf("what may come late (-want +got):\n%s", diff)
			}
		})
	}
}
