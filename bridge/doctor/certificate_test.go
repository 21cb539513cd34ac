package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/doctor"
)

// A signer is an authority, or a server.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// sign makes a certificate by an authority; nil means by itself.
func sign(t *testing.T, by *signer, name string, until time.Time) *signer {
	t.Helper()
	return signFor(t, by, name, until)
}

// signFor makes one for some purposes only; none means all.
func signFor(t *testing.T, by *signer, name string, until time.Time, purposes ...x509.ExtKeyUsage) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: until, BasicConstraintsValid: true, IsCA: true, DNSNames: []string{name}, ExtKeyUsage: purposes}
	s := &signer{key: key, cert: template}
	if by == nil {
		by = s
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	if s.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCertificates(t *testing.T) {
	year := time.Now().AddDate(1, 0, 0)
	root := sign(t, nil, "root", year)
	between := sign(t, root, "between", year)
	stranger := sign(t, nil, "stranger", year)
	trusted := x509.NewCertPool()
	trusted.AddCert(root.cert)
	const host = "mail.example.org"
	leaf, soon, foreign := sign(t, between, host, year), sign(t, between, host, time.Now().AddDate(0, 0, 5)), sign(t, stranger, host, year)
	purpose := signFor(t, between, host, year, x509.ExtKeyUsageClientAuth)
	late := sign(t, between, host, time.Now().Add(-time.Minute))
	tests := []struct {
		name         string
		leaf         *signer
		chain        []*signer // that are sent along
		most         uint16
		code, remedy string
	}{
		{"the whole chain", leaf, []*signer{between}, 0, "wrong-place", "nginx.conf.example"}, // what comes after the certificate
		{"without the one between", leaf, nil, 0, "certificate-chain", "fullchain.pem"},
		{"of an authority of one's own", foreign, []*signer{stranger}, 0, "certificate-authority", "on each phone"},
		{"expired", late, []*signer{between}, 0, "certificate-expired", "renew"},
		{"for another purpose", purpose, []*signer{between}, 0, "certificate-invalid", "a new one"},
		{"of old TLS", leaf, []*signer{between}, tls.VersionTLS11, "tls-old", "ssl_protocols"},
	}
	serve := func(t *testing.T, leaf *signer, chain []*signer, most uint16) *httptest.Server {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that are broken off on purpose
		c := tls.Certificate{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}
		for _, x := range chain {
			c.Certificate = append(c.Certificate, x.cert.Raw)
		}
		s.TLS = &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS10, MaxVersion: most}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	visit := func(t *testing.T, s *httptest.Server) doctor.Report {
		_, port, _ := splitPort(s.URL)
		r, err := doctor.Visit(t.Context(), doctor.Options{URL: "https://" + host + ":" + port, User: "ann", Password: "secret",
			Resolver: names{hosts: []string{host}}, Dial: local, Roots: trusted})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { hold(t, visit(t, serve(t, tt.leaf, tt.chain, tt.most)), tt.code, tt.remedy) })
	}
	t.Run("that ends soon", func(t *testing.T) {
		var found bool
		for _, f := range visit(t, serve(t, soon, []*signer{between}, 0)) {
			found = found || f.Code == "certificate-expires" && f.Verdict == doctor.Advice
		}
		if !found {
			t.Error("nobody is told that the certificate ends soon")
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		s := serve(t, leaf, nil, 0)
		s.Close()
		hold(t, visit(t, s), "no-connection", "firewall")
	})
}
