package easserver_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

func person(name, mail string, more ...string) string {
	first, last, _ := strings.Cut(name, " ")
	lines := append([]string{"BEGIN:VCARD", "VERSION:3.0", "FN:" + name, "N:" + last + ";" + first + ";;;"}, more...)
	if mail != "" {
		lines = append(lines, "EMAIL:"+mail)
	}
	return strings.Join(append(lines, "END:VCARD", ""), "\r\n")
}

// photoLine is a photo of about so many bytes.
func photoLine(t testing.TB, side int) string {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, side, side))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Pix {
		picture.Pix[i] = byte(r.Uint32())
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	return "PHOTO;ENCODING=b;TYPE=JPEG:" + base64.StdEncoding.EncodeToString(b.Bytes())
}

// town is a house with a directory for everybody and a neighbour.
func town(t testing.TB, edit func(*bridge.Options)) *bridgetest.House {
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		b := o.Backends[0].Backend.(*memory.Backend)
		b.AddUser("directory", "of all", backend.Collection{ID: "system", Kind: backend.Contacts, Name: "Accounts"},
			backend.Collection{ID: "private", Kind: backend.Contacts, Name: "Private"})
		b.Store("directory", "system", "1", []byte(person("Carla Director", "carla@example.org", "TITLE:Director", "TEL;TYPE=WORK:+49 30 1", photoLine(t, 32))))
		b.Store("directory", "private", "1", []byte(person("Carla "+secret, "private@example.org")))
		b.AddUser(neighbour, bridgetest.Password)
		b.Store(neighbour, "contacts", "b", []byte(person("Carla "+secret, "secret@example.org")))
		o.Config.Directory = config.Directory{Backend: "memory", Collection: "Accounts", User: "directory", Password: "of all"}
		if edit != nil {
			edit(o)
		}
	}})
	h.Store("contacts", "1", person("Carla Own", "own@example.org", photoLine(t, 200), "TEL;TYPE=CELL:+49 170 2", "TEL;TYPE=HOME:3", "ORG:Example", "NICKNAME:carl", "X-OFFICE:B 1"))
	h.Store("contacts", "2", person("Carla Zwei", "zwei@example.org"))
	h.Store("contacts", "3", person("Anton Müller", "mueller@example.org"))
	return h
}

func galSearch(query string, o *eas.SearchOptions) eas.SearchRequest {
	return eas.SearchRequest{Store: eas.SearchStore{Name: eas.SearchGAL, Query: &eas.Element{Text: query}, Options: o}}
}

// shown are the names that were found, in order.
func shown(t testing.TB, results []eas.SearchResult) []string {
	t.Helper()
	list := []string{}
	for _, r := range results {
		if name, ok := r.Properties.Text(tag.GALDisplayName); ok {
			list = append(list, name)
		}
	}
	return list
}

// MS-ASCMD Search: the GAL in every version, from the person's own books and from
// the directory, and of nobody else's.
func TestSearchGAL(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := town(t, nil)
		c := h.Client(v, "phone1")
		a, err := c.Search(t.Context(), galSearch("carla", &eas.SearchOptions{Range: "0-9", RebuildResults: true, DeepTraversal: true, UserName: "x", Password: "y"}))
		if err != nil || a.Status != eas.SearchOK || a.Store == nil {
			t.Fatalf("Search: %+v, %v", a, err)
		}
		if got := shown(t, a.Store.Results); a.Store.Status != eas.SearchOK || strings.Join(got, ", ") != "Carla Director, Carla Own, Carla Zwei" || a.Store.Range != "0-2" || *a.Store.Total != 3 {
			t.Errorf("found %q, status %d, range %s, total %v", got, a.Store.Status, a.Store.Range, *a.Store.Total)
		}
		want := eas.Properties{
			eas.T(tag.GALDisplayName, "Carla Own"), eas.T(tag.GALOffice, "B 1"), eas.T(tag.GALCompany, "Example"), eas.T(tag.GALAlias, "carl"),
			eas.T(tag.GALFirstName, "Carla"), eas.T(tag.GALLastName, "Own"), eas.T(tag.GALHomePhone, "3"), eas.T(tag.GALMobilePhone, "+49 170 2"), eas.T(tag.GALEmailAddress, "own@example.org"),
		}
		if got := a.Store.Results[1].Properties; !reflect.DeepEqual(got, want) {
			t.Errorf("the properties are %v\nwant %v", got, want)
		}
		if a, err = c.Search(t.Context(), galSearch("muller", nil)); err != nil || strings.Join(shown(t, a.Store.Results), "") != "Anton Müller" {
			t.Errorf("without marks: %+v, %v", a.Store, err)
		}
		// The log has no word of what was looked for.
		if log := h.Log.String(); strings.Contains(log, "carla") || strings.Contains(log, "muller") || !strings.Contains(log, "found=3") {
			t.Errorf("the log is\n%s", log)
		}
	})
}

