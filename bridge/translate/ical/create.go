package ical

import (
	"bytes"
	"fmt"
	"time"

	goical "github.com/emersion/go-ical"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// productID names the program that made an object. See RFC 5545, section 3.7.3.
const productID = "-//pushbridge//pushbridge//EN"

// Create makes a new object that holds one component, such as VEVENT, with
// nothing but its identity and time stamps. See RFC 5545, sections 3.6 and 3.8.7.
func Create(name, uid string, now time.Time) (*contentline.Document, error) {
	calendar := goical.NewCalendar()
	calendar.Props.SetText(goical.PropVersion, "2.0")
	calendar.Props.SetText(goical.PropProductID, productID)
	c := goical.NewComponent(name)
	c.Props.SetText(goical.PropUID, uid)
	for _, stamp := range []string{goical.PropDateTimeStamp, goical.PropCreated} {
		c.Props.SetDateTime(stamp, now.UTC())
	}
	calendar.Children = append(calendar.Children, c)
	var b bytes.Buffer
	if err := goical.NewEncoder(&b).Encode(calendar); err != nil {
		return nil, fmt.Errorf("ical: a new %s: %w", name, err)
	}
	d, err := contentline.Parse(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("ical: a new %s: %w", name, err)
	}
	return d, nil
}
