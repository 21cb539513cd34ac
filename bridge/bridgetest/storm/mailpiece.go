package storm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A piece is one message, wherever it came from. Its number stands in its subject,
// and of a draft the serial of its edition, too.
type piece struct {
	number int
	by     string
	draft  bool   // it was written as one
	letter bool   // it is the copy of what a phone sent
	notice *piece // says that nobody knows whether it went out; nil if there is none
	about  *piece // what it is the notice of; nil if it is none
	sure   bool   // its maker knows that the server has it
	where  *box   // at the last rest, or where it was made; nil if it is gone
	acts   []act

	text    map[string][]byte // the bytes, by edition, as far as they are known
	keep    string            // a keyword that nobody touches; empty if it has none
	edition aspect
	read    aspect
	follow  aspect
	label   aspect
	marks   map[string]bool // flags that belong to what was sent about it
}

// An act takes a piece somewhere.
type act struct {
	by    string
	to    *box // nil: it is deleted
	doubt bool // it was refused, or may have come to nothing
}

// An aspect is one thing about a piece that people change.
type aspect struct {
	base    string
	touches []touch
}

// A touch is a change of an aspect.
type touch struct {
	by, value string
	doubt     bool
}

func (a *aspect) touch(by, value string) { a.touches = append(a.touches, touch{by: by, value: value}) }

// doubt notes that what somebody did may be lost.
func (a *aspect) doubt(by string) {
	for i := range a.touches {
		a.touches[i].doubt = a.touches[i].doubt || a.touches[i].by == by
	}
}

// may tells whether a value can be what is left: somebody's last one. Where some of
// it may be lost, everything may be.
func (a *aspect) may(value string, loose bool) bool {
	last := make(map[string]string)
	for _, t := range a.touches {
		last[t.by] = t.value
		loose = loose || t.doubt
	}
	if loose && slices.ContainsFunc(a.touches, func(t touch) bool { return t.value == value }) {
		return true
	}
	for _, v := range last {
		if v == value {
			return true
		}
	}
	return value == a.base && (loose || len(last) == 0)
}

// settle makes a value what comes is measured by.
func (a *aspect) settle(value string) { a.base, a.touches = value, nil }

// aspects are all of them.
func (p *piece) aspects() []*aspect { return []*aspect{&p.edition, &p.read, &p.follow, &p.label} }

// doubt notes that all that somebody did to the piece since the last rest may be
// lost.
func (p *piece) doubt(by string) {
	for _, a := range p.aspects() {
		a.doubt(by)
	}
	for i := range p.acts {
		p.acts[i].doubt = p.acts[i].doubt || p.acts[i].by == by
	}
}

// wanders tells whether somebody took it somewhere since the last rest, or tried.
func (p *piece) wanders() bool { return len(p.acts) > 0 }

// mayLie tells whether a piece may be in a folder; nil is nowhere. What one does
// alone is what comes of it; of what several do, whoever was first.
func (p *piece) mayLie(in *box) bool {
	certain := 0
	for _, a := range p.acts {
		if a.to == in {
			return true
		}
		if !a.doubt {
			certain++
		}
	}
	return in == p.where && certain == 0
}

// newPiece is made by somebody.
func (m *mailroom) newPiece(by string, where *box) *piece {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &piece{
		number: len(m.pieces) + 1, by: by, where: where, text: make(map[string][]byte), marks: make(map[string]bool),
		read: aspect{base: "0"}, follow: aspect{base: "0"},
	}
	m.pieces[p.number] = p
	m.world.count(func(r *Report) { r.Messages++ })
	return p
}

// subject is what the piece is called in an edition.
func (p *piece) subject(edition string) string {
	if p.about != nil {
		return unsure + p.about.subject(edition)
	}
	if edition == "" {
		return fmt.Sprintf("m%d", p.number)
	}
	return fmt.Sprintf("m%d e%s", p.number, edition)
}

// words is a text that only this edition has.
func (p *piece) words(edition string) string {
	if p.about != nil {
		return "It is not known whether this mail went out"
	}
	return fmt.Sprintf("The text of <%s>.", p.subject(edition))
}

var (
	subjects     = regexp.MustCompile(`^(?:(?:Re|Fwd): )?m(\d+)(?: e(\d+))?$`)
	subjectField = regexp.MustCompile(`(?m)^Subject: ([^\r\n]*)\r?$`)
)

func subjectOf(body []byte) string {
	if m := subjectField.FindSubmatch(body); m != nil {
		return string(m[1])
	}
	return ""
}

// unsure begins the subject of a notice which says that nobody knows whether a mail
// went out.
const unsure = "Sent or not? "

// noticed finds the notice about a mail, which there is once the bridge has reason for
// it.
func (m *mailroom) noticed(p *piece, edition string) *piece {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.notice == nil && m.doubts(m.outcome(p)) {
		inbox := m.role(backend.RoleInbox)
		p.notice = &piece{
			by: "the bridge", about: p, sure: true, where: inbox, text: make(map[string][]byte), marks: make(map[string]bool),
			edition: aspect{base: edition}, read: aspect{base: "0"}, follow: aspect{base: "0"},
		}
		m.notices = append(m.notices, p.notice)
	}
	return p.notice
}

// piece finds a piece and its edition by a subject; nil if nobody made it.
func (m *mailroom) piece(subject string) (*piece, string) {
	if of, ok := strings.CutPrefix(subject, unsure); ok {
		p, edition := m.piece(of)
		if p != nil {
			p = m.noticed(p, edition)
		}
		return p, edition
	}
	found := subjects.FindStringSubmatch(subject)
	if found == nil {
		return nil, ""
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		return nil, ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pieces[n], found[2]
}

// compose writes a message.
func (p *piece) compose(to, edition string, more ...string) []byte {
	lines := []string{
		"From: Ann <" + annsAddress + ">", "To: " + to, "Subject: " + p.subject(edition), "Date: Mon, 05 Jan 2026 10:00:00 +0000",
		fmt.Sprintf("Message-ID: <storm%d@example.org>", p.number), "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
	}
	if p.number%4 == 0 {
		lines = slices.Concat(lines[:len(lines)-1], []string{"Content-Type: multipart/mixed; boundary=b", "",
			"--b", "Content-Type: text/plain; charset=utf-8", "", p.words(edition), "--b",
			"Content-Type: application/octet-stream; name=a.bin", "Content-Disposition: attachment; filename=a.bin", "Content-Transfer-Encoding: base64", ""},
			slices.Repeat([]string{strings.Repeat("QUJD", 18)}, p.number%50), []string{"--b--"})
		return []byte(strings.Join(lines, "\r\n") + "\r\n")
	}
	return []byte(strings.Join(append(append(lines, "", p.words(edition)), more...), "\r\n") + "\r\n")
}

// The aspects of a message's flags.
func readOf(flags []string) string { return bit(backend.HasFlag(flags, backend.FlagSeen)) }

func followOf(flags []string) string {
	switch {
	case backend.HasFlag(flags, backend.FlagFlagged):
		return "2"
	case slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, followDone) }):
		return "1"
	}
	return "0"
}

// followDone begins the keyword of a follow-up that is done.
const followDone = "followup-done-"

var categoryForm = regexp.MustCompile(`^c\d+$`)

// labelOf is the category of a message: all of them, if there are several.
func labelOf(flags []string) string {
	var list []string
	for _, f := range flags {
		if categoryForm.MatchString(f) {
			list = append(list, f)
		}
	}
	return strings.Join(list, " ")
}

func bit(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}
