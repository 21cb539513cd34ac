//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/store/sqlite"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// child is the variable that makes this test's program play one part in a
// process of its own: "writes PATH" or "fills PATH".
const child = "PUSHBRIDGE_SQLITE_CHILD"

func TestMain(m *testing.M) {
	part, path, ok := strings.Cut(os.Getenv(child), " ")
	if !ok {
		os.Exit(m.Run())
	}
	err := errors.New("no such part")
	switch part {
	case "writes":
		err = writes(path)
	case "fills":
		err = fills(path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// play starts this program in a part. It is killed when the test ends.
func play(t *testing.T, part, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), child+"="+part+" "+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// writers is how many people write at a time: so many that commits are shared.
const writers = 8

// step is one Update: another item of the user's folder, and the count of them
// in the mirror. The two never differ in a state that a whole number of steps
// led to. It answers the count.
func step(ctx context.Context, s syncengine.Store, user string) (count int64, err error) {
	err = s.Update(ctx, user, func(w syncengine.Writer) error {
		f, err := folderOf(ctx, w, user)
		if err != nil {
			return err
		}
		if f == 0 {
			f, err = w.SaveFolder(ctx, syncengine.FolderRecord{Folder: syncengine.Folder{User: user, Backend: "dav", Collection: "/x/"}})
			if err != nil {
				return err
			}
		}
		m, err := w.Mirror(ctx, f)
		if err != nil {
			return err
		}
		m.Sequence++
		m.Numbers++
		count = m.Sequence
		if err := w.SaveMirror(ctx, f, m); err != nil {
			return err
		}
		return w.SaveItems(ctx, f, []syncengine.Item{{
			Number: m.Numbers, Sequence: m.Sequence, ID: backend.ItemID(fmt.Sprint(count)), Revision: "1",
		}})
	})
	return count, err
}

func folderOf(ctx context.Context, r syncengine.Reader, user string) (syncengine.FolderID, error) {
	list, err := r.Folders(ctx, user)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return list[0].ID, nil
}

// steps counts a user's steps, and complains if one is there by half.
func steps(ctx context.Context, s syncengine.Store, user string) (int64, error) {
	f, err := folderOf(ctx, s, user)
	if err != nil || f == 0 {
		return 0, err
	}
	m, err := s.Mirror(ctx, f)
	if err != nil {
		return 0, err
	}
	items := int64(0)
	if err := s.Numbers(ctx, f, func(syncengine.Number, int64) { items++ }); err != nil {
		return 0, err
	}
	if items != m.Sequence {
		return 0, fmt.Errorf("the mirror of %s says %d, and there are %d items", user, m.Sequence, items)
	}
	return items, nil
}

func userName(i int) string { return fmt.Sprintf("user-%d", i) }

// writes takes steps until the process is killed, and says what is committed.
func writes(path string) error {
	db, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	for i := range writers {
		all.Go(func() {
			for {
				n, err := step(context.Background(), db.Sync(), userName(i))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(userName(i), n)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return nil
}

// TestKilled kills a process that writes, again and again, at moments that
// nobody chose: everything that it said was committed is there, and nothing by
// half.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	said := map[string]int64{}
	for range 4 {
		cmd, lines := play(t, "writes", path)
		for range 1 + rand.IntN(300) {
			if !lines.Scan() {
				t.Fatalf("the process ended by itself: %v, %v", lines.Err(), cmd.Wait())
			}
			note(t, said, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died
			note(t, said, lines.Text())
		}
		_ = cmd.Wait() // "killed"
		db, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatalf("after the process was killed: %v", err)
		}
		for user, n := range said {
			got, err := steps(t.Context(), db.Sync(), user)
			if err != nil || got < n {
				t.Errorf("%s was told of %d commits, and %d are there, %v", user, n, got, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// note takes a line "user count". The last one may be cut off.
func note(t *testing.T, said map[string]int64, line string) {
	var user string
	var n int64
	if _, err := fmt.Sscan(line, &user, &n); err != nil {
		return
	}
	if n <= said[user] {
		t.Errorf("%s was told of commit %d after %d", user, n, said[user])
	}
	said[user] = n
}

// room is how large files can become for fills, in bytes. The state of its few
// users needs less, the log of its commits soon more.
const room = 512 << 10

// fills takes steps until files cannot grow any more, then makes room, and
// complains of anything that is not as it should be.
func fills(path string) error {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	defer db.Close()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	few := limit
	few.Cur = room
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &few); err != nil {
		return err
	}
	done := make([]int64, writers)
	check := func(when string) error {
		for i := range done {
			got, err := steps(ctx, db.Sync(), userName(i))
			if err != nil || got != done[i] {
				return fmt.Errorf("%s: %s committed %d times, and %d are there, %v", when, userName(i), done[i], got, err)
			}
		}
		return nil
	}
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for errs[i] == nil {
				var n int64
				if n, errs[i] = step(ctx, db.Sync(), userName(i)); errs[i] == nil {
					done[i] = n
				}
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if backend.KindOf(err) != backend.Transient {
			return fmt.Errorf("a full disk answers %w, want kind %v", err, backend.Transient)
		}
	}
	if err := check("on the full disk"); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for i := range done {
		if done[i], err = step(ctx, db.Sync(), userName(i)); err != nil {
			return fmt.Errorf("when there is room again: %w", err)
		}
	}
	return check("when there is room again")
}

// TestFullDisk is about a process whose files cannot grow: a limit of its own
// stands for the disk.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	cmd, lines := play(t, "fills", path)
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the process that filled the disk: %v", err)
	}
	db := open(t, path)
	for i := range writers {
		if n, err := steps(t.Context(), db.Sync(), userName(i)); err != nil || n == 0 {
			t.Errorf("afterwards %s has %d steps, %v", userName(i), n, err)
		}
	}
}
