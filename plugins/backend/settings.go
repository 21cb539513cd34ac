package backend

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Settings are the part of the configuration that belongs to a backend,
// untouched: strings, booleans, numbers, lists and tables of those by key.
type Settings map[string]any

// String names the keys and hides the values, any of which may be a secret.
func (s Settings) String() string {
	return "{" + strings.Join(slices.Sorted(maps.Keys(s)), ", ") + "}"
}

// GoString hides the values from %#v, too.
func (s Settings) GoString() string { return "backend.Settings" + s.String() }

// LogValue hides the values from log/slog.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON hides the values from dumps. What a plugin is told is a plain
// map.
func (s Settings) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// A SettingsError says everything that is wrong with Settings.
type SettingsError struct {
	Problems []SettingsProblem // in the order of their keys
}

// A SettingsProblem is what is wrong with one key.
type SettingsProblem struct {
	Key string // "tls.timeout", "urls[2]"
	Why string // "is not known; did you mean \"url\"?"
}

// Error lists the problems, separated by "; ".
func (e *SettingsError) Error() string {
	lines := make([]string, len(e.Problems))
	for n, p := range e.Problems {
		lines[n] = p.Key + " " + p.Why
	}
	return strings.Join(lines, "; ")
}

// Decode writes the settings into the struct that target points to and
// reports every unknown, missing and mistyped key at once in a *SettingsError.
//
// A field takes the key of its tag, `setting:"url"`, and must be there and not
// empty if that says `setting:"url,required"`. Fields may be strings, booleans,
// integers, floats, time.Duration (written "90s"), whatever implements
// encoding.TextUnmarshaler, and structs, pointers, lists and string-keyed maps
// of these. A field whose key is absent keeps the value that it had.
func (s Settings) Decode(target any) error {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("backend: Settings.Decode into %T, want a pointer to a struct", target))
	}
	var d settingsDecoder
	d.table("", s, v.Elem())
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b SettingsProblem) int { return strings.Compare(a.Key, b.Key) })
	return &SettingsError{Problems: d.problems}
}

type settingsDecoder struct{ problems []SettingsProblem }

func (d *settingsDecoder) complain(key, format string, args ...any) {
	d.problems = append(d.problems, SettingsProblem{Key: key, Why: fmt.Sprintf(format, args...)})
}

func (d *settingsDecoder) table(prefix string, table map[string]any, v reflect.Value) {
	known := make(map[string]bool)
	for n := range v.NumField() {
		tag, ok := v.Type().Field(n).Tag.Lookup("setting")
		if !ok {
			continue
		}
		key, option, _ := strings.Cut(tag, ",")
		known[key] = true
		value, there := table[key]
		if there {
			d.value(prefix+key, value, v.Field(n))
		}
		if option == "required" && (!there || value == "") {
			d.complain(prefix+key, "must be set")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if known[key] {
			continue
		}
		if near := nearest(key, known); near != "" {
			d.complain(prefix+key, "is not known; did you mean %q?", near)
		} else {
			d.complain(prefix+key, "is not known; the known keys are %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
}

func (d *settingsDecoder) value(key string, in any, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(key, in, v.Elem())
		return
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d.duration(key, in, v)
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		text, ok := in.(string)
		if !ok {
			d.complain(key, "is %s, want a text", describe(in))
		} else if err := u.UnmarshalText([]byte(text)); err != nil {
			d.complain(key, "is %q: %v", text, err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		d.nested(key, in, v)
	case reflect.Slice:
		list := reflect.ValueOf(in)
		if !list.IsValid() || list.Kind() != reflect.Slice {
			d.complain(key, "is %s, want a list", describe(in))
			return
		}
		out := reflect.MakeSlice(v.Type(), list.Len(), list.Len())
		for n := range list.Len() {
			d.value(fmt.Sprintf("%s[%d]", key, n), list.Index(n).Interface(), out.Index(n))
		}
		v.Set(out)
	default:
		d.scalar(key, in, v)
	}
}

func (d *settingsDecoder) nested(key string, in any, v reflect.Value) {
	table, ok := in.(map[string]any)
	if !ok {
		d.complain(key, "is %s, want a table", describe(in))
		return
	}
	if v.Kind() == reflect.Struct {
		d.table(key+".", table, v)
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(table))
	for name, in := range table {
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(key+"."+name, in, element)
		out.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), element)
	}
	v.Set(out)
}

func (d *settingsDecoder) duration(key string, in any, v reflect.Value) {
	text, ok := in.(string)
	if !ok {
		d.complain(key, `is %s, want a length of time such as "90s" or "5m"`, describe(in))
		return
	}
	length, err := time.ParseDuration(text)
	if err != nil || length < 0 {
		d.complain(key, `is %q, want a length of time such as "90s" or "5m"`, text)
		return
	}
	v.SetInt(int64(length))
}

func (d *settingsDecoder) scalar(key string, in any, v reflect.Value) {
	switch kind := v.Kind(); {
	case kind == reflect.String:
		if text, ok := in.(string); ok {
			v.SetString(text)
			return
		}
		d.complain(key, "is %s, want a text", describe(in))
	case kind == reflect.Bool:
		if yes, ok := in.(bool); ok {
			v.SetBool(yes)
			return
		}
		d.complain(key, "is %s, want true or false", describe(in))
	case v.CanFloat():
		if f, ok := number(in); ok {
			v.SetFloat(f)
			return
		}
		d.complain(key, "is %s, want a number", describe(in))
	case v.CanInt() || v.CanUint():
		// A float64 carries every whole number up to 2^53, which is
		// more than any setting needs.
		f, ok := number(in)
		switch {
		case !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53:
			d.complain(key, "is %s, want a whole number", describe(in))
		case v.CanInt() && !v.OverflowInt(int64(f)):
			v.SetInt(int64(f))
		case v.CanUint() && f >= 0 && !v.OverflowUint(uint64(f)):
			v.SetUint(uint64(f))
		default:
			d.complain(key, "is %v, which is out of range", in)
		}
	default:
		panic(fmt.Sprintf("backend: setting %s has the type %s", key, v.Type()))
	}
}

func number(in any) (float64, bool) {
	if n, ok := in.(json.Number); ok {
		f, err := n.Float64()
		return f, err == nil
	}
	v := reflect.ValueOf(in)
	switch {
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}

// describe names a value for a person. A text is not repeated in full, for it
// may be a secret in the wrong place.
func describe(in any) string {
	switch in := in.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case bool:
		return fmt.Sprint(in)
	case map[string]any:
		return "a table"
	}
	if _, ok := number(in); ok {
		return fmt.Sprint(in)
	}
	if reflect.TypeOf(in).Kind() == reflect.Slice {
		return "a list"
	}
	return fmt.Sprintf("a %T", in)
}

// nearest answers the known key that a person most likely meant, or nothing.
func nearest(key string, known map[string]bool) string {
	best, distance := "", 1+max(1, len(key)/3)
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if d := editDistance(key, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance counts the letters to insert, remove, replace or swap.
func editDistance(a, b string) int {
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, old, row = old, row, older
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
