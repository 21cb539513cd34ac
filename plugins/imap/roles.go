package imap

import (
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// specialUses are the attributes of RFC 6154, section 2.
var specialUses = map[string]backend.Role{
	`\drafts`: backend.RoleDrafts, `\sent`: backend.RoleSent, `\trash`: backend.RoleTrash, `\junk`: backend.RoleJunk,
	`\archive`: backend.RoleArchive,
}

// usualNames are what folders are called on servers that do not say what they
// are for: in English as programs make them, and as other servers and programs
// name them in their languages.
var usualNames = map[backend.Role][]string{
	backend.RoleDrafts: {"drafts", "draft", "entwürfe", "entwurf", "brouillons", "borradores", "bozze", "concepten", "utkast", "rascunhos", "kladder", "luonnokset", "wersje robocze", "черновики", "下書き", "草稿"},
	backend.RoleSent: {"sent", "sent items", "sent messages", "sent mail", "sent-mail", "gesendet", "gesendete objekte", "gesendete elemente", "éléments envoyés", "envoyés",
		"messages envoyés", "enviados", "elementos enviados", "posta inviata", "inviata", "verzonden", "verzonden items", "skickat", "sendt", "lähetetyt", "wysłane", "отправленные", "送信済み", "已发送"},
	backend.RoleTrash: {"trash", "deleted items", "deleted messages", "deleted", "bin", "papierkorb", "gelöschte objekte", "gelöschte elemente", "corbeille", "éléments supprimés",
		"papelera", "elementos eliminados", "cestino", "posta eliminata", "prullenbak", "papperskorgen", "papirkurv", "roskakori", "kosz", "lixo", "lixeira", "корзина", "удаленные", "ゴミ箱", "已删除"},
	backend.RoleJunk: {"junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail", "spamverdacht", "junk-e-mail", "courrier indésirable", "indésirables",
		"correo no deseado", "posta indesiderata", "ongewenste e-mail", "ongewenst", "skräppost", "søppelpost", "roskaposti", "спам", "迷惑メール", "垃圾邮件"},
	backend.RoleArchive: {"archive", "archives", "archiv", "archivo", "archivio", "archief", "arkiv", "arkisto", "archiwum", "архив"},
}

// rolesOf says what each folder is for. What the server says counts; where it
// says nothing of a role, the name of a folder at the top does.
func rolesOf(folders []folder, prefix string) map[string]backend.Role {
	roles := make(map[string]backend.Role)
	taken := make(map[backend.Role]bool)
	give := func(f folder, r backend.Role) {
		if r != "" && f.listed && !taken[r] && roles[f.wire] == "" {
			roles[f.wire], taken[r] = r, true
		}
	}
	for _, f := range folders {
		if f.wire == "INBOX" {
			give(f, backend.RoleInbox)
		}
		for _, a := range f.attributes {
			give(f, specialUses[a])
		}
	}
	for role, names := range usualNames {
		for _, name := range names { // the more usual ones first
			for _, f := range folders {
				own := strings.TrimPrefix(strings.TrimPrefix(f.wire, prefix), "INBOX"+f.delimiter)
				if strings.ToLower(imapconn.DecodeName(own)) == name {
					give(f, role)
				}
			}
		}
	}
	return roles
}
