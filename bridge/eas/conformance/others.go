package conformance

// The chapters of what is no message.
const (
	chapterHTTP         = "HTTP"
	chapterAutodiscover = "Autodiscover"
	chapterProvisioning = "Provisioning"
)

// others are the requirements that package eas has no name for.
var others = []struct{ name, chapter, meaning, section string }{
	{"User", chapterHTTP, "user, user@domain and DOMAIN\\user are mapped by rule, for all backends or for one", `[MS-ASHTTP] "Authorization"`},
	{"OPTIONS", chapterHTTP, "versions and commands, after login; nothing that is not answered", `[MS-ASHTTP] "HTTP OPTIONS Response"`},
	{"plain query", chapterHTTP, "names in any case and order, unknown ones skipped", `[MS-ASHTTP] "Plain Text Query Value"`},
	{"base64 query", chapterHTTP, "version, command, locale, device, key, parameters", `[MS-ASHTTP] "Base64-Encoded Query Value"`},
	{"MS-ASProtocolVersion", chapterHTTP, "of the header or of the query's first byte", `[MS-ASHTTP] "MS-ASProtocolVersion"`},
	{"MS-ASAcceptMultiPart", chapterHTTP, "answers in parts", `[MS-ASHTTP] "MS-ASAcceptMultiPart"`},
	{"gzip", chapterHTTP, "compressed answers where they are asked for", `[MS-ASHTTP] "Content-Encoding"`},
	{"empty answer", chapterHTTP, "a length of 0 and no type", `[MS-ASHTTP] "Content-Type"`},
	{"HTTP 400", chapterHTTP, "a request that cannot be read", `[MS-ASHTTP] "Status Line"`},
	{"HTTP 401", chapterHTTP, "the backend refused the password", `[MS-ASHTTP] "Status Line"`},
	{"HTTP 403", chapterHTTP, "the phone may not synchronize", `[MS-ASHTTP] "Status Line"`},
	{"HTTP 451", chapterHTTP, "the account is on another server, with X-MS-Location where that is known", `[MS-ASHTTP] "HTTP Error 451"`},
	{"HTTP 456", chapterHTTP, "the account is blocked", `[MS-ASHTTP] "Status Line"`},
	{"HTTP 457", chapterHTTP, "the password has expired", `[MS-ASHTTP] "Status Line"`},
	{"X-MS-RP", chapterHTTP, "other versions or commands than before, told with the list of folders from its beginning", `[MS-ASHTTP] "X-MS-RP"`},
	{"change of version", chapterHTTP, "a phone that goes over to another version keeps what it has", `[MS-ASHTTP] "MS-ASProtocolVersion"`},
	{"HTTP 449", chapterHTTP, "provision first, before 14.0", `[MS-ASPROV] "Downloading Policies"`},
	{"HTTP 501", chapterHTTP, "a command that is not answered in this version", `[MS-ASHTTP] "Status Line"`},
	{"HTTP 503", chapterHTTP, "later, with Retry-After", `[MS-ASHTTP] "HTTP Error 503"`},
	{"parallel requests", chapterHTTP, "two requests of one phone at a time", `[MS-ASHTTP] "Sequencing Rules"`},
	{"mobilesync", chapterAutodiscover, "request and response schema of 2006", `[MS-ASCMD] "Autodiscover"`},
	{"Autodiscover errors", chapterAutodiscover, "600 and 601", `[MS-ASCMD] "ErrorCode"`},
	{"Autodiscover redirect", chapterAutodiscover, "another server, or another address to ask with", `[MS-ASCMD] "Redirect"`},
	{"Autodiscover JSON", chapterAutodiscover, "Protocol=ActiveSync and AutodiscoverV1", `[MS-OXDISCO] "Autodiscover HTTP Service Protocol"`},
	{"Autodiscover login", chapterAutodiscover, "nothing of a person is said before login", `[MS-OXDISCO] "Autodiscover HTTP Service Protocol"`},
	{"two phases", chapterProvisioning, "the policy with a temporary key, then the final key", `[MS-ASPROV] "Downloading Policies"`},
	{"policy key", chapterProvisioning, "other commands need the final one, where a policy is required", `[MS-ASPROV] "Policy Key"`},
}
