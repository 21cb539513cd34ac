package imap

import (
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
	"github.com/pushbridge/pushbridge/plugins/sdk/mailpart"
)

// A node is a part of a message as BODYSTRUCTURE describes it. See RFC 9051,
// section 7.5.2.
type node struct {
	path     string // empty for the message itself
	boundary string // of a multipart
	parts    []*node
	leaf     mailpart.Leaf
}

// parseStructure reads a structure; nil if it is none, or a message is made of
// it that cannot be put together again.
func parseStructure(v imapconn.Value) *node {
	count := 0
	root := structure(v, "", 0, &count)
	if root == nil || count > maxSections {
		return nil
	}
	return root
}

// maxSections is how many parts of a message are asked for one by one. A message
// of more is read whole.
const maxSections = 200

func structure(v imapconn.Value, path string, depth int, count *int) *node {
	if *count++; v.Kind != imapconn.List || depth > backend.MaxPartDepth || *count > maxSections {
		return nil
	}
	n := &node{path: path}
	if v.At(0).Kind != imapconn.List {
		n.leaf = leafOf(v)
		return n
	}
	k := 0
	for ; v.At(k).Kind == imapconn.List; k++ {
		part := structure(v.At(k), joinPath(path, k+1), depth+1, count)
		if part == nil {
			return nil
		}
		n.parts = append(n.parts, part)
	}
	if n.boundary = parameterOf(v.At(k+1), "boundary"); n.boundary == "" {
		return nil
	}
	return n
}

func joinPath(path string, n int) string {
	if path == "" {
		return strconv.Itoa(n)
	}
	return path + "." + strconv.Itoa(n)
}

// leafOf reads the description of a part that is no multipart.
func leafOf(v imapconn.Value) mailpart.Leaf {
	leaf := mailpart.Leaf{Type: strings.ToLower(v.At(0).Text + "/" + v.At(1).Text), Size: int64(min(v.At(6).Number(), 1<<40))}
	disposition := 8 // behind the MD5 sum
	switch {
	case strings.HasPrefix(leaf.Type, "text/"):
		disposition = 9
	case leaf.Type == "message/rfc822" || leaf.Type == "message/global":
		disposition = 11
	}
	leaf.Attachment = strings.EqualFold(v.At(disposition).At(0).Text, "attachment")
	return leaf
}

func parameterOf(list imapconn.Value, name string) string {
	for n := 0; n+1 < len(list.List); n += 2 {
		if strings.EqualFold(list.At(n).Text, name) {
			return list.At(n + 1).Text
		}
	}
	return ""
}

// leaves lists the parts that are no multiparts.
func (n *node) leaves() []*node {
	if len(n.parts) == 0 {
		return []*node{n}
	}
	var list []*node
	for _, p := range n.parts {
		list = append(list, p.leaves()...)
	}
	return list
}

// number is the path of a part's bytes: the body of a message that is no
// multipart is its part 1.
func (n *node) number() string {
	if n.path == "" {
		return "1"
	}
	return n.path
}

// sections are what to ask for so that compose can put the message together:
// headers, and the first bytes of the leaf parts.
func (n *node) sections(kept map[*node]int64) []string {
	header := "BODY.PEEK[" + n.path + ".MIME]"
	if n.path == "" {
		header = "BODY.PEEK[HEADER]"
	}
	list := []string{header}
	if len(n.parts) == 0 && kept[n] > 0 {
		list = append(list, "BODY.PEEK["+n.number()+"]<0."+strconv.FormatInt(kept[n], 10)+">")
	}
	for _, p := range n.parts {
		list = append(list, p.sections(kept)...)
	}
	return list
}

// compose writes the message; false if sections are missing.
func (n *node) compose(out []byte, sections map[string]imapconn.Section, kept map[*node]int64, left *[]backend.LeftPart) ([]byte, bool) {
	name := n.path + ".MIME"
	if n.path == "" {
		name = "HEADER"
	}
	header, ok := sections[name]
	if !ok || header.None && n.path == "" || header.Over {
		return nil, false
	}
	out = append(out, header.Data...)
	if len(header.Data) == 0 { // a part without a header begins with the empty line
		out = append(out, "\r\n"...)
	}
	if len(n.parts) == 0 {
		return n.composeLeaf(out, sections, kept[n], left)
	}
	for _, p := range n.parts {
		out = append(out, "--"+n.boundary+"\r\n"...)
		if out, ok = p.compose(out, sections, kept, left); !ok {
			return nil, false
		}
		out = append(out, "\r\n"...)
	}
	return append(out, "--"+n.boundary+"--\r\n"...), true
}

func (n *node) composeLeaf(out []byte, sections map[string]imapconn.Section, kept int64, left *[]backend.LeftPart) ([]byte, bool) {
	var body []byte
	if kept > 0 {
		s, ok := sections[n.number()]
		if !ok || s.Over {
			return nil, false
		}
		body = s.Data
	}
	if kept < n.leaf.Size {
		body = mailpart.Cut(body, kept)
		if int64(len(body)) == kept && kept > 0 { // it was cut by the server, not at a line
			body = mailpart.Cut(append(body, 0), kept)
		}
		*left = append(*left, backend.LeftPart{Path: n.number(), Encoded: n.leaf.Size, Kept: int64(len(body))})
	}
	return append(out, body...), true
}

// hasPath tells whether a message of this structure has a part of this number.
func hasPath(v imapconn.Value, path []string) bool {
	message := true // v is one: a body that is no multipart is its part 1
	for _, step := range path {
		n, err := strconv.Atoi(step)
		multipart := v.At(0).Kind == imapconn.List
		switch {
		case err != nil:
			return false
		case multipart && n >= 1 && v.At(n-1).Kind == imapconn.List:
			v, message = v.At(n-1), false
		case !multipart && message && n == 1:
			message = false
		default:
			return false
		}
		if v.At(0).Kind != imapconn.List && strings.EqualFold(v.At(0).Text, "message") && v.At(8).Kind == imapconn.List {
			v, message = v.At(8), true
		}
	}
	return true
}
