package mail

import (
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// The values of ContentClass. See [MS-ASEMAIL] "ContentClass".
const (
	contentMessage  = "urn:content-classes:message"
	contentCalendar = "urn:content-classes:calendarmessage"
	contentDSN      = "urn:content-classes:dsn"
	contentMDN      = "urn:content-classes:mdn"
)

// meetingClasses are the classes of calendar messages by their method; for
// answers it depends on what is answered. See [MS-ASEMAIL] "MessageClass".
var meetingClasses = map[string]string{
	"REQUEST": "IPM.Schedule.Meeting.Request",
	"CANCEL":  "IPM.Schedule.Meeting.Canceled",
}

// answerClasses are the classes of answers to invitations.
var answerClasses = map[string]string{
	"ACCEPTED":  "IPM.Schedule.Meeting.Resp.Pos",
	"TENTATIVE": "IPM.Schedule.Meeting.Resp.Tent",
	"DECLINED":  "IPM.Schedule.Meeting.Resp.Neg",
}

// passedOnClass is the class of the notice that an invitation was passed on, which
// phones before 16.1 could not be told more of.
const passedOnClass = "IPM.Schedule.Meeting.Notification.Forward"

// meetingClass is the class of a calendar message, "" if it is nothing special. Who
// proposes another time may leave open whether they would come at the old one.
func (s *shown) meetingClass(i *invite) string {
	if class := meetingClasses[i.method]; class != "" {
		return class
	}
	answer := strings.ToUpper(i.event.Get("ATTENDEE").Param("PARTSTAT"))
	switch {
	case i.method == "REPLY" && s.version >= eas.V161 && len(i.delegates()) > 0:
		return passedOnClass
	case i.method == "COUNTER" && answerClasses[answer] == "":
		return answerClasses["TENTATIVE"]
	case i.method == "REPLY", i.method == "COUNTER":
		return answerClasses[answer]
	}
	return ""
}

// classes are MessageClass and ContentClass.
func (s *shown) classes() (class, contentClass string) {
	c := s.content
	switch {
	case s.root.mediaType == "application/pkcs7-mime", s.root.mediaType == "application/x-pkcs7-mime":
		return "IPM.Note.SMIME", contentMessage
	case c.signed && s.root.mediaType == "multipart/signed":
		return "IPM.Note.SMIME.MultipartSigned", contentMessage
	case c.report == "disposition-notification":
		return "REPORT.IPM.Note.IPNRN", contentMDN
	case c.report == "delivery-status" && s.delivered():
		return "REPORT.IPM.Note.DR", contentDSN
	case c.report == "delivery-status":
		return "REPORT.IPM.Note.NDR", contentDSN
	case s.isVoice():
		return "IPM.Note.Microsoft.Voicemail.UM.CA", contentMessage
	}
	if i := s.invitation(); i != nil && i.class != "" {
		return i.class, contentCalendar
	}
	return "IPM.Note", contentMessage
}

// smime tells whether a phone that takes MIME for S/MIME takes it for this
// message. See [MS-ASCMD] "MIMESupport".
func (s *shown) smime() bool { return strings.HasPrefix(s.class, "IPM.Note.SMIME") }

// delivered tells a report of success from one of failure. See RFC 3464,
// section 2.3.3.
func (s *shown) delivered() bool {
	good := false
	for _, p := range s.content.files {
		if p.mediaType != "message/delivery-status" {
			continue
		}
		for l := range strings.Lines(strings.ToLower(string(p.body[:min(len(p.body), 64<<10)]))) {
			name, value, _ := strings.Cut(l, ":")
			if strings.TrimSpace(name) != "action" {
				continue
			}
			switch value = strings.TrimSpace(value); value {
			case "delivered", "relayed", "expanded":
				good = true
			default:
				return false
			}
		}
	}
	return good
}

// codePages are Windows' numbers of charsets. See [MS-ASEMAIL] "InternetCPID".
var codePages = map[string]string{
	"utf-8": "65001", "utf8": "65001", "us-ascii": "20127", "ascii": "20127", "utf-7": "65000",
	"iso-8859-1": "28591", "iso-8859-2": "28592", "iso-8859-3": "28593", "iso-8859-4": "28594", "iso-8859-5": "28595", "iso-8859-6": "28596",
	"iso-8859-7": "28597", "iso-8859-8": "28598", "iso-8859-8-i": "38598", "iso-8859-9": "28599", "iso-8859-13": "28603", "iso-8859-15": "28605",
	"windows-1250": "1250", "windows-1251": "1251", "windows-1252": "1252", "windows-1253": "1253", "windows-1254": "1254", "windows-1255": "1255",
	"windows-1256": "1256", "windows-1257": "1257", "windows-1258": "1258", "windows-874": "874", "koi8-r": "20866", "koi8-u": "21866",
	"iso-2022-jp": "50220", "shift_jis": "932", "euc-jp": "51932", "gb2312": "936", "gbk": "936", "gb18030": "54936", "big5": "950",
	"euc-kr": "51949", "ks_c_5601-1987": "949", "iso-2022-kr": "50225", "tis-620": "874",
}

// codePage is the number of a charset; what nobody knows is UTF-8, in which
// phones are sent everything.
func codePage(charset string) string {
	if n := codePages[strings.ToLower(strings.TrimSpace(charset))]; n != "" {
		return n
	}
	return codePages["utf-8"]
}
