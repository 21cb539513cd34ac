package easserver_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// club is ann's second folder of contacts, which phones may rename and delete, and
// to which they may move things. It is empty at the beginning of each mutation.
var club = backend.Collection{ID: "club", Kind: backend.Contacts, Name: "Club"}

// editsFolders tells whether a command leads to another key of the hierarchy.
func editsFolders(command eas.Command) bool { return strings.HasPrefix(string(command), "Folder") }

// cabinet describes a person's collections.
func (s *scene) cabinet(user string) []string {
	session, err := s.h.Backend.Open(s.t.Context(), backend.Credentials{User: user, Password: bridgetest.Password})
	if err != nil {
		s.t.Fatal(err)
	}
	defer session.Close()
	list, err := session.Collections(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, c := range list {
		all = append(all, fmt.Sprintf("%s %s %q in %q", c.ID, c.Kind, c.Name, c.Parent))
	}
	slices.Sort(all)
	return all
}

// stored is what ann has in a collection; nothing where it has been deleted.
func (s *scene) stored(c backend.CollectionID) map[backend.ItemID][]byte {
	if c == club.ID && !slices.ContainsFunc(s.cabinet(bridgetest.User), func(one string) bool { return strings.HasPrefix(one, string(c)+" ") }) {
		return nil
	}
	return s.h.Backend.Items(bridgetest.User, c)
}

// rearranged tells whether ann's folders are not as at the beginning, and what of
// it cannot be: folders change for commands that say so, hers that were not made by
// phones stay, and so do another person's.
func (s *scene) rearranged(command eas.Command, got outcome) (changed bool, problems []string) {
	if others := s.cabinet(neighbour); !slices.Equal(others, s.theirs) {
		problems = append(problems, fmt.Sprintf("another person's folders are %q", others))
	}
	now := s.cabinet(bridgetest.User)
	if slices.Equal(now, s.mine) {
		return false, problems
	}
	if !editsFolders(command) || got.status != http.StatusOK || s.statusOf(got) != fmt.Sprint(eas.FolderOK) {
		problems = append(problems, fmt.Sprintf("the answer does not say so, and the folders are %q", now))
	}
	for _, c := range s.mine {
		if !slices.Contains(now, c) && !strings.HasPrefix(c, string(club.ID)+" ") {
			problems = append(problems, fmt.Sprintf("the folder %s is other than it was: %q", c, now))
		}
	}
	return true, problems
}

// statusOf is the status of a whole answer.
func (s *scene) statusOf(got outcome) string {
	for _, e := range element(s.t, got.body).Children {
		if tag.Local(e.Tag) == "Status" {
			return e.Text
		}
	}
	return ""
}

// refile puts ann's folders back, and lets her phone take notice.
func (s *scene) refile() {
	for _, c := range s.cabinet(bridgetest.User) {
		if id, _, _ := strings.Cut(c, " "); !slices.Contains(s.mine, c) && id != string(club.ID) {
			s.h.Backend.RemoveCollection(bridgetest.User, backend.CollectionID(id))
		}
	}
	s.h.Backend.SetCollection(bridgetest.User, club)
	if _, err := s.phone.FolderSync(s.t.Context()); err != nil {
		s.t.Fatalf("asking for the folders afterwards: %v", err)
	}
}