// MS-ASCMD "Status (Search)", "Range (Search)" and "Query (Search)".
func TestSearchStatuses(t *testing.T) {
	h := town(t, nil)
	for i := range 150 {
		h.Store("contacts", backend.ItemID(fmt.Sprintf("many%d", i)), person(fmt.Sprintf("Many %03d", i), ""))
	}
	c := h.Client(eas.V141, "phone1")
	text := func(s string) *eas.Element { return &eas.Element{Text: s} }
	of := func(r string) *eas.SearchOptions { return &eas.SearchOptions{Range: r} }
	for _, tt := range []struct {
		name    string
		store   eas.SearchStore
		status  eas.SearchStatus
		results int
		r       string
		total   int // -1: none is told
	}{
		{"one letter", eas.SearchStore{Name: "GAL", Query: text("z")}, 1, 1, "0-0", 1},
		{"nobody", eas.SearchStore{Name: "GAL", Query: text("xyzzy")}, 1, 0, "", 0},
		{"empty", eas.SearchStore{Name: "GAL", Query: text("")}, 1, 0, "", 0},
		{"wildcards", eas.SearchStore{Name: "GAL", Query: text("*")}, 1, 0, "", 0},
		{"ten thousand letters", eas.SearchStore{Name: "GAL", Query: text(strings.Repeat("a", 10_000))}, 8, 0, "", -1},
		{"no query", eas.SearchStore{Name: "GAL"}, 2, 0, "", -1},
		{"a tree for a text", eas.SearchStore{Name: "GAL", Query: &eas.Element{Children: []eas.Element{eas.C(tag.SearchAnd)}}}, 2, 0, "", -1},
		{"without a range", eas.SearchStore{Name: "GAL", Query: text("many")}, 1, 100, "0-99", 150},
		{"a part", eas.SearchStore{Name: "GAL", Query: text("many"), Options: of("10-14")}, 1, 5, "10-14", 150},
		{"a part at the end", eas.SearchStore{Name: "GAL", Query: text("carla"), Options: of("2-50")}, 1, 1, "2-2", 3},
		{"a part behind the end", eas.SearchStore{Name: "GAL", Query: text("carla"), Options: of("50-60")}, 1, 0, "", 3},
		{"a longer range than there is", eas.SearchStore{Name: "GAL", Query: text("many"), Options: of("0-999")}, 1, 100, "0-99", 150},
		{"a range that nobody reaches", eas.SearchStore{Name: "GAL", Query: text("many"), Options: of("100-199")}, 12, 0, "", -1},
		{"a range backwards", eas.SearchStore{Name: "GAL", Query: text("many"), Options: of("9-0")}, 2, 0, "", -1},
		{"no range", eas.SearchStore{Name: "GAL", Query: text("many"), Options: of("all")}, 2, 0, "", -1},
		{"a photo of less than nothing", eas.SearchStore{Name: "GAL", Query: text("many"), Options: &eas.SearchOptions{Picture: &eas.SearchPicture{MaxSize: ptr(-1)}}}, 2, 0, "", -1},
		{"mail, of which there is none", eas.SearchStore{Name: "Mailbox", Query: &eas.Element{Children: []eas.Element{eas.T(tag.SearchFreeText, "x")}}}, 1, 0, "", 0},
		{"mail without a query", eas.SearchStore{Name: "Mailbox"}, 2, 0, "", -1},
		{"documents", eas.SearchStore{Name: "DocumentLibrary", Query: text("x")}, 4, 0, "", -1},
		{"no such store", eas.SearchStore{Name: "Attic", Query: text("x")}, 2, 0, "", -1},
		{"no store", eas.SearchStore{Query: text("x")}, 2, 0, "", -1},
	} {
		a, err := c.Search(t.Context(), eas.SearchRequest{Store: tt.store})
		if err != nil || a.Store == nil {
			t.Errorf("%s: %+v, %v", tt.name, a, err)
			continue
		}
		total := -1
		if a.Store.Total != nil {
			total = *a.Store.Total
		}
		if n := len(shown(t, a.Store.Results)); a.Status != 1 || a.Store.Status != tt.status || n != tt.results || a.Store.Range != tt.r || total != tt.total {
			t.Errorf("%s: status %d, %d results, range %q, total %d; want %d, %d, %q, %d", tt.name, a.Store.Status, n, a.Store.Range, total, tt.status, tt.results, tt.r, tt.total)
		}
	}
}

