package directory

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"
)

// Resolve finds for each name or address the people who may be meant and have a
// mail address: those whose address or name it is, else those whose names or
// addresses begin like that. The first of a Match's Addresses is the one that is
// meant. At most limit are answered for each.
func (d *Directory) Resolve(ctx context.Context, names []string, places []Place, limit int) ([]Found, error) {
	books, complete, release := d.at(places)
	defer release()
	list := make([]Found, len(names))
	exact := exactly(names, books)
	for i, name := range names {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		hits := exact[wanted(name)]
		if len(hits) == 0 && !isAddress(name) {
			hits = likely(name, books)
		}
		list[i] = Found{Total: len(hits), Complete: complete}
		for _, h := range hits[:min(limit, len(hits))] {
			list[i].Matches = append(list[i].Matches, preferring(books[h.book].match(h.entry), name))
		}
	}
	return list, nil
}

// wanted is what has to be the same for a name or an address to be exactly that.
func wanted(name string) string {
	if a, err := mail.ParseAddress(name); err == nil {
		return fold(a.Address)
	}
	return fold(name)
}

func isAddress(name string) bool { return strings.Contains(wanted(name), "@") }

// exactly looks once through all entries for what is wanted exactly.
func exactly(names []string, books []*book) map[string][]hit {
	found := make(map[string][]hit, len(names))
	for _, name := range names {
		if w := wanted(name); w != "" && utf8.RuneCountInString(name) <= MaxQuery {
			found[w] = nil
		}
	}
	for n, b := range books {
		for i := range b.entries {
			e := &b.entries[i]
			names, rest, _ := strings.Cut(e.folded, string(section))
			mails, _, _ := strings.Cut(rest, string(section))
			if len(mails) == 1 {
				continue // nobody can write there
			}
			display, _, _ := strings.Cut(names[1:], string(end))
			add := func(w string) {
				if hits, ok := found[w]; ok {
					found[w] = append(hits, hit{0, n, int32(i)})
				}
			}
			add(display)
			for m := range strings.SplitSeq(mails[1:len(mails)-1], string(end)) {
				add(m)
			}
		}
	}
	for w, hits := range found {
		found[w] = distinct(hits, books)
	}
	return found
}

// likely are those who may be meant by a part of a name.
func likely(name string, books []*book) []hit {
	q := ask(name)
	if len(q.words) == 0 {
		return nil
	}
	q.number = ""
	return slices.DeleteFunc(q.hits(books), func(h hit) bool {
		_, rest, _ := strings.Cut(books[h.book].entries[h.entry].folded, string(section))
		return len(rest) < 2 || rest[1] == section || h.rank >= inside+2 && len(q.words) == 1
	})
}

// preferring puts the address that was asked for first.
func preferring(m Match, name string) Match {
	w := wanted(name)
	if i := slices.IndexFunc(m.Addresses, func(a string) bool { return fold(a) == w }); i > 0 {
		m.Addresses[0], m.Addresses[i] = m.Addresses[i], m.Addresses[0]
	}
	return m
}
