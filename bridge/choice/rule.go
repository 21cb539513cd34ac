package choice

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// MaxRule bounds a rule, in bytes: a folder's name, a user's and a phone's.
const MaxRule = 2048

// A Phone is whom folders are shown to.
type Phone struct {
	User, Device string
	Type         string // the DeviceType that it says
}

// A Rule is a pattern of folders, for some users and phones.
type Rule struct {
	text                 string
	user, device, folder string // patterns; empty fits everybody
}

// ParseRule reads "FOLDER", "USER: FOLDER" or "USER/DEVICE: FOLDER". In all
// three * stands for any text and ? for one character; capital letters mean
// small ones. DEVICE is a DeviceId or a DeviceType. FOLDER is a name, or a kind
// and a name, "events/Work"; a name with ": " in it is written behind "*: ".
func ParseRule(text string) (Rule, error) {
	r := Rule{text: text, folder: text}
	if who, folder, ok := strings.Cut(text, ": "); ok {
		r.folder = folder
		r.user, r.device, _ = strings.Cut(who, "/")
		if r.user == "" || strings.HasSuffix(who, "/") {
			return Rule{}, fmt.Errorf("choice: %.80q names nobody before the colon; write \"USER: FOLDER\" or \"USER/DEVICE: FOLDER\"", text)
		}
	}
	if strings.TrimSpace(r.folder) == "" {
		return Rule{}, fmt.Errorf("choice: %.80q names no folder", text)
	}
	if len(text) > MaxRule {
		return Rule{}, fmt.Errorf("choice: a rule of %d bytes, more than %d", len(text), MaxRule)
	}
	return r, nil
}

// String is the rule as it was written.
func (r Rule) String() string { return r.text }

// Fits tells whether a rule is about a folder on a phone.
func (r Rule) Fits(p Phone, f syncengine.Folder) bool {
	return r.fitsPhone(p) && fitsFolder(r.folder, f)
}

func (r Rule) fitsPhone(p Phone) bool {
	return (r.user == "" || match(r.user, p.User)) &&
		(r.device == "" || match(r.device, p.Device) || match(r.device, p.Type))
}

// FitsUser tells whether a rule is about a folder of a user, on whichever phone.
func (r Rule) FitsUser(user string, f syncengine.Folder) bool {
	return (r.user == "" || match(r.user, user)) && fitsFolder(r.folder, f)
}

// fitsFolder compares a pattern with a folder's name, and with its kind and name.
func fitsFolder(pattern string, f syncengine.Folder) bool {
	return match(pattern, f.Name) || match(pattern, string(f.Kind)+"/"+f.Name)
}

// match compares a text with a pattern, in a time that is the product of their
// lengths at most.
func match(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, at := -1, 0 // the last *, and how much of the text it has taken
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, at = i, j
			i++
		case i < len(p) && (p[i] == '?' || same(p[i], t[j])):
			i++
			j++
		case star >= 0:
			at++
			i, j = star+1, at
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func same(a, b rune) bool { return a == b || unicode.ToLower(a) == unicode.ToLower(b) }
