package easclient

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
)

// The schemas of the mobile side of Autodiscover. See [MS-ASCMD]
// "Autodiscover".
const (
	requestSchema  = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"
	responseSchema = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
)

// An Autodiscovery is what Autodiscover says of an address.
type Autodiscovery struct {
	URL         string // of the ActiveSync server
	DisplayName string
	Email       string
	Culture     string
	Redirect    string // the address to ask about instead
	ErrorCode   int    // 0 for none
	Message     string // with ErrorCode
}

type autodiscoverRequest struct {
	XMLName  xml.Name `xml:"http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006 Autodiscover"`
	Email    string   `xml:"Request>EMailAddress"`
	Response string   `xml:"Request>AcceptableResponseSchema"`
}

type autodiscoverResponse struct {
	XMLName  xml.Name `xml:"Autodiscover"`
	Response struct {
		Culture string `xml:"Culture"`
		User    struct {
			DisplayName string `xml:"DisplayName"`
			Email       string `xml:"EMailAddress"`
		} `xml:"User"`
		Action struct {
			Redirect string `xml:"Redirect"`
			Servers  []struct {
				Type string `xml:"Type"`
				URL  string `xml:"Url"`
			} `xml:"Settings>Server"`
			Error *autodiscoverError `xml:"Error"`
		} `xml:"Action"`
		Error *autodiscoverError `xml:"Error"`
	} `xml:"Response"`
}

type autodiscoverError struct {
	Status    int    `xml:"Status"`
	ErrorCode int    `xml:"ErrorCode"`
	Message   string `xml:"Message"`
	DebugData string `xml:"DebugData"`
}

// Autodiscover asks the server that URL names where the phone of an address has
// to go. See [MS-ASCMD] "Autodiscover".
func (c *Client) Autodiscover(ctx context.Context, email string) (Autodiscovery, error) {
	body, err := xml.Marshal(autodiscoverRequest{Email: email, Response: responseSchema})
	if err != nil {
		return Autodiscovery{}, fmt.Errorf("easclient: %w", err)
	}
	u, err := c.url("/autodiscover/autodiscover.xml")
	if err != nil {
		return Autodiscovery{}, err
	}
	body = append([]byte(xml.Header), body...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return Autodiscovery{}, fmt.Errorf("easclient: %w", err)
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	c.identify(req)
	answer, _, err := c.roundTrip(req)
	if c.Trace != nil {
		c.Trace("Autodiscover", body, answer)
	}
	if err != nil {
		return Autodiscovery{}, err
	}
	var r autodiscoverResponse
	if err := xml.Unmarshal(answer, &r); err != nil {
		return Autodiscovery{}, fmt.Errorf("easclient: the answer of Autodiscover: %w", err)
	}
	return r.result(), nil
}

func (r autodiscoverResponse) result() Autodiscovery {
	in := r.Response
	a := Autodiscovery{
		DisplayName: in.User.DisplayName, Email: in.User.Email,
		Culture: in.Culture, Redirect: in.Action.Redirect,
	}
	for _, s := range in.Action.Servers {
		if s.Type == "MobileSync" {
			a.URL = s.URL
		}
	}
	for _, e := range []*autodiscoverError{in.Error, in.Action.Error} {
		if e != nil {
			a.ErrorCode, a.Message = e.ErrorCode+e.Status, e.Message
		}
	}
	return a
}

// AutodiscoverJSON asks in the newer way, without a password, as newer phones do.
// No document describes it.
func (c *Client) AutodiscoverJSON(ctx context.Context, email string) (Autodiscovery, error) {
	u, err := c.url("/autodiscover/autodiscover.json")
	if err != nil {
		return Autodiscovery{}, err
	}
	u.RawQuery = url.Values{"Email": {email}, "Protocol": {"ActiveSync"}, "RedirectCount": {"1"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Autodiscovery{}, fmt.Errorf("easclient: %w", err)
	}
	if c.UserAgent != "" {
		req.Header.Set("User-Agent", c.UserAgent)
	}
	answer, _, err := c.roundTrip(req)
	if err != nil {
		return Autodiscovery{}, err
	}
	var r struct {
		Protocol     string
		URL          string `json:"Url"`
		ErrorCode    string
		ErrorMessage string
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return Autodiscovery{}, fmt.Errorf("easclient: the answer of Autodiscover: %w", err)
	}
	return Autodiscovery{URL: r.URL, Message: r.ErrorMessage}, nil
}
