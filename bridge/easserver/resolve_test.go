package easserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// MS-ASCMD "Status (ResolveRecipients)" of a Response, "Type" and
// "RecipientCount".
func TestResolveRecipients(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := town(t, func(o *bridge.Options) { o.Config.Login.Domain = "example.org" })
		h.Store("contacts", "4", person("Karl Nowhere", ""))
		c := h.Client(v, "phone1")
		a, err := c.ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{
			To:      []string{"zwei@example.org", "Carla", "carla@example.org", "nobody", "Karl Nowhere", "ann@example.org", secret, ""},
			Options: &eas.ResolveOptions{MaxAmbiguousRecipients: ptr(2)},
		})
		if err != nil || a.Status != eas.ResolveOK {
			t.Fatalf("%+v, %v", a, err)
		}
		var got []string
		for _, r := range a.Responses {
			line := fmt.Sprintf("%d/%d", r.Status, *r.RecipientCount)
			for _, p := range r.Recipients {
				line += fmt.Sprintf(" %d:%s<%s>", p.Type, p.DisplayName, p.EmailAddress)
			}
			got = append(got, line)
		}
		want := []string{
			"1/1 2:Carla Zwei<zwei@example.org>",
			"3/3 1:Carla Director<carla@example.org> 2:Carla Own<own@example.org>",
			"1/1 1:Carla Director<carla@example.org>",
			"4/0", "4/0",
			"1/1 1:ann@example.org<ann@example.org>", // the person, who is in no book
			"4/0", "4/0",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("resolved to\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		all, err := c.ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{To: []string{"Carla"}})
		if err != nil || all.Responses[0].Status != eas.ResolveAmbiguous || len(all.Responses[0].Recipients) != 3 {
			t.Errorf("all who may be meant: %+v, %v", all, err)
		}
	})
}

// MS-ASCMD "Status (ResolveRecipients)" 5: what is out of range.
func TestResolveRecipientsRefuses(t *testing.T) {
	h := town(t, nil)
	c := h.Client(eas.V141, "phone1")
	at := func(from, to string) *eas.ResolveOptions {
		return &eas.ResolveOptions{Availability: &eas.AvailabilityRequest{StartTime: from, EndTime: to}}
	}
	for _, tt := range []struct {
		name string
		to   []string
		o    *eas.ResolveOptions
		want eas.ResolveStatus
	}{
		{"nobody at all", nil, nil, 5},
		{"too many", make([]string, 1001), nil, 5},
		{"a name that is too long", []string{strings.Repeat("ä", 257)}, nil, 5},
		{"the longest name", []string{strings.Repeat("ä", 256)}, nil, 1},
		{"certificates of a fourth kind", []string{"x"}, &eas.ResolveOptions{CertificateRetrieval: ptr(eas.CertificateRetrieval(4))}, 5},
		{"fewer than no certificates", []string{"x"}, &eas.ResolveOptions{MaxCertificates: ptr(-1)}, 5},
		{"too many certificates", []string{"x"}, &eas.ResolveOptions{MaxCertificates: ptr(10_000)}, 5},
		{"fewer than no suggestions", []string{"x"}, &eas.ResolveOptions{MaxAmbiguousRecipients: ptr(-1)}, 5},
		{"photos of less than nothing", []string{"x"}, &eas.ResolveOptions{Picture: &eas.ResolvePicture{MaxSize: ptr(-1)}}, 5},
		{"a start that is no time", []string{"x"}, at("now", ""), 5},
		{"no start", []string{"x"}, at("", "2026-12-01T09:00:00.000Z"), 5},
		{"an end that is no time", []string{"x"}, at("2026-12-01T09:00:00.000Z", "later"), 5},
		{"less than half an hour", []string{"x"}, at("2026-12-01T09:00:00.000Z", "2026-12-01T09:29:00.000Z"), 5},
		{"backwards", []string{"x"}, at("2026-12-01T09:00:00.000Z", "2026-11-01T09:29:00.000Z"), 5},
		{"more than 42 days", []string{"x"}, at("2026-12-01T09:00:00.000Z", "2027-01-13T09:00:00.000Z"), 5},
		{"42 days", []string{"x"}, at("2026-12-01T09:00:00.000Z", "2027-01-12T09:00:00.000Z"), 1},
	} {
		a, err := c.ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{To: tt.to, Options: tt.o})
		if err != nil || a.Status != tt.want {
			t.Errorf("%s: %+v, %v, want status %d", tt.name, a.Status, err, tt.want)
		}
	}
}

