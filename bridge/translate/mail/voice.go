package mail

import (
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// The headers of voice messages. See [MS-OXOUM] "Voice Message".
const (
	callerHeader   = "X-CallingTelephoneNumber"
	durationHeader = "X-VoiceMessageDuration"
	orderHeader    = "X-AttachmentOrder"
)

// isVoice tells whether a telephone system sent the message.
func (s *shown) isVoice() bool {
	kind := strings.ToLower(strings.TrimSpace(string(s.header().get("Content-Class"))))
	return strings.HasPrefix(kind, "voice-") || kind == "voice" || kind == "urn:content-classes:voice" || len(s.header().get(durationHeader)) > 0 && len(s.voiceFiles()) > 0
}

// voice appends who called, from 14.0 on. See [MS-ASEMAIL] "UmCallerID".
func (s *shown) voice() {
	if s.version < eas.V140 || !s.isVoice() {
		return
	}
	if number := line(text(s.header().get(callerHeader))); number != "" {
		s.addText(eas.T(tag.Email2UmCallerID, number))
	}
}

// voiceFiles are the names of the recordings, the newest first.
func (s *shown) voiceFiles() []string {
	var names []string
	for name := range strings.SplitSeq(text(s.header().get(orderHeader)), ";") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// voiceElements say of an attachment that it is a recording. See [MS-ASEMAIL]
// "UmAttDuration" and "UmAttOrder".
func (s *shown) voiceElements(p *part) []eas.Element {
	if s.version < eas.V140 || !s.isVoice() {
		return nil
	}
	files := s.voiceFiles()
	at := slices.Index(files, p.fileName())
	if at < 0 {
		return nil
	}
	order := len(files) - at // the newest recording has the highest number
	var list []eas.Element
	if seconds := line(text(s.header().get(durationHeader))); order == len(files) && isNumber(seconds) {
		list = append(list, eas.T(tag.Email2UmAttDuration, seconds))
	}
	return append(list, eas.T(tag.Email2UmAttOrder, itoa(order)))
}

func isNumber(s string) bool {
	return s != "" && len(s) < 10 && strings.Trim(s, "0123456789") == ""
}
