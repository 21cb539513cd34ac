package easserver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// MaxFiles bounds the bytes of all files in one answer: that of one object,
// which may be one large file. The phone gets the others one by one.
const MaxFiles = backend.MaxItemSize

// fetchFile reads a file of an item that the phone holds. That an item is not
// there, or another person's, is the same to it as a file that is not there.
// See [MS-ASCMD] "airsyncbase:FileReference" and "Status (ItemOperations)".
func (s *Server) fetchFile(ctx context.Context, c *call, fetch eas.FetchRequest, room *int, large files) (eas.Properties, error) {
	item, part, ok := translate.SplitFileReference(fetch.FileReference)
	if !ok || *room <= 0 {
		return nil, noFile(ok)
	}
	it, err := s.locate(ctx, c, item)
	if err == nil && it.class.message != nil {
		p, err := s.fetchMailFile(ctx, c, it, part, fetch, large)
		if isMissing(err) {
			err = fmt.Errorf("%w: %w", translate.ErrNoAttachment, err)
		}
		return p, err
	}
	if err == nil {
		it.Item, err = getOne(ctx, it.session, it.folder.Collection, it.ID)
	}
	switch {
	case isMissing(err):
		return nil, fmt.Errorf("%w: %w", translate.ErrNoAttachment, err)
	case err != nil:
		return nil, err
	case it.class.attachment == nil:
		return nil, translate.ErrNoAttachment
	}
	file, err := it.class.attachment(it.Body, part)
	if err != nil {
		c.report(s, err)
		return nil, err
	}
	p := eas.Properties{eas.T(tag.AirSyncBaseContentType, file.MediaType)}
	data := file.Data
	if fetch.Options != nil && fetch.Options.Range != "" {
		first, last, err := byteRange(fetch.Options.Range, len(data))
		if err != nil {
			return nil, err
		}
		p = append(p, eas.T(tag.ItemOperationsRange, fmt.Sprintf("%d-%d", first, last)),
			eas.T(tag.ItemOperationsTotal, strconv.Itoa(len(data))))
		data = data[first : last+1]
	}
	if len(data) > *room {
		return nil, noFile(true)
	}
	*room -= len(data)
	if c.acceptsMultipart() {
		return append(p, eas.Element{Tag: tag.ItemOperationsData, Opaque: data}), nil // see takeParts
	}
	return append(p, eas.T(tag.ItemOperationsData, base64.StdEncoding.EncodeToString(data))), nil
}

// isMissing tells of an error that there is no such item, or file of an item.
func isMissing(err error) bool {
	return errors.Is(err, syncengine.ErrNoItem) || errors.Is(err, syncengine.ErrNoFolder) || errors.Is(err, translate.ErrNoAttachment) ||
		backend.KindOf(err) == backend.NotFound
}

// noFile says why a file is not even looked for: its name is none, or the
// answer is full.
func noFile(named bool) error {
	if !named {
		return translate.ErrNoAttachment
	}
	return backend.Errorf(backend.TooLarge, "easserver: fetch", "the files of one answer have more than %d bytes", MaxFiles)
}

// byteRange reads a Range: the first and the last byte, from 0 on. It ends with
// the file at the latest. See [MS-ASCMD] "Range (ItemOperations)".
func byteRange(s string, size int) (first, last int, err error) {
	from, to, ok := strings.Cut(strings.TrimSpace(s), "-")
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	if !ok || err1 != nil || err2 != nil || first < 0 || first > last || first >= size {
		return 0, 0, fmt.Errorf("%w: %.40q of %d bytes", errRange, s, size)
	}
	return first, min(last, size-1), nil
}
