package easserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// What folder commands fail with that is no backend's fault.
var (
	errFolderExists   = errors.New("easserver: there is a folder of that name")
	errFolderSystem   = errors.New("easserver: the folder stays as it is")
	errFolderMissing  = errors.New("easserver: there is no such folder")
	errFolderNoParent = errors.New("easserver: there is no such parent")
	errFolderRequest  = errors.New("easserver: a value makes no sense")
	errFolderNoPlace  = errors.New("easserver: no backend makes folders of this type")
)

// folderStatus tells a phone what came of a folder command. It is the one place
// where errors become statuses of FolderCreate, FolderUpdate and FolderDelete.
// What would fail the next time, too, is not 6, which means "try again". See
// [MS-ASCMD] "Status (FolderCreate)", "Status (FolderUpdate)" and "Status
// (FolderDelete)".
func folderStatus(command eas.Command, err error) eas.FolderStatus {
	switch {
	case err == nil:
		return eas.FolderOK
	case errors.Is(err, syncengine.ErrInvalidKey):
		return eas.FolderBadKey
	case errors.Is(err, errFolderExists):
		return eas.FolderExists
	case errors.Is(err, errFolderMissing):
		return eas.FolderMissing
	case errors.Is(err, errFolderNoParent):
		return eas.FolderNoParent
	case errors.Is(err, errFolderRequest):
		return eas.FolderMalformed
	case errors.Is(err, errFolderNoPlace):
		return eas.FolderCodeUnknown
	case errors.Is(err, errFolderSystem):
		return eas.FolderSystem
	}
	switch kind := backend.KindOf(err); {
	case kind == backend.Invalid:
		return eas.FolderMalformed
	case command == eas.CmdFolderCreate && (kind == backend.ReadOnly || kind == backend.Unsupported):
		return eas.FolderCodeUnknown
	case kind == backend.ReadOnly || kind == backend.Unsupported:
		return eas.FolderSystem
	case kind == backend.NotFound && command == eas.CmdFolderCreate:
		return eas.FolderNoParent
	case kind == backend.NotFound:
		return eas.FolderMissing
	case kind == backend.Conflict:
		return eas.FolderExists
	}
	return eas.FolderServerError
}

// A folderEdit is one folder command of a phone.
type folderEdit struct {
	*syncengine.FolderEdit
	server  *Server
	call    *call
	folders []syncengine.Folder // that the phone is shown
	changed bool                // something is to be told to those who wait
}

// editFolder runs a folder command: do makes it so at the backend, and write says
// it to the phone under a new key.
func (s *Server) editFolder(ctx context.Context, c *call, key string, refused any, do func(*folderEdit) (write func(syncengine.Key) any, err error)) (answer, error) {
	doc, changed, err := s.folderEdited(ctx, c, key, do)
	if changed { // other phones are told only now, lest this one is told of its own doing
		s.Hub.Publish(hub.Topic{User: c.phone.User})
	}
	if err == nil {
		c.event.Status = int(eas.FolderOK)
		return encoded(doc), nil
	}
	if !errors.Is(err, syncengine.ErrInvalidKey) && passing(err) && !isFolderError(err) {
		return nil, err // to be sent again: it meets its own first try
	}
	status := folderStatus(c.query.Command, err)
	c.event.Status = int(status)
	c.note(slog.Any("refused_folder", err))
	switch r := refused.(type) {
	case eas.FolderCreateResponse:
		r.Status = status
		return r, nil
	case eas.FolderUpdateResponse:
		r.Status = status
		return r, nil
	case eas.FolderDeleteResponse:
		r.Status = status
		return r, nil
	}
	panic(fmt.Sprintf("easserver: no folder command is answered with a %T", refused))
}

