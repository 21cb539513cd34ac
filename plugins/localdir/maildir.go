package localdir

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A person's mail lies in a Maildir (https://cr.yp.to/proto/maildir.html), with
// folders inside of it as Maildir++ has them: MAILDIR/cur is the inbox,
// MAILDIR/.Sent/cur the folder for sent mail. A message's ID is the part of its
// file's name that stays.
const (
	mailDirectory = "Maildir"
	mailID        = "Maildir" // of the inbox; a folder's is "Maildir.NAME"

	// infoMark begins the part of a file's name that says the flags.
	infoMark = ":2,"
)

// mailFolder is the directory of a mail folder with an ID.
func mailFolder(id string) (directory string, ok bool) {
	if id == mailID {
		return mailDirectory, true
	}
	name, ok := strings.CutPrefix(id, mailID+".")
	if !ok {
		return "", false
	}
	if name, ok = fileName(name); !ok {
		return "", false
	}
	return path.Join(mailDirectory, "."+name), true
}

// mailFolderID is the inverse of mailFolder.
func mailFolderID(directory string) backend.CollectionID {
	name, ok := strings.CutPrefix(directory, mailDirectory+"/.")
	if !ok {
		return mailID
	}
	return backend.CollectionID(mailID + "." + idOf(name))
}

// isMail tells whether a directory is a mail folder.
func isMail(directory string) bool {
	return directory == mailDirectory || strings.HasPrefix(directory, mailDirectory+"/")
}

// roles are what folders are for, by the names that programs give them.
var roles = map[string]backend.Role{
	strings.ToLower(mailDirectory): backend.RoleInbox, ".drafts": backend.RoleDrafts, ".sent": backend.RoleSent, ".trash": backend.RoleTrash,
	".junk": backend.RoleJunk, ".spam": backend.RoleJunk, ".archive": backend.RoleArchive,
}

// mailFolders lists the directories that are mail folders, the inbox first.
func mailFolders(home *os.Root) ([]string, error) {
	info, err := home.Lstat(mailDirectory)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(home.FS(), mailDirectory)
	if err != nil {
		return nil, err
	}
	list := []string{mailDirectory}
	for _, e := range entries {
		if name, ok := strings.CutPrefix(e.Name(), "."); ok && e.IsDir() && plainName(name) && !strings.HasPrefix(e.Name(), gone) && !strings.HasPrefix(e.Name(), draft) {
			list = append(list, path.Join(mailDirectory, e.Name()))
		}
	}
	return list, nil
}

// mailCollection describes an open mail folder.
func (f *folder) mailCollection() backend.Collection {
	c := backend.Collection{
		ID: mailFolderID(f.directory), Kind: backend.Mail, Name: f.meta.Name, Role: roles[strings.ToLower(path.Base(f.directory))],
		Default: f.directory == mailDirectory, ReadOnly: f.readOnly(),
	}
	switch {
	case c.Name != "":
	case f.directory == mailDirectory:
		c.Name = "Inbox"
	default:
		c.Name = strings.ToValidUTF8(strings.TrimPrefix(path.Base(f.directory), "."), "?")
	}
	return c
}

// A letter is a message's file.
type letter struct {
	path  string // within the folder: "cur/NAME:2,S"
	flags []string
}

// revision is made of a message's flags.
func (l letter) revision() backend.Revision {
	return revisionOf([]byte(strings.ToLower(strings.Join(l.flags, " "))))
}

// letters lists the messages by the part of their names that stays. Those that
// are marked as deleted are none.
func (f *folder) letters() (map[string]letter, error) {
	words, err := f.keywords()
	if err != nil {
		return nil, err
	}
	found := make(map[string]letter)
	for _, dir := range []string{"new", "cur"} { // in this order files move
		entries, err := fs.ReadDir(f.FS(), dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			base, info, _ := strings.Cut(e.Name(), infoMark)
			if !e.Type().IsRegular() || !plainName(base) {
				continue
			}
			l := letter{path: dir + "/" + e.Name(), flags: flagsOf(info, words)}
			if !backend.HasFlag(l.flags, backend.FlagDeleted) { // which may lie beside another one that is not
				found[base] = l
			}
		}
	}
	return found, nil
}

// lookMail brings the index up to date with a mail folder. A file that is
// renamed while we look may be seen under neither name; so nothing is taken for
// gone before a second look. f.mu is held.
func (f *folder) lookMail(ctx context.Context) error {
	found, err := f.letters()
	if err != nil {
		return err
	}
	for name, e := range f.items {
		if _, there := found[name]; !there && !e.removed {
			again, err := f.letters()
			if err != nil {
				return err
			}
			maps.Copy(found, again)
			break
		}
	}
	f.looks++
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.noteLetter(name, found[name]); err != nil {
			return err
		}
	}
	for name, e := range f.items {
		if !e.removed && e.look != f.looks {
			f.note(name, entry{removed: true})
		}
	}
	return nil
}

