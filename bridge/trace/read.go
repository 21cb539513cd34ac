package trace

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// An Entry is one exchange of a recording that was read.
type Entry struct {
	Command string
	Version string
	HTTP    int
	Request []byte // WBXML; nil if it was empty or left out
	Answer  []byte // likewise
}

var exchangeLine = regexp.MustCompile(`^== \d+ \S+ (\S+) version=(\S+) http=(\d+) `)

// Parse reads the text of a recording.
func Parse(text string) ([]Entry, error) {
	if !strings.HasPrefix(text, heading) {
		return nil, errors.New("trace: this is no recording")
	}
	var list []Entry
	for i, part := range strings.Split(text, "\n"+exchangeMark)[1:] {
		head, rest, _ := strings.Cut(exchangeMark+part, "\n")
		m := exchangeLine.FindStringSubmatch(head)
		request, answer, ok := strings.Cut(strings.TrimPrefix(rest, requestMark+"\n"), answerMark+"\n")
		if m == nil || !ok {
			return nil, fmt.Errorf("trace: exchange %d cannot be read: %.80q", i+1, head)
		}
		e := Entry{Command: m[1], Version: m[2]}
		if _, err := fmt.Sscan(m[3], &e.HTTP); err != nil {
			return nil, fmt.Errorf("trace: exchange %d: %w", i+1, err)
		}
		var err error
		if e.Request, err = encode(request); err == nil {
			e.Answer, err = encode(answer)
		}
		if err != nil {
			return nil, fmt.Errorf("trace: exchange %d: %w", i+1, err)
		}
		list = append(list, e)
	}
	return list, nil
}

// encode makes a document of its XML; nil of a note in its place.
func encode(text string) ([]byte, error) {
	if strings.HasPrefix(text, "#") {
		return nil, nil
	}
	text, _, _ = strings.Cut(text, "\n# ") // a note behind it
	e := wbxml.NewEncoder(nil)
	d := xml.NewDecoder(strings.NewReader(text))
	var chars strings.Builder
	opaque, leaf, depth := false, false, 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && depth == 0 {
			return e.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			code, ok := tag.Lookup(t.Name.Space + ":" + t.Name.Local)
			if !ok {
				return nil, fmt.Errorf("nobody knows %s of %s", t.Name.Local, t.Name.Space)
			}
			e.Start(code)
			chars.Reset()
			opaque, leaf = false, true
			depth++
		case xml.CharData:
			chars.Write(t)
		case xml.Comment:
			opaque = strings.HasPrefix(string(t), "opaque")
		case xml.EndElement:
			if content := chars.String(); leaf && content != "" {
				if opaque {
					e.Opaque([]byte(content))
				} else {
					e.Text(content)
				}
			}
			e.End()
			chars.Reset()
			leaf, depth = false, depth-1
		}
	}
}