// isFolderError tells the errors of this file from those after which the request
// is to be sent again.
func isFolderError(err error) bool {
	for _, e := range []error{errFolderExists, errFolderSystem, errFolderMissing, errFolderNoParent, errFolderRequest, errFolderNoPlace} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *Server) folderEdited(ctx context.Context, c *call, key string, do func(*folderEdit) (func(syncengine.Key) any, error)) (doc []byte, changed bool, err error) {
	if key == "" || len(key) > MaxID {
		return nil, false, errFolderRequest
	}
	x := &folderEdit{server: s, call: c}
	defer func() { changed = x.changed }()
	if x.FolderEdit, err = s.Engine.BeginFolderEdit(ctx, c.phone, syncengine.Key(key)); err != nil {
		return nil, false, err
	}
	if err := x.list(ctx); err != nil {
		return nil, false, err
	}
	if x.folders, err = s.visible(ctx, c); err != nil {
		return nil, false, err
	}
	write, err := do(x)
	if err != nil {
		return nil, false, err
	}
	if err := x.list(ctx); err != nil {
		return nil, false, err
	}
	doc, err = x.Commit(ctx, c.body, func(next syncengine.Key) ([]byte, error) { return eas.Marshal(write(next), c.version) })
	return doc, false, err
}

// list takes over what the backends have.
func (x *folderEdit) list(ctx context.Context) error {
	changed, err := x.server.takeFolders(ctx, x.call.account)
	x.changed = x.changed || changed
	return err
}

// folder finds a folder that the phone is shown.
func (x *folderEdit) folder(serverID string) (syncengine.Folder, bool) {
	i := slices.IndexFunc(x.folders, func(f syncengine.Folder) bool { return f.ID.String() == serverID })
	if i < 0 {
		return syncengine.Folder{}, false
	}
	return x.folders[i], true
}

// parent finds the folder in which another one shall be; the zero Folder is the
// top.
func (x *folderEdit) parent(serverID string) (syncengine.Folder, error) {
	if serverID == eas.RootFolder {
		return syncengine.Folder{}, nil
	}
	f, ok := x.folder(serverID)
	if !ok {
		return f, fmt.Errorf("%w: %.40q", errFolderNoParent, serverID)
	}
	return f, nil
}

// free refuses a name that another folder has under a parent. Which capital
// letters are in it makes no difference, as on Exchange.
func (x *folderEdit) free(name string, parent, but syncengine.FolderID) error {
	for _, f := range x.folders {
		if f.ID != but && f.Parent == parent && strings.EqualFold(f.Name, name) {
			return fmt.Errorf("%w: folder %v", errFolderExists, f.ID)
		}
	}
	return nil
}

// inside is the ID of a parent for a backend that holds it, or the top.
func inside(parent syncengine.Folder, name string) backend.CollectionID {
	if parent.Backend != name {
		return ""
	}
	return parent.Collection
}

// folderName makes a name that a phone sent fit to be stored.
func folderName(sent string) (string, error) {
	name := backend.CollectionName(sent)
	if name == "" || len([]rune(sent)) > MaxDisplayName {
		return "", fmt.Errorf("%w: a name of %d bytes", errFolderRequest, len(sent))
	}
	return name, nil
}

// folderKinds are the kinds of folders that phones can make. See [MS-ASCMD]
// "Type (FolderCreate)".
var folderKinds = map[eas.FolderType]backend.CollectionKind{
	eas.FolderUserCalendar: backend.Events, eas.FolderUserContacts: backend.Contacts,
	eas.FolderUserTasks: backend.Tasks, eas.FolderUserNotes: backend.Notes,
	eas.FolderUserMail: backend.Mail, eas.FolderGeneric: backend.Mail, eas.FolderUserJournal: "journal",
}

// folderCreate makes a folder. See [MS-ASCMD] "FolderCreate".
func (s *Server) folderCreate(ctx context.Context, c *call) (answer, error) {
	var req eas.FolderCreateRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	return s.editFolder(ctx, c, req.SyncKey, eas.FolderCreateResponse{}, func(x *folderEdit) (func(syncengine.Key) any, error) {
		f, err := x.create(ctx, &req)
		return func(key syncengine.Key) any {
			return eas.FolderCreateResponse{Status: eas.FolderOK, SyncKey: string(key), ServerID: f.ID.String()}
		}, err
	})
}