// noteLetter writes down a message's state. f.mu is held.
func (f *folder) noteLetter(name string, l letter) error {
	e := entry{revision: l.revision(), look: f.looks}
	if was, known := f.items[name]; known && !was.removed && !was.received.IsZero() {
		e.received = was.received
	} else {
		info, err := f.Lstat(l.path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // renamed or gone: the next look will tell
		case err != nil:
			return err
		default:
			e.received = info.ModTime().Truncate(time.Second)
		}
	}
	f.note(name, e)
	return nil
}

// letter finds a message.
func (f *folder) letter(op string, id backend.ItemID, rev backend.Revision) (string, letter, error) {
	name, ok := fileName(string(id))
	if !ok {
		return "", letter{}, backend.Errorf(backend.NotFound, op, "no message %.80q", id)
	}
	all, err := f.letters()
	if err != nil {
		return "", letter{}, failure(op, err)
	}
	l, ok := all[name]
	switch {
	case !ok:
		return "", letter{}, backend.Errorf(backend.NotFound, op, "no message %.80q", id)
	case rev != "" && rev != l.revision():
		return "", letter{}, backend.Errorf(backend.Conflict, op, "%q is at another revision", name)
	}
	return name, l, nil
}

// readLetter reads a message, with lines that end as they do on the wire.
func (f *folder) readLetter(l letter) ([]byte, error) {
	body, err := f.read(l.path)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(body, []byte("\n")); n > bytes.Count(body, []byte("\r\n")) {
		body = bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	return body, nil
}

// createLetter writes a new message, or answers the one that is there.
func (f *folder) createLetter(op string, it backend.Item) (backend.Item, error) {
	if !newName(it.ID) {
		return backend.Item{}, backend.Errorf(backend.Invalid, op, "%.80q is not a name for a new message", it.ID)
	}
	name, l, err := f.letter(op, it.ID, "")
	switch {
	case err == nil:
		return backend.Item{ID: backend.ItemID(name), Revision: l.revision()}, backend.Errorf(backend.Conflict, op, "%q is there already", name)
	case backend.KindOf(err) != backend.NotFound:
		return backend.Item{}, err
	}
	return f.addLetter(op, string(it.ID), it.Body, it.Flags)
}

// addLetter writes a message under a name that is free.
func (f *folder) addLetter(op, name string, body []byte, flags []string) (backend.Item, error) {
	info, err := f.info(backend.Flags(flags))
	if err != nil {
		return backend.Item{}, failure(op, err)
	}
	for _, dir := range []string{"cur", "new", "tmp"} {
		if err := f.make(dir); err != nil {
			return backend.Item{}, failure(op, err)
		}
	}
	to := "cur/" + name + infoMark + info
	if len(flags) == 0 {
		to = "new/" + name
	}
	err = f.writeIn("tmp/", body, newMode, func(from string) error { return f.Rename(from, to) })
	if err != nil {
		return backend.Item{}, failure(op, err)
	}
	return f.noted(op, name)
}

// make makes one of the directories of a mail folder, unless it is there.
func (f *folder) make(directory string) error {
	if err := f.Mkdir(directory, newDirectoryMode); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// noted notes a message as it is now, so that it is not taken for news of
// somebody else's.
func (f *folder) noted(op, name string) (backend.Item, error) {
	all, err := f.letters()
	if err != nil {
		return backend.Item{}, failure(op, err)
	}
	l, ok := all[name]
	if !ok {
		return backend.Item{}, backend.Errorf(backend.NotFound, op, "%q went meanwhile", name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.noteLetter(name, l); err != nil {
		return backend.Item{}, failure(op, err)
	}
	return backend.Item{ID: backend.ItemID(idOf(name)), Revision: l.revision()}, nil
}

// removeLetter removes a message.
func (f *folder) removeLetter(op string, id backend.ItemID, rev backend.Revision) error {
	name, l, err := f.letter(op, id, rev)
	if err != nil {
		return err
	}
	if err := f.Remove(l.path); errors.Is(err, fs.ErrNotExist) {
		return backend.Errorf(backend.NotFound, op, "no message %.80q", name)
	} else if err != nil {
		return failure(op, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(name, entry{removed: true})
	return nil
}

// moveLetter gives a message's file a name in another folder.
func (s *Session) moveLetter(op string, a, b *folder, id backend.ItemID) (backend.Item, error) {
	name, l, err := a.letter(op, id, "")
	if err != nil {
		return backend.Item{}, err
	}
	there, err := b.letters()
	if err != nil {
		return backend.Item{}, failure(op, err)
	}
	target := name
	for n := 2; ; n++ {
		if _, taken := there[target]; !taken {
			break
		}
		target = name[:min(len(name), maxFileName-60)] + "-" + strconv.Itoa(n)
	}
	info, err := b.info(l.flags)
	if err != nil {
		return backend.Item{}, failure(op, err)
	}
	home, err := s.home(op)
	if err != nil {
		return backend.Item{}, err
	}
	defer home.Close()
	if err := b.make("cur"); err != nil {
		return backend.Item{}, failure(op, err)
	}
	if err := home.Rename(path.Join(a.directory, l.path), path.Join(b.directory, "cur", target+infoMark+info)); err != nil {
		return backend.Item{}, failure(op, err)
	}
	a.mu.Lock()
	a.note(name, entry{removed: true})
	a.mu.Unlock()
	return b.noted(op, target)
}
