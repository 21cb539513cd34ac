package storm

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// mostTries bounds how many times a phone sends a mail, once in bad weather and then
// in good.
const mostTries = 4

// send lets the phone's owner write to somebody.
func (h *handset) send() {
	if h.phone.FolderKey() == "" {
		return
	}
	m := h.world.mail
	p := m.newLetter(h)
	save := h.world.rng.IntN(3) > 0
	h.world.note("%s sends %q, copy %t", h, p.subject(""), save)
	h.posts(p, save, func(mime []byte) error {
		return h.client.SendMail(h.world.t.Context(), eas.SendMailRequest{ClientID: fmt.Sprint("letter", p.number), SaveInSentItems: save, Mime: mime})
	})
}

// answer lets the phone's owner answer a message, or pass it on.
func (h *handset) answer() {
	b, id, about := h.somePiece(func(b letterbox, p *piece) bool { return !p.draft })
	if about == nil {
		return
	}
	w := h.world
	p := w.mail.newLetter(h)
	source := &eas.MailSource{FolderID: b.ServerID, ItemID: id}
	reply, mark := w.rng.IntN(2) == 0, backend.FlagForwarded
	if reply {
		mark = backend.FlagAnswered
	}
	w.note("%s sends %q about %q (%s) of %s, as an answer %t", h, p.subject(""), about.subject(""), id, b.box, reply)
	done, failed := h.posts(p, true, func(mime []byte) error {
		name := fmt.Sprint("letter", p.number)
		if reply {
			return h.client.SmartReply(w.t.Context(), eas.SmartReplyRequest{ClientID: name, SaveInSentItems: true, Mime: mime, Source: source})
		}
		return h.client.SmartForward(w.t.Context(), eas.SmartForwardRequest{ClientID: name, SaveInSentItems: true, Mime: mime, Source: source})
	}, about)
	if done && !failed && !about.wanders() {
		about.marks[mark] = true
	}
}

// newLetter is what a phone is about to send.
func (m *mailroom) newLetter(h *handset) *piece {
	p := m.newPiece(h.String(), nil)
	p.letter, p.read.base = true, "1"
	m.world.count(func(r *Report) { r.Letters++ })
	return p
}

// posts sends a mail until it is known what came of it. failed says that what
// belongs to a mail which is out may not have been done.
func (h *handset) posts(p *piece, save bool, do func(mime []byte) error, about ...*piece) (done, failed bool) {
	w, m := h.world, h.world.mail
	mime := p.compose(bobsAddress, "")
	m.begins(p)
	failures, kills := m.troubles(), w.report.Kills
	var err error
	for try := range mostTries {
		if err = do(mime); !h.unsure(err) {
			break
		}
		w.note("%s sends %q again, after: %v", h, p.subject(""), err)
		if try == 0 {
			defer w.calmly()()
		} else {
			w.outlast()
		}
	}
	done = err == nil || composeStatusOf(err) == int(eas.MessagePreviouslySent)
	failed = m.troubles() != failures || w.report.Kills != kills || w.weather.suffers(noRoom) || w.weather.suffers(full)
	w.note("%s is told of %q: %v", h, p.subject(""), err)
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.outcome(p)
	o.told = done
	worker := w.options.Worker != nil
	o.clean = worker && done && !failed
	switch {
	case done && o.taken == 0 && !m.doubts(o):
		h.problem("was told that %q is out, and the mail system has not got it", p.subject(""))
	case !done && o.taken > 0:
		h.problem("sent %q and was told %v; the mail system took it", p.subject(""), err)
	case !done && !h.mayRefuse(err, about):
		h.problem("sent %q and was told %v", p.subject(""), err)
	}
	if (save || m.doubts(o)) && done { // what may not be out is kept in any case
		p.acts = append(p.acts, act{by: p.by, to: m.role(backend.RoleSent), doubt: failed && (worker || o.unsure == 0)})
		p.sure = true
	}
	return done, failed || m.doubts(o)
}

// troubles counts what failed of what is done with a mail that is out.
func (m *mailroom) troubles() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failures
}

// unsure tells whether a phone does not know what came of a mail, and sends it
// again.
func (h *handset) unsure(err error) bool {
	if err == nil {
		return false
	}
	var he *easclient.HTTPError
	return h.forgives(err) || errors.As(err, &he) && he.Status == http.StatusInternalServerError
}

func composeStatusOf(err error) int {
	var se *easclient.StatusError
	if errors.As(err, &se) {
		return se.Status
	}
	return 0
}

// mayRefuse tells whether there is reason to refuse a mail: the mail system said so,
// or what it is about is gone.
func (h *handset) mayRefuse(err error, about []*piece) bool {
	w := h.world
	status := composeStatusOf(err)
	var he *easclient.HTTPError
	if errors.As(err, &he) {
		status = -he.Status
	}
	switch status {
	case int(eas.MailSubmissionFailed), -http.StatusInternalServerError, -http.StatusForbidden:
		return w.report.Faults > 0
	case int(eas.ItemNotFound), -http.StatusNotFound:
		return len(about) > 0 && about[0].wanders()
	}
	return false
}