// create makes the folder at the first backend that does so. The phone is told
// at its next FolderSync where the folder stands and what it is called, where
// that is not as it said.
func (x *folderEdit) create(ctx context.Context, req *eas.FolderCreateRequest) (syncengine.Folder, error) {
	kind, ok := folderKinds[req.Type]
	if !ok {
		return syncengine.Folder{}, fmt.Errorf("%w: type %d", errFolderRequest, req.Type)
	}
	if k := classes[kind]; k == nil || k.make == nil || x.call.version < k.min {
		return syncengine.Folder{}, fmt.Errorf("%w: type %d in version %s", errFolderNoPlace, req.Type, x.call.version)
	}
	name, err := folderName(req.DisplayName)
	if err != nil {
		return syncengine.Folder{}, err
	}
	parent, err := x.parent(req.ParentID)
	if err != nil {
		return syncengine.Folder{}, err
	}
	id := x.NextName(strconv.Itoa(int(req.Type)), req.ParentID, req.DisplayName)
	before, err := x.Tried(ctx, id)
	if err != nil {
		return syncengine.Folder{}, err
	}
	if !before { // else the folder of that name may be the one that an earlier try made
		if err := x.free(name, parent.ID, 0); err != nil {
			return syncengine.Folder{}, err
		}
		if err := x.Try(ctx, id); err != nil {
			return syncengine.Folder{}, err
		}
	}
	return x.make(ctx, backend.Collection{ID: id, Kind: kind, Name: name}, parent, req.DisplayName)
}

func (x *folderEdit) make(ctx context.Context, c backend.Collection, parent syncengine.Folder, sent string) (syncengine.Folder, error) {
	for _, name := range x.makers(c.Kind) {
		session, err := x.call.account.Session(ctx, name)
		if err != nil {
			return syncengine.Folder{}, err
		}
		editor, ok := backend.As[backend.FolderEditor](session)
		if !ok {
			continue
		}
		c.Parent = inside(parent, name)
		made, err := editor.CreateCollection(ctx, c)
		switch {
		case backend.KindOf(err) == backend.Unsupported:
			continue
		case err != nil && (backend.KindOf(err) != backend.Conflict || made.ID == ""):
			return syncengine.Folder{}, err
		}
		if err := x.list(ctx); err != nil {
			return syncengine.Folder{}, err
		}
		return x.made(ctx, name, made.ID, parent, sent)
	}
	return syncengine.Folder{}, fmt.Errorf("%w: %s", errFolderNoPlace, c.Kind)
}

// made finds the folder that a new collection is.
func (x *folderEdit) made(ctx context.Context, backendName string, id backend.CollectionID, parent syncengine.Folder, sent string) (syncengine.Folder, error) {
	all, err := x.server.Engine.Folders(ctx, x.call.phone.User)
	if err != nil {
		return syncengine.Folder{}, err
	}
	i := slices.IndexFunc(all, func(f syncengine.Folder) bool { return f.Backend == backendName && f.Collection == id })
	if i < 0 {
		return syncengine.Folder{}, backend.Errorf(backend.Transient, "easserver: FolderCreate", "backend %q does not list what it made", backendName)
	}
	f := all[i]
	f.Parent, f.Name, f.Default = parent.ID, sent, false
	x.Has(f)
	return f, nil
}

// makers are the backends that may make a folder of a kind: the one with the
// main folder of that kind, those that have any, and the others.
func (x *folderEdit) makers(kind backend.CollectionKind) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) && name != x.server.Placeholder {
			names = append(names, name)
		}
	}
	for _, main := range []bool{true, false} {
		for _, f := range x.folders {
			if f.Kind == kind && f.Default == main && !f.ID.Merged() { // which lies at no backend of its own
				add(f.Backend)
			}
		}
	}
	for _, name := range x.call.account.Backends() {
		add(name)
	}
	return names
}

