package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// Sync keeps what the sync engine knows.
type Sync struct {
	db *DB
	reader
}

// Sync answers the database's syncengine.Store.
func (d *DB) Sync() *Sync { return &Sync{d, reader{d.session()}} }

var _ syncengine.Store = (*Sync)(nil)

// Update implements syncengine.Store.
func (s *Sync) Update(ctx context.Context, user string, change func(syncengine.Writer) error) error {
	return s.db.update(ctx, user, func(in session) error { return change(writer{reader{in}}) })
}

type reader struct{ in session }

type writer struct{ reader }

var _ syncengine.Writer = writer{}

const folderColumns = `id, account, backend, collection, kind, name, parent, main, read_only, colour, owner, role, place, gone, zone`

var (
	selectFolders = query(`SELECT ` + folderColumns + ` FROM folders WHERE account = $1 ORDER BY id`)
	selectFolder  = query(`SELECT ` + folderColumns + ` FROM folders WHERE account = $1 AND id = $2`)
	selectAmong   = query(`SELECT ` + folderColumns + ` FROM folders WHERE account = $1 AND id IN ` + among(2))
	insertFolder  = query(`INSERT INTO folders
		(account, backend, collection, kind, name, parent, main, read_only, colour, owner, role, place, gone, zone)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`)
	updateFolder = query(`UPDATE folders SET backend = $3, collection = $4, kind = $5, name = $6, parent = $7,
		main = $8, read_only = $9, colour = $10, owner = $11, role = $12, place = $13, gone = $14, zone = $15 WHERE account = $1 AND id = $2`)
)

func folderPlaces(f *syncengine.FolderRecord) []any {
	return []any{
		&f.ID, &f.User, &f.Backend, &f.Collection, &f.Kind, &f.Name, &f.Parent,
		&f.Default, &f.ReadOnly, &f.Colour, &f.Owner, &f.Role, &f.Order, &f.Gone, &f.Zone,
	}
}

func (r reader) Folders(ctx context.Context, user string) (list []syncengine.FolderRecord, err error) {
	err = r.in.rows(ctx, intoFolders(&list), selectFolders, user)
	return list, err
}

// intoFolders appends rows to a list.
func intoFolders(list *[]syncengine.FolderRecord) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		var f syncengine.FolderRecord
		err := scan(folderPlaces(&f)...)
		*list = append(*list, f)
		return err
	}
}

func (r reader) FoldersAmong(ctx context.Context, user string, ids []syncengine.FolderID) (list []syncengine.FolderRecord, err error) {
	for some := range slices.Chunk(ids, syncengine.MaxAmong) {
		if err := r.in.rows(ctx, intoFolders(&list), selectAmong, amongArgs(some, user)...); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// among lists the placeholders of MaxAmong folders, the first of which is $from.
func among(from int) string {
	places := make([]string, syncengine.MaxAmong)
	for i := range places {
		places[i] = fmt.Sprintf("$%d", from+i)
	}
	return "(" + strings.Join(places, ", ") + ")"
}

// amongArgs are the arguments for some and for among behind them. The last of few
// folders stands for those that are missing: IN counts each once.
func amongArgs(some []syncengine.FolderID, first ...any) []any {
	for i := range syncengine.MaxAmong {
		first = append(first, some[min(i, len(some)-1)])
	}
	return first
}

func (r reader) Folder(ctx context.Context, user string, id syncengine.FolderID) (syncengine.FolderRecord, error) {
	var f syncengine.FolderRecord
	err := r.in.row(ctx, syncengine.ErrNoFolder, folderPlaces(&f), selectFolder, user, id)
	return f, err
}

func (w writer) SaveFolder(ctx context.Context, f syncengine.FolderRecord) (syncengine.FolderID, error) {
	values := []any{
		f.Backend, f.Collection, f.Kind, f.Name, f.Parent,
		number(f.Default), number(f.ReadOnly), f.Colour, f.Owner, f.Role, f.Order, number(f.Gone), f.Zone,
	}
	if f.ID != 0 {
		return f.ID, w.in.exec(ctx, updateFolder, append([]any{f.User, f.ID}, values...)...)
	}
	err := w.in.row(ctx, syncengine.ErrNoFolder, []any{&f.ID}, insertFolder, append([]any{f.User}, values...)...)
	return f.ID, err
}
