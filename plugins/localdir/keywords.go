package localdir

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// letterFlags are the letters of the flags that everybody knows.
var letterFlags = map[rune]string{
	'D': backend.FlagDraft, 'F': backend.FlagFlagged, 'P': backend.FlagForwarded, 'R': backend.FlagAnswered, 'S': backend.FlagSeen, 'T': backend.FlagDeleted,
}

// keywordsFile is where Dovecot keeps what the letters a to z mean.
const (
	keywordsFile = "dovecot-keywords"
	maxKeywords  = 26
)

// keywords reads what the letters a to z mean in this folder.
func (f *folder) keywords() ([]string, error) {
	file, err := f.Open(keywordsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxMeta))
	if err != nil {
		return nil, err // else letters would get another meaning
	}
	words := make([]string, 0, maxKeywords)
	for line := range strings.Lines(string(data)) {
		number, word, _ := strings.Cut(strings.TrimSpace(line), " ")
		if k, err := strconv.Atoi(number); err == nil && k >= 0 && k < maxKeywords && backend.ValidFlag(word) {
			for len(words) <= k {
				words = append(words, "")
			}
			words[k] = word
		}
	}
	return words, nil
}

func flagsOf(info string, words []string) []string {
	var flags []string
	for _, c := range info {
		if flag, ok := letterFlags[c]; ok {
			flags = append(flags, flag)
		} else if n := int(c - 'a'); n >= 0 && n < len(words) && words[n] != "" {
			flags = append(flags, words[n])
		}
	}
	return backend.Flags(flags)
}

// info writes flags as letters, and gives keywords letters while there are some.
func (f *folder) info(flags []string) (string, error) {
	words, err := f.keywords()
	if err != nil {
		return "", err
	}
	known := len(words)
	var letters []byte
	for _, flag := range flags {
		letter := byte(0)
		for c, name := range letterFlags {
			if strings.EqualFold(name, flag) {
				letter = byte(c)
			}
		}
		if n := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, flag) }); letter == 0 && n >= 0 {
			letter = 'a' + byte(n)
		}
		if letter == 0 && !strings.HasPrefix(flag, `\`) && len(words) < maxKeywords {
			letter = 'a' + byte(len(words))
			words = append(words, flag)
		}
		if letter != 0 {
			letters = append(letters, letter)
		}
	}
	slices.Sort(letters)
	if len(words) == known {
		return string(letters), nil
	}
	var text bytes.Buffer
	for n, w := range words {
		if w != "" {
			text.WriteString(strconv.Itoa(n) + " " + w + "\n")
		}
	}
	return string(letters), f.write(keywordsFile, text.Bytes(), newMode, func(from string) error { return f.Rename(from, keywordsFile) })
}
