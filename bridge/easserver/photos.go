package easserver

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// photoBatch is how many cards are read at a time for their photos: with photos
// of a megabyte each that is what is in memory.
const photoBatch = 8

// A photoWish is how large photos may be, and how many. See [MS-ASCMD] "MaxSize
// (Search)" and "MaxPictures (Search)".
type photoWish struct{ size, count int }

// wishFor reads a wish; false if it asks for less than nothing.
func wishFor(size, count *int) (photoWish, bool) {
	w := photoWish{math.MaxInt, math.MaxInt}
	if size != nil {
		w.size = *size
	}
	if count != nil {
		w.count = *count
	}
	return w, w.size >= 0 && w.count >= 0
}

// A photo is one, or why there is none: 173, 174 or 175. See [MS-ASCMD] "Status
// (Search)".
type photo struct {
	status eas.SearchStatus
	data   eas.Opaque
}

// element is the photo in a result.
func (p photo) element() eas.Element {
	e := eas.C(tag.GALPicture, eas.T(tag.GALStatus, strconv.Itoa(int(p.status))))
	if p.data != nil {
		e.Children = append(e.Children, eas.Element{Tag: tag.GALData, Opaque: p.data})
	}
	return e
}

// photos reads the photos of some people, in their order. Whoever has no card
// any more, or one that cannot be read, has no photo.
func (s *Server) photos(ctx context.Context, b *books, people []directory.Match, w photoWish) ([]photo, error) {
	list := make([]photo, len(people))
	var with []int
	for i, m := range people {
		list[i].status = eas.SearchNoPhoto
		if m.HasPhoto {
			with = append(with, i)
		}
	}
	for len(with) > 0 {
		batch := with[:min(len(with), photoBatch)]
		with = with[len(batch):]
		if w.count <= 0 {
			for _, i := range batch {
				list[i].status = eas.SearchPhotosTooMany
			}
			continue
		}
		cards, err := cardsOf(ctx, b, people, batch)
		if err != nil {
			return nil, err
		}
		for _, i := range batch {
			list[i] = w.take(contact.Photo(cards[i]))
		}
	}
	return list, nil
}

// take judges one photo.
func (w *photoWish) take(data []byte) photo {
	switch {
	case data == nil:
		return photo{status: eas.SearchNoPhoto}
	case w.count <= 0:
		return photo{status: eas.SearchPhotosTooMany}
	case len(data) > w.size:
		return photo{status: eas.SearchPhotoTooLarge}
	}
	w.count--
	return photo{eas.SearchOK, data}
}

// cardsOf reads the cards of some of the people, by their place in the list.
func cardsOf(ctx context.Context, b *books, people []directory.Match, which []int) (map[int][]byte, error) {
	type card struct {
		place directory.Place
		id    backend.ItemID
	}
	at := make(map[card][]int)
	ids := make(map[directory.Place][]backend.ItemID)
	for _, i := range which {
		k := card{people[i].Place, people[i].Item}
		if at[k] = append(at[k], i); len(at[k]) == 1 {
			ids[k.place] = append(ids[k.place], k.id)
		}
	}
	cards := make(map[int][]byte, len(which))
	for p, list := range ids {
		err := b.sources[p].Get(ctx, p.Collection, list, func(f backend.Fetched) error {
			for _, i := range at[card{p, f.ID}] {
				if f.Err == nil {
					cards[i] = f.Body
				}
			}
			return nil
		})
		switch {
		case err == nil, backend.KindOf(err) == backend.NotFound:
		case p.IsShared() && backend.KindOf(err) == backend.Denied:
			return nil, backend.E(backend.Transient, "easserver: the directory", err) // not the phone's password
		default:
			return nil, err
		}
	}
	return cards, nil
}

// galProperties are what a phone is told of a person. See [MS-ASCMD] "Properties
// (Search)".
func galProperties(m directory.Match) eas.Properties {
	mail := ""
	if len(m.Addresses) > 0 {
		mail = m.Addresses[0]
	}
	name := m.DisplayName
	if name == "" {
		name = mail
	}
	ps := eas.Properties{eas.T(tag.GALDisplayName, name)}
	for _, p := range []eas.Element{
		eas.T(tag.GALPhone, m.Phone), eas.T(tag.GALOffice, m.Office), eas.T(tag.GALTitle, m.Title), eas.T(tag.GALCompany, m.Company),
		eas.T(tag.GALAlias, m.Alias), eas.T(tag.GALFirstName, m.FirstName), eas.T(tag.GALLastName, m.LastName),
		eas.T(tag.GALHomePhone, m.HomePhone), eas.T(tag.GALMobilePhone, m.MobilePhone), eas.T(tag.GALEmailAddress, mail),
	} {
		if strings.TrimSpace(p.Text) != "" {
			ps = append(ps, p)
		}
	}
	return ps
}
