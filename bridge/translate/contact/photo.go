package contact

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // what photos are made of
	"image/jpeg"
	_ "image/png" // what photos are made of
	"strings"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // what photos are made of

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// maxPicture is the length of a picture as base64. See [MS-ASCNTC] "Picture".
const maxPicture = 48 << 10

// maxDecoded is the memory in bytes that decoding a photo may take, so that a
// small file that unfolds into gigabytes (an image bomb) is never decoded at
// all. It is room for 16 megapixels of a camera's JPEG and for 12 of a PNG, and
// only one is decoded at a time.
const maxDecoded = 48 << 20

// decoding lets one picture be decoded at a time.
var decoding = make(chan struct{}, 1)

// picture is the photo as a phone is shown it, base64, at most maxPicture
// long; "" if there is none in the card itself, or none that can be shown. A
// photo at some address is not fetched: that would tell its owner who looks.
func (c *card) picture() string {
	data, _, ok := c.bound[slotPhoto].Data()
	if !ok {
		return ""
	}
	if base64.StdEncoding.EncodedLen(len(data)) > maxPicture || pictureType(data) == "" {
		if data = shrink(data); data == nil {
			return ""
		}
	}
	return base64.StdEncoding.EncodeToString(data)
}

// pictureType tells the kind of a picture by its first bytes, "" if it is none
// that phones show.
func pictureType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xFF\xD8\xFF")):
		return "JPEG"
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1A\n")):
		return "PNG"
	case bytes.HasPrefix(data, []byte("GIF8")):
		return "GIF"
	}
	return ""
}

// shrink makes a JPEG that is small enough of a photo, or answers nil.
func shrink(data []byte) []byte {
	config, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width <= 0 || config.Height <= 0 || config.Width > maxDecoded/config.Height/pixelSize(data, config, kind) {
		return nil
	}
	decoding <- struct{}{}
	defer func() { <-decoding }()
	photo, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	turn := orientation(data)
	for _, try := range []struct{ side, quality int }{{480, 85}, {480, 70}, {320, 75}, {240, 70}, {160, 60}, {96, 50}} {
		var b bytes.Buffer
		small := turned(scaled(photo, try.side), turn)
		if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: try.quality}); err != nil {
			return nil
		}
		if base64.StdEncoding.EncodedLen(b.Len()) <= maxPicture {
			return b.Bytes()
		}
	}
	return nil
}

// pixelSize is the memory in bytes that decoding takes for each pixel.
func pixelSize(data []byte, config image.Config, kind string) int {
	switch {
	case kind == "gif":
		return 1
	case kind == "jpeg" && isProgressive(data):
		return 3 + 3*4 // all coefficients are kept until the last scan
	case kind == "jpeg":
		return 3
	case config.ColorModel == color.RGBA64Model, config.ColorModel == color.NRGBA64Model:
		return 8
	}
	return 4
}

// isProgressive tells whether a JPEG's first frame is a progressive one. See
// ITU-T T.81, section B.1.1.3: segments begin with FF, a marker and a length.
func isProgressive(data []byte) bool {
	for at := 2; at+4 <= len(data) && data[at] == 0xFF; {
		switch marker := data[at+1]; {
		case marker == 0xFF:
			at++ // a filler
			continue
		case marker == 0xC2:
			return true
		case marker == 0xC0, marker == 0xC1, marker == 0xDA:
			return false
		}
		at += 2 + int(data[at+2])<<8 + int(data[at+3])
	}
	return true // no telling: the worst
}

// scaled fits a photo into a square, on white where it is transparent.
func scaled(photo image.Image, side int) *image.RGBA {
	from := photo.Bounds()
	w, h := from.Dx(), from.Dy()
	if longest := max(w, h); longest > side {
		w, h = max(w*side/longest, 1), max(h*side/longest, 1)
	}
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(to, to.Bounds(), photo, from, draw.Over, nil)
	return to
}

// mergePicture takes a new photo. What the phone was sent changes nothing: the
// original stays as it is. Neither does an empty Picture, which iOS sends with
// every edit, unless this phone means it; and never does it take away a photo
// that the phone was not shown.
func (c *card) mergePicture(sent eas.Properties, o translate.Options) error {
	text, ok := sent.Text(tag.ContactsPicture)
	text = strings.TrimSpace(text)
	if text == "" {
		if ok && o.EmptyPictureRemoves && c.picture() != "" {
			c.remove(slotPhoto)
			c.changed = true
		}
		return nil
	}
	if len(text) > maxPicture {
		return fmt.Errorf("contact: picture: %w: %d bytes, the limit is %d", translate.ErrInvalid, len(text), maxPicture)
	}
	data, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "", " ", "").Replace(text))
	if err != nil {
		return fmt.Errorf("contact: picture: %w: it is not base64", translate.ErrInvalid)
	}
	kind := pictureType(data)
	if kind == "" {
		return fmt.Errorf("contact: picture: %w: it is neither JPEG nor PNG nor GIF", translate.ErrInvalid)
	}
	if shown, err := base64.StdEncoding.DecodeString(c.picture()); err == nil && bytes.Equal(shown, data) {
		return nil
	}
	c.setPicture(base64.StdEncoding.EncodeToString(data), kind)
	c.changed = true
	return nil
}

// setPicture writes a photo in the way of the card's version. See vCard 2.1,
// section 2.4.2; RFC 2426, section 3.1.4; RFC 6350, section 6.2.4.
func (c *card) setPicture(data, kind string) {
	l := c.line(slotPhoto)
	for _, param := range []string{"VALUE", "ENCODING", "TYPE", "MEDIATYPE"} {
		l.SetParam(param)
	}
	if c.four {
		l.SetValue("data:image/" + strings.ToLower(kind) + ";base64," + data)
		return
	}
	if c.vcard.Legacy() {
		l.SetParam("ENCODING", "BASE64")
	} else {
		l.SetParam("ENCODING", "b")
	}
	l.SetParam("TYPE", kind)
	l.SetValue(data)
}