// MS-ASCMD "Availability" and "MergedFreeBusy": one's own time from one's own
// calendars, that of others from the backend; 160, 162 and 163.
func TestAvailability(t *testing.T) {
	h := town(t, func(o *bridge.Options) {
		o.Config.Login.Domain = "example.org"
		b := o.Backends[0].Backend.(*memory.Backend)
		b.SetCollection(bridgetest.User, backend.Collection{ID: "shared", Kind: backend.Events, Name: "Bob's", Owner: "bob"})
	})
	start := time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour)
	h.Store("calendar", "1", bridgetest.Event("1", "Tea", start.Add(time.Hour)))
	h.Store("calendar", "2", strings.Replace(bridgetest.Event("2", "Jour fixe", start.AddDate(0, -1, 0).Add(3*time.Hour)), "SUMMARY", "RRULE:FREQ=DAILY\r\nSUMMARY", 1))
	h.Store("calendar", "3", "BEGIN:VCALENDAR\r\nnonsense")
	h.Store("shared", "1", bridgetest.Event("9", "Bob's alone", start))
	h.Backend.Store(neighbour, "calendar", "1", []byte(bridgetest.Event("8", "Another person's", start)))
	h.Backend.SetFreeBusy("zwei@example.org", []byte("BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:"+start.Format("20060102T150405Z")+"/PT30M\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"))
	h.Backend.SetFreeBusy("own@example.org", []byte("nonsense"))
	const form = "2006-01-02T15:04:05.000Z"
	options := &eas.ResolveOptions{Availability: &eas.AvailabilityRequest{StartTime: start.Format(form), EndTime: start.Add(4 * time.Hour).Format(form)}}
	ask := func(v eas.Version, to ...string) string {
		t.Helper()
		a, err := h.Client(v, "phone1").ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{To: to, Options: options})
		if err != nil || a.Status != eas.ResolveOK {
			t.Fatalf("%+v, %v", a, err)
		}
		var list []string
		for _, r := range a.Responses[:min(len(a.Responses), 5)] {
			for _, p := range r.Recipients {
				if p.Availability == nil {
					list = append(list, "-")
				} else {
					list = append(list, fmt.Sprintf("%d:%s", p.Availability.Status, p.Availability.MergedFreeBusy))
				}
			}
		}
		return strings.Join(list, " ")
	}
	if got, want := ask(eas.V141, "ann@example.org", "zwei@example.org", "own@example.org", "mueller@example.org"), "1:00220022 1:30000000 163: 163:"; got != want {
		t.Errorf("availability %s\nwant         %s", got, want)
	}
	if got := ask(eas.V121, "ann@example.org"); got != "-" {
		t.Errorf("12.1 knows no availability, and is told %s", got)
	}
	if got := ask(eas.V161, append([]string{"ann@example.org", "zwei@example.org"}, make([]string, 99)...)...); got != "160: 160:" {
		t.Errorf("more than a hundred people: %s, want 160", got)
	}
	if got := ask(eas.V161, "Carla"); got != "- - -" {
		t.Errorf("people who may be meant: %s, want nothing of their time", got)
	}
	h.Backend.Fail(memory.Failure{Op: memory.OpFreeBusy, Err: backend.Errorf(backend.Transient, "test", "down")})
	if got := ask(eas.V161, "zwei@example.org"); got != "162:" {
		t.Errorf("a backend that is down: %s, want 162", got)
	}
	h.Backend.Fail(memory.Failure{Op: memory.OpChanges, Collection: "calendar", Err: backend.Errorf(backend.Transient, "test", "down")})
	if got := ask(eas.V161, "ann@example.org"); got != "162:" {
		t.Errorf("one's own calendar is down: %s, want 162: nobody shall seem free", got)
	}
	// A week is what is told where the phone names no end.
	options = &eas.ResolveOptions{Availability: &eas.AvailabilityRequest{StartTime: start.Format(form)}}
	if got := ask(eas.V161, "ann@example.org"); len(got) != len("1:")+7*48 {
		t.Errorf("without an end: %d digits, want those of seven days", len(got)-2)
	}
}