// MS-ASCMD "Picture (Search)": photos with 1, 173, 174 and 175.
func TestSearchPhotos(t *testing.T) {
	h := town(t, nil)
	statuses := func(v eas.Version, p *eas.SearchPicture) string {
		t.Helper()
		a, err := h.Client(v, "phone1").Search(t.Context(), galSearch("carla", &eas.SearchOptions{Picture: p}))
		if err != nil || a.Store == nil {
			t.Fatalf("Search: %+v, %v", a, err)
		}
		var list []string
		for _, r := range a.Store.Results {
			picture, ok := r.Properties.Find(tag.GALPicture)
			if !ok {
				list = append(list, "none")
				continue
			}
			status, _ := eas.Properties(picture.Children).Text(tag.GALStatus)
			if data, ok := eas.Properties(picture.Children).Find(tag.GALData); ok != (status == "1") || ok && !bytes.HasPrefix(data.Opaque, []byte("\xff\xd8")) {
				t.Errorf("a photo with status %s has %d bytes", status, len(data.Opaque))
			}
			list = append(list, status)
		}
		return strings.Join(list, " ")
	}
	for _, tt := range []struct {
		name string
		v    eas.Version
		p    *eas.SearchPicture
		want string
	}{
		{"not asked for", eas.V141, nil, "none none none"},
		{"before there were any", eas.V140, &eas.SearchPicture{}, "none none none"},
		{"an empty element asks for all", eas.V141, &eas.SearchPicture{}, "1 1 173"},
		{"small ones", eas.V141, &eas.SearchPicture{MaxSize: ptr(5000)}, "1 174 173"},
		{"one", eas.V161, &eas.SearchPicture{MaxPictures: ptr(1)}, "1 175 173"},
		{"none", eas.V161, &eas.SearchPicture{MaxPictures: ptr(0)}, "175 175 173"},
	} {
		if got := statuses(tt.v, tt.p); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	// A photo that cannot be shown is none.
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	h.Store("contacts", "1", person("Carla Own", "own@example.org", "PHOTO;ENCODING=b:"+base64.StdEncoding.EncodeToString([]byte("no picture"))))
	h.Store("contacts", "2", person("Carla Zwei", "zwei@example.org", "PHOTO;VALUE=uri:https://example.org/photo.jpg"))
	if got := statuses(eas.V141, &eas.SearchPicture{}); got != "1 173 173" {
		t.Errorf("what is no picture: %s, want 1 173 173", got)
	}
}

// A book that is down does not hide the others; a directory whose password is
// wrong is not the phone's fault.
func TestSearchWhenABookIsDown(t *testing.T) {
	h := town(t, func(o *bridge.Options) { o.Config.Directory.Password = "wrong" })
	c := h.Client(eas.V141, "phone1")
	a, err := c.Search(t.Context(), galSearch("carla", nil))
	if err != nil || strings.Join(shown(t, a.Store.Results), ", ") != "Carla Own, Carla Zwei" {
		t.Errorf("without the directory: %+v, %v", a.Store, err)
	}
	opens := h.Backend.Calls(memory.OpOpen)
	if _, err = c.Search(t.Context(), galSearch("zwei", nil)); err != nil || h.Backend.Calls(memory.OpOpen) != opens {
		t.Errorf("the directory's wrong password was tried again at once: %v", err)
	}
	down := town(t, nil)
	down.Backend.Fail(memory.Failure{Op: memory.OpChanges, Err: backend.Errorf(backend.Transient, "test", "down"), Times: -1})
	if _, err := down.Client(eas.V141, "phone1").Search(t.Context(), galSearch("carla", nil)); err == nil {
		t.Error("nobody is found in books that cannot be read, want 503: that would not be true")
	} else if status, _ := httpStatus(t, err); status != 503 {
		t.Errorf("HTTP status %d, want 503", status)
	}
}

// A slow backend lists one address book only as long as somebody waits for it.
type slow struct {
	backend.Backend
	book backend.CollectionID
}

func (b slow) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := b.Backend.Open(ctx, c)
	return slowSession{s, b.book}, err
}

type slowSession struct {
	backend.Session
	book backend.CollectionID
}

