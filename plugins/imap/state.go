package imap

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"
	"sync"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// A state is which messages a folder had, for servers that cannot tell later
// what has changed since.
type state struct {
	uids  []uint32 // in order
	flags []uint64 // of each, if the server does not count changes
}

func newState(withFlags bool) *state {
	st := new(state)
	if withFlags {
		st.flags = make([]uint64, 0, 64)
	}
	return st
}

// note adds a message; one that is marked as \Deleted is none.
func (st *state) note(m *imapconn.Message) {
	flags := backend.Flags(m.Flags)
	if st.flags != nil {
		if gone(flags) {
			return
		}
		sum := sha256.Sum256([]byte(revision(flags)))
		st.flags = append(st.flags, binary.BigEndian.Uint64(sum[:]))
	}
	st.uids = append(st.uids, m.UID)
}

// digest is a short name of the state.
func (st *state) digest() string {
	st.sort()
	h := sha256.New()
	var b [12]byte
	for n, uid := range st.uids {
		binary.BigEndian.PutUint32(b[:], uid)
		if st.flags != nil {
			binary.BigEndian.PutUint64(b[4:], st.flags[n])
		}
		h.Write(b[:])
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// sort puts the messages in order, in which most servers name them.
func (st *state) sort() {
	if slices.IsSorted(st.uids) {
		return
	}
	order := make([]int, len(st.uids))
	for n := range order {
		order[n] = n
	}
	slices.SortFunc(order, func(a, b int) int { return int(int64(st.uids[a]) - int64(st.uids[b])) })
	uids, flags := make([]uint32, len(order)), make([]uint64, len(st.flags))
	for n, k := range order {
		uids[n] = st.uids[k]
		if st.flags != nil {
			flags[n] = st.flags[k]
		}
	}
	st.uids = uids
	if st.flags != nil {
		st.flags = flags
	}
}

// with is a state with more messages.
func (st *state) with(uids []uint32) *state {
	all := slices.Concat(st.uids, uids)
	slices.Sort(all)
	return &state{uids: slices.Compact(all)}
}

// since calls removed and changed for what is different from an older state.
func (st *state) since(before *state, removed, changed func(uint32) error) error {
	for _, uid := range before.uids {
		if _, there := slices.BinarySearch(st.uids, uid); !there {
			if err := removed(uid); err != nil {
				return err
			}
		}
	}
	for n, uid := range st.uids {
		k, there := slices.BinarySearch(before.uids, uid)
		if there && before.flags[k] == st.flags[n] {
			continue
		}
		if err := changed(uid); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of the states that are remembered of one person.
const (
	maxStates    = 64
	maxStateUIDs = 500_000 // in all of them: 6 MB
)

// maxAllUIDs bounds the states of all people together: 360 MB. Beyond it they are
// forgotten of those who were not seen for the longest time, whose folders are
// then listed anew.
const maxAllUIDs = 30_000_000

// states are the latest states of a person's folders. The zero value is ready
// for use.
type states struct {
	mu   sync.Mutex
	list []namedState // the oldest first
}

type namedState struct {
	folder backend.CollectionID
	cursor string
	state  *state
}

// find answers the state of a folder at a cursor, or nil.
func (s *states) find(folder backend.CollectionID, cursor string) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.list {
		if n.folder == folder && n.cursor == cursor {
			return n.state
		}
	}
	return nil
}

// keep remembers a state, and forgets the oldest of what is too much.
func (s *states) keep(folder backend.CollectionID, cursor string, st *state) {
	st.sort()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = slices.DeleteFunc(s.list, func(n namedState) bool { return n.folder == folder && n.cursor == cursor })
	s.list = append(s.list, namedState{folder, cursor, st})
	size := 0
	for _, n := range s.list {
		size += len(n.state.uids)
	}
	for len(s.list) > 1 && (len(s.list) > maxStates || size > maxStateUIDs) {
		size -= len(s.list[0].state.uids)
		s.list = s.list[1:]
	}
}

// size is how many messages the states have.
func (s *states) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := 0
	for _, n := range s.list {
		size += len(n.state.uids)
	}
	return size
}

func (s *states) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = nil
}

// bound forgets states until those of all people have no more messages than a
// limit. Those of the person who was seen last stay.
func (s *store) bound(limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	sizes := make(map[*person]int)
	for _, p := range s.people {
		if n := p.states.size(); n > 0 {
			sizes[p] = n
			total += n
		}
	}
	if total <= limit {
		return
	}
	byUse := slices.SortedFunc(maps.Keys(sizes), func(a, b *person) int { return a.used.Compare(b.used) })
	for _, p := range byUse[:len(byUse)-1] {
		if total <= limit {
			return
		}
		p.states.clear()
		total -= sizes[p]
	}
}