// An authority, and certificates by it.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, by *authority, edit func(*x509.Certificate)) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: fmt.Sprintf("Authority %p", key)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if edit != nil {
		edit(tmpl)
	}
	parent, signer := tmpl, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, cert, key}
}

func (a *authority) base64() string { return base64.StdEncoding.EncodeToString(a.cert.Raw) }

// issue makes a certificate for mail.
func (a *authority) issue(edit func(*x509.Certificate)) *authority {
	return newAuthority(a.t, a, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = false, false, x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement
		c.ExtKeyUsage, c.EmailAddresses = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, []string{"zwei@example.org"}
		if edit != nil {
			edit(c)
		}
	})
}

func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
}

// MS-ASCMD "Status (ValidateCert)".
func TestValidateCert(t *testing.T) {
	root := newAuthority(t, nil, nil)
	stranger := newAuthority(t, nil, nil)
	middle := newAuthority(t, root, nil)
	old := newAuthority(t, root, expired)
	noAuthority := root.issue(nil)
	servers := newAuthority(t, root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	fake := newAuthority(t, nil, func(c *x509.Certificate) { c.Subject = middle.cert.Subject })
	pool := x509.NewCertPool()
	pool.AddCert(root.cert)
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Roots = pool }})
	good := middle.issue(nil).base64()
	for _, tt := range []struct {
		name  string
		cert  string
		chain []*authority
		crl   *bool
		want  eas.CertStatus
	}{
		{"good", good, []*authority{middle}, nil, 1},
		{"good, by the root itself", root.issue(nil).base64(), nil, nil, 1},
		{"good, whatever may have become of it", good, []*authority{middle}, ptr(false), 1},
		{"good, unless it was revoked", good, []*authority{middle}, ptr(true), 14},
		{"for anything", root.issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }).base64(), nil, nil, 1},
		{"signed by one who only calls itself so", good, []*authority{fake}, nil, 3},
		{"of an authority that nobody trusts", stranger.issue(nil).base64(), []*authority{stranger}, nil, 4},
		{"of an authority that nobody knows", stranger.issue(nil).base64(), nil, nil, 4},
		{"of itself", stranger.base64(), nil, nil, 4},
		{"the next one is missing", good, []*authority{stranger}, nil, 5},
		{"for web servers", root.issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }).base64(), nil, nil, 6},
		{"not to sign with", root.issue(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }).base64(), nil, nil, 6},
		{"too old", root.issue(expired).base64(), nil, nil, 7},
		{"not yet", root.issue(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }).base64(), nil, nil, 7},
		{"of an authority that is too old", old.issue(nil).base64(), []*authority{old}, nil, 8},
		{"of an authority for web servers", servers.issue(nil).base64(), []*authority{servers}, nil, 9},
		{"of one that is no authority", noAuthority.issue(nil).base64(), []*authority{noAuthority}, nil, 11},
		{"no certificate", "AAAA", nil, nil, 10},
		{"no base64", "!", nil, nil, 10},
		{"too large", strings.Repeat("A", 100_000), nil, nil, 10},
	} {
		req := eas.ValidateCertRequest{Certificates: []string{tt.cert, good}, CheckCRL: tt.crl}
		for _, c := range tt.chain {
			req.Chain = append(req.Chain, c.base64())
		}
		for _, v := range bridgetest.Versions {
			a, err := h.Client(v, "phone1").ValidateCert(t.Context(), req)
			if err != nil || a.Status != eas.CertOK || len(a.Certificates) != 2 || a.Certificates[0].Status != tt.want {
				t.Errorf("%s in %s: %+v, %v, want %d first", tt.name, v, a, err, tt.want)
			}
		}
	}
	c := h.Client(eas.V141, "phone1")
	for name, req := range map[string]eas.ValidateCertRequest{"none": {Chain: []string{root.base64()}}, "too many": {Certificates: make([]string, 101)}} {
		if a, err := c.ValidateCert(t.Context(), req); err != nil || a.Status != eas.CertProtocol {
			t.Errorf("%s: %+v, %v, want status 2", name, a, err)
		}
	}
}

