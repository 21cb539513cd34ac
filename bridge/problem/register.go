package problem

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// MaxPerUser bounds the problems of one person: an import that went wrong
	// is a few hundred, and nobody reads on after that.
	MaxPerUser = 500

	// MaxAll bounds all of them. With names of ordinary length that is a
	// megabyte or two of memory.
	MaxAll = 5000
)

// A Register knows the problems. Its methods may be called from many
// goroutines at a time.
type Register struct {
	store  Store
	mirror Mirror

	writing sync.Mutex // held by who changes store and memory, in this order

	mu    sync.RWMutex
	users map[string]map[Object]Problem
	count int
}

// Open builds a register from what the store has.
func Open(ctx context.Context, s Store, m Mirror) (*Register, error) {
	if s == nil || m == nil {
		panic("problem: a Store and a Mirror are required")
	}
	list, err := s.Problems(ctx)
	if err != nil {
		return nil, fmt.Errorf("problem: reading the register: %w", err)
	}
	r := &Register{store: s, mirror: m, users: make(map[string]map[Object]Problem)}
	r.apply(list, nil)
	return r, nil
}

// A Folder names the collection that objects are in.
type Folder struct {
	User       string
	Backend    string
	Collection backend.CollectionID
	ID         syncengine.FolderID
}

func (f Folder) object(id backend.ItemID) Object { return Object{f.User, f.Backend, f.Collection, id} }

// Note takes what came of some objects of a folder: those that failed, and
// those with which nothing is wrong. It answers the failures that are news: nobody knew of
// the object, or it failed for another reason.
func (r *Register) Note(ctx context.Context, f Folder, failed []Failure, fine []backend.ItemID) (news []Problem, err error) {
	if len(failed) == 0 && !r.knowsAny(f, fine) {
		return nil, nil // nearly always
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	now := time.Now()
	was := r.of(f.User)
	change := newChange(was)
	for _, x := range failed {
		p, known := was[f.object(x.ID)]
		if !known {
			p = Problem{Object: f.object(x.ID), FirstSeen: now}
		}
		isNews := !known || p.Kind != x.Kind || p.Reason != x.Reason
		p.Folder, p.Kind, p.Reason, p.LastSeen, p.Count = f.ID, x.Kind, x.Reason, now, p.Count+1
		change.save[p.Object] = p
		if isNews {
			news = append(news, p)
		}
	}
	for _, id := range fine {
		change.drop(f.object(id))
	}
	r.bound(change)
	return news, r.commit(ctx, change)
}

// Count is the number of problems, of all people.
func (r *Register) Count() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.count
}

// List answers the problems of a person, or of everybody if user is empty, the
// one seen last first. Those whose object is gone are forgotten.
func (r *Register) List(ctx context.Context, user string) ([]Problem, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	var list []Problem
	gone := newChange(nil)
	for _, name := range r.names(user) {
		was := r.of(name)
		left, err := r.there(ctx, name, was)
		if err != nil {
			return nil, err
		}
		for o, p := range was {
			if left[o] {
				list = append(list, p)
			} else {
				gone.forget[o] = true
			}
		}
	}
	slices.SortFunc(list, func(a, b Problem) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.User, b.User), cmp.Compare(a.Backend, b.Backend),
			cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.ID, b.ID))
	})
	return list, r.commit(ctx, gone)
}

// there finds out which of a person's objects there still are.
func (r *Register) there(ctx context.Context, user string, all map[Object]Problem) (map[Object]bool, error) {
	folders := make(map[syncengine.FolderID][]Object)
	for o, p := range all {
		folders[p.Folder] = append(folders[p.Folder], o)
	}
	left := make(map[Object]bool, len(all))
	for f, objects := range folders {
		ids := make([]backend.ItemID, len(objects))
		for i, o := range objects {
			ids[i] = o.ID
		}
		there, err := r.mirror.There(ctx, user, f, ids)
		if err != nil {
			return nil, fmt.Errorf("problem: looking what is gone: %w", err)
		}
		for _, o := range objects {
			left[o] = slices.Contains(there, o.ID)
		}
	}
	return left, nil
}

// knowsAny tells whether one of the items is in the register.
func (r *Register) knowsAny(f Folder, ids []backend.ItemID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := r.users[f.User]
	return len(all) > 0 && slices.ContainsFunc(ids, func(id backend.ItemID) bool {
		_, known := all[f.object(id)]
		return known
	})
}

// of answers a copy of a person's problems.
func (r *Register) of(user string) map[Object]Problem {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return maps.Clone(r.users[user])
}

// names lists those who have problems, or the one person who is asked for.
func (r *Register) names(user string) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if user != "" {
		return []string{user}
	}
	return slices.Collect(maps.Keys(r.users))
}

// commit writes a change down, and then believes it.
func (r *Register) commit(ctx context.Context, c *change) error {
	save, forget := slices.Collect(maps.Values(c.save)), slices.Collect(maps.Keys(c.forget))
	if len(save) == 0 && len(forget) == 0 {
		return nil
	}
	// A phone that hangs up does not make it untrue.
	if err := r.store.ChangeProblems(context.WithoutCancel(ctx), save, forget); err != nil {
		return fmt.Errorf("problem: storing: %w", err)
	}
	r.apply(save, forget)
	return nil
}

// apply changes what is in memory.
func (r *Register) apply(save []Problem, forget []Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range save {
		of := r.users[p.User]
		if of == nil {
			of = make(map[Object]Problem)
			r.users[p.User] = of
		}
		if _, known := of[p.Object]; !known {
			r.count++
		}
		of[p.Object] = p
	}
	for _, o := range forget {
		of := r.users[o.User]
		if _, known := of[o]; known {
			r.count--
			delete(of, o)
		}
		if len(of) == 0 {
			delete(r.users, o.User)
		}
	}
}