func (s slowSession) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	if c == s.book {
		<-ctx.Done()
		return "", backend.E(backend.Transient, "slow", context.Cause(ctx))
	}
	return s.Session.Changes(ctx, c, since, yield)
}

// MS-ASCMD "Status (Search)" 10 and "Status (ResolveRecipients)" 6: a book that
// takes too long for the first time. Who is found in another one is told.
func TestSearchOfASlowBook(t *testing.T) {
	h := town(t, func(o *bridge.Options) {
		o.SearchTime = 50 * time.Millisecond
		o.Backends[0].Backend = slow{o.Backends[0].Backend, "contacts"}
	})
	c := h.Client(eas.V141, "phone1")
	if a, err := c.Search(t.Context(), galSearch("zwei", nil)); err != nil || a.Store == nil || a.Store.Status != eas.SearchTimeout {
		t.Errorf("Search: %+v, %v, want status 10: that nobody was found would not be true", a.Store, err)
	}
	if a, err := c.Search(t.Context(), galSearch("director", nil)); err != nil || len(shown(t, a.Store.Results)) != 1 {
		t.Errorf("Search of the book that was read: %+v, %v", a.Store, err)
	}
	if a, err := c.ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{To: []string{"zwei@example.org"}}); err != nil || a.Status != eas.ResolveServerError {
		t.Errorf("ResolveRecipients: %+v, %v, want status 6", a, err)
	}
}

// A person's own book may be the directory: Nextcloud shows everybody one of all
// accounts.
func TestOwnBookAsDirectory(t *testing.T) {
	h := town(t, func(o *bridge.Options) {
		o.Config.Directory = config.Directory{Backend: "memory", Collection: "Cont*"}
	})
	a, err := h.Client(eas.V141, "phone1").ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{To: []string{"zwei@example.org"}})
	if err != nil || len(a.Responses) != 1 || a.Responses[0].Recipients[0].Type != eas.RecipientGAL {
		t.Errorf("%+v, %v; want an entry of the GAL", a, err)
	}
}

// MS-ASCMD Find: the GAL in 16.1.
func TestFindGAL(t *testing.T) {
	h := town(t, nil)
	c := h.Client(eas.V161, "phone1")
	gal := func(id, query, r string, p *eas.FindPicture) eas.FindRequest {
		return eas.FindRequest{SearchID: id, Search: &eas.ExecuteSearch{GAL: &eas.FindCriterion{Query: &eas.Element{Text: query}, Options: &eas.FindOptions{Range: r, Picture: p}}}}
	}
	for _, tt := range []struct {
		name   string
		give   eas.FindRequest
		status eas.FindStatus
		want   string
		r      string
	}{
		{"the first range", gal("1", "carla", "0-1", nil), 1, "Carla Director, Carla Own", "0-1"},
		{"the next one", gal("1", "carla", "2-3", nil), 1, "Carla Zwei", "2-2"},
		{"a next one without a first", gal("2", "carla", "2-3", nil), 4, "", ""},
		{"without a name", gal("", "carla", "0-1", nil), 2, "", ""},
		{"with a name that is too long", gal(strings.Repeat("x", 300), "carla", "0-1", nil), 2, "", ""},
		{"a range backwards", gal("1", "carla", "1-0", nil), 2, "", ""},
		{"a photo of less than nothing", gal("1", "carla", "0-1", &eas.FindPicture{MaxPictures: ptr(-1)}), 2, "", ""},
		{"nobody", gal("1", "xyzzy", "0-1", nil), 1, "", ""},
		{"too long", gal("1", strings.Repeat("a", 10_000), "0-1", nil), 2, "", ""},
		{"no criterion", eas.FindRequest{SearchID: "1", Search: &eas.ExecuteSearch{}}, 2, "", ""},
		{"nothing", eas.FindRequest{SearchID: "1"}, 2, "", ""},
		{"mail, of which there is none", eas.FindRequest{SearchID: "1", Search: &eas.ExecuteSearch{Mailbox: &eas.FindCriterion{Query: &eas.Element{Children: []eas.Element{eas.T(tag.FindFreeText, "x")}}}}}, 1, "", ""},
	} {
		a, err := c.Find(t.Context(), tt.give)
		if err != nil || a.Status != tt.status || (a.Response != nil) != (tt.status == 1) {
			t.Errorf("%s: %+v, %v, want status %d", tt.name, a, err, tt.status)
			continue
		}
		if a.Response == nil {
			continue
		}
		var got []string
		for _, r := range a.Response.Results {
			name, _ := r.Properties.Text(tag.GALDisplayName)
			got = append(got, name)
		}
		if strings.Join(got, ", ") != tt.want || a.Response.Range != tt.r || a.Response.Total == nil {
			t.Errorf("%s: %q, range %q, want %q, %q", tt.name, got, a.Response.Range, tt.want, tt.r)
		}
	}
	a, err := c.Find(t.Context(), gal("9", "carla", "0-9", &eas.FindPicture{MaxPictures: ptr(1)}))
	if err != nil || a.Response == nil {
		t.Fatalf("%+v, %v", a, err)
	}
	var got []string
	for _, r := range a.Response.Results {
		picture, _ := r.Properties.Find(tag.GALPicture)
		status, _ := eas.Properties(picture.Children).Text(tag.GALStatus)
		got = append(got, status)
	}
	if strings.Join(got, " ") != "1 175 173" {
		t.Errorf("photos: %q, want 1 175 173", got)
	}
	if _, err := h.Client(eas.V160, "phone1").Find(t.Context(), gal("1", "carla", "0-1", nil)); err == nil {
		t.Error("16.0 has a Find")
	}
}