// MS-ASCMD "Certificates (ResolveRecipients)", "MaxCertificates" and the photos
// of ResolveRecipients.
func TestCertificatesAndPhotosOfRecipients(t *testing.T) {
	h := town(t, nil)
	root := newAuthority(t, nil, nil)
	key := func(a *authority) string { return "KEY;ENCODING=b;TYPE=X509:" + a.base64() }
	one, two := root.issue(nil), root.issue(nil)
	h.Store("contacts", "2", person("Carla Zwei", "zwei@example.org", key(one), key(two), key(root.issue(expired)),
		key(root.issue(func(c *x509.Certificate) { c.EmailAddresses = []string{"other@example.org"} })), "KEY;ENCODING=b:AAAA", "KEY;VALUE=uri:https://example.org/key"))
	h.Store("contacts", "3", person("Anton Müller", "mueller@example.org", key(root.issue(func(c *x509.Certificate) { c.EmailAddresses = nil }))))
	ask := func(o *eas.ResolveOptions, to ...string) (list []string) {
		t.Helper()
		a, err := h.Client(eas.V141, "phone1").ResolveRecipients(t.Context(), eas.ResolveRecipientsRequest{To: to, Options: o})
		if err != nil || a.Status != eas.ResolveOK {
			t.Fatalf("%+v, %v", a, err)
		}
		for _, r := range a.Responses {
			for _, p := range r.Recipients {
				line := "-"
				if c := p.Certificates; c != nil {
					count := -1
					if c.CertificateCount != nil {
						count = *c.CertificateCount
					}
					line = fmt.Sprintf("%d/%d/%d", c.Status, count, len(c.Certificates))
				}
				if p.Picture != nil {
					line += fmt.Sprintf(" photo %d %v", p.Picture.Status, len(p.Picture.Data) > 0)
				}
				list = append(list, line)
			}
		}
		return list
	}
	for _, tt := range []struct {
		name string
		o    eas.ResolveOptions
		to   []string
		want string
	}{
		{"not asked for", eas.ResolveOptions{}, []string{"zwei@example.org"}, "-"},
		{"not wanted", eas.ResolveOptions{CertificateRetrieval: ptr(eas.NoCertificates)}, []string{"zwei@example.org"}, "-"},
		{"in full", eas.ResolveOptions{CertificateRetrieval: ptr(eas.FullCertificates)}, []string{"zwei@example.org", "mueller@example.org", "own@example.org"}, "1/2/2, 1/1/1, 7/-1/0"},
		{"small ones, which are not made", eas.ResolveOptions{CertificateRetrieval: ptr(eas.MiniCertificates)}, []string{"zwei@example.org"}, "1/2/0"},
		{"one", eas.ResolveOptions{CertificateRetrieval: ptr(eas.FullCertificates), MaxCertificates: ptr(1)}, []string{"zwei@example.org", "mueller@example.org"}, "8/2/0, 1/1/1"},
		{"none", eas.ResolveOptions{CertificateRetrieval: ptr(eas.FullCertificates), MaxCertificates: ptr(0)}, []string{"zwei@example.org"}, "8/2/0"},
		{"of several who may be meant", eas.ResolveOptions{CertificateRetrieval: ptr(eas.FullCertificates)}, []string{"Carla"}, "-, -, -"},
		{"photos", eas.ResolveOptions{Picture: &eas.ResolvePicture{}}, []string{"zwei@example.org", "own@example.org", "carla@example.org"}, "- photo 173 false, - photo 1 true, - photo 1 true"},
		{"small photos", eas.ResolveOptions{Picture: &eas.ResolvePicture{MaxSize: ptr(5000)}}, []string{"own@example.org"}, "- photo 174 false"},
		{"one photo", eas.ResolveOptions{Picture: &eas.ResolvePicture{MaxPictures: ptr(1)}}, []string{"own@example.org", "carla@example.org"}, "- photo 1 true, - photo 175 false"},
	} {
		if got := strings.Join(ask(&tt.o, tt.to...), ", "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
