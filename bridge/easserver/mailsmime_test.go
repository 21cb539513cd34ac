package easserver_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// What S/MIME protects, with all that a careless hand would mend: blanks at the ends of
// lines, long lines, odd headers, bytes of no charset.
const (
	signedPart = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n\tmicalg=sha-256; boundary=\"=_s\"\r\n\r\nThis is S/MIME.\r\n--=_s\r\n" +
		"Content-Type:  text/plain ;charset=iso-8859-1\r\ncontent-transfer-encoding: 8bit\r\n\r\nGr\xfc\xdfe  \r\n.\r\n\tFrom here on \r\n\r\n\r\n--=_s\r\n" +
		"Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n\r\n" +
		"MIAGCSqGSIb3DQEHAqCAMIACAQExDzANBglghkgBZQMEAgEFADCABgkqhkiG9w0BBwEAAA==\r\n\r\n--=_s--\r\nafter the end\r\n"
	encryptedPart = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n" +
		"MIAGCSqGSIb3DQEHA6CAMIACAQAxggFYMIIBVAIBADA8\r\nMDAxGzAZBgNVBAoT\r\n\r\n"
	protectedHead = "From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nDate: Sat, 28 Nov 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n"
)

func protectedMail(subject, part string) string {
	return "Subject: " + subject + "\r\nMessage-ID: <" + subject + "@x>\r\n" + protectedHead + part
}

// mimeOf is the whole message that a phone was told, nil if it was told none.
func mimeOf(item eas.Properties) []byte {
	for _, e := range flat(eas.Element{Children: item}) {
		if e.Tag == tag.EmailMIMEData || e.Tag == tag.AirSyncBaseData {
			return []byte(e.Content())
		}
	}
	return nil
}

// syncedWith loads a folder from the beginning with options, and answers its items by
// their subjects.
func syncedWith(t *testing.T, c *easclient.Client, folder string, o eas.SyncOptions) map[string]eas.Properties {
	t.Helper()
	key, yes, items := "0", true, make(map[string]eas.Properties)
	for range 10 {
		one := eas.SyncCollection{SyncKey: key, CollectionID: folder, Options: []eas.SyncOptions{o}}
		if c.Version < eas.V121 {
			one.Class = eas.ClassEmail
		}
		if key != "0" {
			one.GetChanges = &yes
		}
		res, err := c.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{one}})
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Collections) == 0 {
			break
		}
		key = res.Collections[0].SyncKey
		for _, cmd := range res.Collections[0].Commands {
			subject, _ := cmd.Data.Text(tag.EmailSubject)
			items[subject] = cmd.Data
		}
		if len(items) > 0 && !res.Collections[0].MoreAvailable {
			break
		}
	}
	if len(items) != 3 {
		t.Fatalf("the folder has %d items", len(items))
	}
	return items
}

// Signed and encrypted mail reaches phones that take it byte for byte, by Sync and by
// ItemOperations; phones with MIMESupport 1 are told of other mail as ever.
func TestProtectedMailIsUnbroken(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		stored := map[string]string{"signed": protectedMail("signed", signedPart), "encrypted": protectedMail("encrypted", encryptedPart), "plain": mailOf("plain", "words")}
		inbox(h, stored)
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		folder := folderOfType(t, p, eas.FolderInbox)
		c := h.Client(v, "phone1")
		for _, support := range []int{0, 1, 2} {
			o := eas.SyncOptions{MIMESupport: &support, MIMETruncation: ptr(8)}
			if v >= eas.V120 {
				o = eas.SyncOptions{MIMESupport: &support, BodyPreferences: []eas.BodyPreference{{Type: 1}, {Type: 4}}}
			}
			for subject, item := range syncedWith(t, c, folder.ServerID, o) {
				whole := bytes.Equal(mimeOf(item), []byte(stored[subject]))
				if want := support == 2 || support == 1 && subject != "plain"; whole != want {
					t.Errorf("MIMESupport %d: %s is told whole: %t, want %t:\n%q", support, subject, whole, want, mimeOf(item))
				}
			}
			if v < eas.V120 {
				continue
			}
			for subject, text := range stored {
				id, _ := mailNamed(t, folder, subject)
				res, err := c.ItemOperations(t.Context(), eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: eas.StoreMailbox, CollectionID: folder.ServerID, ServerID: id,
					Options: &eas.FetchOptions{MIMESupport: &support, BodyPreferences: []eas.BodyPreference{{Type: 1}, {Type: 4}}}}}})
				if err != nil || res.Response == nil || len(res.Response.Fetches) != 1 {
					t.Fatalf("%+v, %v", res, err)
				}
				whole := bytes.Equal(mimeOf(res.Response.Fetches[0].Properties), []byte(text))
				if want := support == 2 || support == 1 && subject != "plain"; whole != want {
					t.Errorf("MIMESupport %d: %s is fetched whole: %t, want %t", support, subject, whole, want)
				}
			}
		}
	})
}

