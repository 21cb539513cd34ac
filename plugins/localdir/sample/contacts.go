package sample

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"strings"
	"time"
)

// A person is one contact. Fields with several parts separate them by '|'.
type person struct {
	given, family, nick string
	name                string // as it is written, where that is not given and family name
	org, title          string
	tel                 []string // "CELL|+49 ..."
	mail                []string // "HOME|x@example.org"
	adr                 []string // "HOME|street|city|region|code|country"
	born                string
	url, note           string
	categories          string
	face                [3]uint8 // colour of the photo; black means none
}

var people = []person{
	{given: "Anneliese", family: "Brückner", nick: "Anni", tel: []string{"CELL|+49 171 3920001", "HOME|+49 30 23125001"}, mail: []string{"HOME|anneliese.brueckner@example.org"},
		adr: []string{"HOME|Lindenstraße 14|Berlin||10969|Germany"}, born: "1961-04-12", categories: "Family", note: "Prefers the landline in the evening.\nAllergic to hazelnuts.", face: [3]uint8{201, 120, 87}},
	{given: "Joachim", family: "Brückner", tel: []string{"CELL|+49 171 3920002"}, adr: []string{"HOME|Lindenstraße 14|Berlin||10969|Germany"}, born: "1958-11-30", categories: "Family", face: [3]uint8{90, 116, 140}},
	{given: "Mira", family: "Brückner", nick: "Mimi", tel: []string{"CELL|+49 171 3920003"}, mail: []string{"HOME|mira@example.net"}, born: "1994-02-29", categories: "Family,Climbing", face: [3]uint8{122, 92, 158}},
	{given: "Tobias", family: "Öztürk-Lang", org: "Lang & Söhne Tischlerei", title: "Master joiner", tel: []string{"WORK|+49 69 90009010", "CELL|+49 171 3920010"}, mail: []string{"WORK|werkstatt@example.com"},
		adr: []string{"WORK|Am Güterbahnhof 3|Frankfurt am Main||60314|Germany"}, url: "https://lang.example.com/", note: "Made the kitchen; quote for the shelves is valid until the end of the quarter."},
	{given: "Siobhán", family: "O'Mahony", org: "Harbour Freight Forwarding", title: "Operations lead", tel: []string{"WORK|+44 20 7946 0011", "CELL|+44 7700 900011", "FAX|+44 20 7946 0012"}, mail: []string{"WORK|siobhan.omahony@example.com", "HOME|siobhan@example.net"},
		adr: []string{"WORK|5 Wharf Lane|London||E14 9XX|United Kingdom"}, categories: "Work", face: [3]uint8{64, 132, 105}},
	{given: "Björn", family: "Ångström", org: "Nordlicht Messtechnik", title: "Field engineer", tel: []string{"CELL|+49 171 3920014"}, mail: []string{"WORK|bjorn@example.com"}, born: "1983-07-19", categories: "Work"},
	{given: "Zoë", family: "van der Meulen", org: "Studio Meulen", title: "Architect", tel: []string{"WORK|+49 30 23125020", "CELL|+49 171 3920020"}, mail: []string{"WORK|zoe@example.com"}, url: "https://studio.example.com/", categories: "Work", face: [3]uint8{188, 158, 70}},
	{given: "Łukasz", family: "Wiśniewski", tel: []string{"CELL|+49 171 3920021"}, mail: []string{"HOME|lukasz.w@example.org"}, note: "Neighbour, third floor. Has our spare key.", categories: "Neighbours"},
	{given: "Fatima", family: "El-Amrani", org: "Kita Regenbogen", title: "Head of nursery", tel: []string{"WORK|+49 30 23125030"}, mail: []string{"WORK|kita@example.org"}, adr: []string{"WORK|Ahornweg 2|Berlin||12163|Germany"}},
	{given: "Dr. Heinrich", family: "Faltermeyer", org: "Praxis Faltermeyer", title: "General practitioner", tel: []string{"WORK|+49 30 23125040", "FAX|+49 30 23125041"}, adr: []string{"WORK|Schloßstraße 88a|Berlin||12163|Germany"}, note: "Open Mon, Tue, Thu 8-12 and 15-18; closed on Wednesday afternoon."},
	{given: "Priya", family: "Raghunathan", org: "Northgate Analytics", title: "Data scientist", tel: []string{"WORK|+1 212 555 0110", "CELL|+1 646 555 0111"}, mail: []string{"WORK|priya@example.com"}, adr: []string{"WORK|220 Example Avenue, Floor 12|New York|NY|10001|United States"}, born: "1990-09-03", categories: "Work", face: [3]uint8{170, 84, 120}},
	{given: "Marcus", family: "Whitfield", org: "Northgate Analytics", title: "Account manager", tel: []string{"WORK|+1 212 555 0112"}, mail: []string{"WORK|marcus@example.com"}, categories: "Work"},
	{given: "健太", family: "小林", name: "小林 健太", org: "Kobayashi Optics", tel: []string{"WORK|+44 20 7946 0150"}, mail: []string{"WORK|kenta@example.com"}, note: "Kenta Kobayashi. Family name comes first.", categories: "Work"},
	{given: "Ελένη", family: "Παπαδοπούλου", tel: []string{"CELL|+44 7700 900120"}, mail: []string{"HOME|eleni@example.net"}, born: "1988-12-24", categories: "Climbing"},
	{given: "Guðrún", family: "Jónsdóttir", tel: []string{"CELL|+44 7700 900121"}, mail: []string{"HOME|gudrun@example.net"}, categories: "Climbing", face: [3]uint8{70, 120, 170}},
	{given: "Oliver", family: "Nkemelu", org: "City Library", title: "Librarian", tel: []string{"WORK|+44 20 7946 0160"}, mail: []string{"WORK|o.nkemelu@example.org"}},
	{given: "Charlotte", family: "Desrosiers-Müller", nick: "Lotte", tel: []string{"CELL|+49 171 3920030", "HOME|+49 69 90009030", "WORK|+49 69 90009031"}, mail: []string{"HOME|lotte@example.org", "WORK|c.desrosiers@example.com"}, adr: []string{"HOME|Mainkai 7|Frankfurt am Main||60311|Germany", "WORK|Börsenplatz 1|Frankfurt am Main||60313|Germany"}, born: "1979-01-06", url: "https://lotte.example.org/", categories: "Friends"},
	{given: "Emre", family: "Yıldız", tel: []string{"CELL|+49 171 3920031"}, born: "1985-10-29", categories: "Friends,Climbing", face: [3]uint8{150, 70, 60}},
	{given: "Hannah", family: "Goldschmidt", org: "Goldschmidt Steuerberatung", title: "Tax adviser", tel: []string{"WORK|+49 30 23125050"}, mail: []string{"WORK|kanzlei@example.com"}, note: "Documents for last year until the end of July; she needs the train receipts as well."},
	{given: "Pablo", family: "Ibáñez Soler", tel: []string{"CELL|+44 7700 900130"}, mail: []string{"HOME|pablo@example.net"}, categories: "Friends"},
	{given: "Ngozi", family: "Achebe-Lindqvist", org: "Open Maps Society", title: "Chair", tel: []string{"CELL|+44 7700 900131"}, mail: []string{"WORK|chair@example.org"}, categories: "Club"},
	{given: "Wilhelm", family: "Strauß", nick: "Willi", tel: []string{"HOME|+49 69 90009044"}, born: "1941-08-17", categories: "Family", note: "Great-uncle. Speak slowly."},
	{given: "", family: "", org: "Fahrradladen Kette & Kranz", tel: []string{"WORK|+49 30 23125060"}, adr: []string{"WORK|Gneisenaustraße 51|Berlin||10961|Germany"}, note: "Bicycle shop; winter check in November."},
	{given: "", family: "", org: "Bürgeramt", tel: []string{"WORK|+49 30 23125070"}, url: "https://amt.example.org/"},
	{given: "Jean-Luc", family: "d'Aubigné", org: "Atelier d'Aubigné", title: "Luthier; violins, violas", tel: []string{"WORK|+44 20 7946 0170"}, mail: []string{"WORK|atelier@example.com"}, note: "Bow: rehair every spring; ask for Jean-Luc, not Marc."},
}

