package easserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// MaxFetches bounds the operations of one request. See [MS-ASCMD] "Limiting
// Size of Command Requests".
const MaxFetches = 100

// itemOperations fetches items by name. See [MS-ASCMD] "ItemOperations".
func (s *Server) itemOperations(ctx context.Context, c *call) (answer, error) {
	var req eas.ItemOperationsRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if n := len(req.Fetches) + len(req.Empties) + len(req.Moves); n == 0 || n > MaxFetches || !nameable(&req) {
		c.event.Status = int(eas.ItemOperationsProtocol)
		return eas.ItemOperationsResponse{Status: eas.ItemOperationsProtocol}, nil
	}
	forbidden := eas.ItemOperationsActionForbidden
	if c.version < eas.V140 {
		forbidden = eas.ItemOperationsDenied // no status above 100 is known
	}
	results := new(eas.ItemOperationResults)
	var err error
	if results.Moves, err = s.moveConversations(ctx, c, req.Moves, forbidden); err != nil {
		return nil, err
	}
	for _, e := range req.Empties {
		err := s.emptyFolder(ctx, c, e)
		if kind := backend.KindOf(err); kind == backend.Denied || kind == backend.Transient {
			return nil, err // to be sent again: what is gone is gone
		}
		status := fetchStatus(err)
		if status == eas.ItemOperationsActionForbidden {
			status = forbidden
		}
		results.Empties = append(results.Empties, eas.EmptyFolderResult{Status: status, CollectionID: e.CollectionID})
	}
	room, large := MaxFiles, make(files)
	kept := false
	defer func() {
		if !kept {
			large.close()
		}
	}()
	for _, fetch := range req.Fetches {
		r := eas.FetchResult{CollectionID: fetch.CollectionID, ServerID: fetch.ServerID, LongID: fetch.LongID,
			LinkID: fetch.LinkID, FileReference: fetch.FileReference}
		var err error
		r.Class, r.Properties, err = s.fetchItem(ctx, c, fetch, &room, large)
		if kind := backend.KindOf(err); kind == backend.Denied || kind == backend.Transient {
			return nil, err
		}
		r.Status = fetchStatus(err)
		results.Fetches = append(results.Fetches, r)
	}
	c.event.Status = int(eas.ItemOperationsOK)
	response := eas.ItemOperationsResponse{Status: eas.ItemOperationsOK, Response: results}
	if !c.acceptsMultipart() && len(large) == 0 {
		return response, nil
	}
	var parts [][]byte
	if c.acceptsMultipart() {
		parts = takeParts(results.Fetches)
	}
	doc, err := eas.Marshal(&response, c.version)
	if err != nil {
		return nil, fmt.Errorf("easserver: the answer in parts: %w", err)
	}
	kept = true
	switch {
	case !c.acceptsMultipart():
		return &streamed{contentType, large.split(doc)}, nil
	case len(large) > 0:
		return &streamed{multipartType, large.join(doc, parts)}, nil
	}
	return join(doc, parts), nil
}

// MaxLongID bounds a LongId, in bytes. See [MS-ASCMD] "LongId".
const MaxLongID = 256

// nameable tells whether an answer could name everything that the request does.
func nameable(req *eas.ItemOperationsRequest) bool {
	for _, f := range req.Fetches {
		if len(f.CollectionID) > MaxID || len(f.ServerID) > MaxID || len(f.LongID) > MaxLongID {
			return false
		}
	}
	for _, e := range req.Empties {
		if e.CollectionID == "" || len(e.CollectionID) > MaxID {
			return false
		}
	}
	return true
}

// Errors of a fetch that are no item's fault.
var (
	errStore = errors.New("easserver: there is no such store")
	errRange = errors.New("easserver: there is no such range of bytes")
	errLink  = errors.New("easserver: documents are not served")

	errNotEmptied = errors.New("easserver: the folder is not one that a phone empties")
	errPartly     = errors.New("easserver: not everything could be deleted")
)

// fetchStatus tells a phone what came of a fetch. It is the one place where
// errors become statuses of ItemOperations.
func fetchStatus(err error) eas.ItemOperationsStatus {
	switch {
	case err == nil:
		return eas.ItemOperationsOK
	case errors.Is(err, errStore):
		return eas.ItemOperationsUnknownStore
	case errors.Is(err, translate.ErrNoAttachment):
		return eas.ItemOperationsBadAttachment
	case errors.Is(err, errRange):
		return eas.ItemOperationsBadRange
	case errors.Is(err, errLink):
		return eas.ItemOperationsBadURI
	case errors.Is(err, errNotEmptied), errors.Is(err, errNotTarget):
		return eas.ItemOperationsActionForbidden
	case errors.Is(err, errNotAlways):
		return eas.ItemOperationsNoOptions
	case errors.Is(err, errPartly):
		return eas.ItemOperationsPartial
	case errors.Is(err, syncengine.ErrNoItem), errors.Is(err, syncengine.ErrNoFolder), backend.KindOf(err) == backend.NotFound:
		return eas.ItemOperationsNotFound
	case errors.Is(err, translate.ErrUnreadable), errors.Is(err, translate.ErrNotShown):
		return eas.ItemOperationsConversion
	case backend.KindOf(err) == backend.TooLarge:
		return eas.ItemOperationsTooLarge
	}
	return eas.ItemOperationsServerError
}

