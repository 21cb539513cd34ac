package policy

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// Type is the type of policy that a version of the protocol asks for. See
// [MS-ASPROV] "PolicyType".
func Type(v eas.Version) string {
	if v < eas.V120 {
		return eas.PolicyTypeXML
	}
	return eas.PolicyTypeWBXML
}

// Data is the document in the language of a version. See [MS-ASPROV] "Data".
func (d Document) Data(v eas.Version) *eas.PolicyData {
	if v < eas.V120 {
		return &eas.PolicyData{XML: d.wap()}
	}
	return &eas.PolicyData{Doc: d.doc()}
}

// doc sets the element of each setting. What a version does not know is left out
// when the message is written.
func (d Document) doc() *eas.EASProvisionDoc {
	doc := new(eas.EASProvisionDoc)
	fields := reflect.ValueOf(doc).Elem()
	for _, s := range Settings {
		v, ok := d[s.Name]
		if !ok {
			v = s.Neutral
		}
		if v == nil {
			continue
		}
		field := fields.FieldByName(s.Element)
		if s.Kind == List {
			field.Set(reflect.ValueOf(v))
			continue
		}
		p := reflect.New(field.Type().Elem())
		p.Elem().Set(reflect.ValueOf(v))
		field.Set(p)
	}
	return doc
}

// wap is the document for 2.5, which knows a handful of settings. See
// [MS-ASPROV] "Data (string Data Type)".
func (d Document) wap() string {
	var b strings.Builder
	required := d.Bool(password)
	b.WriteString(`<wap-provisioningdoc><characteristic type="SecurityPolicy">`)
	// 4131: 0 means that a password is required. 4133: 0 means that the phone is
	// not unlocked from a computer.
	parm(&b, "4131", oneUnless(required))
	parm(&b, "4133", oneUnless(required))
	b.WriteString(`</characteristic>`)
	if required {
		b.WriteString(`<characteristic type="Registry">`)
		d.registry(&b)
		b.WriteString(`</characteristic>`)
	}
	b.WriteString(`</wap-provisioningdoc>`)
	return b.String()
}

// lassd is where a Windows Mobile keeps how it is locked.
const lassd = `HKLM\Comm\Security\Policy\LASSD`

// registry is what a phone with a password is asked.
func (d Document) registry(b *strings.Builder) {
	branch := func(path string, parms ...any) {
		fmt.Fprintf(b, `<characteristic type="%s">`, path)
		for i := 0; i < len(parms); i += 2 {
			parm(b, parms[i].(string), parms[i+1].(int))
		}
		b.WriteString(`</characteristic>`)
	}
	const lock = lassd + `\AE\{50C13377-C66D-400C-889E-C316FC4AB374}`
	if seconds, ok := d.Int("max_inactivity_time_device_lock"); ok {
		branch(lock, "AEFrequencyType", 1, "AEFrequencyValue", (seconds+59)/60) // minutes
	} else {
		branch(lock, "AEFrequencyType", 0, "AEFrequencyValue", 0)
	}
	if attempts, ok := d.Int("max_device_password_failed_attempts"); ok {
		branch(lassd, "DeviceWipeThreshold", attempts)
		// So many wrong passwords, and the phone asks for a word, lest a pocket
		// types the rest.
		branch(lassd, "CodewordFrequency", attempts/2)
	} else {
		branch(lassd, "DeviceWipeThreshold", 0)
		branch(lassd, "CodewordFrequency", -1)
	}
	length, ok := d.Int("min_device_password_length")
	if !ok {
		length = 1
	}
	branch(lassd+`\LAP\lap_pw`, "MinimumPasswordLength", length)
	complexity := 2 // anything; 1 would be digits only
	if d.Bool("alphanumeric_device_password_required") {
		complexity = 0
	}
	branch(lassd+`\LAP\lap_pw`, "PasswordComplexity", complexity)
}

func parm(b *strings.Builder, name string, value int) {
	fmt.Fprintf(b, `<parm name="%s" value="%d"/>`, name, value)
}

func oneUnless(yes bool) int {
	if yes {
		return 0
	}
	return 1
}
