// Package contact translates between vCard and the properties of ActiveSync's Contact class.
//
// It reads and keeps vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350); new cards
// are 3.0, which every server takes. What goes where is written down in
// table.go. See [MS-ASCNTC] for the class.
//
// A phone has a fixed number of places: two numbers at home, three mail
// addresses and so on. A card can have any number of each. Which line is shown
// in which place is decided by binding (bind.go); what finds no place stays on
// the server, untouched.
package contact

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	govcard "github.com/emersion/go-vcard"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// FromVCard answers what a phone is shown of a card. The error is
// translate.ErrUnreadable for what is no vCard and translate.ErrNotShown for a
// card that describes a group.
func FromVCard(object []byte, o translate.Options) (eas.Properties, error) {
	c, err := open(object, o)
	if err != nil {
		return nil, err
	}
	ps := make(eas.Properties, 0, 24)
	for i := range rows {
		if text := rows[i].show(c); text != "" {
			ps = append(ps, eas.T(rows[i].tag, rows[i].as.wire(text, o)))
		}
	}
	ps = translate.AppendList(ps, tag.ContactsCategories, tag.ContactsCategory, c.categories())
	ps = translate.AppendList(ps, tag.ContactsChildren, tag.ContactsChild, c.childNames())
	if picture := c.picture(); picture != "" {
		ps = append(ps, eas.T(tag.ContactsPicture, picture))
	}
	if ps = translate.AppendBody(ps, c.note(), o, bodyTags); len(ps) == 0 {
		ps = append(ps, eas.T(tag.ContactsFileAs, nobody)) // nothing at all is no contact
	}
	return ps, nil
}

// bodyTags are the elements of the note in version 2.5. See [MS-ASCNTC] "Body".
var bodyTags = translate.BodyTags{Body: tag.ContactsBody, Size: tag.ContactsBodySize, Truncated: tag.ContactsBodyTruncated, RTF: tag.ContactsCompressedRTF}

// Merge answers the card with a phone's edit in it: of the properties that the
// phone changed against what FromVCard shows of this card the lines are
// changed, and REV; everything else stays byte for byte. The errors are those
// of FromVCard, and translate.ErrInvalid.
func Merge(object []byte, sent eas.Properties, o translate.Options) ([]byte, error) {
	c, err := open(object, o)
	if err != nil {
		return nil, err
	}
	if err := c.merge(sent, o); err != nil {
		return nil, err
	}
	if !c.changed {
		return object, nil
	}
	c.keepPlaces()
	c.touchRevision(o.Now)
	return c.doc.Bytes(), nil
}

// New makes a card of a phone's new contact. The error is
// translate.ErrInvalid.
func New(uid string, sent eas.Properties, o translate.Options) ([]byte, error) {
	d, err := create(uid)
	if err != nil {
		return nil, err
	}
	vcard := d.Component("VCARD")
	c := newCard(d, vcard, o)
	if err := c.merge(sent, o); err != nil {
		return nil, err
	}
	if fn := vcard.Get("FN"); fn.Value() == "" {
		fn.SetText(c.anyName())
	}
	c.keepPlaces()
	vcard.Add("REV", o.Now.UTC().Format(revisionLayout))
	return d.Bytes(), nil
}

// create makes a card without anything but an identity.
func create(uid string) (*contentline.Document, error) {
	card := govcard.Card{}
	card.SetValue(govcard.FieldVersion, "3.0")
	card.SetValue(govcard.FieldProductID, productID)
	card.SetValue(govcard.FieldUID, uid)
	card.SetValue(govcard.FieldName, ";;;;")
	card.SetValue(govcard.FieldFormattedName, "")
	var b bytes.Buffer
	if err := govcard.NewEncoder(&b).Encode(card); err != nil {
		return nil, fmt.Errorf("contact: a new card: %w", err)
	}
	d, err := contentline.Parse(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("contact: a new card: %w", err)
	}
	return d, nil
}

// productID names the program that made a card. See RFC 2426, section 3.6.3.
const productID = "-//pushbridge//contact//EN"

const revisionLayout = "2006-01-02T15:04:05Z"