// Signed and encrypted mail of a phone's goes out, and is kept, as the phone made it:
// answers and what is passed on, too, of which the phone sends everything itself.
func TestProtectedMailIsSentUnbroken(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		inbox(h, map[string]string{"signed": protectedMail("signed", signedPart)})
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		folder := folderOfType(t, p, eas.FolderInbox)
		id, _ := mailNamed(t, folder, "signed")
		source := &eas.MailSource{FolderID: folder.ServerID, ItemID: id}
		c, n := h.Client(v, "phone1"), 0
		for name, part := range map[string]string{"signed": signedPart, "encrypted": encryptedPart} {
			mime := []byte("From: ann@example.org\r\nTo: bob@example.org\r\nSubject: " + name + "\r\nMIME-Version: 1.0\r\nMessage-ID: <" + name + "@phone>\r\n" + part)
			for what, send := range map[string]func() error{
				"new": func() error {
					return c.SendMail(t.Context(), eas.SendMailRequest{ClientID: name + "1", SaveInSentItems: true, Mime: mime})
				},
				"answer": func() error {
					return c.SmartReply(t.Context(), eas.SmartReplyRequest{ClientID: name + "2", SaveInSentItems: true, Source: source, ReplaceMime: true, Mime: mime})
				},
			} {
				if v < eas.V140 && what == "answer" {
					continue // there is no ReplaceMime
				}
				if err := send(); err != nil {
					t.Fatalf("%s, %s: %v", name, what, err)
				}
				n++
				sent := h.Backend.Outgoing()
				_, body, _ := bytes.Cut(sent[len(sent)-1].Body, []byte("Content-Type: "))
				if _, want, _ := strings.Cut(part, "Content-Type: "); string(body) != want || len(sent) != n {
					t.Errorf("%s, %s: of %d sent was\n%q\nwant\n%q", name, what, len(sent), body, want)
				}
			}
		}
		for _, kept := range h.Backend.Items(bridgetest.User, "sent") {
			if !bytes.HasSuffix(kept, []byte(signedPart[strings.Index(signedPart, "\r\n\r\n"):])) && !bytes.HasSuffix(kept, []byte(encryptedPart[strings.Index(encryptedPart, "\r\n\r\n"):])) {
				t.Errorf("kept was\n%q", kept)
			}
		}
		if got := len(h.Backend.Items(bridgetest.User, "sent")); got != n {
			t.Errorf("%d copies were kept, want %d", got, n)
		}
		// Passed on by us it is a message in a message.
		if err := c.SmartForward(t.Context(), eas.SmartForwardRequest{ClientID: "f", Source: source, Mime: []byte(newMail)}); err != nil {
			t.Fatal(err)
		}
		sent := h.Backend.Outgoing()
		if body := sent[len(sent)-1].Body; !bytes.Contains(body, []byte(signedPart)) {
			t.Errorf("passed on was\n%q", body)
		}
	})
}

// Nobody's SMS come from here: a phone that asks for them beside its mail gets its
// mail, and one that adds an SMS is told that it does not belong here.
func TestSMSIsRefused(t *testing.T) {
	for _, v := range []eas.Version{eas.V140, eas.V141, eas.V160, eas.V161} {
		h := mailHouse(t)
		inbox(h, map[string]string{"plain": mailOf("plain", "words")})
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		for _, typ := range []eas.FolderType{eas.FolderInbox, eas.FolderDrafts, eas.FolderOutbox} {
			var f phone.Folder
			for _, one := range p.Folders() {
				if one.Type == typ {
					f = one
				}
			}
			if f.ServerID == "" {
				continue // there is no outbox
			}
			res, err := h.Client(v, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: f.ServerID,
				Options: []eas.SyncOptions{{Class: eas.ClassEmail}, {Class: eas.ClassSMS}},
				Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, Class: eas.ClassSMS, ClientID: "sms", Data: eas.Properties{
					eas.T(tag.EmailTo, "[MOBILE: +491701234567]"), eas.T(tag.EmailFrom, "[MOBILE: +491707654321]")}}}}}})
			if err != nil || len(res.Collections) != 1 || res.Collections[0].Status != eas.SyncOK || len(res.Collections[0].Responses) != 1 ||
				res.Collections[0].Responses[0].Status == eas.SyncOK {
				t.Fatalf("%s, folder of type %d: answered %+v, %v", v, typ, res, err)
			}
		}
		if n := len(h.Backend.Outgoing()); n != 0 {
			t.Errorf("%s: %d mails went out", v, n)
		}
		for folder, want := range map[string]int{"inbox": 1, "drafts": 0} {
			if n := len(h.Backend.Items(bridgetest.User, backend.CollectionID(folder))); n != want {
				t.Errorf("%s: %s has %d items", v, folder, n)
			}
		}
	}
}
