package contact

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// noise is a JPEG that compresses badly, dark on the left and bright on the
// right.
func noise(t testing.TB, w, h int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			base := uint8(0)
			if x > w/2 {
				base = 190
			}
			m.SetRGBA(x, y, color.RGBA{base + uint8(r.UintN(60)), base + uint8(r.UintN(60)), base + uint8(r.UintN(60)), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withOrientation gives a JPEG an EXIF note.
func withOrientation(photo []byte, orientation uint16) []byte {
	tiff := []byte("MM\x00\x2A\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	tiff = binary.BigEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	app1 := append([]byte("Exif\x00\x00"), tiff...)
	out := []byte{0xFF, 0xD8, 0xFF, 0xE1}
	out = binary.BigEndian.AppendUint16(out, uint16(len(app1)+2))
	return append(append(out, app1...), photo[2:]...)
}

func photoCard(photo []byte) []byte {
	return []byte(vcard("3.0", "N:P;H;;;\nFN:H P\nPHOTO;ENCODING=b;TYPE=JPEG:"+base64.StdEncoding.EncodeToString(photo)+"\n"))
}

func shownPicture(t *testing.T, card []byte) (string, eas.Properties) {
	t.Helper()
	ps, err := FromVCard(card, options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := ps.Text(tag.ContactsPicture)
	return text, ps
}

func TestLargePhotoIsShrunkAndKept(t *testing.T) {
	card := photoCard(noise(t, 800, 600))
	picture, shown := shownPicture(t, card)
	if len(picture) == 0 || len(picture) > maxPicture {
		t.Fatalf("the picture has %d bytes, the limit is %d", len(picture), maxPicture)
	}
	data, err := base64.StdEncoding.DecodeString(picture)
	if err != nil {
		t.Fatal(err)
	}
	config, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || kind != "jpeg" || config.Width*3 != config.Height*4 {
		t.Errorf("shown as %s of %dx%d, %v; want a JPEG of 4:3", kind, config.Width, config.Height, err)
	}
	after, err := Merge(card, with(shown, tag.ContactsJobTitle, "x"), options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	if gone, _ := lines(string(card), string(after)); gone != nil {
		t.Errorf("the original photo did not survive an edit of something else")
	}
}

func TestPhotoIsTurned(t *testing.T) {
	for orientation, dark := range map[uint16]image.Point{1: {5, 100}, 2: {315, 100}, 3: {315, 100}, 6: {100, 5}, 8: {100, 315}} {
		picture, _ := shownPicture(t, photoCard(withOrientation(noise(t, 400, 300), orientation)))
		data, err := base64.StdEncoding.DecodeString(picture)
		if err != nil || picture == "" {
			t.Fatalf("orientation %d: no picture: %v", orientation, err)
		}
		m, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		w, h := m.Bounds().Dx(), m.Bounds().Dy()
		side := max(w, h)
		gray := color.GrayModel.Convert(m.At(dark.X*side/320, dark.Y*side/320)).(color.Gray)
		if (orientation >= 5) != (h > w) || gray.Y > 100 {
			t.Errorf("orientation %d: %dx%d, gray %d where it should be dark", orientation, w, h, gray.Y)
		}
	}
}

// TestImageBomb: a PNG that says it has 100,000 x 100,000 pixels is never
// decoded.
func TestImageBomb(t *testing.T) {
	ihdr := []byte("IHDR")
	ihdr = binary.BigEndian.AppendUint32(ihdr, 100_000)
	ihdr = binary.BigEndian.AppendUint32(ihdr, 100_000)
	ihdr = append(ihdr, 8, 6, 0, 0, 0)
	bomb := append([]byte("\x89PNG\r\n\x1A\n\x00\x00\x00\x0D"), ihdr...)
	bomb = binary.BigEndian.AppendUint32(bomb, crc32.ChecksumIEEE(ihdr))
	bomb = append(bomb, make([]byte, 60_000)...)
	if picture, _ := shownPicture(t, photoCard(bomb)); picture != "" {
		t.Errorf("an image bomb is shown")
	}
}

func TestNewPhoto(t *testing.T) {
	jpg := base64.StdEncoding.EncodeToString(noise(t, 8, 8))
	tests := []struct{ name, card, want string }{
		{"3.0", vcard("3.0", "N:P;;;;\nFN:P\nPHOTO;VALUE=uri:https://example.org/x.jpg\n"), "PHOTO;ENCODING=b;TYPE=JPEG:" + jpg},
		{"4.0", vcard("4.0", "FN:P\n"), "PHOTO:data:image/jpeg;base64," + jpg},
		{"2.1", samples["2.1"], "PHOTO;ENCODING=BASE64;JPEG:" + jpg},
		{"2.1 without one", vcard("2.1", "N:P\nFN:P\n"), "PHOTO;ENCODING=BASE64;JPEG:" + jpg},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, shown := shownPicture(t, []byte(tt.card))
			after, err := Merge([]byte(tt.card), with(shown, tag.ContactsPicture, jpg), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			unfolded := strings.NewReplacer("\r\n ", "").Replace(string(after))
			if !strings.Contains(unfolded, tt.want+"\r\n") || strings.Count(unfolded, "PHOTO") != 1 {
				t.Errorf("got\n%s\nwant one line\n%s", unfolded, tt.want)
			}
			if picture, _ := shownPicture(t, after); picture != jpg {
				t.Errorf("shown again it is %.40s..., want %.40s...", picture, jpg)
			}
		})
	}
}

// header is the beginning of a JPEG that says it is so large.
func header(frame byte, w, h uint16) []byte {
	b := []byte{0xFF, 0xD8, 0xFF, 0xFE, 0, 4, 'h', 'i', 0xFF, frame, 0, 17, 8}
	b = binary.BigEndian.AppendUint16(b, h)
	b = binary.BigEndian.AppendUint16(b, w)
	return append(b, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xFF, 0xDA, 0, 2)
}

// TestRoomForPhotos: what is decoded is bounded by the memory that it takes,
// which the header tells.
func TestRoomForPhotos(t *testing.T) {
	for _, tt := range []struct {
		name  string
		photo []byte
		fits  bool
	}{
		{"twelve megapixels of a camera", header(0xC0, 4000, 3000), true},
		{"twelve megapixels, progressive", header(0xC2, 4000, 3000), false},
		{"three megapixels, progressive", header(0xC2, 2000, 1500), true},
		{"the largest that a JPEG can say", header(0xC0, 65535, 65535), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config, kind, err := image.DecodeConfig(bytes.NewReader(tt.photo))
			if err != nil {
				t.Fatal(err)
			}
			if fits := config.Width <= maxDecoded/config.Height/pixelSize(tt.photo, config, kind); fits != tt.fits {
				t.Errorf("%d bytes for each of %dx%d pixels: fits = %v", pixelSize(tt.photo, config, kind), config.Width, config.Height, fits)
			}
		})
	}
	if !isProgressive([]byte("\xFF\xD8\xFF")) {
		t.Error("a JPEG that ends is not taken for the worst")
	}
}

// TestEmptyPicture: most phones mean nothing by it; those that do cannot take
// away what they were not shown.
func TestEmptyPicture(t *testing.T) {
	inline, remote := samples["2.1"], vcard("3.0", "N:P;;;;\nFN:P\nPHOTO;VALUE=uri:https://example.org/x.jpg\n")
	for _, tt := range []struct {
		name, card    string
		removes, kept bool
	}{{"means nothing", inline, false, true}, {"means it", inline, true, false}, {"of a photo that is elsewhere", remote, true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(eas.V161)
			o.EmptyPictureRemoves = tt.removes
			after, err := Merge([]byte(tt.card), eas.Properties{eas.T(tag.ContactsPicture, "")}, o)
			if err != nil || strings.Contains(string(after), "\r\nPHOTO") != tt.kept {
				t.Errorf("%v\n%s", err, after)
			}
		})
	}
}

func BenchmarkLargePhoto(b *testing.B) {
	card := photoCard(noise(b, 1200, 900))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromVCard(card, options(eas.V141)); err != nil {
			b.Fatal(err)
		}
	}
}
