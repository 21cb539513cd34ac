package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

func (v *visit) name(ctx context.Context) bool {
	host, _ := v.address()
	if net.ParseIP(host) != nil {
		v.ok("name", "%s is an address", host)
		return true
	}
	found, err := v.Resolver.LookupHost(ctx, host)
	if err != nil {
		v.fail("name", "name-unknown", fmt.Sprintf("%s cannot be found: %v", host, err), "add an A (and AAAA) record for "+host+" in the DNS, or correct the name")
		return false
	}
	v.ok("name", "%s is %s", host, strings.Join(found, ", "))
	return true
}

func (v *visit) connect(ctx context.Context) bool {
	host, addr := v.address()
	c, err := v.Dial(ctx, "tcp", addr)
	if err != nil {
		v.fail("connection", "no-connection", fmt.Sprintf("nothing answers at %s: %v", addr, err),
			"start the web server, let it listen at this port, and open the port in the firewall and the router, for IPv6 too")
		return false
	}
	c.Close()
	v.ok("connection", "something listens at %s", addr)
	if v.target.Scheme == "http" {
		v.advise("certificate", "no-tls", "the address is http://: passwords travel readable, and phones insist on TLS", "get a certificate (Let's Encrypt) and write https://"+host)
	}
	return true
}

// certificate looks at what the server shows before anything is said to it.
func (v *visit) certificate(ctx context.Context) bool {
	if v.target.Scheme != "https" {
		return true
	}
	host, _ := v.address()
	state, err := v.handshake(ctx, host, tls.VersionTLS12)
	if err != nil {
		if old, again := v.handshake(ctx, host, tls.VersionTLS10); again == nil {
			v.fail("certificate", "tls-old", "the server speaks nothing newer than "+tls.VersionName(old.Version)+", which phones refuse", "nginx: ssl_protocols TLSv1.2 TLSv1.3;")
			return v.Insecure
		}
		if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
			v.fail("certificate", "tls-none", "the server does not speak TLS at this port", "nginx: listen 443 ssl; or write http:// for a trial")
			return false
		}
		v.fail("certificate", "tls-handshake", "TLS does not come about: "+err.Error(), "look at the web server's error log; it needs ssl_certificate and ssl_certificate_key")
		return false
	}
	if f := v.chain(host, state.PeerCertificates); f != nil {
		v.add(*f)
		if !v.Insecure {
			return false // the password is not for whoever this is
		}
	} else {
		leaf := state.PeerCertificates[0]
		left := leaf.NotAfter.Sub(v.Now())
		v.ok("certificate", "trusted, for %s, until %s (%s)", host, leaf.NotAfter.Format(time.DateOnly), tls.VersionName(state.Version))
		if left < expirySoon {
			v.advise("certificate", "certificate-expires", fmt.Sprintf("it ends in %d days", int(left.Hours()/24)), "see that it is renewed by itself, and that nginx is reloaded then")
		}
	}
	if state.NegotiatedProtocol == "h2" {
		v.advise("HTTP/2", "http2", "the server offers HTTP/2, with which a waiting phone costs nginx nearly twice the memory", "leave http2 out of the listen line (nginx 1.25.1 and newer: http2 off;) if many phones wait")
	}
	return true
}

func (v *visit) handshake(ctx context.Context, host string, least uint16) (tls.ConnectionState, error) {
	_, addr := v.address()
	c, err := v.Dial(ctx, "tcp", addr)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	// What is wrong with the certificate is to be said, so that it is looked at afterwards.
	t := tls.Client(c, &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: least, NextProtos: []string{"h2", "http/1.1"}})
	if err := t.HandshakeContext(ctx); err != nil {
		return tls.ConnectionState{}, err
	}
	return t.ConnectionState(), nil
}

// chain says what is wrong with a chain of certificates, or nothing.
func (v *visit) chain(host string, chain []*x509.Certificate) *Finding {
	leaf, between := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: v.Roots, Intermediates: between, CurrentTime: v.Now()})
	if err == nil {
		return nil
	}
	f := &Finding{Step: "certificate", Verdict: Failed}
	_, wrongName := errors.AsType[x509.HostnameError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch now := v.Now(); {
	case now.After(leaf.NotAfter):
		f.Code, f.Text = "certificate-expired", "it expired on "+leaf.NotAfter.Format(time.DateOnly)
		f.Remedy = "renew it (certbot renew) and reload the web server; see why the renewal did not happen by itself"
	case now.Before(leaf.NotBefore):
		f.Code, f.Text = "certificate-early", "it is valid from "+leaf.NotBefore.Format(time.DateTime)+" on"
		f.Remedy = "set the clocks of this computer and of the one that made it"
	case wrongName:
		f.Code, f.Text = "certificate-name", fmt.Sprintf("it is for %s, not for %s", strings.Join(names(leaf), ", "), host)
		f.Remedy = "get one for " + host + ", or have phones use a name that it is for; is this the right server block?"
	case unknown && bytes.Equal(leaf.RawSubject, leaf.RawIssuer):
		f.Code, f.Text = "certificate-self-signed", "it is signed by itself, and no phone trusts it"
		f.Remedy = "get one from an authority that phones know, such as Let's Encrypt"
	case unknown && len(chain) == 1:
		f.Code, f.Text = "certificate-chain", fmt.Sprintf("the certificate of its issuer (%s) is not sent along; browsers often know it, phones do not", leaf.Issuer)
		f.Remedy = "nginx: ssl_certificate has to be the whole chain (Let's Encrypt: fullchain.pem, not cert.pem)"
	case unknown:
		f.Code, f.Text = "certificate-authority", fmt.Sprintf("nobody trusts its issuer (%s)", chain[len(chain)-1].Issuer)
		f.Remedy = "get one from an authority that phones know, or install this authority's certificate on each phone"
	default:
		f.Code, f.Text, f.Remedy = "certificate-invalid", err.Error(), "get a new one"
	}
	return f
}

func names(c *x509.Certificate) []string {
	list := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		list = append(list, "no name")
	}
	return list
}