// fetchItem reads one item that the phone holds, or a file of it. room is what
// files may still take of the answer.
func (s *Server) fetchItem(ctx context.Context, c *call, fetch eas.FetchRequest, room *int, large files) (class string, p eas.Properties, err error) {
	switch {
	case fetch.LinkID != "":
		return "", nil, errLink
	case fetch.Store != eas.StoreMailbox:
		return "", nil, errStore
	case fetch.FileReference != "":
		p, err = s.fetchFile(ctx, c, fetch, room, large)
		return "", p, err
	}
	id := cmp.Or(fetch.ServerID, fetch.LongID) // our LongIds are ServerIds
	if folder, _, err := syncengine.ParseServerID(id); err == nil && !mayBeIn(fetch.CollectionID, folder) {
		return "", nil, fmt.Errorf("%w: %.70q is not in folder %.70q", syncengine.ErrNoItem, id, fetch.CollectionID)
	}
	it, err := s.locate(ctx, c, id)
	if err == nil && it.class.message != nil {
		return s.fetchWhole(ctx, c, it, id, fetch.Options)
	}
	if err == nil {
		it.Item, err = getOne(ctx, it.session, it.folder.Collection, it.ID)
	}
	if err != nil {
		return "", nil, err
	}
	if it.folder.Kind == backend.Events {
		s.recognize(ctx, c, it.folder.Backend, it.session)
	}
	o := s.translation(c)
	o.Item, o.Calendar = id, zoneOf(it.folder)
	var schema []wbxml.Tag
	if fetch.Options != nil {
		o.Body = bodyWish(c.version, fetch.Options.BodyPreferences, nil)
		schema = fetch.Options.Schema
	}
	p, err = it.class.show(it.Body, o)
	var t tally
	t.add(it.ID, err)
	s.tell(ctx, c, it.folder, t)
	if err != nil {
		c.report(s, err)
		return "", nil, err
	}
	return it.class.name, onlySchema(p, schema), nil
}

// fetchWhole is fetchItem for a message: all of it that the phone takes.
func (s *Server) fetchWhole(ctx context.Context, c *call, it heldItem, id string, options *eas.FetchOptions) (class string, p eas.Properties, err error) {
	var form mailForm
	var schema []wbxml.Tag
	if options != nil {
		form = mailForm{Bodies: options.BodyPreferences, Part: options.BodyPartPreference, MIMESupport: options.MIMESupport}
		schema = options.Schema
	}
	wish := form.wish(c.version).whole()
	m, err := getMessage(ctx, it.session, it.folder.Collection, it.ID, wish.limit)
	if err != nil {
		return "", nil, err
	}
	o := s.translation(c)
	o.Item = id
	wish.into(&o)
	p, err = it.class.message(messageOf(m), o)
	var t tally
	t.add(it.ID, err)
	s.tell(ctx, c, it.folder, t)
	if err != nil {
		c.report(s, err)
		return "", nil, err
	}
	return it.class.name, onlySchema(p, schema), nil
}

// A heldItem is an item that a phone names, as it is in the backend now.
type heldItem struct {
	backend.Item
	folder  syncengine.Folder
	class   *class
	session backend.Session
	number  syncengine.Number
}

// locate finds an item by its ServerId, in the folders of this person only.
func (s *Server) locate(ctx context.Context, c *call, serverID string) (heldItem, error) {
	id, n, err := syncengine.ParseServerID(serverID)
	if err != nil {
		return heldItem{}, err
	}
	folder, err := s.folderOfItem(ctx, c, id)
	if err != nil {
		return heldItem{}, err
	}
	k := classes[folder.Kind]
	if !k.shown() {
		return heldItem{}, syncengine.ErrNoItem
	}
	row, err := s.Engine.Item(ctx, folder, n)
	if err != nil {
		return heldItem{}, err
	}
	session, err := c.account.Session(ctx, folder.Backend)
	if err != nil {
		return heldItem{}, err
	}
	return heldItem{backend.Item{ID: row.ID, Revision: row.Revision}, folder, k, session, n}, nil
}

// onlySchema keeps the properties that were asked for. See [MS-ASCMD] "Schema
// (ItemOperations)".
func onlySchema(p eas.Properties, schema []wbxml.Tag) eas.Properties {
	if schema == nil {
		return p
	}
	return slices.DeleteFunc(p, func(e eas.Element) bool { return !slices.Contains(schema, e.Tag) })
}