// contactFiles writes a card for each person. See RFC 2426, which phones and
// servers understand best.
func contactFiles(now time.Time) ([]file, error) {
	var files []file
	for i, who := range people {
		uid := fmt.Sprintf("sample-contact-%02d", i+1)
		card, err := who.card(uid, now)
		if err != nil {
			return nil, err
		}
		files = append(files, file{path: "contacts/" + uid + ".vcf", text: card})
	}
	return files, nil
}

func (who person) card(uid string, now time.Time) (string, error) {
	var p page
	p.line("BEGIN:VCARD")
	p.line("VERSION:3.0")
	p.line("PRODID:-//pushbridge//sample data//EN")
	p.line("UID:%s", uid)
	p.line("REV:%s", stamp(now))
	name := cmp.Or(who.name, strings.TrimSpace(who.given+" "+who.family), who.org)
	given, title := who.given, ""
	if rest, ok := strings.CutPrefix(given, "Dr. "); ok {
		given, title = rest, "Dr."
	}
	p.line("FN:%s", text(name))
	p.line("N:%s;%s;;%s;", text(who.family), text(given), title)
	who.details(&p)
	if who.face != [3]uint8{} {
		photo, err := portrait(who.face)
		if err != nil {
			return "", err
		}
		p.line("PHOTO;ENCODING=b;TYPE=JPEG:%s", base64.StdEncoding.EncodeToString(photo))
	}
	p.line("END:VCARD")
	return p.String(), nil
}

// details writes the optional lines.
func (who person) details(p *page) {
	for _, l := range [...]struct{ name, value string }{
		{"NICKNAME", text(who.nick)}, {"ORG", text(who.org)}, {"TITLE", text(who.title)},
		{"BDAY", who.born}, {"URL", who.url}, {"NOTE", text(who.note)}, {"CATEGORIES", who.categories},
	} {
		if l.value != "" {
			p.line("%s:%s", l.name, l.value)
		}
	}
	for _, t := range who.tel {
		kind, number, _ := strings.Cut(t, "|")
		if kind == "FAX" {
			kind = "WORK,FAX"
		} else {
			kind += ",VOICE"
		}
		p.line("TEL;TYPE=%s:%s", kind, number)
	}
	for _, m := range who.mail {
		kind, address, _ := strings.Cut(m, "|")
		p.line("EMAIL;TYPE=INTERNET,%s:%s", kind, address)
	}
	for _, a := range who.adr {
		part := strings.Split(a, "|")
		for i := range part {
			part[i] = text(part[i])
		}
		p.line("ADR;TYPE=%s:;;%s", part[0], strings.Join(part[1:], ";"))
	}
}

// portrait draws a small picture: head and shoulders before a bright wall.
func portrait(c [3]uint8) ([]byte, error) {
	const size = 96
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			shade := 0.75 + 0.25*float64(y)/size
			px := color.RGBA{uint8(235 * shade), uint8(238 * shade), uint8(242 * shade), 255}
			head := math.Hypot(float64(x-size/2), float64(y-38)) < 20
			body := math.Hypot(float64(x-size/2)*0.9, float64(y-size-4)) < 38
			if head || body {
				px = color.RGBA{c[0], c[1], c[2], 255}
			}
			img.SetRGBA(x, y, px)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 80}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
