package contact

import (
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// Sheet says what becomes of each property of a contact. Most of it is the
// table that this package works with.
func Sheet() fidelity.Class {
	list := []fidelity.Row{}
	for i := range rows {
		list = append(list, fidelity.Row{Tag: rows[i].tag, Stored: rows[i].stored(), Remark: remarks[rows[i].tag]})
	}
	list = append(list,
		fidelity.Row{Tag: tag.ContactsCategories, Stored: "CATEGORIES"},
		fidelity.Row{Tag: tag.ContactsCategory, Stored: "CATEGORIES", Remark: "at most 300; more are refused with status 6"},
		fidelity.Row{Tag: tag.ContactsChildren, Stored: "X-ABRELATEDNAMES, RELATED;TYPE=child"},
		fidelity.Row{Tag: tag.ContactsChild, Stored: "X-ABRELATEDNAMES, RELATED;TYPE=child", Remark: "at most 300; more are refused with status 6"},
		fidelity.Row{Tag: tag.ContactsPicture, Stored: "PHOTO", Remark: "made smaller for phones, to 48 KB as base64, and the original kept; what came back as it was sent changes nothing, and neither does an empty one unless the phone's profile says so; above 48 KB, or neither JPEG nor PNG nor GIF: refused with status 6; a photo at an address is not fetched"},
		fidelity.Row{Tag: tag.ContactsAlias, Way: fidelity.Foreign, Since: eas.V140, Remark: "only in the recipient information cache, see [MS-ASCNTC] \"Alias\""},
		fidelity.Row{Tag: tag.ContactsWeightedRank, Way: fidelity.Foreign, Since: eas.V140, Remark: "only in the recipient information cache, see [MS-ASCNTC] \"WeightedRank\""},
	)
	return fidelity.Class{
		Name: "Contacts", Document: "[MS-ASCNTC]", Format: "vCard 2.1, 3.0 and 4.0",
		Pages:  []uint8{tag.ContactsFileAs.Page(), tag.Contacts2NickName.Page()},
		Rows:   append(list, translate.BodyRows(bodyTags, "NOTE")...),
		Stored: storedProperties,
		Remarks: []string{
			"A phone has a fixed number of places for numbers, addresses and the like. Lines take them by their types and then by their order, " +
				"the preferred one first; what finds no place is kept and not shown, and does not move up when a place in front becomes free. " +
				"What types and order cannot tell stands in `" + placeParam + "` at lines that a phone added, and in `" + placesProperty + "` for all others, which are not touched.",
			"Cards of groups (KIND, X-ADDRESSBOOKSERVER-KIND) are not shown.",
		},
	}
}

// remarks are what a reader would not guess.
var remarks = map[wbxml.Tag]string{
	tag.ContactsFileAs:                "else FN, or what the chosen rule makes of the name; one that a phone made of the name changes nothing, another one becomes FN",
	tag.ContactsFirstName:             "without N, lent from FN; FN follows a changed name in the form that it had",
	tag.ContactsYomiFirstName:         "else N;SORT-AS, SOUND;X-IRMC-N",
	tag.ContactsYomiLastName:          "else N;SORT-AS, SOUND;X-IRMC-N, SORT-STRING",
	tag.ContactsYomiCompanyName:       "else ORG;SORT-AS",
	tag.ContactsHomeAddressStreet:     "post office box and extended address stand as lines above it; LABEL follows, or goes where it says something else",
	tag.ContactsBusinessAddressStreet: "as at home",
	tag.ContactsOtherAddressStreet:    "as at home; a second address at home or at work, where there is no other",
	tag.ContactsBirthday:              "a day without an hour; without a year it is shown in 1604, as Apple does; at midnight UTC, or the hour of the phone's profile",
	tag.ContactsAnniversary:           "as Birthday; X-EVOLUTION-ANNIVERSARY and the like, item1.X-ABDATE with its label; those that say the same change together",
	tag.ContactsMobilePhoneNumber:     "an untyped number takes the first free of mobile, home and work",
	tag.ContactsSpouse:                "X-EVOLUTION-SPOUSE and the like, item1.X-ABRELATEDNAMES with its label, RELATED;TYPE=spouse as text; as Anniversary",
	tag.Contacts2ManagerName:          "X-EVOLUTION-MANAGER and the like, item1.X-ABRELATEDNAMES with its label, RELATED as text",
	tag.ContactsAssistantName:         "X-EVOLUTION-ASSISTANT and the like, item1.X-ABRELATEDNAMES with its label, RELATED as text",
	tag.Contacts2IMAddress:            "X-AIM, X-JABBER, X-SKYPE and the like; where IMPP says the same, they follow it",
	tag.ContactsWebPage:               "the first; others are kept",
	tag.ContactsDepartment:            "further units are kept and not shown",
	tag.ContactsEmail1Address:         "the preferred one first; a name that a phone writes in front of the address is dropped",
	tag.ContactsBusinessFaxNumber:     "a fax without HOME or WORK takes this place, then that at home",
}

// components are the parts of structured properties.
var components = map[codec]string{
	namePart(partLast): "last", namePart(partFirst): "first", namePart(partMiddle): "middle", namePart(partPrefix): "prefix", namePart(partSuffix): "suffix",
	field(adrCity): "city", field(adrState): "state", field(adrPostalCode): "code", field(adrCountry): "country",
}

// stored is the property that a row is stored in when a phone adds it.
func (r *row) stored() string {
	s := &slots[r.slot]
	text := s.name
	if len(s.types) > 0 {
		text += ";TYPE=" + strings.Join(s.types, ",")
	}
	part := components[r.as]
	if s.family == famOrg {
		part = []string{"company", "department"}[r.as.(field)]
	}
	if _, ok := r.as.(street); ok {
		part = "box, extended, street"
	}
	if part != "" {
		text += " (" + part + ")"
	}
	return text
}

// storedProperties are those of vCard.
var storedProperties = []fidelity.Property{
	{Name: "N, FN, NICKNAME", Shown: "the names, FileAs, NickName"},
	{Name: "TEL", Shown: "the numbers", Remark: "by TYPE; VIDEO, MODEM, BBS and TEXTPHONE are kept and not shown"},
	{Name: "EMAIL, IMPP, URL, ADR", Shown: "the addresses"},
	{Name: "LABEL", Remark: "follows its ADR"},
	{Name: "ORG, TITLE", Shown: "CompanyName, Department, JobTitle"},
	{Name: "BDAY, ANNIVERSARY", Shown: "Birthday, Anniversary", Remark: "a month or a year alone is kept and not shown"},
	{Name: "RELATED as text, X-ABRELATEDNAMES, X-SPOUSE, X-MANAGER, X-ASSISTANT, X-CHILD", Shown: "Spouse, Children, ManagerName, AssistantName", Remark: "other relations, and references to other cards, are kept and not shown"},
	{Name: "NOTE", Shown: "Body", Remark: "the first; others are kept. The looks that a phone gives a note are not kept: vCard has only plain text"},
	{Name: "PHOTO", Shown: "Picture", Remark: "in the card itself, or as a data: URI"},
	{Name: "CATEGORIES", Shown: "Categories"},
	{Name: "REV", Remark: "brought up to date with each edit"},
	{Name: "ROLE, LOGO, SOUND, KEY, GEO, TZ, LANG, GENDER, MEMBER, CALURI, FBURL, AGENT, CLASS, UID, X-, everything else"},
}
