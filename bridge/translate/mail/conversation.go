package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// The lengths in a Thread-Index, which Outlook writes: a header with the time
// and the conversation's GUID, and a block for each answer. See [MS-OXOMSG]
// "PidTagConversationIndex".
const (
	indexHeader = 22
	indexBlock  = 5
	indexTime   = 5 // what phones are shown of the header: the time without its first byte
	maxBlocks   = 50
)

// conversation appends what says which messages belong together, from 14.0 on.
// See [MS-ASCON] "ConversationId" and "ConversationIndex".
func (s *shown) conversation() {
	if s.version < eas.V140 {
		return
	}
	index := s.threadIndex()
	s.addText(eas.Element{Tag: tag.Email2ConversationId, Opaque: s.conversationID(index)})
	s.addText(eas.Element{Tag: tag.Email2ConversationIndex, Opaque: s.conversationIndex(index)})
}

// ConversationID is which conversation a message belongs to, as phones are told; nil
// of what is no message. The header alone suffices.
func ConversationID(m Message) []byte {
	root, err := m.tree()
	if err != nil {
		return nil
	}
	s := &shown{Message: m, root: root, content: contentOf(root)}
	s.charset = s.messageCharset()
	return s.conversationID(s.threadIndex())
}

// conversationID is the same for all messages of a conversation, as far as a
// message alone can tell: it is made of the first message's Message-ID, which
// stands in the References of all others.
func (s *shown) conversationID(index []byte) []byte {
	ids := messageIDs(s.header().get("References"))
	if len(ids) == 0 {
		ids = messageIDs(s.header().get("In-Reply-To"))
	}
	if len(ids) == 0 && len(index) > indexHeader {
		return index[indexTime+1 : indexHeader] // an answer of a program that writes no References
	}
	if len(ids) == 0 {
		ids = messageIDs(s.header().get("Message-ID"))
	}
	root := ""
	switch {
	case len(ids) > 0:
		root = ids[0]
	case len(index) >= indexHeader:
		return index[indexTime+1 : indexHeader]
	default:
		root = strings.ToLower(s.threadTopic()) + "\n" + string(s.header().get("From")) + "\n" + string(s.header().get("Date"))
	}
	sum := sha256.Sum256([]byte(root))
	return sum[:16]
}

// conversationIndex is a time, and five bytes for each message that led to this
// one.
func (s *shown) conversationIndex(index []byte) []byte {
	if len(index) >= indexHeader {
		blocks := index[indexHeader:]
		blocks = blocks[:min(len(blocks)-len(blocks)%indexBlock, maxBlocks*indexBlock)]
		return append(bytes.Clone(index[1:1+indexTime]), blocks...)
	}
	at, ok := s.date()
	if !ok {
		at = s.received()
	}
	out := fileTime(at)
	ids := messageIDs(s.header().get("References"))
	for i := range min(len(ids), maxBlocks) {
		next := s.header().get("Message-ID")
		if i+1 < len(ids) {
			next = []byte(ids[i+1])
		}
		sum := sha256.Sum256(next) // so that two answers to one message are two
		out = append(out, 0, 0, 0, sum[0], sum[1])
	}
	return out
}

// fileTime is a time in Windows' units, without the first byte, which has not
// changed since 1829, and the last two, which nobody needs.
func fileTime(at time.Time) []byte {
	const from1601 = 11644473600
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(at.Unix()+from1601)*1e7)
	return bytes.Clone(b[1 : 1+indexTime])
}

func (s *shown) threadIndex() []byte {
	raw := s.header().get("Thread-Index")
	b, err := base64.StdEncoding.DecodeString(string(raw))
	if err != nil {
		return nil
	}
	return b
}

// maxIDs is how many ids of References are read.
const maxIDs = 200

// messageIDs reads the ids in a field: those in angle brackets, or the only
// word.
func messageIDs(v []byte) []string {
	var ids []string
	for rest := v; len(ids) < maxIDs; {
		open := bytes.IndexByte(rest, '<')
		if open < 0 {
			break
		}
		end := bytes.IndexByte(rest[open:], '>')
		if end < 0 {
			break
		}
		if id := strings.Join(strings.Fields(string(rest[open+1:open+end])), ""); id != "" {
			ids = append(ids, id)
		}
		rest = rest[open+end+1:]
	}
	if word := strings.TrimSpace(string(v)); len(ids) == 0 && word != "" && !strings.ContainsAny(word, " \t") {
		ids = append(ids, strings.Trim(word, "<>"))
	}
	return ids
}

// prefixes are what programs of many languages put in front of a subject.
var prefixes = regexp.MustCompile(`(?i)^(\s*(re|aw|fwd?|wg|sv|vs|antw|antwort|tr|rv|enc|odp|pd|vl|vb|ref|res|r|i|ynt|ilt|转发|回复|答复)\s*(\[\d+\]|\(\d+\))?\s*[:：])+\s*`)

// threadTopic is the subject without these. See [MS-ASEMAIL] "ThreadTopic".
func (s *shown) threadTopic() string {
	if topic := s.header().get("Thread-Topic"); len(topic) > 0 {
		return line(textIn(topic, s.charset))
	}
	return prefixes.ReplaceAllString(s.subject(), "")
}