// MS-ASHTTP "MS-ASProtocolCommands": what is announced is answered, and a phone
// that is offered no 16.1 is offered no Find.
func TestPeopleCommandsAreAnnounced(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	o, err := h.Client(eas.V161, "phone1").Options(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []eas.Command{eas.CmdSearch, eas.CmdFind, eas.CmdResolveRecipients, eas.CmdValidateCert} {
		if !strings.Contains(fmt.Sprint(o.Commands), string(want)) {
			t.Errorf("%s is not announced: %v", want, o.Commands)
		}
	}
}

// MS-ASCMD "UserInformation": the addresses that the principal has, else those
// of the rule, as one list up to 14.0 and as an account from 14.1 on.
func TestUserInformationAddresses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		known   []string // by the backend
		domain  string   // by the rule
		failing bool
		want    string
	}{
		{name: "of the principal", known: []string{"ann.lee@example.org", "ann@example.org"}, domain: "example.com", want: "ann.lee@example.org ann@example.org"},
		{name: "by the rule", domain: "example.com", want: "ann@example.com"},
		{name: "by the rule, since the backend does not say", known: []string{"x@example.org"}, domain: "example.com", failing: true, want: "ann@example.com"},
		{name: "nobody knows", want: ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.Login.Domain = tt.domain }})
			h.Backend.SetIdentity(bridgetest.User, backend.Identity{Name: "Ann Lee", Addresses: tt.known})
			if tt.failing {
				h.Backend.Fail(memory.Failure{Op: memory.OpIdentity, Err: backend.Errorf(backend.Transient, "test", "down"), Times: -1})
			}
			for _, v := range []eas.Version{eas.V120, eas.V140, eas.V141, eas.V161} {
				a, err := h.Client(v, "phone1").Settings(t.Context(), eas.SettingsRequest{UserInformation: &eas.InformationRequest{Get: true}})
				if err != nil || a.UserInformation == nil || a.UserInformation.Get == nil {
					t.Fatalf("%s: %+v, %v", v, a, err)
				}
				got := a.UserInformation.Get
				addresses := got.EmailAddresses
				if v >= eas.V141 {
					if addresses != nil || len(got.Accounts) != 1 {
						t.Fatalf("%s: %+v, want one account", v, got)
					}
					addresses = got.Accounts[0].EmailAddresses
				} else if got.Accounts != nil {
					t.Fatalf("%s: %+v, want no accounts", v, got)
				}
				var list []string
				if addresses != nil {
					list = addresses.SMTPAddresses
				}
				if strings.Join(list, " ") != tt.want {
					t.Errorf("%s: %q, want %q", v, list, tt.want)
				}
				if primary, _, _ := strings.Cut(tt.want, " "); v >= eas.V141 && primary != "" && addresses.PrimarySMTPAddress != primary {
					t.Errorf("%s: the primary address is %q, want %q", v, addresses.PrimarySMTPAddress, primary)
				}
			}
		})
	}
}

// A phone may look for people before it asks for folders, and after an edit it
// finds what it wrote a minute later at the latest.
func TestSearchBeforeFolderSync(t *testing.T) {
	h := town(t, nil)
	start := time.Now()
	a, err := h.Client(eas.V25, "phone1").Search(t.Context(), galSearch("zwei", nil))
	if err != nil || len(shown(t, a.Store.Results)) != 1 {
		t.Errorf("%+v, %v after %v", a.Store, err, time.Since(start))
	}
}
