package easserver

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Bounds of ResolveRecipients.
const (
	// MaxRecipients is how many names one request has at most. See [MS-ASCMD]
	// "Limiting Size of Command Requests".
	MaxRecipients = 1000

	// maxTo is the length of a name, in letters. See [MS-ASCMD] "To".
	maxTo = 256

	// maxSuggestions is how many people are suggested for a name where the phone
	// does not say. See [MS-ASCMD] "MaxAmbiguousRecipients".
	maxSuggestions = 20

	// maxLimit is the largest MaxCertificates and MaxAmbiguousRecipients.
	maxLimit = 9999
)

// resolveRecipients tells who is meant by names and addresses, when they are
// free, and what their certificates and photos are. See [MS-ASCMD]
// "ResolveRecipients".
func (s *Server) resolveRecipients(ctx context.Context, c *call) (answer, error) {
	var req eas.ResolveRecipientsRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	r, ok := newResolver(s, c, &req)
	if !ok {
		c.event.Status = int(eas.ResolveProtocol)
		return eas.ResolveRecipientsResponse{Status: eas.ResolveProtocol}, nil
	}
	responses, err := r.run(ctx, req.To)
	if errors.Is(err, errLate) {
		c.event.Status = int(eas.ResolveServerError)
		return eas.ResolveRecipientsResponse{Status: eas.ResolveServerError}, nil
	}
	if err != nil {
		return nil, err
	}
	c.event.Status = int(eas.ResolveOK)
	return eas.ResolveRecipientsResponse{Status: eas.ResolveOK, Responses: responses}, nil
}

// A resolver answers one request.
type resolver struct {
	server *Server
	call   *call
	books  *books
	self   backend.Identity

	suggestions  int
	keys         eas.CertificateRetrieval
	keysLeft     int
	availability *askedTime // nil if nobody asked
	wish         *photoWish // nil if nobody asked
}

// newResolver checks what is wanted; false if it contradicts the protocol.
func newResolver(s *Server, c *call, req *eas.ResolveRecipientsRequest) (*resolver, bool) {
	r := &resolver{server: s, call: c, suggestions: maxSuggestions, keys: eas.NoCertificates, keysLeft: maxLimit}
	if len(req.To) == 0 || len(req.To) > MaxRecipients {
		return nil, false
	}
	for _, to := range req.To {
		if utf8.RuneCountInString(to) > maxTo {
			return nil, false // it could not be named in the answer
		}
	}
	o := req.Options
	if o == nil {
		return r, true
	}
	limit := func(to *int, said *int) bool {
		if said != nil {
			*to = *said
		}
		return *to >= 0 && *to <= maxLimit
	}
	ok := limit(&r.suggestions, o.MaxAmbiguousRecipients) && limit(&r.keysLeft, o.MaxCertificates)
	r.suggestions = min(r.suggestions, MaxPeople)
	if o.CertificateRetrieval != nil {
		r.keys = *o.CertificateRetrieval
		ok = ok && r.keys >= eas.NoCertificates && r.keys <= eas.MiniCertificates
	}
	if o.Availability != nil && c.version >= eas.V140 {
		var fits bool
		r.availability, fits = askedFor(o.Availability)
		ok = ok && fits
	}
	if o.Picture != nil && c.version >= eas.V141 {
		w, fits := wishFor(o.Picture.MaxSize, o.Picture.MaxPictures)
		r.wish, ok = &w, ok && fits
	}
	return r, ok
}

// run resolves all names, and then asks once for what is wanted of all people.
func (r *resolver) run(ctx context.Context, to []string) ([]eas.Resolved, error) {
	var err error
	if r.books, err = r.server.books(ctx, r.call); err != nil {
		return nil, err
	}
	if r.self, err = r.server.identity(ctx, r.call); err != nil {
		return nil, err
	}
	found, err := r.server.Directory.Resolve(ctx, to, r.books.places, max(r.suggestions, 1))
	if err != nil {
		return nil, err
	}
	responses := make([]eas.Resolved, len(to))
	var people []directory.Match // of whom more is told
	var at []int                 // where they are in responses
	for i := range to {
		matches, total := r.own(to[i], found[i])
		if total == 0 {
			if err := r.books.settled(found[i]); err != nil {
				return nil, err
			}
		}
		responses[i] = r.response(to[i], matches, total)
		if total == 1 {
			people, at = append(people, matches[0]), append(at, i)
		}
	}
	if err := r.tell(ctx, len(to), people, func(i int) *eas.Recipient { return &responses[at[i]].Recipients[0] }); err != nil {
		return nil, err
	}
	return responses, nil
}

