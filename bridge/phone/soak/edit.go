package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// An editor changes a person's card, so that its name becomes cardName of the
// edit's number.
type editor interface {
	edit(ctx context.Context, p *person) error
	String() string // how it does that
	close()
}

// editTime bounds one edit.
const editTime = 30 * time.Second

func newEditor(s *soak) (editor, error) {
	switch {
	case s.EditDir != "":
		return newDirectory(s)
	case s.EditDAV != "":
		return newDAV(s)
	}
	return &phones{soak: s, by: make(map[*person]*otherPhone)}, nil
}

func (s *soak) card(n uint32) []byte {
	name := s.cardName(n)
	return fmt.Appendf(nil, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:pushbridge-soak\r\nFN:%s\r\nN:%s;;;;\r\nEND:VCARD\r\n", name, name)
}

// A directory editor writes files where a localdir backend looks.
type directory struct {
	soak        *soak
	dir, drafts string
}

func newDirectory(s *soak) (*directory, error) {
	dir := s.EditDir
	for _, p := range s.people {
		if strings.ContainsAny(p.home, `/\`) || !filepath.IsLocal(p.home) {
			return nil, fmt.Errorf("soak: %q cannot be the name of a directory", p.home)
		}
		if _, err := os.Stat(filepath.Join(dir, p.home, "contacts")); err != nil {
			return nil, fmt.Errorf("soak: edits are made in DIR/NAME/contacts of each person: %w", err)
		}
	}
	drafts, err := os.MkdirTemp(dir, ".soak-") // upon the same file system
	if err != nil {
		return nil, fmt.Errorf("soak: %w", err)
	}
	return &directory{s, dir, drafts}, nil
}

func (d *directory) String() string { return "edits in " + d.dir }
func (d *directory) close()         { os.RemoveAll(d.drafts) } // what is left of it does no harm

func (d *directory) edit(_ context.Context, p *person) error {
	draft, err := os.CreateTemp(d.drafts, "card-")
	if err != nil {
		return err
	}
	n := p.edited()
	_, err = draft.Write(d.soak.card(n))
	if err = errors.Join(err, draft.Close()); err == nil {
		err = os.Rename(draft.Name(), filepath.Join(d.dir, p.home, "contacts", "pushbridge-soak.vcf"))
	}
	if err != nil {
		p.undone(n)
	}
	return err
}

// A dav editor puts cards into a collection of a CardDAV server.
type dav struct {
	soak   *soak
	url    string
	client *http.Client
}

func newDAV(s *soak) (*dav, error) {
	u, err := url.Parse(s.EditDAV)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("soak: %q is no collection, as http://127.0.0.1:5232/{user}/contacts/ is", s.EditDAV)
	}
	if len(s.people) > 1 && !strings.Contains(s.EditDAV, "{user}") {
		return nil, fmt.Errorf("soak: %d people cannot all have the collection %s: write {user} where their name is to be", len(s.people), s.EditDAV)
	}
	return &dav{s, strings.TrimSuffix(s.EditDAV, "/"), &http.Client{Timeout: editTime,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}, nil
}

func (d *dav) String() string { return "edits at " + d.url }
func (d *dav) close()         { d.client.CloseIdleConnections() }

func (d *dav) edit(ctx context.Context, p *person) error {
	n := p.edited()
	to := strings.ReplaceAll(d.url, "{user}", url.PathEscape(p.home)) + "/pushbridge-soak.vcf"
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, to, bytes.NewReader(d.soak.card(n)))
	if err != nil {
		return err
	}
	req.SetBasicAuth(p.name, d.soak.Password)
	req.Header.Set("Content-Type", "text/vcard")
	resp, err := d.client.Do(req)
	if err != nil {
		p.undone(n)
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection is used again
	if resp.StatusCode/100 != 2 {
		p.undone(n)
		return fmt.Errorf("soak: PUT: HTTP %d", resp.StatusCode)
	}
	return nil
}

// The phones editor has one more phone for each person, which edits the card
// through the server itself.
type phones struct {
	soak *soak

	mu sync.Mutex
	by map[*person]*otherPhone
}

// An otherPhone edits; one edit after the other.
type otherPhone struct {
	mu   sync.Mutex
	h    *handset
	card string // its id, when the server has given it one
}

func (*phones) String() string { return "edits by another phone of each" }

func (e *phones) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.by {
		o.h.line.close()
	}
}

func (e *phones) of(p *person) *otherPhone {
	e.mu.Lock()
	defer e.mu.Unlock()
	o := e.by[p]
	if o == nil {
		h := &handset{soak: e.soak, person: p, device: "soakeditor"}
		h.line = line{target: &e.soak.target, source: sourceAddress(0), auth: basicAuth(p.name, e.soak.Password)}
		o = &otherPhone{h: h}
		e.by[p] = o
	}
	return o
}

func (e *phones) edit(ctx context.Context, p *person) error {
	ctx, cancel := context.WithTimeout(ctx, editTime)
	defer cancel()
	o := e.of(p)
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.h.folders) == 0 {
		if err := o.h.setUp(ctx); err != nil {
			return err
		}
	}
	for i := range o.h.folders {
		if f := &o.h.folders[i]; f.kind == eas.FolderContacts {
			n := p.edited()
			err := o.send(ctx, f, n)
			if err != nil {
				p.undone(n)
				o.h.folders, o.card = nil, ""
			}
			return err
		}
	}
	return errors.New("the account has no contacts to edit")
}

// send brings the card as it is after an edit.
func (o *otherPhone) send(ctx context.Context, f *folder, n uint32) error {
	name := o.h.soak.cardName(n)
	c := eas.SyncCommand{Do: tag.AirSyncChange, ServerID: o.card,
		Data: eas.Properties{eas.T(tag.ContactsFileAs, name), eas.T(tag.ContactsLastName, name)}}
	if o.card == "" {
		c.Do, c.ServerID, c.ClientID = tag.AirSyncAdd, "", "soak"+fmt.Sprint(time.Now().UnixNano())
	}
	no := false
	m := &eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.key, CollectionID: f.id, GetChanges: &no, Commands: []eas.SyncCommand{c}}}}
	var answer eas.SyncResponse
	if err := o.h.exchange(ctx, eas.CmdSync, m, &answer); err != nil {
		return err
	}
	if answer.Status > eas.SyncOK || len(answer.Collections) != 1 || answer.Collections[0].Status != eas.SyncOK {
		return fmt.Errorf("soak: Sync: status %d", answer.Status)
	}
	r := answer.Collections[0]
	f.key = r.SyncKey
	for _, out := range r.Responses {
		if out.Status != eas.SyncOK {
			return fmt.Errorf("soak: Sync: the edit is answered with status %d", out.Status)
		}
		if out.Do == tag.AirSyncAdd {
			o.card = out.ServerID
		}
	}
	return nil
}
