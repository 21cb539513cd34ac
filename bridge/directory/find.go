package directory

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Bounds of a question.
const (
	// MaxQuery bounds what is looked for, in letters. Nobody's name is longer.
	MaxQuery = 256

	// maxWords bounds the words of a question; further ones do not count.
	maxWords = 8

	// leastInside is how many letters a word must have to be looked for inside
	// of others. Shorter ones are the beginning of a word.
	leastInside = 3
)

// A Match is a person who was found, and where.
type Match struct {
	contact.Person
	Place Place
	Item  backend.ItemID
}

// Found is what came of a question.
type Found struct {
	Matches  []Match // the best first, as many as were wanted
	Total    int     // of all
	Complete bool    // all books are indexed
}

// A question is what is looked for, folded.
type question struct {
	whole  string
	words  []string
	number string // its digits, if it is nothing but a telephone number
}

// ask takes a question apart. Wildcards, quotes and the like, which some phones
// put around what people type, mean nothing.
func ask(query string) question {
	if utf8.RuneCountInString(query) > MaxQuery {
		return question{}
	}
	folded := fold(query)
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`*?%"<>(),;`, r) {
			return ' '
		}
		return r
	}, folded)
	q := question{words: strings.Fields(clean)}
	q.words = slices.DeleteFunc(q.words, func(w string) bool { return !strings.ContainsFunc(w, isWord) })
	q.words = q.words[:min(len(q.words), maxWords)]
	q.whole = strings.Join(q.words, " ")
	if strings.Trim(folded, "0123456789+-/(). ") == "" {
		if n := digits(folded); len(n) >= leastInside {
			q.number = n
		}
	}
	return q
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// How well a word fits, the best first.
const (
	fitsName    = iota // it is one of the names, or the name as a whole
	beginsName         // it begins one of the names
	beginsMail         // it begins a mail address, or a part of one
	beginsOther        // it begins a word of company, title or office
	inside             // it stands inside of something
	nowhere
)

// rank tells how well an entry fits: the smaller the better, negative if it does
// not.
func (q *question) rank(e *entry) int {
	if q.number != "" {
		if i := strings.LastIndexByte(e.folded, section); strings.Contains(e.folded[i:], q.number) {
			return beginsName
		}
	}
	names, rest, _ := strings.Cut(e.folded, string(section))
	mails, rest, _ := strings.Cut(rest, string(section))
	others, _, _ := strings.Cut(rest, string(section))
	sum := 0
	for _, w := range q.words {
		fit := fitOf(w, names, mails, others)
		if fit == nowhere {
			return -1
		}
		sum += fit + 1
	}
	switch {
	case strings.Contains(names, string(end)+q.whole+string(end)), strings.Contains(mails, string(end)+q.whole+string(end)):
		return 0 // exactly that
	case strings.HasPrefix(names, string(end)+q.whole):
		return 1
	}
	return 1 + sum
}

func fitOf(w, names, mails, others string) int {
	best := nowhere
	whole, begins, in := find(names, w)
	switch {
	case whole:
		return fitsName
	case begins:
		return beginsName
	case in:
		best = inside
	}
	if _, begins, in = find(mails, w); begins {
		return beginsMail
	} else if in {
		best = inside
	}
	if _, begins, in = find(others, w); begins {
		return beginsOther
	} else if in {
		best = inside
	}
	if best == inside && utf8.RuneCountInString(w) < leastInside {
		return nowhere
	}
	return best
}

// find looks for a word: as a whole word, at the beginning of one, and inside.
func find(text, w string) (whole, begins, in bool) {
	for at := 0; ; {
		i := strings.Index(text[at:], w)
		if i < 0 {
			return whole, begins, in
		}
		at += i
		in = true
		if before, _ := utf8.DecodeLastRuneInString(text[:at]); !isWord(before) {
			begins = true
			if after, _ := utf8.DecodeRuneInString(text[at+len(w):]); !isWord(after) {
				return true, true, true
			}
		}
		at += len(w)
	}
}

// A hit is an entry that fits.
type hit struct {
	rank  int
	book  int
	entry int32
}

// Find looks for people in some books, and answers those from first on, at most
// limit. Who is in several of them with the same name and address is found in
// the one that is named first.
func (d *Directory) Find(query string, places []Place, first, limit int) Found {
	q := ask(query)
	books, complete, release := d.at(places)
	defer release()
	found := Found{Complete: complete}
	if len(q.words) == 0 && q.number == "" {
		return found
	}
	hits := q.hits(books)
	found.Total = len(hits)
	for _, h := range hits[min(first, len(hits)):min(first+limit, len(hits))] {
		found.Matches = append(found.Matches, books[h.book].match(h.entry))
	}
	return found
}

// match copies an entry. b.mu is held.
func (b *book) match(i int32) Match {
	e := &b.entries[i]
	return Match{Person: e.person(), Place: b.place, Item: e.id}
}

// hits lists what fits, the best first. The books' locks are held.
func (q *question) hits(books []*book) []hit {
	var hits []hit
	for n, b := range books {
		for i := range b.entries {
			if r := q.rank(&b.entries[i]); r >= 0 {
				hits = append(hits, hit{r, n, int32(i)})
			}
		}
	}
	folded := func(h hit) string { return books[h.book].entries[h.entry].folded }
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(folded(a), folded(b)), cmp.Compare(a.book, b.book),
			strings.Compare(string(books[a.book].entries[a.entry].id), string(books[b.book].entries[b.entry].id)))
	})
	return distinct(hits, books)
}

// distinct leaves one of each person, the first.
func distinct(hits []hit, books []*book) []hit {
	seen := make(map[string]bool, len(hits))
	return slices.DeleteFunc(hits, func(h hit) bool {
		key := books[h.book].entries[h.entry].key()
		twice := seen[key]
		seen[key] = true
		return twice
	})
}

// key is the same for two entries of one person: the same name and addresses.
func (e *entry) key() string {
	names, rest, _ := strings.Cut(e.folded, string(section))
	mails, _, _ := strings.Cut(rest, string(section))
	if len(mails) == 1 {
		return e.folded + string(e.id) // nobody knows without an address
	}
	display, _, _ := strings.Cut(names[1:], string(end))
	return display + mails
}
