package notice

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// keptKind are documents with mails that a worker had not sent when it ended.
const keptKind = "notice-kept"

// keepTime bounds how long it may take to put them down.
const keepTime = 10 * time.Second

// A kept letter is one that waits for the next worker.
type kept struct {
	To    string    `json:"to"`
	About string    `json:"about"`
	Text  []byte    `json:"text"`
	Tries int       `json:"tries,omitempty"`
	Due   time.Time `json:"due"`
}

// Keep puts down what was not sent, for the worker that comes next. It is called when
// Run has ended, and nobody tells anything any more.
func (n *Notices) Keep(ctx context.Context) {
	n.mu.Lock()
	if !n.digest.IsZero() {
		n.digest = time.Now() // the next one does not know how many there were
	}
	n.mu.Unlock()
	n.summarize()
	n.mu.Lock()
	left := n.queue
	n.queue = nil
	n.mu.Unlock()
	if len(left) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	err := n.Transact(ctx, func(ctx context.Context) error {
		for _, l := range left {
			text, err := json.Marshal(kept{l.to, l.about, l.text, l.tries, l.due})
			if err != nil {
				return fmt.Errorf("notice: %w", err)
			}
			if err := n.Store.SaveDocument(ctx, keptKind, rand.Text(), text); err != nil {
				return fmt.Errorf("notice: %w", err)
			}
		}
		return nil
	})
	if err == nil {
		n.Logger.Info("notices that were not mailed yet wait for the next worker", "notices", len(left))
		return
	}
	for _, l := range left {
		n.Logger.Error("a notice was not mailed before the end, and could not be kept", "to", l.to, "about", l.about, "error", err)
	}
}

// takeOver puts into the queue what an earlier worker left. It has as much room there
// as that one's queue had, besides what is new.
func (n *Notices) takeOver(ctx context.Context) error {
	if all, err := n.Store.Documents(ctx, keptKind); err != nil || len(all) == 0 {
		return err // without keeping those out who write, which is for nothing nearly always
	}
	var left []*letter
	err := n.Transact(ctx, func(ctx context.Context) error {
		all, err := n.Store.Documents(ctx, keptKind)
		if err != nil {
			return fmt.Errorf("notice: %w", err)
		}
		for name, text := range all {
			var k kept
			if err := json.Unmarshal(text, &k); err != nil {
				n.Logger.Error("a notice that an earlier worker left cannot be read, and is dropped", "error", err)
			} else {
				left = append(left, &letter{to: k.To, about: k.About, text: k.Text, tries: k.Tries, due: k.Due})
			}
			if err := n.Store.SaveDocument(ctx, keptKind, name, nil); err != nil {
				return fmt.Errorf("notice: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(left, func(a, b *letter) int { return a.due.Compare(b.due) })
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queue = append(n.queue, left...)
	return nil
}
