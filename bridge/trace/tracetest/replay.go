// Package tracetest plays recorded conversations again, against a server in a test.
package tracetest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/trace"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// handles are the elements by which a server names things. Theirs are replaced
// by those that the server of the test gave out in the same place.
var handles = map[string]bool{"SyncKey": true, "ServerId": true, "CollectionId": true, "ParentId": true, "PolicyKey": true}

// A line is one element of a document, or its content.
type line struct{ path, text string }

// Replay sends the requests of a recording, one after the other, and fails the
// test where an answer has another structure, or another status, than the
// recorded one. client speaks for a device that the server does not know yet.
// Pings are left out, since nothing happens for them to tell of.
func Replay(t testing.TB, recorded string, client *easclient.Client) {
	t.Helper()
	list, err := trace.Parse(recorded)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("tracetest: the recording is empty")
	}
	named := map[string]string{}
	for i, e := range list {
		if e.Command == string(eas.CmdPing) {
			continue
		}
		if client.Version, err = eas.ParseVersion(e.Version); err != nil {
			t.Fatal(err)
		}
		request, err := rename(e.Request, named)
		if err != nil {
			t.Fatalf("tracetest: request %d: %v", i+1, err)
		}
		answer, _, err := client.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.Command(e.Command)}, Body: request})
		status := http.StatusOK
		if he, ok := errors.AsType[*easclient.HTTPError](err); ok {
			status, answer = he.Status, nil
		} else if err != nil {
			t.Fatalf("tracetest: request %d, %s: %v", i+1, e.Command, err)
		}
		if status != e.HTTP {
			t.Fatalf("request %d, %s: the answer is %d, and was %d when it was recorded", i+1, e.Command, status, e.HTTP)
		}
		if why := compare(e.Answer, answer, named); why != "" {
			t.Fatalf("request %d, %s: %s", i+1, e.Command, why)
		}
	}
}

// compare holds an answer against the recorded one and learns its names.
func compare(was, is []byte, named map[string]string) string {
	before, err := lines(was)
	if err != nil {
		return "the recorded answer: " + err.Error()
	}
	now, err := lines(is)
	if err != nil {
		return "the answer: " + err.Error()
	}
	for i := range max(len(before), len(now)) {
		switch {
		case i >= len(before):
			return "the answer goes on with " + now[i].path
		case i >= len(now):
			return "the answer lacks " + before[i].path
		case before[i].path != now[i].path:
			return fmt.Sprintf("the answer has %s where %s was recorded", now[i].path, before[i].path)
		}
		local := before[i].path[strings.LastIndexByte(before[i].path, ':')+1:]
		if handles[local] {
			named[local+"="+before[i].text] = now[i].text
		}
		if local == "Status" && before[i].text != now[i].text {
			return fmt.Sprintf("%s is %s, and was %s when it was recorded", now[i].path, now[i].text, before[i].text)
		}
	}
	return ""
}

// lines are the elements of a document in their order, each with its path.
func lines(doc []byte) (list []line, err error) {
	if len(doc) == 0 {
		return nil, nil
	}
	var path []string
	var at []int // of the open elements in list
	err = walk(doc, func(x wbxml.Token) {
		switch x.Kind {
		case wbxml.Start:
			path = append(path, tag.Name(x.Tag))
			at = append(at, len(list))
			list = append(list, line{path: strings.Join(path, ">")})
		case wbxml.End:
			path, at = path[:len(path)-1], at[:len(at)-1]
		default:
			list[at[len(at)-1]].text += string(x.Data)
		}
	})
	return list, err
}

func walk(doc []byte, visit func(wbxml.Token)) error {
	d, err := wbxml.NewDecoder(doc)
	if err != nil {
		return err
	}
	for {
		x, err := d.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		visit(x)
	}
}

// rename puts the names of this server into a recorded request.
func rename(doc []byte, named map[string]string) ([]byte, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	e := wbxml.NewEncoder(nil)
	var local []string
	err := walk(doc, func(x wbxml.Token) {
		switch x.Kind {
		case wbxml.Start:
			local = append(local, tag.Local(x.Tag))
			e.Start(x.Tag)
		case wbxml.End:
			local = local[:len(local)-1]
			e.End()
		case wbxml.Opaque:
			e.Opaque(x.Data)
		default:
			text := string(x.Data)
			name := local[len(local)-1]
			for _, known := range []string{name, "ServerId"} { // a CollectionId is a folder's ServerId
				if is, ok := named[known+"="+text]; ok && handles[name] {
					text = is
					break
				}
			}
			e.Text(text)
		}
	})
	return e.Bytes(), err
}