// own is who was found, or the person that asks, who need not be in any book.
func (r *resolver) own(to string, f directory.Found) ([]directory.Match, int) {
	if f.Total > 0 {
		return f.Matches, f.Total
	}
	for _, a := range r.self.Addresses {
		if strings.EqualFold(strings.TrimSpace(to), a) {
			name := r.self.Name
			if name == "" {
				name = a
			}
			return []directory.Match{{Person: contact.Person{DisplayName: name, Addresses: []string{a}}}}, 1
		}
	}
	return nil, 0
}

// response is the answer to one name. See [MS-ASCMD] "Status
// (ResolveRecipients)" and "RecipientCount".
func (r *resolver) response(to string, matches []directory.Match, total int) eas.Resolved {
	re := eas.Resolved{To: to, RecipientCount: &total}
	switch {
	case total == 0:
		re.Status = eas.ResolveNobody
		return re
	case total == 1:
		re.Status = eas.ResolveOK
	case len(matches) < total || r.suggestions == 0:
		re.Status = eas.ResolveAmbiguousSome
	default:
		re.Status = eas.ResolveAmbiguous
	}
	if total > 1 {
		matches = matches[:min(len(matches), r.suggestions)]
	}
	for _, m := range matches {
		p := eas.Recipient{Type: eas.RecipientContact, DisplayName: m.DisplayName, EmailAddress: m.Addresses[0]}
		if m.Item == "" || r.books.gal[m.Place] {
			p.Type = eas.RecipientGAL
		}
		if p.DisplayName == "" {
			p.DisplayName = p.EmailAddress
		}
		re.Recipients = append(re.Recipients, p)
	}
	return re
}

// tell adds to the people who were resolved what else is wanted of them.
func (r *resolver) tell(ctx context.Context, asked int, people []directory.Match, at func(int) *eas.Recipient) error {
	if r.availability != nil {
		times, err := r.times(ctx, asked, people)
		if err != nil {
			return err
		}
		for i := range people {
			at(i).Availability = &times[i]
		}
	}
	if r.keys != eas.NoCertificates {
		keys, err := r.certificates(ctx, people)
		if err != nil {
			return err
		}
		for i := range people {
			at(i).Certificates = keys[i]
		}
	}
	if r.wish == nil {
		return nil
	}
	photos, err := r.server.photos(ctx, r.books, people, *r.wish)
	if err != nil {
		return err
	}
	for i, p := range photos {
		at(i).Picture = &eas.PictureResult{Status: eas.ResolveStatus(p.status), Data: p.data}
	}
	return nil
}

// certificates are those of each person's card that are good for mail. See
// [MS-ASCMD] "Certificates (ResolveRecipients)" and "MaxCertificates": nobody
// gets a part of theirs.
func (r *resolver) certificates(ctx context.Context, people []directory.Match) ([]*eas.Certificates, error) {
	list := make([]*eas.Certificates, len(people))
	var with []int
	for i, m := range people {
		list[i] = &eas.Certificates{Status: eas.ResolveNoCertificate}
		if m.HasKey {
			with = append(with, i)
		}
	}
	for len(with) > 0 {
		batch := with[:min(len(with), photoBatch)]
		with = with[len(batch):]
		cards, err := cardsOf(ctx, r.books, people, batch)
		if err != nil {
			return nil, err
		}
		for _, i := range batch {
			list[i] = r.certificatesIn(cards[i], people[i].Addresses)
		}
	}
	return list, nil
}

func (r *resolver) certificatesIn(card []byte, addresses []string) *eas.Certificates {
	good := mailCertificates(contact.Keys(card), addresses)
	count, one := len(good), 1
	switch {
	case count == 0:
		return &eas.Certificates{Status: eas.ResolveNoCertificate}
	case count > r.keysLeft:
		return &eas.Certificates{Status: eas.ResolveTooMany, CertificateCount: &count}
	}
	r.keysLeft -= count
	told := &eas.Certificates{Status: eas.ResolveOK, CertificateCount: &count, RecipientCount: &one}
	if r.keys == eas.FullCertificates {
		told.Certificates = good
	}
	return told
}