// folderUpdate renames a folder, or moves it. See [MS-ASCMD] "FolderUpdate".
func (s *Server) folderUpdate(ctx context.Context, c *call) (answer, error) {
	var req eas.FolderUpdateRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	return s.editFolder(ctx, c, req.SyncKey, eas.FolderUpdateResponse{}, func(x *folderEdit) (func(syncengine.Key) any, error) {
		return func(key syncengine.Key) any {
			return eas.FolderUpdateResponse{Status: eas.FolderOK, SyncKey: string(key)}
		}, x.update(ctx, &req)
	})
}

func (x *folderEdit) update(ctx context.Context, req *eas.FolderUpdateRequest) error {
	f, ok := x.folder(req.ServerID)
	switch {
	case !ok:
		return fmt.Errorf("%w: %.40q", errFolderMissing, req.ServerID)
	case f.Default: // [MS-ASCMD] "Status (FolderUpdate)", 2: special folders cannot be updated
		return fmt.Errorf("%w: folder %v is the main one of its kind", errFolderExists, f.ID)
	case f.ReadOnly || f.Owner != "":
		return fmt.Errorf("%w: folder %v is not the person's own", errFolderSystem, f.ID)
	}
	name, err := folderName(req.DisplayName)
	if err != nil {
		return err
	}
	parent, err := x.parent(req.ParentID)
	if err != nil {
		return err
	}
	for up, ok := parent, parent.ID != 0; ok; up, ok = x.folder(up.Parent.String()) {
		if up.ID == f.ID {
			return fmt.Errorf("%w: folder %v would be inside of itself", errFolderNoParent, f.ID)
		}
	}
	if err := x.free(name, parent.ID, f.ID); err != nil {
		return err
	}
	editor, err := x.editor(ctx, f)
	if err != nil {
		return err
	}
	_, err = editor.UpdateCollection(ctx, backend.Collection{ID: f.Collection, Name: name, Parent: inside(parent, f.Backend)})
	if err != nil {
		return err
	}
	f.Name, f.Parent = req.DisplayName, parent.ID
	x.Has(f)
	return nil
}

// editor is what edits a folder.
func (x *folderEdit) editor(ctx context.Context, f syncengine.Folder) (backend.FolderEditor, error) {
	session, err := x.call.account.Session(ctx, f.Backend)
	if err != nil {
		return nil, err
	}
	editor, ok := backend.As[backend.FolderEditor](session)
	if !ok {
		return nil, fmt.Errorf("%w: backend %q does not edit folders", errFolderSystem, f.Backend)
	}
	return editor, nil
}

// folderDelete removes a folder with all that is in it. See [MS-ASCMD]
// "FolderDelete".
func (s *Server) folderDelete(ctx context.Context, c *call) (answer, error) {
	var req eas.FolderDeleteRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	return s.editFolder(ctx, c, req.SyncKey, eas.FolderDeleteResponse{}, func(x *folderEdit) (func(syncengine.Key) any, error) {
		return func(key syncengine.Key) any {
			return eas.FolderDeleteResponse{Status: eas.FolderOK, SyncKey: string(key)}
		}, x.delete(ctx, req.ServerID)
	})
}

// delete removes a folder. One that is gone already, and that the phone has, was
// removed by an earlier try or by somebody else, which is the same to the phone.
func (x *folderEdit) delete(ctx context.Context, serverID string) error {
	f, ok := x.folder(serverID)
	if !ok {
		id, err := syncengine.ParseFolderID(serverID)
		if err != nil || !x.Knows(id) {
			return fmt.Errorf("%w: %.40q", errFolderMissing, serverID)
		}
		x.Lacks(id)
		return nil
	}
	switch {
	case f.Default:
		return fmt.Errorf("%w: folder %v is the main one of its kind", errFolderSystem, f.ID)
	case f.ReadOnly || f.Owner != "":
		return fmt.Errorf("%w: folder %v is not the person's own", errFolderSystem, f.ID)
	}
	editor, err := x.editor(ctx, f)
	if err != nil {
		return err
	}
	if err := editor.DeleteCollection(ctx, f.Collection); err != nil && backend.KindOf(err) != backend.NotFound {
		return err
	}
	x.Lacks(f.ID)
	return nil
}
