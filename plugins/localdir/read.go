package localdir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"syscall"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Changes implements backend.Session.
func (s *Session) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	const op = "localdir: changes"
	f, err := s.open(ctx, op, c)
	if err != nil {
		return "", err
	}
	defer f.Close()
	list, next, err := f.changes(ctx, since)
	if err != nil {
		return "", failure(op, err)
	}
	for batch := range slices.Chunk(list, backend.MaxBatch) {
		if err := ctx.Err(); err != nil {
			return "", backend.E(backend.Transient, op, err)
		}
		if err := yield(batch); err != nil {
			return "", err
		}
	}
	return next, nil
}

// changes looks at the directory and lists what is new.
func (f *folder) changes(ctx context.Context, since backend.Cursor) ([]backend.Change, backend.Cursor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.look(ctx); err != nil {
		return nil, "", err
	}
	list, err := f.since(since)
	return list, f.cursor(), err
}

// Probe implements backend.Prober.
func (s *Session) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	const op = "localdir: probe"
	tags := make(map[backend.CollectionID]string)
	for _, c := range cs {
		f, err := s.open(ctx, op, c)
		if backend.KindOf(err) == backend.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.mu.Lock()
		err = f.look(ctx)
		tags[c] = string(f.cursor())
		f.mu.Unlock()
		f.Close()
		if err != nil {
			return nil, failure(op, err)
		}
	}
	return tags, nil
}

// Get implements backend.Session.
func (s *Session) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	const op = "localdir: get"
	if _, mail := mailFolder(string(c)); mail && s.b.settings.Mail {
		return s.getMail(ctx, c, ids, yield)
	}
	f, err := s.open(ctx, op, c)
	if err != nil {
		return err
	}
	defer f.Close()
	given := make(map[backend.ItemID]bool, len(ids))
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return backend.E(backend.Transient, op, err)
		}
		name, ok := fileName(string(id))
		if given[id] || !ok || !isItem(name, f.kind) {
			continue
		}
		given[id] = true
		got := backend.Fetched{Item: backend.Item{ID: id}}
		body, err := f.read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			got.Err = failure(op, err)
		default:
			got.Revision, got.MediaType, got.Body = revisionOf(body), f.kind.MediaType(), body
		}
		if err := yield(got); err != nil {
			return err
		}
	}
	return nil
}

// errTooLarge means that a file has more bytes than an item may have.
var errTooLarge = errors.New("larger than an item may be")

// read reads an item. A name that is not a file's does not exist.
func (f *folder) read(name string) ([]byte, error) {
	info, err := f.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info.Size() > backend.MaxItemSize {
		return nil, errTooLarge
	}
	body := make([]byte, 0, info.Size()+1)
	for {
		n, err := file.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		case len(body) > backend.MaxItemSize:
			return nil, errTooLarge
		case len(body) == cap(body): // it grew while we read
			body = slices.Grow(body, len(body))
		}
	}
}

// failure says what the caller can do about an error of the file system.
func failure(op string, err error) error {
	if e, ok := errors.AsType[*backend.Error](err); ok {
		return e
	}
	kind := backend.Transient
	switch {
	case errors.Is(err, errExpired):
		kind = backend.Expired
	case errors.Is(err, errTooLarge), errors.Is(err, syscall.EFBIG):
		kind = backend.TooLarge
	case errors.Is(err, syscall.EROFS):
		kind = backend.ReadOnly
	}
	return backend.E(kind, op, err)
}
