package eas

// A ValidateCertRequest asks whether certificates are good for mail, all in
// base64 of DER. See [MS-ASCMD] "ValidateCert".
type ValidateCertRequest struct {
	Chain        []string `eas:"ValidateCert:CertificateChain>Certificate"`
	Certificates []string `eas:"ValidateCert:Certificates>Certificate"`
	CheckCRL     *bool    `eas:"ValidateCert:CheckCrl"`
}

// A ValidateCertResponse has a result for each of Certificates. See
// [MS-ASCMD] "ValidateCert".
type ValidateCertResponse struct {
	Status       CertStatus   `eas:"ValidateCert:Status,always"`
	Certificates []CertResult `eas:"ValidateCert:Certificate"`
}

// A CertResult is what is to be said of one certificate. See [MS-ASCMD]
// "Certificate (ValidateCert)".
type CertResult struct {
	Status CertStatus `eas:"ValidateCert:Status,always"`
}

// A CertStatus is the outcome of ValidateCert or of one certificate. See
// [MS-ASCMD] "Status (ValidateCert)".
type CertStatus int

// The statuses of ValidateCert.
const (
	CertOK                CertStatus = 1
	CertProtocol          CertStatus = 2
	CertBadSignature      CertStatus = 3
	CertUntrusted         CertStatus = 4
	CertBadChain          CertStatus = 5
	CertNotForMail        CertStatus = 6
	CertExpired           CertStatus = 7
	CertTimesInconsistent CertStatus = 8
	CertMisused           CertStatus = 9 // one in the chain
	CertBadContent        CertStatus = 10
	CertMisusedIssuer     CertStatus = 11 // one in the chain may not issue others
	CertWrongAddress      CertStatus = 12
	CertRevoked           CertStatus = 13
	CertUnknown           CertStatus = 14 // nobody could be asked whether it is revoked
	CertIssuerRevoked     CertStatus = 15
	CertIssuerUnknown     CertStatus = 16 // nobody could be asked whether one in the chain is revoked
	CertServerError       CertStatus = 17
)
