package autodiscover

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// The schema that we answer, and the one in which errors are answered. See
// [MS-ASCMD] "AcceptableResponseSchema".
const (
	mobilesync = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
	response   = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
)

// The error codes. See [MS-ASCMD] "ErrorCode".
const (
	invalidRequest = 600
	noProvider     = 601 // for the schema that was asked for
)

const (
	// maxDepth and maxNodes bound a request's elements; it has five.
	maxDepth = 16
	maxNodes = 200

	// maxAddress bounds an address, in bytes. See RFC 5321, section 4.5.3.1.
	maxAddress = 320
)

// A request is what a phone asks.
type request struct {
	address string
	schema  string
}

// readRequest reads a request with few enough elements. Namespaces are not
// compared, for phones differ in them.
func readRequest(r io.Reader) (request, error) {
	d := xml.NewDecoder(r)
	d.CharsetReader = charset
	var q request
	var path []string
	for nodes := 0; ; nodes++ {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return request{}, fmt.Errorf("autodiscover: reading the request: %w", err)
		}
		if nodes > maxNodes || len(path) > maxDepth {
			return request{}, errors.New("autodiscover: the request has too many elements")
		}
		switch token := token.(type) {
		case xml.Directive:
			return request{}, errors.New("autodiscover: the request has a document type")
		case xml.StartElement:
			path = append(path, token.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			switch strings.Join(path, "/") {
			case "Autodiscover/Request/EMailAddress":
				q.address += string(token)
			case "Autodiscover/Request/AcceptableResponseSchema":
				q.schema += string(token)
			}
		}
	}
	q.address, q.schema = strings.TrimSpace(q.address), strings.TrimSpace(q.schema)
	if q.address == "" || len(q.address) > maxAddress || q.schema == "" {
		return request{}, errors.New("autodiscover: the request has no EMailAddress or no AcceptableResponseSchema")
	}
	return q, nil
}

// charset reads the encodings that are subsets of the first 256 characters.
func charset(label string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "us-ascii", "ascii", "iso-8859-1", "latin1":
	default:
		return nil, fmt.Errorf("autodiscover: encoding %.40q is not supported", label)
	}
	data, err := io.ReadAll(r) // bounded by MaxRequest
	if err != nil {
		return nil, err
	}
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	return strings.NewReader(string(runes)), nil
}

// writeServer answers where the server is. See [MS-ASCMD] "Autodiscover",
// "Response - Case ...".
func writeServer(w http.ResponseWriter, who Person, server string) {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<Autodiscover xmlns="` + response + `"><Response xmlns="` + mobilesync + `"><Culture>en:us</Culture><User>`)
	if who.Name != "" {
		element(&b, "DisplayName", who.Name)
	}
	element(&b, "EMailAddress", who.Address)
	b.WriteString(`</User><Action><Settings><Server>`)
	element(&b, "Type", "MobileSync")
	element(&b, "Url", server)
	element(&b, "Name", server)
	b.WriteString(`</Server></Settings></Action></Response></Autodiscover>`)
	writeXML(w, &b)
}

// writeRedirect answers that another address is to be asked with. See [MS-ASCMD]
// "Redirect".
func writeRedirect(w http.ResponseWriter, asked, address string) {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<Autodiscover xmlns="` + response + `"><Response xmlns="` + mobilesync + `"><Culture>en:us</Culture><User>`)
	element(&b, "EMailAddress", asked)
	b.WriteString(`</User><Action>`)
	element(&b, "Redirect", address)
	b.WriteString(`</Action></Response></Autodiscover>`)
	writeXML(w, &b)
}

// writeError answers that a request was not understood.
func writeError(w http.ResponseWriter, code int, message string) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `%s<Autodiscover xmlns="%s"><Response><Error Time="%s" Id="%d"><ErrorCode>%d</ErrorCode>`, xml.Header, response, now(), code, code)
	element(&b, "Message", message)
	b.WriteString(`<DebugData/></Error></Response></Autodiscover>`)
	writeXML(w, &b)
}

func element(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	xml.EscapeText(b, []byte(text)) // a Buffer takes everything
	b.WriteString("</" + name + ">")
}

func writeXML(w http.ResponseWriter, b *bytes.Buffer) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b.Bytes()) // who hung up does not need it
}
