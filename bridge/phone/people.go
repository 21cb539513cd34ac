package phone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// asking is a client that may ask: of a phone that accepted the policy, where
// there is one.
func (c Config) asking(ctx context.Context, purpose string) (*easclient.Client, error) {
	p, err := c.connect(ctx, purpose)
	if err != nil {
		return nil, err
	}
	if _, err := p.Provision(ctx); err != nil {
		if he, ok := errors.AsType[*easclient.HTTPError](err); !ok || he.Status != http.StatusNotImplemented {
			return nil, fmt.Errorf("phone: provision: %w", Explain(err))
		}
	}
	return p.client, nil
}

// maxFound is how many people are asked for.
const maxFound = 100

// FindPeople looks for people in the server's directory, as a phone does while a
// name is typed, and writes who was found: by Find where the version has it, else
// by Search.
func FindPeople(ctx context.Context, w io.Writer, c Config, name string) error {
	client, err := c.asking(ctx, "find")
	if err != nil {
		return err
	}
	found, total, err := findPeople(ctx, client, name)
	if err != nil {
		return err
	}
	for _, p := range found {
		printPerson(w, p)
	}
	fmt.Fprintf(w, "%d of %d shown, asked by version %s\n", len(found), total, client.Version)
	return nil
}

func findPeople(ctx context.Context, client *easclient.Client, name string) (found []eas.Properties, total int, err error) {
	query, whole := &eas.Element{Text: name}, fmt.Sprintf("0-%d", maxFound-1)
	told := func(n *int) int {
		if n == nil {
			return len(found)
		}
		return *n
	}
	if client.Version >= eas.V161 {
		a, err := client.Find(ctx, eas.FindRequest{SearchID: fmt.Sprint(time.Now().UnixNano()), Search: &eas.ExecuteSearch{
			GAL: &eas.FindCriterion{Query: query, Options: &eas.FindOptions{Range: whole}}}})
		if err != nil {
			return nil, 0, Explain(err)
		}
		if a.Status != eas.FindOK || a.Response == nil || a.Response.Status != eas.FindOK {
			return nil, 0, fmt.Errorf("phone: Find was answered with status %d", a.Status)
		}
		for _, r := range a.Response.Results {
			found = append(found, r.Properties)
		}
		return found, told(a.Response.Total), nil
	}
	a, err := client.Search(ctx, eas.SearchRequest{Store: eas.SearchStore{Name: eas.SearchGAL, Query: query, Options: &eas.SearchOptions{Range: whole}}})
	if err != nil {
		return nil, 0, Explain(err)
	}
	if a.Status != eas.SearchOK || a.Store == nil || a.Store.Status != eas.SearchOK {
		status := a.Status
		if a.Store != nil {
			status = a.Store.Status
		}
		return nil, 0, fmt.Errorf("phone: Search was answered with status %d", status)
	}
	for _, r := range a.Store.Results {
		if len(r.Properties) > 0 { // one without any says that nobody was found
			found = append(found, r.Properties)
		}
	}
	return found, told(a.Store.Total), nil
}

func printPerson(w io.Writer, p eas.Properties) {
	name, _ := p.Text(tag.GALDisplayName)
	mail, _ := p.Text(tag.GALEmailAddress)
	fmt.Fprintf(w, "%s <%s>\n", shown(name), shown(mail))
	for _, e := range p {
		if e.Tag != tag.GALDisplayName && e.Tag != tag.GALEmailAddress && len(e.Children) == 0 {
			fmt.Fprintf(w, "    %s: %s\n", tag.Local(e.Tag), shown(e.Content()))
		}
	}
}

// availabilityWords are the digits of MergedFreeBusy. See [MS-ASCMD]
// "MergedFreeBusy".
var availabilityWords = map[byte]string{'0': "free", '1': "tentative", '2': "busy", '3': "out of office", '4': "not known"}

// PrintAvailability asks when people are free for some hours from a moment on,
// and writes it in words.
func PrintAvailability(ctx context.Context, w io.Writer, c Config, from time.Time, span time.Duration, people []string) error {
	client, err := c.asking(ctx, "availability")
	if err != nil {
		return err
	}
	if client.Version < eas.V140 {
		return fmt.Errorf("phone: version %s has no availability; it begins with 14.0", client.Version)
	}
	const form = "2006-01-02T15:04:05.000Z"
	from = from.UTC().Truncate(time.Minute)
	a, err := client.ResolveRecipients(ctx, eas.ResolveRecipientsRequest{To: people, Options: &eas.ResolveOptions{
		Availability: &eas.AvailabilityRequest{StartTime: from.Format(form), EndTime: from.Add(span).Format(form)}}})
	if err != nil {
		return Explain(err)
	}
	if a.Status != eas.ResolveOK {
		return fmt.Errorf("phone: ResolveRecipients was answered with status %d", a.Status)
	}
	for _, r := range a.Responses {
		switch r.Status {
		case eas.ResolveNobody:
			fmt.Fprintf(w, "%s: nobody\n", shown(r.To))
		case eas.ResolveOK:
		default:
			fmt.Fprintf(w, "%s: somebody of these\n", shown(r.To))
		}
		for _, p := range r.Recipients {
			fmt.Fprintf(w, "%s <%s>\n", shown(p.DisplayName), shown(p.EmailAddress))
			printTimes(w, from, p.Availability)
		}
	}
	return nil
}

// printTimes writes a line for each run of half hours that are the same.
func printTimes(w io.Writer, from time.Time, a *eas.Availability) {
	switch {
	case a == nil:
		return
	case a.Status != eas.ResolveOK:
		fmt.Fprintf(w, "    not known (status %d)\n", a.Status)
		return
	}
	const slot = 30 * time.Minute
	digits := a.MergedFreeBusy
	for i := 0; i < len(digits); {
		n := i + 1
		for n < len(digits) && digits[n] == digits[i] {
			n++
		}
		word, ok := availabilityWords[digits[i]]
		if !ok {
			word = fmt.Sprintf("%q", digits[i])
		}
		fmt.Fprintf(w, "    %s to %s: %s\n", from.Add(time.Duration(i)*slot).Local().Format("2006-01-02 15:04"), from.Add(time.Duration(n)*slot).Local().Format("2006-01-02 15:04"), word)
		i = n
	}
}
