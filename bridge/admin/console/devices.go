package console

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// perPage is how many rows a page has.
const perPage = 50

// A search chooses phones.
type search struct {
	Text, Health, User, Sort string
	Page                     int // from 1 on
}

func searchOf(q url.Values) search {
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil || page < 1 {
		page = 1
	}
	return search{strings.TrimSpace(q.Get("q")), q.Get("health"), q.Get("user"), q.Get("sort"), page}
}

// A row is a phone in the list.
type row struct {
	admin.Device
	ID string // of the element
	health
}

func rowOf(d admin.Device) row { return row{d, rowID(d.User, d.Device), healthOf(d.Health)} }

// rowID names the element that shows a phone's health, whatever the phone is called.
func rowID(user, device string) string {
	sum := sha256.Sum256([]byte(user + "\x00" + device))
	return "h" + hex.EncodeToString(sum[:8])
}

// A deviceList is a page of the list.
type deviceList struct {
	search
	Rows    []row
	Found   int
	All     int
	Pages   int
	From    int // the number of the first row
	Healths []counted
}

func (c *Console) devices(a *ask) error {
	s, err := c.look(a.Context(), a.actor)
	if err != nil {
		return err
	}
	c.show(a, 200, "devices", view{Title: "Devices", Here: "devices", Data: s.list(searchOf(a.URL.Query()))})
	return nil
}

// list finds the phones that somebody wants to see.
func (s *sight) list(q search) deviceList {
	l := deviceList{search: q, All: len(s.devices), Healths: s.counted()}
	found := make([]*admin.Device, 0, len(s.devices))
	text := strings.ToLower(q.Text)
	for i := range s.devices {
		d := &s.devices[i]
		if (q.User == "" || d.User == q.User) && (q.Health == "" || d.Health == q.Health) && mentions(d, text) {
			found = append(found, d)
		}
	}
	switch q.Sort {
	case "seen":
		slices.SortStableFunc(found, func(a, b *admin.Device) int { return b.LastSeen.Compare(a.LastSeen) })
	case "health":
		slices.SortStableFunc(found, func(a, b *admin.Device) int { return cmp.Compare(rank[a.Health], rank[b.Health]) })
	default:
		l.Sort = "owner"
	}
	l.Found = len(found)
	l.Pages = max((len(found)+perPage-1)/perPage, 1)
	l.Page = min(l.Page, l.Pages)
	first := (l.Page - 1) * perPage
	l.From = min(first+1, len(found))
	for _, d := range found[first:min(first+perPage, len(found))] {
		l.Rows = append(l.Rows, rowOf(*d))
	}
	return l
}

// To is the number of the last row.
func (l deviceList) To() int { return l.From + max(len(l.Rows)-1, 0) }

// mentions tells whether a phone, or its owner, has a text in one of its names. The
// text is in small letters.
func mentions(d *admin.Device, text string) bool {
	if text == "" {
		return true
	}
	for _, name := range []string{d.User, d.Device, d.Name, d.Model, d.Type, d.System, d.UserAgent} {
		if strings.Contains(strings.ToLower(name), text) {
			return true
		}
	}
	return d.Says != nil && (strings.Contains(d.Says.IMEI, text) || strings.Contains(d.Says.PhoneNumber, text))
}
