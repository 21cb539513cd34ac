package localdir

import (
	"os"
	"syscall"
)

// stampOf reads a file's stamp. The time of the last change of the inode
// cannot be set back by those who set the time of modification.
func stampOf(info os.FileInfo) stamp {
	s := stamp{size: info.Size(), modified: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode, s.changed = st.Ino, st.Ctim.Nano()
	}
	return s
}
