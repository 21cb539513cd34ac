package contact

import (
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A family is a kind of line, whatever it is called.
type family uint8

const (
	famNone family = iota
	famName
	famFormatted
	famFileAs
	famNick
	famPhoneticFirst
	famPhoneticLast
	famPhoneticOrg
	famPhone
	famMail
	famMessenger
	famWeb
	famAddress
	famOrg
	famTitle
	famOffice
	famManager
	famAssistant
	famSpouse
	famChild
	famBirthday
	famAnniversary
	famNote
	famPhoto
	famCustomer
	famGovernment
	famAccount
	famMMS
	familyCount
)

// families says which properties belong to which family. The spellings with X-
// are Apple's, Evolution's, KDE's, Roundcube's and Outlook's.
var families = map[string]family{
	"N":                   famName,
	"FN":                  famFormatted,
	"X-EVOLUTION-FILE-AS": famFileAs,
	"NICKNAME":            famNick,

	"X-PHONETIC-FIRST-NAME": famPhoneticFirst,
	"X-PHONETIC-LAST-NAME":  famPhoneticLast,
	"X-PHONETIC-ORG":        famPhoneticOrg,

	"TEL":   famPhone,
	"EMAIL": famMail,
	"URL":   famWeb,
	"ADR":   famAddress,

	"IMPP":                       famMessenger,
	"X-AIM":                      famMessenger,
	"X-GADUGADU":                 famMessenger,
	"X-GOOGLE-TALK":              famMessenger,
	"X-GROUPWISE":                famMessenger,
	"X-GTALK":                    famMessenger,
	"X-ICQ":                      famMessenger,
	"X-JABBER":                   famMessenger,
	"X-MS-IMADDRESS":             famMessenger,
	"X-MSN":                      famMessenger,
	"X-QQ":                       famMessenger,
	"X-SAMETIME":                 famMessenger,
	"X-SKYPE":                    famMessenger,
	"X-SKYPE-USERNAME":           famMessenger,
	"X-TWITTER":                  famNone,
	"X-YAHOO":                    famMessenger,
	"X-KADDRESSBOOK-X-IMADDRESS": famMessenger,

	"ORG":                     famOrg,
	"TITLE":                   famTitle,
	"X-KADDRESSBOOK-X-OFFICE": famOffice,
	"X-OFFICE":                famOffice,

	"X-MANAGER":                     famManager,
	"X-MS-MANAGER":                  famManager,
	"X-EVOLUTION-MANAGER":           famManager,
	"X-KADDRESSBOOK-X-MANAGERSNAME": famManager,

	"X-ASSISTANT":                     famAssistant,
	"X-MS-ASSISTANT":                  famAssistant,
	"X-EVOLUTION-ASSISTANT":           famAssistant,
	"X-KADDRESSBOOK-X-ASSISTANTSNAME": famAssistant,

	"X-SPOUSE":                     famSpouse,
	"X-MS-SPOUSE":                  famSpouse,
	"X-EVOLUTION-SPOUSE":           famSpouse,
	"X-KADDRESSBOOK-X-SPOUSESNAME": famSpouse,

	"X-CHILD":    famChild,
	"X-MS-CHILD": famChild,

	"BDAY":                         famBirthday,
	"ANNIVERSARY":                  famAnniversary,
	"X-ANNIVERSARY":                famAnniversary,
	"X-MS-ANNIVERSARY":             famAnniversary,
	"X-EVOLUTION-ANNIVERSARY":      famAnniversary,
	"X-KADDRESSBOOK-X-ANNIVERSARY": famAnniversary,

	"NOTE":  famNote,
	"PHOTO": famPhoto,

	"X-CUSTOMER-ID":   famCustomer,
	"X-GOVERNMENT-ID": famGovernment,
	"X-ACCOUNT-NAME":  famAccount,
	"X-MMS":           famMMS,
}

// labelled are the families of lines that only their label (Apple) or their
// type (RFC 6350, section 6.6.6) tells apart.
var labelled = map[string]family{
	"manager":     famManager,
	"assistant":   famAssistant,
	"spouse":      famSpouse,
	"partner":     famSpouse,
	"husband":     famSpouse,
	"wife":        famSpouse,
	"child":       famChild,
	"son":         famChild,
	"daughter":    famChild,
	"anniversary": famAnniversary,
}

// A class is what the types of a line make of it.
type class uint8

const (
	classAny class = iota
	classHome
	classWork
	classCell
	classHomeFax
	classWorkFax
	classFax
	classPager
	classCar
	classAssistant
	classRadio
	classMain
	classOther
	classUnseen // has no place on a phone
)

// A slotID is a place on a phone that holds one line of a card.
type slotID uint8

const (
	slotName slotID = iota
	slotFormatted
	slotFileAs
	slotNick
	slotPhoneticFirst
	slotPhoneticLast
	slotPhoneticOrg
	slotMobile
	slotHomePhone
	slotWorkPhone
	slotHomePhone2
	slotWorkPhone2
	slotWorkFax
	slotHomeFax
	slotPager
	slotCar
	slotAssistantPhone
	slotRadio
	slotMainPhone
	slotMail1
	slotMail2
	slotMail3
	slotMessenger1
	slotMessenger2
	slotMessenger3
	slotWeb
	slotHomeAddress
	slotWorkAddress
	slotOtherAddress
	slotOrg
	slotTitle
	slotOffice
	slotManager
	slotAssistant
	slotSpouse
	slotBirthday
	slotAnniversary
	slotNote
	slotPhoto
	slotCustomer
	slotGovernment
	slotAccount
	slotMMS
	slotCount
)

// A slot says which lines may fill a place, and how a new line for it is
// written.
type slot struct {
	family family
	class  class
	loose  []class  // what else may fill it once every line had its first choice
	key    string   // how a line says that this is its place; see keepPlaces
	name   string   // of a new line
	name4  string   // of a new line in vCard 4.0, if that is another
	types  []string // of a new line
}

// slots are in the order in which lines without a type fill them.
var slots = [slotCount]slot{
	slotName:           {family: famName, name: "N"},
	slotFormatted:      {family: famFormatted, name: "FN"},
	slotFileAs:         {family: famFileAs, name: "X-EVOLUTION-FILE-AS"},
	slotNick:           {family: famNick, name: "NICKNAME"},
	slotPhoneticFirst:  {family: famPhoneticFirst, name: "X-PHONETIC-FIRST-NAME"},
	slotPhoneticLast:   {family: famPhoneticLast, name: "X-PHONETIC-LAST-NAME"},
	slotPhoneticOrg:    {family: famPhoneticOrg, name: "X-PHONETIC-ORG"},
	slotMobile:         {family: famPhone, class: classCell, loose: []class{classOther}, key: "mobile", name: "TEL", types: []string{"CELL"}},
	slotHomePhone:      {family: famPhone, class: classHome, loose: []class{classOther}, key: "home", name: "TEL", types: []string{"HOME", "VOICE"}},
	slotWorkPhone:      {family: famPhone, class: classWork, loose: []class{classOther}, key: "work", name: "TEL", types: []string{"WORK", "VOICE"}},
	slotHomePhone2:     {family: famPhone, class: classHome, loose: []class{classOther}, key: "home2", name: "TEL", types: []string{"HOME", "VOICE"}},
	slotWorkPhone2:     {family: famPhone, class: classWork, loose: []class{classOther}, key: "work2", name: "TEL", types: []string{"WORK", "VOICE"}},
	slotWorkFax:        {family: famPhone, class: classWorkFax, loose: []class{classFax}, key: "workfax", name: "TEL", types: []string{"WORK", "FAX"}},
	slotHomeFax:        {family: famPhone, class: classHomeFax, loose: []class{classFax}, key: "homefax", name: "TEL", types: []string{"HOME", "FAX"}},
	slotPager:          {family: famPhone, class: classPager, key: "pager", name: "TEL", types: []string{"PAGER"}},
	slotCar:            {family: famPhone, class: classCar, key: "car", name: "TEL", types: []string{"CAR"}},
	slotAssistantPhone: {family: famPhone, class: classAssistant, key: "assistant", name: "TEL", types: []string{"X-ASSISTANT"}},
	slotRadio:          {family: famPhone, class: classRadio, key: "radio", name: "TEL", types: []string{"X-RADIO"}},
	slotMainPhone:      {family: famPhone, class: classMain, key: "main", name: "TEL", types: []string{"X-COMPANY"}},
	slotMail1:          {family: famMail, key: "1", name: "EMAIL", types: []string{"INTERNET"}},
	slotMail2:          {family: famMail, key: "2", name: "EMAIL", types: []string{"INTERNET"}},
	slotMail3:          {family: famMail, key: "3", name: "EMAIL", types: []string{"INTERNET"}},
	slotMessenger1:     {family: famMessenger, key: "1", name: "IMPP"},
	slotMessenger2:     {family: famMessenger, key: "2", name: "IMPP"},
	slotMessenger3:     {family: famMessenger, key: "3", name: "IMPP"},
	slotWeb:            {family: famWeb, name: "URL"},
	slotHomeAddress:    {family: famAddress, class: classHome, key: "home", name: "ADR", types: []string{"HOME"}},
	slotWorkAddress:    {family: famAddress, class: classWork, key: "work", name: "ADR", types: []string{"WORK"}},
	slotOtherAddress:   {family: famAddress, class: classOther, loose: []class{classHome, classWork}, key: "other", name: "ADR"},
	slotOrg:            {family: famOrg, name: "ORG"},
	slotTitle:          {family: famTitle, name: "TITLE"},
	slotOffice:         {family: famOffice, name: "X-KADDRESSBOOK-X-Office"},
	slotManager:        {family: famManager, name: "X-MANAGER"},
	slotAssistant:      {family: famAssistant, name: "X-ASSISTANT"},
	slotSpouse:         {family: famSpouse, name: "X-SPOUSE"},
	slotBirthday:       {family: famBirthday, name: "BDAY"},
	slotAnniversary:    {family: famAnniversary, name: "X-ANNIVERSARY", name4: "ANNIVERSARY"},
	slotNote:           {family: famNote, name: "NOTE"},
	slotPhoto:          {family: famPhoto, name: "PHOTO"},
	slotCustomer:       {family: famCustomer, name: "X-CUSTOMER-ID"},
	slotGovernment:     {family: famGovernment, name: "X-GOVERNMENT-ID"},
	slotAccount:        {family: famAccount, name: "X-ACCOUNT-NAME"},
	slotMMS:            {family: famMMS, name: "X-MMS"},
}

// A row says where a property of ActiveSync comes from. Children, Categories,
// Picture and the body have code of their own.
type row struct {
	tag  wbxml.Tag
	slot slotID
	as   codec
}

// rowFileAs is the first row.
const rowFileAs = 0

var rows = [...]row{
	{tag.ContactsFileAs, slotFileAs, fileAs{}},
	{tag.ContactsFirstName, slotName, namePart(partFirst)},
	{tag.ContactsLastName, slotName, namePart(partLast)},
	{tag.ContactsMiddleName, slotName, namePart(partMiddle)},
	{tag.ContactsTitle, slotName, namePart(partPrefix)},
	{tag.ContactsSuffix, slotName, namePart(partSuffix)},
	{tag.Contacts2NickName, slotNick, whole{}},
	{tag.ContactsYomiFirstName, slotPhoneticFirst, phonetic{slot: slotName, part: partFirst}},
	{tag.ContactsYomiLastName, slotPhoneticLast, phonetic{slot: slotName, part: partLast}},
	{tag.ContactsYomiCompanyName, slotPhoneticOrg, phonetic{slot: slotOrg}},

	{tag.ContactsMobilePhoneNumber, slotMobile, phone{}},
	{tag.ContactsHomePhoneNumber, slotHomePhone, phone{}},
	{tag.ContactsHome2PhoneNumber, slotHomePhone2, phone{}},
	{tag.ContactsBusinessPhoneNumber, slotWorkPhone, phone{}},
	{tag.ContactsBusiness2PhoneNumber, slotWorkPhone2, phone{}},
	{tag.ContactsBusinessFaxNumber, slotWorkFax, phone{}},
	{tag.ContactsHomeFaxNumber, slotHomeFax, phone{}},
	{tag.ContactsPagerNumber, slotPager, phone{}},
	{tag.ContactsCarPhoneNumber, slotCar, phone{}},
	{tag.ContactsAssistantPhoneNumber, slotAssistantPhone, phone{}},
	{tag.ContactsRadioPhoneNumber, slotRadio, phone{}},
	{tag.Contacts2CompanyMainPhone, slotMainPhone, phone{}},

	{tag.ContactsEmail1Address, slotMail1, mail{}},
	{tag.ContactsEmail2Address, slotMail2, mail{}},
	{tag.ContactsEmail3Address, slotMail3, mail{}},
	{tag.Contacts2IMAddress, slotMessenger1, messenger{}},
	{tag.Contacts2IMAddress2, slotMessenger2, messenger{}},
	{tag.Contacts2IMAddress3, slotMessenger3, messenger{}},
	{tag.ContactsWebPage, slotWeb, uri{}},

	{tag.ContactsHomeAddressStreet, slotHomeAddress, street{}},
	{tag.ContactsHomeAddressCity, slotHomeAddress, field(adrCity)},
	{tag.ContactsHomeAddressState, slotHomeAddress, field(adrState)},
	{tag.ContactsHomeAddressPostalCode, slotHomeAddress, field(adrPostalCode)},
	{tag.ContactsHomeAddressCountry, slotHomeAddress, field(adrCountry)},
	{tag.ContactsBusinessAddressStreet, slotWorkAddress, street{}},
	{tag.ContactsBusinessAddressCity, slotWorkAddress, field(adrCity)},
	{tag.ContactsBusinessAddressState, slotWorkAddress, field(adrState)},
	{tag.ContactsBusinessAddressPostalCode, slotWorkAddress, field(adrPostalCode)},
	{tag.ContactsBusinessAddressCountry, slotWorkAddress, field(adrCountry)},
	{tag.ContactsOtherAddressStreet, slotOtherAddress, street{}},
	{tag.ContactsOtherAddressCity, slotOtherAddress, field(adrCity)},
	{tag.ContactsOtherAddressState, slotOtherAddress, field(adrState)},
	{tag.ContactsOtherAddressPostalCode, slotOtherAddress, field(adrPostalCode)},
	{tag.ContactsOtherAddressCountry, slotOtherAddress, field(adrCountry)},

	{tag.ContactsCompanyName, slotOrg, field(0)},
	{tag.ContactsDepartment, slotOrg, field(1)},
	{tag.ContactsJobTitle, slotTitle, whole{}},
	{tag.ContactsOfficeLocation, slotOffice, whole{}},
	{tag.Contacts2ManagerName, slotManager, whole{}},
	{tag.ContactsAssistantName, slotAssistant, whole{}},
	{tag.ContactsSpouse, slotSpouse, whole{}},
	{tag.ContactsBirthday, slotBirthday, date{}},
	{tag.ContactsAnniversary, slotAnniversary, date{}},

	{tag.Contacts2CustomerId, slotCustomer, whole{}},
	{tag.Contacts2GovernmentId, slotGovernment, whole{}},
	{tag.Contacts2AccountName, slotAccount, whole{}},
	{tag.Contacts2MMS, slotMMS, whole{}},
}

const rowCount = len(rows)

func (r *row) show(c *card) string { return r.as.show(c, r.slot) }
