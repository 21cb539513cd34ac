package easserver

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// Bounds of ValidateCert.
const (
	// MaxCertificates is how many certificates a request has at most, with those
	// of the chain. See [MS-ASCMD] "Limiting Size of Command Requests".
	MaxCertificates = 100

	// maxCertificate bounds a certificate, in bytes of base64.
	maxCertificate = 64 << 10

	// maxKeyBits bounds RSA keys: the time that one signature takes to verify
	// grows with the square of it.
	maxKeyBits = 8192
)

// validateCert tells whether certificates are good for mail, by the authorities
// that this computer trusts. Addresses in certificates are never visited. See
// [MS-ASCMD] "ValidateCert".
func (s *Server) validateCert(_ context.Context, c *call) (answer, error) {
	var req eas.ValidateCertRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if n := len(req.Certificates); n == 0 || n+len(req.Chain) > MaxCertificates {
		c.event.Status = int(eas.CertProtocol)
		return eas.ValidateCertResponse{Status: eas.CertProtocol}, nil
	}
	v := certValidator{roots: s.Roots, now: time.Now(), checkCRL: req.CheckCRL != nil && *req.CheckCRL}
	if v.roots == nil {
		roots, err := x509.SystemCertPool()
		if err != nil { // nobody is trusted then
			s.Logger.Warn("the system's certificate authorities cannot be read", "error", err)
			roots = x509.NewCertPool()
		}
		v.roots = roots
	}
	for _, text := range req.Chain {
		if cert := readCertificate(text); cert != nil {
			v.chain = append(v.chain, cert)
		}
	}
	c.event.Status = int(eas.CertOK)
	response := eas.ValidateCertResponse{Status: eas.CertOK}
	for _, text := range req.Certificates {
		response.Certificates = append(response.Certificates, eas.CertResult{Status: v.judge(readCertificate(text))})
	}
	return response, nil
}

// readCertificate reads base64 of DER; nil if it is none, or one that would cost
// too much to verify.
func readCertificate(text string) *x509.Certificate {
	if len(text) > maxCertificate {
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\r' || r == '\n' || r == '\t' {
			return -1
		}
		return r
	}, text))
	if err != nil {
		return nil
	}
	return parseCertificate(der)
}

func parseCertificate(der []byte) *x509.Certificate {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxKeyBits {
		return nil
	}
	return cert
}

// A certValidator judges certificates by one chain.
type certValidator struct {
	roots    *x509.CertPool
	chain    []*x509.Certificate
	now      time.Time
	checkCRL bool
}

// judge tells what is wrong with a certificate, the worst first. See [MS-ASCMD]
// "Status (ValidateCert)".
func (v *certValidator) judge(cert *x509.Certificate) eas.CertStatus {
	if cert == nil {
		return eas.CertBadContent
	}
	pool := x509.NewCertPool()
	for _, c := range v.chain {
		pool.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: v.roots, Intermediates: pool, CurrentTime: v.now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	})
	switch {
	case err != nil:
		return v.because(cert, err)
	case !signs(cert):
		return eas.CertNotForMail
	case v.checkCRL:
		// The phone wants to know whether it was revoked, and we ask nobody.
		return eas.CertUnknown
	}
	return eas.CertOK
}

// because turns an error of Verify into a status.
func (v *certValidator) because(cert *x509.Certificate, err error) eas.CertStatus {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		own := e.Cert == nil || e.Cert.Equal(cert)
		switch e.Reason {
		case x509.Expired:
			if own {
				return eas.CertExpired
			}
			return eas.CertTimesInconsistent
		case x509.IncompatibleUsage:
			if forMail(cert) {
				return eas.CertMisused // one above it is for something else
			}
			return eas.CertNotForMail
		case x509.NotAuthorizedToSign:
			return eas.CertMisusedIssuer
		case x509.TooManyIntermediates, x509.NameMismatch:
			return eas.CertBadChain
		case x509.CANotAuthorizedForThisName, x509.CANotAuthorizedForExtKeyUsage:
			return eas.CertMisused
		}
		return eas.CertBadContent
	}
	if _, ok := errors.AsType[x509.UnhandledCriticalExtension](err); ok {
		return eas.CertBadContent
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return v.unknown(cert)
	}
	return eas.CertServerError
}

// unknown follows the chain as far as it goes, to tell what it lacks.
func (v *certValidator) unknown(cert *x509.Certificate) eas.CertStatus {
	at := cert
	for range len(v.chain) + 1 {
		if bytes.Equal(at.RawIssuer, at.RawSubject) {
			if at.CheckSignature(at.SignatureAlgorithm, at.RawTBSCertificate, at.Signature) != nil {
				return eas.CertBadSignature
			}
			return eas.CertUntrusted // it ends in an authority that nobody here trusts
		}
		i := slices.IndexFunc(v.chain, func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, at.RawIssuer) })
		switch {
		case i < 0 && len(v.chain) == 0:
			return eas.CertUntrusted
		case i < 0:
			return eas.CertBadChain // the next one is missing
		case v.chain[i].CheckSignature(at.SignatureAlgorithm, at.RawTBSCertificate, at.Signature) != nil:
			return eas.CertBadSignature
		case !v.chain[i].IsCA:
			return eas.CertMisusedIssuer
		case v.now.Before(v.chain[i].NotBefore), v.now.After(v.chain[i].NotAfter):
			return eas.CertTimesInconsistent
		}
		at = v.chain[i]
	}
	return eas.CertBadChain // it goes round in a circle
}

// signs tells whether the key may sign mail. See RFC 8550, section 4.4.2.
func signs(cert *x509.Certificate) bool {
	return cert.KeyUsage == 0 || cert.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0
}

// forMail tells whether a certificate says that it is for mail, or for anything.
func forMail(cert *x509.Certificate) bool {
	return len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) == 0 ||
		slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) || slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// mailCertificates are those of a card's keys, in base64 of DER, with which a
// mail to one of the addresses can be encrypted now. Who issued them is for the
// phone to judge, by ValidateCert.
func mailCertificates(keys [][]byte, addresses []string) []string {
	now := time.Now()
	var list []string
	for _, key := range keys {
		if block, _ := pem.Decode(key); block != nil && block.Type == "CERTIFICATE" {
			key = block.Bytes
		}
		cert := parseCertificate(key)
		if cert == nil || now.Before(cert.NotBefore) || now.After(cert.NotAfter) || cert.IsCA || !forMail(cert) || !isOf(cert, addresses) {
			continue
		}
		if encrypts := x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageDataEncipherment; cert.KeyUsage != 0 && cert.KeyUsage&encrypts == 0 {
			continue
		}
		list = append(list, base64.StdEncoding.EncodeToString(cert.Raw))
	}
	return list
}

// isOf tells whether a certificate is of one of the addresses, or names none.
// See RFC 8550, section 3.
func isOf(cert *x509.Certificate, addresses []string) bool {
	return len(cert.EmailAddresses) == 0 || slices.ContainsFunc(cert.EmailAddresses, func(a string) bool {
		return slices.ContainsFunc(addresses, func(o string) bool { return strings.EqualFold(a, o) })
	})
}
