package profile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A taker checks a value and writes it into a rule, or says what it is ("17")
// and what to write instead.
type taker func(*rule, any) (wrong, remedy string)

const (
	// maxPattern bounds a regular expression, in bytes.
	maxPattern = 1000

	// maxName bounds a rule's name, in bytes: it is a cell of a list.
	maxName = 64

	// mostTimeout is longer than any phone waits for an answer.
	mostTimeout = time.Hour

	// maxWindow is the largest WindowSize. See [MS-ASCMD] "WindowSize".
	maxWindow = 512
)

// fileAs are the rules by name.
var fileAs = map[string]translate.FileAs{
	"formatted": translate.FileAsFormatted, "last_first": translate.FileAsLastFirst,
	"first_last": translate.FileAsFirstLast, "company": translate.FileAsCompany,
}

// keys are all that may stand in a rule.
var keys = map[string]taker{
	"device_type": pattern(func(r *rule) **regexp.Regexp { return &r.deviceType }),
	"user_agent":  pattern(func(r *rule) **regexp.Regexp { return &r.userAgent }),
	"device_id":   pattern(func(r *rule) **regexp.Regexp { return &r.deviceID }),

	"name":                    sets("name", "write a name of at most 64 bytes in quotes", aName, func(p *Profile, s string) { p.Name = s }),
	"birthday_hour":           sets("birthday_hour", "write a whole number from 0 to 23", number(0, 23), func(p *Profile, n int) { p.BirthdayHour = n }),
	"empty_picture_removes":   boolean("empty_picture_removes", func(p *Profile, b bool) { p.EmptyPictureRemoves = b }),
	"file_as":                 sets("file_as", `write "formatted", "last_first", "first_last" or "company"`, aFileAs, func(p *Profile, f translate.FileAs) { p.FileAs = f }),
	"empty_supported_is_none": boolean("empty_supported_is_none", func(p *Profile, b bool) { p.EmptySupportedIsNone = b }),
	"other_contacts_unknown":  boolean("other_contacts_unknown", func(p *Profile, b bool) { p.OtherContactsUnknown = b }),
	"merge":                   sets("merge", `write a list of "contacts", "events", "tasks" and "notes", or [] for none`, someKinds, func(p *Profile, k Kinds) { p.Merged = k }),
	"timeout":                 sets("timeout", `write a text such as "30s" or "4m", up to an hour, or "0s" for none`, aTimeout, func(p *Profile, d time.Duration) { p.Timeout = d }),
	"max_version":             sets("max_version", `write one of the versions, such as "14.1"`, aVersion, func(p *Profile, v eas.Version) { p.MaxVersion = v }),
	"max_window":              sets("max_window", "write a whole number from 1 to 512, or 0 for what the phone asks for", number(0, maxWindow), func(p *Profile, n int) { p.MaxWindow = n }),
	"no_gzip":                 boolean("no_gzip", func(p *Profile, b bool) { p.NoGzip = b }),
}

// known are the keys in order.
func known() []string { return slices.Sorted(maps.Keys(keys)) }

// pattern takes a regular expression.
func pattern(to func(*rule) **regexp.Regexp) taker {
	return func(r *rule, v any) (wrong, remedy string) {
		s, ok := v.(string)
		if !ok || s == "" || len(s) > maxPattern {
			return describe(v), "write a regular expression in single quotes: '^SAMSUNG'"
		}
		compiled, err := regexp.Compile("(?i:" + s + ")")
		if err != nil {
			return fmt.Sprintf("%.80q, which is no regular expression (%s)", s, reason(err)), "see https://pkg.go.dev/regexp/syntax for how to write one"
		}
		*to(r) = compiled
		return "", ""
	}
}

// reason is what is wrong with a regular expression, without the expression.
func reason(err error) string {
	text := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	text, _, _ = strings.Cut(text, ": `")
	return text
}

// sets takes a value that parse understands.
func sets[T any](key, remedy string, parse func(any) (T, bool), to func(*Profile, T)) taker {
	return func(r *rule, v any) (string, string) {
		value, ok := parse(v)
		if !ok {
			return describe(v), remedy
		}
		r.settings = append(r.settings, setting{key, func(p *Profile) { to(p, value) }})
		return "", ""
	}
}

func boolean(key string, to func(*Profile, bool)) taker {
	return sets(key, "write true or false", func(v any) (bool, bool) { b, ok := v.(bool); return b, ok }, to)
}

func number(least, most int) func(any) (int, bool) {
	return func(v any) (int, bool) {
		n, ok := v.(int64)
		return int(n), ok && n >= int64(least) && n <= int64(most)
	}
}

func aName(v any) (string, bool) {
	s, ok := v.(string)
	return s, ok && s != "" && len(s) <= maxName && strings.Map(printable, s) == s
}

func aFileAs(v any) (translate.FileAs, bool) {
	s, _ := v.(string)
	f, ok := fileAs[s]
	return f, ok
}

func someKinds(v any) (Kinds, bool) {
	list, ok := v.([]any)
	var set Kinds
	for _, e := range list {
		name, _ := e.(string)
		i := slices.Index(mergeable, backend.CollectionKind(name))
		if i < 0 {
			return 0, false
		}
		set |= 1 << i
	}
	return set, ok
}

func aTimeout(v any) (time.Duration, bool) {
	s, _ := v.(string)
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= 0 && d <= mostTimeout
}

func aVersion(v any) (eas.Version, bool) {
	s, _ := v.(string)
	version, err := eas.ParseVersion(s)
	return version, err == nil
}

// describe names a value for a person.
func describe(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%.80q", v)
	case bool, int64, float64:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}
