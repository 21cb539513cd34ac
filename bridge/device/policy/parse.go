package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Complaint is one thing that is wrong with a document.
type Complaint struct {
	Setting string
	Wrong   string // "is 20"
	Remedy  string
}

// String writes the complaint as "setting is wrong; what to do", in one line,
// whatever somebody took for the name of a setting.
func (c Complaint) String() string {
	name := c.Setting
	if quoted := fmt.Sprintf("%.60q", name); quoted[1:len(quoted)-1] != name {
		name = quoted
	}
	return name + " " + c.Wrong + "; " + c.Remedy
}

// Complaints are everything that is wrong. There is at least one.
type Complaints []Complaint

// Error writes a line for each complaint.
func (cs Complaints) Error() string {
	lines := make([]string, len(cs))
	for i, c := range cs {
		lines[i] = "policy: " + c.String()
	}
	return strings.Join(lines, "\n")
}

// Parse makes a document of what somebody wrote: the values of TOML or JSON, or
// texts. The error is Complaints; then there is no document.
func Parse(written map[string]any) (Document, error) {
	d := make(Document, len(written))
	var wrong Complaints
	for _, name := range slices.Sorted(maps.Keys(written)) {
		s, ok := Find(name)
		if !ok {
			wrong = append(wrong, Complaint{name, "is not known", "see the settings of a policy"})
			continue
		}
		v, c := s.Take(written[name])
		if c != nil {
			wrong = append(wrong, *c)
			continue
		}
		d[name] = v
	}
	wrong = append(wrong, d.Check()...)
	if len(wrong) > 0 {
		return nil, wrong
	}
	return d, nil
}

// Take makes a value of what somebody wrote, or says what is wrong with it.
func (s Setting) Take(written any) (any, *Complaint) {
	switch s.Kind {
	case Switch:
		return s.takeSwitch(written)
	case Number:
		return s.takeNumber(written)
	case List:
		return s.takeList(written)
	}
	panic("policy: " + s.Name + " has no kind")
}

func (s Setting) takeSwitch(written any) (any, *Complaint) {
	switch written {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	return nil, &Complaint{s.Name, "is " + describe(written), "write true or false"}
}

func (s Setting) takeNumber(written any) (any, *Complaint) {
	bad := &Complaint{s.Name, "is " + describe(written), fmt.Sprintf("write a whole number from %d to %d", s.Least, s.Most)}
	var n int64
	switch v := written.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	case float64: // of JSON
		n = int64(v)
		if float64(n) != v {
			return nil, bad
		}
	case string:
		var err error
		if n, err = strconv.ParseInt(v, 10, 64); err != nil {
			return nil, bad
		}
	default:
		return nil, bad
	}
	if n < int64(s.Least) || n > int64(s.Most) {
		return nil, bad
	}
	if s.Name == "max_calendar_age_filter" && n > 0 && n < 4 { // see [MS-ASPROV] "MaxCalendarAgeFilter"
		return nil, &Complaint{s.Name, "is " + describe(written), "write 0, 4, 5, 6 or 7"}
	}
	return int(n), nil
}

func (s Setting) takeList(written any) (any, *Complaint) {
	list := []string{} // an empty one is one, too
	switch v := written.(type) {
	case string: // of the environment
		for e := range strings.SplitSeq(v, ",") {
			list = append(list, strings.TrimSpace(e))
		}
	case []string:
		list = append(list, v...)
	case []any:
		for _, e := range v {
			text, ok := e.(string)
			if !ok {
				return nil, &Complaint{s.Name, "has " + describe(e), "write texts in quotes"}
			}
			list = append(list, text)
		}
	default:
		return nil, &Complaint{s.Name, "is " + describe(written), `write a list: ["one", "two"]`}
	}
	if len(list) > maxEntries {
		return nil, &Complaint{s.Name, fmt.Sprintf("has %d entries", len(list)), fmt.Sprintf("write at most %d", maxEntries)}
	}
	for _, e := range list {
		if len(e) < s.Least || len(e) > s.Most || strings.ContainsFunc(e, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) {
			return nil, &Complaint{s.Name, fmt.Sprintf("has the entry %.40q", e), fmt.Sprintf("write texts of %d to %d bytes", s.Least, s.Most)}
		}
	}
	return list, nil
}

// Check complains of settings that have no effect without others.
func (d Document) Check() (wrong Complaints) {
	for _, name := range d.Names() {
		s, ok := Find(name)
		if !ok || s.Needs == "" || d.idle(s) {
			continue
		}
		if d.Bool(s.Needs) != s.Must {
			wrong = append(wrong, Complaint{name, fmt.Sprintf("has no effect while %s is %t", s.Needs, !s.Must),
				fmt.Sprintf("write %s = %t, or leave it out", s.Needs, s.Must)})
		}
	}
	return wrong
}

// idle tells whether a setting asks nothing, so that it does not matter whether
// it has an effect.
func (d Document) idle(s Setting) bool {
	return s.Kind != List && d[s.Name] == s.Neutral
}

// describe names a value for a person.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		return fmt.Sprintf("%.40q", v)
	case bool, int, int64, float64:
		return fmt.Sprint(v)
	case []any, []string:
		return "a list"
	}
	return "something else"
}
