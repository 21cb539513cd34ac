package phone

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// FolderClasses are the words for what a folder holds, and the types that phones
// make. See [MS-ASCMD] "Type (FolderCreate)".
var FolderClasses = map[string]eas.FolderType{
	"contacts": eas.FolderUserContacts, "calendar": eas.FolderUserCalendar, "tasks": eas.FolderUserTasks, "notes": eas.FolderUserNotes,
}

// An UnknownError means that the phone holds nothing by a name, or several things.
type UnknownError struct {
	What  string // "folder" or "item"
	Name  string
	Found int
}

func (e *UnknownError) Error() string {
	if e.Found > 1 {
		return fmt.Sprintf("there are %d %ss called %q; say which by its id", e.Found, e.What, e.Name)
	}
	return fmt.Sprintf("there is no %s %q", e.What, e.Name)
}

// CreateFolder makes a folder for a class of FolderClasses, at the top or inside of
// another one, and says what id it has.
func CreateFolder(ctx context.Context, w io.Writer, c Config, class, name, parent string) error {
	p, err := c.arranger(ctx)
	if err != nil {
		return err
	}
	inside := eas.RootFolder
	if parent != "" {
		f, err := p.named(parent)
		if err != nil {
			return err
		}
		inside = f.ServerID
	}
	id, err := p.CreateFolder(ctx, inside, name, FolderClasses[class])
	if err != nil {
		return Explain(err)
	}
	fmt.Fprintf(w, "Made the folder %q for %s, with the id %s.\n", name, class, id)
	return beware(w, p)
}

// RenameFolder gives a folder, which is told by its id or name, another name.
func RenameFolder(ctx context.Context, w io.Writer, c Config, folder, name string) error {
	p, f, err := c.arranged(ctx, folder)
	if err != nil {
		return err
	}
	if err := p.RenameFolder(ctx, f.ServerID, "", name); err != nil {
		return Explain(err)
	}
	fmt.Fprintf(w, "The folder %s, which was %q, is called %q.\n", f.ServerID, f.DisplayName, name)
	return beware(w, p)
}

// DeleteFolder deletes a folder with all that is in it.
func DeleteFolder(ctx context.Context, w io.Writer, c Config, folder string) error {
	p, f, err := c.arranged(ctx, folder)
	if err != nil {
		return err
	}
	if err := p.DeleteFolder(ctx, f.ServerID); err != nil {
		return Explain(err)
	}
	fmt.Fprintf(w, "Deleted the folder %s, %q, with all that was in it.\n", f.ServerID, f.DisplayName)
	return beware(w, p)
}

// MoveItem moves an item, which is told by its id or title, to a folder.
func MoveItem(ctx context.Context, w io.Writer, c Config, item, folder string) error {
	p, to, err := c.arranged(ctx, folder)
	if err != nil {
		return err
	}
	if _, err := p.Sync(ctx); err != nil {
		return Explain(err)
	}
	from, id, err := p.item(item)
	if err != nil {
		return err
	}
	title := Title(from.Items[id])
	out, err := p.Move(ctx, from.ServerID, to.ServerID, id)
	if err != nil {
		return Explain(err)
	}
	for _, o := range out {
		if o.Status != eas.MoveOK {
			return Explain(&StatusError{Command: eas.CmdMoveItems, Status: int(o.Status)})
		}
		fmt.Fprintf(w, "Moved %q from %q to %q, where it has the id %s.\n", title, from.DisplayName, to.DisplayName, o.DstMsgID)
	}
	return beware(w, p)
}

// arranger is a phone that knows its folders.
func (c *Config) arranger(ctx context.Context) (*Phone, error) {
	p, err := c.connect(ctx, "folder")
	if err != nil {
		return nil, err
	}
	if _, err := p.FolderSync(ctx); err != nil {
		return nil, Explain(err)
	}
	return p, nil
}

func (c *Config) arranged(ctx context.Context, folder string) (*Phone, Folder, error) {
	p, err := c.arranger(ctx)
	if err != nil {
		return nil, Folder{}, err
	}
	f, err := p.named(folder)
	return p, f, err
}

// named finds a folder by its id or, if it is the only one, by its name.
func (p *Phone) named(name string) (Folder, error) {
	var found []Folder
	for _, f := range p.Folders() {
		if f.ServerID == name {
			return f, nil
		}
		if strings.EqualFold(f.DisplayName, name) {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		return Folder{}, &UnknownError{"folder", name, len(found)}
	}
	return found[0], nil
}

// item finds an item by its id or, if it is the only one, by its title.
func (p *Phone) item(name string) (from Folder, id string, err error) {
	found := 0
	for _, f := range p.Folders() {
		if _, ok := f.Items[name]; ok {
			return f, name, nil
		}
		for _, one := range slices.Sorted(maps.Keys(f.Items)) {
			if Title(f.Items[one]) == name {
				found++
				from, id = f, one
			}
		}
	}
	if found != 1 {
		return Folder{}, "", &UnknownError{"item", name, found}
	}
	return from, id, nil
}
