package contact

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
)

// everything has each property that a phone can be shown.
var everything = vcard("3.0", "N:Doe;Jane;Q.;Dr.;Jr.\nFN:Jane\nX-EVOLUTION-FILE-AS:Jane\nNICKNAME:J\nX-PHONETIC-FIRST-NAME:a\nX-PHONETIC-LAST-NAME:b\nX-PHONETIC-ORG:c\n"+
	"TEL;TYPE=CELL:1\nTEL;TYPE=HOME:2\nTEL;TYPE=HOME:3\nTEL;TYPE=WORK:4\nTEL;TYPE=WORK:5\nTEL;TYPE=WORK,FAX:6\nTEL;TYPE=HOME,FAX:7\nTEL;TYPE=PAGER:8\n"+
	"TEL;TYPE=CAR:9\nTEL;TYPE=X-ASSISTANT:10\nTEL;TYPE=X-RADIO:11\nTEL;TYPE=X-COMPANY:12\nEMAIL:1@example.org\nEMAIL:2@example.org\nEMAIL:3@example.org\n"+
	"IMPP:xmpp:1\nIMPP:xmpp:2\nIMPP:xmpp:3\nURL:https://example.org/\nADR;TYPE=HOME:;;1;2;3;4;5\nADR;TYPE=WORK:;;6;7;8;9;10\nADR:;;11;12;13;14;15\n"+
	"ORG:A;B\nTITLE:T\nX-OFFICE:O\nX-MANAGER:M\nX-ASSISTANT:A\nX-SPOUSE:S\nX-CHILD:C1\nX-CHILD:C2\nBDAY:1980-02-29\nX-ANNIVERSARY:2001-05-06\n"+
	"X-CUSTOMER-ID:c\nX-GOVERNMENT-ID:g\nX-ACCOUNT-NAME:a\nX-MMS:m\nCATEGORIES:a,b\nPHOTO;ENCODING=b;TYPE=GIF:"+tinyGIF+"\nNOTE:"+strings.Repeat("Note\\n", 30)+"\n")

func TestSheet(t *testing.T) {
	translatetest.CheckSheet(t, Sheet(), translatetest.Translation{Show: FromVCard, New: New}, []byte(everything), options(eas.V141))
}
