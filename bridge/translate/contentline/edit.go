package contentline

import (
	"slices"
	"strings"
)

// Add adds a property; the caller has escaped the value. It comes after the
// last one of the same name, else after the last property of the component, in
// front of its children.
func (c *Component) Add(name, value string, params ...Param) *Line {
	at := c.lastOf(name)
	if at < 0 {
		at = c.lastLine()
	}
	return c.insert(at+1, name, value, params)
}

// AddAfter adds a property right behind another one of the component. The new
// one is in the group of its neighbour only if the caller says so by writing
// the name as "item1.TEL".
func (c *Component) AddAfter(neighbour *Line, name, value string, params ...Param) *Line {
	for i, n := range c.nodes {
		if n.line == neighbour && neighbour != nil {
			return c.insert(i+1, name, value, params)
		}
	}
	return c.Add(name, value, params...)
}

// AddText is Add for a text that is not escaped yet.
func (c *Component) AddText(name, text string, params ...Param) *Line {
	l := c.Add(name, "", params...)
	l.SetText(text)
	return l
}

// Set sets the value of the first property of that name, or adds one. The
// caller has escaped the value.
func (c *Component) Set(name, value string) *Line {
	if l := c.Get(name); l != nil {
		l.SetValue(value)
		return l
	}
	return c.Add(name, value)
}

// SetText is Set for a text that is not escaped yet.
func (c *Component) SetText(name, text string) *Line {
	if l := c.Get(name); l != nil {
		l.SetText(text)
		return l
	}
	return c.AddText(name, text)
}

// List answers the values of all properties of that name, each of which is a
// list, such as CATEGORIES.
func (c *Component) List(name string) []string {
	var vs []string
	for _, l := range c.All(name) {
		vs = append(vs, l.List()...)
	}
	return vs
}

// SetList makes the properties of that name, taken together, hold exactly
// these values: what is gone is taken out of its line, what is new is added to
// the last line. Lines whose values all stay are not touched.
func (c *Component) SetList(name string, values []string) {
	if slices.Equal(c.List(name), values) {
		return
	}
	need := make(map[string]int, len(values))
	for _, v := range values {
		need[v]++
	}
	var last *Line
	for _, l := range c.All(name) {
		var kept []string
		for _, v := range l.List() {
			if need[v] > 0 {
				kept = append(kept, v)
				need[v]--
			}
		}
		if len(kept) == 0 {
			c.Remove(l)
			continue
		}
		l.SetList(kept)
		last = l
	}
	var missing []string
	for _, v := range values {
		if need[v] > 0 {
			missing = append(missing, v)
			need[v]--
		}
	}
	switch {
	case len(missing) == 0:
	case last != nil:
		last.SetList(append(last.List(), missing...))
	default:
		c.Add(name, "").SetList(missing)
	}
}

// Remove takes a property away.
func (c *Component) Remove(l *Line) {
	c.nodes = slices.DeleteFunc(c.nodes, func(n node) bool { return n.line == l && l != nil })
}

// RemoveAll takes all properties of that name away.
func (c *Component) RemoveAll(name string) {
	c.nodes = slices.DeleteFunc(c.nodes, func(n node) bool { return n.line != nil && n.line.name == name })
}

// AddComponent adds an empty component after the last child of the same name,
// else at the end.
func (c *Component) AddComponent(name string) *Component {
	name = strings.ToUpper(name)
	x := &Component{name: name, parent: c, legacy: c.legacy}
	x.begin = newLine(x, "BEGIN", name, nil)
	x.end = newLine(x, "END", name, nil)
	c.insertComponent(x)
	return x
}

// AddCopy adds a copy of a component, after the last child of the same name,
// else at the end. Its lines are those of the original, byte for byte.
func (c *Component) AddCopy(of *Component) *Component {
	x := of.clone(c)
	if x.end == nil {
		x.end = newLine(x, "END", x.name, nil)
	}
	c.insertComponent(x)
	return x
}

func (c *Component) clone(parent *Component) *Component {
	x := &Component{name: c.name, parent: parent, legacy: c.legacy}
	copied := func(l *Line) *Line {
		if l == nil {
			return nil
		}
		l2 := *l
		l2.in = x
		return &l2
	}
	x.begin, x.end = copied(c.begin), copied(c.end)
	x.nodes = make([]node, len(c.nodes))
	for i, n := range c.nodes {
		if n.comp != nil {
			x.nodes[i].comp = n.comp.clone(x)
		} else {
			x.nodes[i].line = copied(n.line)
		}
	}
	return x
}

func (c *Component) insertComponent(x *Component) {
	at := len(c.nodes)
	for i, n := range c.nodes {
		if n.comp != nil && n.comp.name == x.name {
			at = i + 1
		}
	}
	c.nodes = slices.Insert(c.nodes, c.gap(at), node{comp: x})
}

// RemoveComponent takes a child away, with all that is in it.
func (c *Component) RemoveComponent(x *Component) {
	c.nodes = slices.DeleteFunc(c.nodes, func(n node) bool { return n.comp == x && x != nil })
}

func (c *Component) lastOf(name string) int {
	_, bare, ok := strings.Cut(name, ".")
	if !ok {
		bare = name
	}
	last := -1
	for i, n := range c.nodes {
		if n.line != nil && n.line.name == bare {
			last = i
		}
	}
	return last
}

// lastLine is the last property in front of the children, but never junk: an
// empty line may end a photo of vCard 2.1.
func (c *Component) lastLine() int {
	last := -1
	for i, n := range c.nodes {
		if n.comp != nil {
			break
		}
		if n.line.name != "" {
			last = i
			if i+1 < len(c.nodes) && n.line.encoding() == base64Encoding && isBlank(c.nodes[i+1]) {
				last++
			}
		}
	}
	return last
}

func isBlank(n node) bool {
	return n.line != nil && strings.TrimSpace(n.line.raw) == "" && n.line.raw != ""
}

func (c *Component) insert(at int, name, value string, params []Param) *Line {
	l := newLine(c, name, value, params)
	c.nodes = slices.Insert(c.nodes, c.gap(at), node{line: l})
	return l
}

// gap moves a place for a new line away from where it would not stay a line of
// its own: behind a soft line break that nothing follows, and in front of junk
// that begins with a blank.
func (c *Component) gap(at int) int {
	for at > 0 && c.nodes[at-1].line != nil && c.nodes[at-1].line.dangles() {
		at--
	}
	for at < len(c.nodes) && c.nodes[at].line != nil && strings.IndexAny(c.nodes[at].line.raw, " \t") == 0 {
		at++
	}
	return at
}

// dangles tells whether the line ends with a soft line break.
func (l *Line) dangles() bool {
	return !l.changed && strings.HasSuffix(strings.TrimRight(l.raw, "\r\n"), "=") && headEncoding(l.head+":") == quotedPrintable
}

// newLine makes a line of a name that may have a group in front: "item1.TEL".
func newLine(c *Component, name, value string, params []Param) *Line {
	l := &Line{head: name, value: oneLine(value), name: name, in: c, changed: true}
	if group, bare, ok := strings.Cut(name, "."); ok {
		l.group, l.name = group, bare
	}
	l.name = strings.ToUpper(l.name)
	if len(params) > 0 {
		l.setParams(params)
	}
	return l
}