// A card is a vCard with its lines bound to the places of a phone.
type card struct {
	doc     *contentline.Document
	vcard   *contentline.Component
	four    bool // version 4.0
	lines   [familyCount][]entry
	bound   [slotCount]*contentline.Line
	marks   map[*contentline.Line]string              // what placesProperty says
	added   map[*contentline.Line]bool                // by this edit
	doubles map[*contentline.Line][]*contentline.Line // that follow another one
	fileAs  translate.FileAs
	parts   nameParts // as shown
	thing   string    // what it was called if it belongs to no person; see nameOfThing
	renamed bool      // N has changed
	changed bool
}

func open(object []byte, o translate.Options) (*card, error) {
	d, err := contentline.Parse(object)
	if err != nil {
		return nil, fmt.Errorf("contact: %w: %w", translate.ErrUnreadable, err)
	}
	vcard := d.Component("VCARD")
	if vcard == nil {
		return nil, fmt.Errorf("contact: %w: there is no VCARD in it", translate.ErrUnreadable)
	}
	for _, name := range []string{"KIND", "X-ADDRESSBOOKSERVER-KIND"} {
		if strings.EqualFold(strings.TrimSpace(vcard.Get(name).Text()), "group") {
			return nil, fmt.Errorf("contact: %w: it is a group", translate.ErrNotShown)
		}
	}
	return newCard(d, vcard, o), nil
}

func newCard(d *contentline.Document, vcard *contentline.Component, o translate.Options) *card {
	c := &card{doc: d, vcard: vcard, fileAs: o.FileAs}
	c.four = strings.TrimSpace(vcard.Get("VERSION").Value()) == "4.0"
	c.gather()
	c.readMarks()
	c.bind()
	c.thing = c.nameOfThing()
	c.parts = c.readName()
	return c
}

// merge puts what the phone changed into the card.
func (c *card) merge(sent eas.Properties, o translate.Options) error {
	texts := make(map[wbxml.Tag]string, len(sent))
	for _, e := range sent {
		if _, twice := texts[e.Tag]; !twice {
			texts[e.Tag] = e.Content()
		}
	}
	var shown [rowCount]string // before anything moves
	for i := range rows {
		shown[i] = rows[i].show(c)
	}
	var errs []error
	for i := range rows {
		if err := c.mergeRow(&rows[i], shown[i], texts, o); err != nil {
			errs = append(errs, err)
		}
	}
	c.mergeFormattedName()
	c.mergeFileAs(texts, shown[rowFileAs])
	errs = append(errs, c.mergeCategories(sent, o), c.mergeChildren(sent, o), c.mergePicture(sent, o), c.mergeNote(sent, o))
	return errors.Join(errs...)
}

func (c *card) mergeRow(r *row, shown string, texts map[wbxml.Tag]string, o translate.Options) error {
	text, ok := texts[r.tag]
	if r.tag == tag.ContactsFileAs || !ok && (shown == "" || o.Absent(r.tag)) {
		return nil
	}
	want, err := r.as.read(text, o)
	if err != nil {
		return fmt.Errorf("contact: %s: %w", tag.Name(r.tag), err)
	}
	if want != shown {
		c.write(r, want)
		c.changed = true
	}
	return nil
}

// write puts a value into the line of a place, and into those that say the same by
// other names. A messenger's are of two kinds, to which it sees itself.
func (c *card) write(r *row, want string) {
	l := c.bound[r.slot]
	if slices.Contains(spelled, slots[r.slot].family) {
		for _, double := range c.doubles[l] {
			c.bound[r.slot] = double
			r.as.write(c, r.slot, want)
		}
		c.bound[r.slot] = l
	}
	r.as.write(c, r.slot, want)
}

func (c *card) note() string { return c.bound[slotNote].Text() }

func (c *card) mergeNote(sent eas.Properties, o translate.Options) error {
	text, changed, err := translate.MergeBody(c.note(), sent, o, bodyTags)
	if err != nil {
		return fmt.Errorf("contact: note: %w", err)
	}
	if changed {
		whole{}.write(c, slotNote, text)
		c.changed = true
	}
	return nil
}

// touchRevision brings REV up to date, in the manner in which it is written,
// if there is one. See RFC 2426, section 3.6.4.
func (c *card) touchRevision(now time.Time) {
	rev := c.vcard.Get("REV")
	if rev == nil {
		return
	}
	layout := revisionLayout
	if !strings.Contains(rev.Value(), "-") {
		layout = "20060102T150405Z"
	}
	rev.SetParam("VALUE")
	rev.SetValue(now.UTC().Format(layout))
}
